#pragma once
// What the tables of this folder share.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_equal.hpp"
#include "openai/sse.hpp"
#include "translate/protocol.hpp"

namespace punie::translate {

inline json::value parsed(std::string_view text) {
    auto value = parse_json(text);
    EXPECT_TRUE(value) << text << "\n" << (value ? "" : value.error().message());
    return value ? *std::move(value) : json::value();
}

inline AnswerContext context_of_rows() {
    return {.id = "a1", .created = 1764000000, .load_seconds = 0.5, .total_seconds = 2.0};
}

/// A request in the protocol and the chat body that it becomes; `body` without `model` and
/// `stream`, which are checked apart.
struct RequestRow {
    std::string_view about;
    std::string_view request;
    std::string_view body;
};

/// `model` "m" is put into each request.
inline json::object request_of(std::string_view text) {
    auto request = parsed(text).as_object();
    if (!request.contains("model")) request["model"] = "m";
    return request;
}

inline void check_request(const Protocol& protocol, const RequestRow& row) {
    const auto request = request_of(row.request);
    const auto form = protocol.request(request);
    ASSERT_TRUE(form) << row.about << ": " << form.error().message();
    EXPECT_EQ(form->model, "m") << row.about;
    auto body = form->body;
    EXPECT_EQ(body["model"], "m") << row.about;
    EXPECT_EQ(body["stream"], form->stream) << row.about;
    EXPECT_EQ(body.contains("stream_options"), form->stream) << row.about;
    for (const auto* name : {"model", "stream", "stream_options"}) body.erase(name);
    EXPECT_TRUE(same_json(body, parsed(row.body)))
        << row.about << "\n  found    " << json::serialize(body) << "\n  expected " << row.body;
}

/// A request that is refused: the message begins with the field and holds the words.
struct RefusalRow {
    std::string_view request;
    std::string_view field;
    std::string_view words;
};

inline void check_refusal(const Protocol& protocol, const RefusalRow& row) {
    const auto request = parsed(row.request).as_object();
    const auto form = protocol.request(request);
    ASSERT_FALSE(form) << row.request;
    EXPECT_EQ(form.error().code(), ErrorCode::invalid_argument) << row.request;
    EXPECT_THAT(form.error().message(), testing::StartsWith(fmt::format("{}: ", row.field)))
        << row.request;
    EXPECT_THAT(form.error().message(), testing::HasSubstr(std::string(row.words))) << row.request;
}

inline json::object chunk_with(std::string_view delta, std::string_view finish = "null") {
    return parsed(fmt::format(
                      R"({{"id":"c","object":"chat.completion.chunk","created":1,"model":"m",)"
                      R"("choices":[{{"index":0,"delta":{},"finish_reason":{}}}]}})",
                      delta,
                      finish
                  ))
        .as_object();
}

/// The bytes of a stream made of these deltas; usage 7 and 3, if `usage`.
inline std::string stream_of(
    const Protocol& protocol,
    const ChatForm& form,
    const std::vector<std::string_view>& deltas,
    std::string_view finish = R"("stop")",
    bool usage = true
) {
    auto stream = protocol.stream(form, context_of_rows());
    auto out = stream->begin();
    const auto feed = [&](const json::object& chunk) {
        auto bytes = stream->feed(json::serialize(chunk));
        ASSERT_TRUE(bytes) << bytes.error().message();
        out += *bytes;
    };
    for (const auto delta : deltas) feed(chunk_with(delta));
    feed(chunk_with("{}", finish));
    if (usage)
        feed(parsed(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}})")
                 .as_object());
    return out + stream->finish(2.5);
}

inline std::vector<openai::SseEvent> events_of(std::string_view bytes) {
    openai::SseReader reader;
    auto events = reader.feed(bytes);
    EXPECT_TRUE(events);
    EXPECT_FALSE(reader.in_event()) << bytes;
    return events ? *std::move(events) : std::vector<openai::SseEvent>{};
}

inline std::vector<json::value> lines_of(std::string_view bytes) {
    std::vector<json::value> values;
    EXPECT_TRUE(bytes.empty() || bytes.ends_with('\n')) << bytes;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        values.push_back(parsed(bytes.substr(0, end)));
        bytes.remove_prefix(end + 1);
    }
    return values;
}

}  // namespace punie::translate
