#include "openai/tool_calls/scan.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <iterator>

#include "base/text.hpp"
#include "openai/tool_calls/reading.hpp"
#include "openai/tool_calls/thinking.hpp"

namespace punie::openai::tool_calls {

namespace {

/// Ends of turns that servers leave in the text.
constexpr std::array<std::string_view, 12> turn_ends = {
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "</s>",
    "<end_of_turn>",
    "<turn|>",
    "<eos>",
    "<｜end▁of▁sentence｜>",
    "<|END_OF_TURN_TOKEN|>",
    "<|user|>",
};

/// Tokens around the visible answer.
constexpr std::array<std::string_view, 6> wrappers = {
    "<|START_RESPONSE|>",
    "<|END_RESPONSE|>",
    "<|begin_of_box|>",
    "<|end_of_box|>",
    "<|begin_of_solution|>",
    "<|end_of_solution|>",
};

std::string_view without_turn_end(std::string_view text) {
    while (true) {
        text = trim(text);
        const auto* found = std::ranges::find_if(turn_ends, [&](std::string_view token) {
            return text.ends_with(token);
        });
        if (found == turn_ends.end()) return text;
        text.remove_suffix(found->size());
    }
}

/// The first two bytes of all markers: nearly every place of a text is passed over by them.
class Beginnings {
public:
    Beginnings() {
        for (const auto& tags : thinking_tags()) {
            add(tags.opening);
            add(tags.closing);
        }
        for (const auto token : wrappers) add(token);
        for (const auto& format : formats()) {
            for (const auto marker : format.markers) add(marker);
        }
    }

    bool has(std::string_view text, std::size_t at) const {
        return at + 1 < text.size() && pairs_.test(pair(text[at], text[at + 1]));
    }

private:
    static std::size_t pair(char first, char second) {
        return (static_cast<std::size_t>(static_cast<unsigned char>(first)) << 8U) |
               static_cast<unsigned char>(second);
    }

    void add(std::string_view marker) { pairs_.set(pair(marker[0], marker[1])); }

    std::bitset<65536> pairs_;
};

const Beginnings& beginnings() {
    static const Beginnings all;
    return all;
}

class Scan {
public:
    Scan(std::string_view text, std::string_view format, bool calls, Answer& answer)
        : source_(without_turn_end(text)), format_(format), calls_(calls), answer_(answer) {}

    void run() {
        const auto text = source_.text();
        const auto& starts = beginnings();
        while (at_ < text.size()) {
            if (!starts.has(text, at_) || !step()) ++at_;
        }
        see(text.substr(seen_));
        answer_.text = trim(visible_);
        if (calls_ && answer_.calls.empty() && !answer_.text.empty()) read_whole();
    }

private:
    void see(std::string_view text) { visible_ += text; }

    bool step() { return open_thinking() || close_thinking() || unwrap() || read_call(); }

    /// Text up to here is seen, and it goes on at `end`.
    void go_on(std::size_t end) {
        see(source_.slice(seen_, at_));
        at_ = seen_ = end;
    }

    void think(std::string_view text) {
        if (text.empty()) return;
        if (!answer_.thinking.empty()) answer_.thinking += '\n';
        answer_.thinking += text;
    }

    bool open_thinking() {
        for (const auto& tags : thinking_tags()) {
            if (!source_.has(at_, tags.opening)) continue;
            const auto piece = read_thinking(source_, at_, tags);
            if (!piece) return false;
            go_on(piece->end);
            think(piece->thinking);
            answer_.thinking_cut = piece->thinking_cut;
            thought_ = true;
            return true;
        }
        return false;
    }

    /// An end without a beginning: the template wrote the opening tag, all before was thinking.
    bool close_thinking() {
        for (const auto& tags : thinking_tags()) {
            if (!tags.opened_in_prompt || !source_.has(at_, tags.closing)) continue;
            if (at_ > 0 && source_.text()[at_ - 1] == '`') return false;
            const auto end = at_ + tags.closing.size();
            go_on(end);
            if (thought_) return true;
            answer_.thinking.clear();
            think(trim(source_.slice(0, end - tags.closing.size())));
            visible_.clear();
            answer_.calls.clear();
            thought_ = true;
            return true;
        }
        return false;
    }

    bool unwrap() {
        const auto* found = std::ranges::find_if(wrappers, [&](std::string_view token) {
            return source_.has(at_, token);
        });
        if (found == wrappers.end()) return false;
        go_on(at_ + found->size());
        return true;
    }

    bool read_call() {
        if (!calls_) return false;
        for (const auto& format : formats()) {
            if (!wanted(format)) continue;
            for (const auto marker : format.markers) {
                if (source_.has(at_, marker) && take(format, marker)) return true;
            }
        }
        return false;
    }

    bool take(const Format& format, std::string_view marker) {
        auto piece = format.read(source_, at_, marker);
        if (!piece) return false;
        go_on(std::max(piece->end, at_ + 1));
        answer_.calls.insert(
            answer_.calls.end(),
            std::make_move_iterator(piece->calls.begin()),
            std::make_move_iterator(piece->calls.end())
        );
        think(piece->thinking);
        answer_.thinking_cut = answer_.thinking_cut || piece->thinking_cut;
        if (!piece->text.empty() && !visible_.empty()) see("\n");
        see(piece->text);
        return true;
    }

    void read_whole() {
        for (const auto& format : formats()) {
            if (format.read_whole == nullptr || !wanted(format)) continue;
            answer_.calls = format.read_whole(answer_.text);
            if (answer_.calls.empty()) continue;
            answer_.text.clear();
            return;
        }
    }

    bool wanted(const Format& format) const { return format_.empty() || format.name == format_; }

    Source source_;
    std::string_view format_;
    bool calls_;
    Answer& answer_;
    std::string visible_;
    std::size_t at_ = 0;
    std::size_t seen_ = 0;  ///< what stands before is dealt with
    bool thought_ = false;
};

}  // namespace

void scan_text(std::string_view text, std::string_view format, bool calls, Answer& answer) {
    Scan(text, format, calls, answer).run();
}

}  // namespace punie::openai::tool_calls
