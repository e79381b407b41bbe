#include "openai/sse.hpp"

#include <fmt/format.h>

#include <utility>

namespace punie::openai {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

Result<std::vector<SseEvent>> SseReader::feed(std::string_view bytes) {
    std::vector<SseEvent> events;
    while (!bytes.empty()) {
        if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
            bytes.remove_prefix(1);
            continue;
        }
        const auto end = bytes.find_first_of("\r\n");
        line_.append(bytes.substr(0, end));
        if (line_.size() > max_event_ || data_.size() > max_event_) {
            return fail(
                ErrorCode::protocol,
                fmt::format("the stream holds an event of more than {} bytes", max_event_)
            );
        }
        if (end == std::string_view::npos) break;
        after_cr_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        end_line(events);
    }
    return events;
}

void SseReader::end_line(std::vector<SseEvent>& events) {
    const auto whole = std::exchange(line_, {});
    std::string_view line = whole;
    if (std::exchange(first_line_, false) && line.starts_with(byte_order_mark))
        line.remove_prefix(3);
    if (line.empty()) return dispatch(events);
    const auto colon = line.find(':');
    if (colon == 0) {
        ++comments_;
        return;
    }
    if (colon == std::string_view::npos) return field(line, {});
    auto value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    field(line.substr(0, colon), value);
}

void SseReader::field(std::string_view name, std::string_view value) {
    if (name == "data") {
        if (has_data_) data_ += '\n';
        data_ += value;
        has_data_ = true;
    } else if (name == "event") {
        type_ = value;
    } else if (name == "id" && value.find('\0') == std::string_view::npos) {
        id_ = value;
    }
    // `retry` is for clients that reconnect, which a chat must not; other fields are ignored, says
    // the standard.
}

void SseReader::dispatch(std::vector<SseEvent>& events) {
    auto type = std::exchange(type_, {});
    auto data = std::exchange(data_, {});
    // `data:` alone is an event whose data is ""; without any data line there is none.
    if (!std::exchange(has_data_, false)) return;
    events.push_back({type.empty() ? "message" : std::move(type), std::move(data), id_});
}

}  // namespace punie::openai
