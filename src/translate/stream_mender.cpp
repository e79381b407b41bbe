#include <boost/json.hpp>
#include <deque>
#include <map>
#include <utility>

#include "openai/sse.hpp"
#include "translate/call_watch.hpp"
#include "translate/event_splitter.hpp"
#include "translate/mending.hpp"
#include "translate/tool_set.hpp"

namespace punie::translate {

namespace {

constexpr std::size_t most_kept = 8U << 20U;  // an answer longer than that is no call

/// One event that is held back.
struct Held {
    std::string raw;
    std::string text;  ///< what it adds to the answer
};

std::string data_of(std::string_view raw) {
    openai::SseReader reader;
    const auto events = reader.feed(raw);
    return events && !events->empty() ? events->front().data : std::string{};
}

std::string event_of(const json::value& chunk) {
    return "data: " + to_text(chunk) + "\n\n";
}

json::object& choice_of(json::value& chunk) {
    return chunk.at("choices").get_array()[0].get_object();
}

/// The chunk with another text; everything else of it stays.
std::string with_text(json::value chunk, std::string_view text) {
    choice_of(chunk)["delta"].get_object()["content"] = text;
    return event_of(chunk);
}

bool has_calls(const json::value& delta) {
    const auto* calls = member(delta, "tool_calls");
    return calls != nullptr && calls->is_array() && !calls->get_array().empty();
}

/// One choice of the stream.
class ChoiceMender {
public:
    ChoiceMender(const ToolSet& tools, std::string_view id, std::size_t& made)
        : tools_(tools), id_(id), made_(made), watch_(tools) {}

    bool holds() const { return !held_.empty(); }

    /// A chunk with this choice alone.
    std::string take(const std::string& raw, json::value chunk) {
        if (closed_) return raw;
        last_ = std::move(chunk);
        const auto& choice = last_.at("choices").get_array()[0];
        const auto* delta = member(choice, "delta");
        const auto* content = delta == nullptr ? nullptr : member(*delta, "content");
        const bool odd = content != nullptr && !content->is_string() && !content->is_null();
        if (odd || (delta != nullptr && has_calls(*delta))) return close() + raw;
        std::string text;
        if (content != nullptr && content->is_string()) text = content->get_string();
        if (string_member(choice, "finish_reason")) return end(raw, std::move(text));
        if (text.empty() && held_.empty()) return raw;
        return hold(raw, std::move(text));
    }

    /// Everything goes on as it came; nothing more is looked at.
    std::string close() {
        closed_ = true;
        std::string out;
        for (const auto& event : held_) out += event.raw;
        held_.clear();
        kept_.clear();
        return out;
    }

    /// The stream ends without a finish_reason.
    std::string finish() {
        if (closed_) return {};
        const auto answer = kept_.empty() ? std::nullopt : tools_.calls_in(kept_);
        if (!answer) return close();
        auto out = mended(*answer, held_.size());
        auto& choice = choice_of(last_);
        choice["delta"] = json::object{};
        choice["finish_reason"] = "tool_calls";
        out += event_of(last_);
        closed_ = true;
        held_.clear();
        return out;
    }

    /// The second half of a line end.
    bool glue(char byte) {
        if (held_.empty()) return false;
        auto& raw = held_.back().raw;
        if (raw.ends_with('\r')) raw += byte;  // else it was written anew, with whole line ends
        return true;
    }

private:
    std::string hold(const std::string& raw, std::string text) {
        kept_ += text;
        held_.push_back({raw, std::move(text)});
        if (kept_.size() > most_kept) return close();
        const auto gone = watch_.let_go(kept_);
        kept_.erase(0, gone);
        owed_ += gone;
        std::string out;
        while (!held_.empty() && held_.front().text.size() <= owed_) {
            owed_ -= held_.front().text.size();
            out += held_.front().raw;
            held_.pop_front();
        }
        // What stands before a call goes on; for a few bytes that may be none it is not worth
        // taking an event apart.
        if (owed_ > 0 && watch_.in_call()) out += split();
        return out;
    }

    /// The first event's text that is owed goes on, the rest of it stays.
    std::string split() {
        auto& front = held_.front();
        auto chunk = parse_json(data_of(front.raw));
        const auto owed = std::exchange(owed_, 0);
        auto first = with_text(*chunk, front.text.substr(0, owed));
        front.text.erase(0, owed);
        auto& delta = choice_of(*chunk)["delta"].get_object();
        delta.erase("role");
        front.raw = with_text(*chunk, front.text);
        return first;
    }

    /// The choice's last chunk.
    std::string end(const std::string& raw, std::string text) {
        kept_ += text;
        held_.push_back({raw, std::move(text)});
        const auto answer = kept_.empty() ? std::nullopt : tools_.calls_in(kept_);
        if (!answer) return close();
        auto out = mended(*answer, held_.size() - 1);
        auto& choice = choice_of(last_);
        if (auto* delta = choice.if_contains("delta"); delta != nullptr && delta->is_object())
            delta->get_object().erase("content");
        if (choice["finish_reason"] != "length") choice["finish_reason"] = "tool_calls";
        out += event_of(last_);
        closed_ = true;
        held_.clear();
        return out;
    }

