#include "translate/call_watch.hpp"

#include <algorithm>
#include <vector>

#include "openai/tool_calls/reading.hpp"
#include "openai/tool_calls/thinking.hpp"
#include "translate/call_beginnings.hpp"

namespace punie::translate {

namespace {

namespace calls = openai::tool_calls;

constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t first_reading = 64;

/// Everything that is looked for, and the bytes that it begins with.
struct Tokens {
    std::vector<std::string_view> all;
    std::string first_bytes;
    std::size_t longest = 0;

    Tokens() {
        for (const auto& tags : calls::thinking_tags()) {
            add(tags.opening);
            if (tags.opened_in_prompt) add(tags.closing);
        }
        for (const auto& format : calls::formats()) {
            for (const auto marker : format.markers) add(marker);
        }
    }

    void add(std::string_view token) {
        all.push_back(token);
        longest = std::max(longest, token.size());
        if (!first_bytes.contains(token.front())) first_bytes += token.front();
    }

    /// Whether a token stands at the start of `rest`, or may when more has come.
    bool begins(std::string_view rest) const {
        return std::ranges::any_of(all, [&](std::string_view token) {
            return rest.starts_with(token) || token.starts_with(rest);
        });
    }
};

const Tokens& tokens() {
    static const Tokens all;
    return all;
}

/// The first place from `from` on where a token stands or begins.
std::size_t next_token(std::string_view rest, std::size_t from) {
    while (true) {
        from = rest.find_first_of(tokens().first_bytes, from);
        if (from == std::string_view::npos) return rest.size();
        if (tokens().begins(rest.substr(from, tokens().longest))) return from;
        ++from;
    }
}

/// Length of the longest end of `text` that `token` begins with.
std::size_t begun(std::string_view text, std::string_view token) {
    for (auto length = std::min(text.size(), token.size() - 1); length > 0; --length) {
        if (token.starts_with(text.substr(text.size() - length))) return length;
    }
    return 0;
}

/// The marker that stands here; "" none.
std::string_view marker_at(std::string_view rest) {
    for (const auto& format : calls::formats()) {
        for (const auto marker : format.markers) {
            if (rest.starts_with(marker)) return marker;
        }
    }
    return {};
}

/// Whether the formats read a call here that has ended and is none of ours, whatever follows.
bool is_settled_otherwise(std::string_view rest, const ToolSet& tools) {
    constexpr std::size_t margin = 32;  // a closing tag that has not come whole
    calls::Source source(rest);
    for (const auto& format : calls::formats()) {
        for (const auto marker : format.markers) {
            if (!rest.starts_with(marker)) continue;
            const auto piece = format.read(source, 0, marker);
            if (!piece) continue;
            if (piece->end + margin > rest.size()) return false;
            return std::ranges::any_of(piece->calls, [&](const openai::AnswerCall& call) {
                const bool cut = call.problem == calls::cut_problem;
                return !cut && (!call.problem.empty() || !tools.has(call.name));
            });
        }
    }
    return false;
}

}  // namespace

std::size_t CallWatch::let_go(std::string_view kept) {
    std::size_t gone = 0;
    while (gone < kept.size()) {
        const auto rest = kept.substr(gone);
        const auto count = thinking_until_.empty() ? step(rest) : think(rest);
        if (count == 0) return gone;
        gone += count;
        tried_ = 0;
        in_call_ = false;
    }
    return gone;
}

/// Notes what is let go.
std::size_t CallWatch::pass(std::string_view rest, std::size_t count) {
    const auto text = rest.substr(0, count);
    if (text.empty()) return 0;
    const auto line = text.rfind('\n');
    const auto shown = text.find_last_not_of(" \t");
    if (line != std::string_view::npos)
        own_line_ = shown == line || shown == std::string_view::npos;
    else
        own_line_ = own_line_ && shown == std::string_view::npos;
    if (text.find_first_not_of(blanks) != std::string_view::npos) at_start_ = false;
    last_ = text.back();
    return count;
}

/// Inside a thinking block nothing is a call.
std::size_t CallWatch::think(std::string_view rest) {
    in_call_ = false;
    const auto close = rest.find(thinking_until_);
    if (close == std::string_view::npos)
        return pass(rest, rest.size() - begun(rest, thinking_until_));
    const auto count = pass(rest, close + thinking_until_.size());
    thinking_until_ = {};
    at_start_ = before_thinking_;
    return count;
}

/// How many bytes at the front may go; 0: more has to come.
std::size_t CallWatch::step(std::string_view rest) {
    if (at_start_) {
        const auto blank = std::min(rest.find_first_not_of(blanks), rest.size());
        if (blank > 0) return pass(rest, blank);
    }
    if (const auto tag = take_thinking_tag(rest); tag > 0) return tag;
    if (const auto marker = marker_at(rest); !marker.empty() && may_be_call(rest, marker)) {
        in_call_ = true;
        return 0;
    }
    if (at_start_ && may_be_whole_call(rest)) {
        in_call_ = true;
        return 0;
    }
    const auto next = next_token(rest, 0);
    if (next > 0) return pass(rest, next);
    const bool whole_token = std::ranges::any_of(tokens().all, [&](std::string_view token) {
        return rest.starts_with(token);
    });
    if (!whole_token) {  // begun: a few bytes will tell
        in_call_ = false;
        return 0;
    }
    return pass(rest, next_token(rest, 1));
}

/// Over a tag that begins or ends thinking, if one stands here and means it.
std::size_t CallWatch::take_thinking_tag(std::string_view rest) {
    if (last_ == '`') return 0;
    for (const auto& tags : calls::thinking_tags()) {
        // In the middle of a line it is only talked about.
        if (rest.starts_with(tags.opening) && own_line_) {
            before_thinking_ = at_start_;
            thought_ = true;
            thinking_until_ = tags.closing;
            return pass(rest, tags.opening.size());
        }
        if (!tags.opened_in_prompt || !rest.starts_with(tags.closing)) continue;
        // The template opened it: all before was thinking, the answer begins here.
        const bool starts = !thought_ || at_start_;
        thought_ = true;
        const auto count = pass(rest, tags.closing.size());
        at_start_ = starts;
        return count;
    }
    return 0;
}

/// Reading is repeated when the text has doubled, so that all readings cost no more than a few.
bool CallWatch::worth_reading(std::string_view rest) {
    if (rest.size() < std::max(first_reading, 2 * tried_)) return false;
    tried_ = rest.size();
    return true;
}

bool CallWatch::may_be_call(std::string_view rest, std::string_view marker) {
    if (!may_follow(marker, rest.substr(marker.size()), *tools_)) return false;
    return !worth_reading(rest) || !is_settled_otherwise(rest, *tools_);
}

bool CallWatch::may_be_whole_call(std::string_view rest) {
    if (!may_begin_answer(rest, *tools_)) return false;
    return !worth_reading(rest) || may_stay_whole_call(rest, *tools_);
}

}  // namespace punie::translate
