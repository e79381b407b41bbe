#include "gateway/capture.hpp"

#include <boost/json.hpp>

#include "base/json.hpp"
#include "gateway/control_json.hpp"
#include "gateway/redact.hpp"
#include "openai/stream.hpp"

namespace punie::gateway {

namespace {

/// The message that a stream of chat chunks adds up to, in the form of a whole answer.
std::optional<json::value> from_stream(std::string_view events) {
    openai::SseReader reader;
    openai::StreamReader stream;
    const auto read = reader.feed(events);
    if (!read) return std::nullopt;
    for (const auto& event : *read) {
        if (stream.done()) break;
        if (!stream.add(event)) return std::nullopt;
    }
    const auto reply = stream.finish();
    if (!reply) return std::nullopt;
    json::object message{{"role", "assistant"}, {"content", reply->content}};
    json::array calls;
    for (const auto& call : reply->tool_calls)
        calls.push_back(json::object{
            {"id", call.id},
            {"type", "function"},
            {"function", {{"name", call.name}, {"arguments", call.arguments}}}
        });
    if (!calls.empty()) message["tool_calls"] = std::move(calls);
    return json::object{
        {"choices",
         json::array{json::object{
             {"index", 0}, {"message", std::move(message)}, {"finish_reason", reply->finish_reason}
         }}}
    };
}

std::optional<json::value> answer_of(std::string_view text) {
    if (text.empty()) return std::nullopt;
    if (auto whole = parse_json(text)) return *std::move(whole);
    return from_stream(text);
}

}  // namespace

std::optional<std::string> capture_line(
    const Captured& captured,
    std::chrono::system_clock::time_point time,
    const CaptureLimits& limits
) {
    if (captured.request.size() > limits.text) return std::nullopt;
    auto request = parse_json(captured.request);
    if (!request || !request->is_object()) return std::nullopt;
    redact(*request);
    json::object line{
        {"time", iso_time(time)},
        {"route", captured.route},
        {"model", captured.model},
        {"request", *std::move(request)}
    };
    if (captured.response.size() <= limits.text) {
        if (auto answer = answer_of(captured.response)) {
            redact(*answer);
            line["answer"] = *std::move(answer);
        }
    }
    return to_text(line);
}

Capture::Capture(LineWriter writer, CaptureLimits limits, std::uint64_t size)
    : writer_(std::move(writer)), limits_(limits), size_(size) {}

Result<Capture> Capture::open(const std::filesystem::path& file, CaptureLimits limits) {
    auto writer = LineWriter::open(file);
    if (!writer) return std::unexpected(writer.error());
    std::error_code none;
    const auto size = std::filesystem::file_size(file, none);
    return Capture(*std::move(writer), limits, none ? 0 : size);
}

void Capture::add(const Captured& captured) {
    const auto line = capture_line(captured, std::chrono::system_clock::now(), limits_);
    if (!line) return;
    if (size_ + line->size() + 1 > limits_.file) {
        ++left_out_;
        return;
    }
    size_ += line->size() + 1;
    writer_.add(*line);
}

std::uint64_t Capture::dropped() const {
    return writer_.dropped() + left_out_;
}

void Capture::flush() {
    writer_.flush();
}

}  // namespace punie::gateway