    /// What was held, with calls instead of their text; of the first `events` events.
    std::string mended(const openai::Answer& answer, std::size_t events) {
        std::string out;
        if (owed_ > 0) out += chunk_with({{"content", held_.front().text.substr(0, owed_)}});
        for (std::size_t i = 0; i < events; ++i) out += without_text(held_[i]);
        if (!answer.thinking.empty()) out += chunk_with({{"reasoning_content", answer.thinking}});
        if (!answer.text.empty()) out += chunk_with({{"content", answer.text}});
        auto entries = tools_.entries(answer.calls, id_, made_);
        made_ += entries.size();
        std::int64_t index = 0;
        for (auto& entry : entries) {
            json::object call{{"index", index++}};
            for (auto& field : entry.get_object()) call[field.key()] = std::move(field.value());
            json::array list;
            list.emplace_back(std::move(call));
            out += chunk_with({{"role", "assistant"}, {"tool_calls", std::move(list)}});
        }
        return out;
    }

    /// An event without its text, if anything else is in it.
    static std::string without_text(const Held& event) {
        if (event.text.empty()) return event.raw;
        auto chunk = parse_json(data_of(event.raw));
        auto& delta = choice_of(*chunk)["delta"].get_object();
        delta.erase("content");
        const bool more = delta.size() > (delta.contains("role") ? 1U : 0U);
        return more ? event_of(*chunk) : std::string{};
    }

    /// A chunk of the server's looks with this delta.
    std::string chunk_with(json::object delta) const {
        json::object chunk;
        for (const std::string_view name :
             {"id", "object", "created", "model", "system_fingerprint"}) {
            if (const auto* value = member(last_, name)) chunk[name] = *value;
        }
        const auto* index = member(last_.at("choices").get_array()[0], "index");
        json::object choice{{"index", index == nullptr ? json::value(0) : *index}};
        choice["delta"] = std::move(delta);
        choice["finish_reason"] = nullptr;
        json::array choices;
        choices.emplace_back(std::move(choice));
        chunk["choices"] = std::move(choices);
        return event_of(chunk);
    }

    const ToolSet& tools_;
    std::string_view id_;
    std::size_t& made_;  // calls so far, of all choices
    CallWatch watch_;
    std::deque<Held> held_;
    std::string kept_;      // the text from the first byte on that may be a call's
    std::size_t owed_ = 0;  // bytes of the first held event that are none, and were not sent
    json::value last_;      // the latest chunk
    bool closed_ = false;
};

}  // namespace

struct StreamMender::Impl {
    Impl(const json::value& declared, std::string for_ids)
        : tools(declared), id(std::move(for_ids)) {}

    std::string take(const std::string& raw) {
        const auto data = data_of(raw);
        if (data.empty()) return raw;  // a comment
        if (data == "[DONE]") {
            std::string out;
            for (auto& [index, choice] : choices) out += choice.finish();
            ended = true;
            return out + raw;
        }
        auto chunk = parse_json(data);
        const auto* list = chunk ? member(*chunk, "choices") : nullptr;
        if (list == nullptr || !list->is_array()) return release() + raw;  // an error
        const auto& array = list->get_array();
        if (array.empty()) return raw;
        if (array.size() > 1 || !array[0].is_object()) return release() + raw;
        const auto* delta = member(array[0], "delta");
        if (delta != nullptr && !delta->is_object()) return release() + raw;
        const auto index = integer_member(array[0], "index").value_or(0);
        auto found = choices.find(index);
        if (found == choices.end())
            found = choices.try_emplace(index, tools, std::string_view(id), made).first;
        latest = &found->second;
        return latest->take(raw, *std::move(chunk));
    }

    std::string release() {
        std::string out;
        for (auto& [index, choice] : choices) out += choice.close();
        return out;
    }

    ToolSet tools;
    std::string id;
    std::size_t made = 0;
    EventSplitter splitter;
    std::map<std::int64_t, ChoiceMender> choices;
    ChoiceMender* latest = nullptr;  // that the last event was of
    bool passed = true;              // the last event went on as it came
    StreamEye eye;                   // when there are no tools
    bool ended = false;
};

StreamMender::StreamMender(const json::value& tools, std::string id)
    : impl_(std::make_unique<Impl>(tools, std::move(id))) {}

StreamMender::~StreamMender() = default;
StreamMender::StreamMender(StreamMender&&) noexcept = default;
StreamMender& StreamMender::operator=(StreamMender&&) noexcept = default;

Result<std::string> StreamMender::feed(std::string_view bytes) {
    auto& impl = *impl_;
    if (impl.tools.empty()) {
        impl.eye.feed(bytes);
        return std::string(bytes);
    }
    std::string out;
    auto fed = impl.splitter.feed(
        bytes,
        [&](const std::string& raw) {
            impl.latest = nullptr;
            const auto taken = impl.take(raw);
            impl.passed = taken.ends_with(raw);
            out += taken;
        },
        [&](char byte) {
            const bool held = impl.latest != nullptr && impl.latest->glue(byte);
            if (!held && impl.passed) out += byte;
        }
    );
    if (!fed) return std::unexpected(std::move(fed).error());
    return out;
}

bool StreamMender::done() const {
    return impl_->tools.empty() ? impl_->eye.done() : impl_->ended;
}

std::string StreamMender::release() {
    return impl_->release();
}

}  // namespace punie::translate
