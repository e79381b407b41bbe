#include "translate/mending.hpp"

#include <random>

#include "base/text.hpp"
#include "unit/translate/mending_rows.hpp"
#include "unit/translate/rows.hpp"

namespace punie::translate {
namespace {

using testing::HasSubstr;

json::value tools() {
    return parsed(mend_tools);
}

std::string calls_of(const json::value& list) {
    std::string text;
    for (const auto& call : list.as_array()) {
        if (!text.empty()) text += "; ";
        const auto& function = call.at("function");
        text += fmt::format(
            "{} {}",
            std::string(function.at("name").as_string()),
            std::string(function.at("arguments").as_string())
        );
    }
    return text;
}

json::object completion_of(std::string_view text, std::string_view finish = "stop") {
    return {
        {"id", "c"},
        {"choices",
         json::array{json::object{
             {"index", 0},
             {"message", {{"role", "assistant"}, {"content", text}}},
             {"finish_reason", finish},
         }}},
    };
}

TEST(MendCompletion, EveryFormat) {
    for (const auto& row : mend_rows) {
        auto completion = completion_of(row.text);
        const auto before = completion;
        const bool changed = mend_completion(completion, tools(), "a1");
        EXPECT_EQ(changed, !row.calls.empty()) << row.about;
        if (row.calls.empty()) {
            EXPECT_EQ(completion, before) << row.about;
            continue;
        }
        if (!changed) continue;
        const auto& choice = completion["choices"].at(0);
        EXPECT_EQ(calls_of(choice.at("message").at("tool_calls")), row.calls) << row.about;
        EXPECT_EQ(choice.at("finish_reason"), "tool_calls") << row.about;
        EXPECT_EQ(choice.at("message").at("tool_calls").at(0).at("id"), "call_a1_0");
        EXPECT_EQ(choice.at("message").at("tool_calls").at(0).at("type"), "function");
    }
}

TEST(MendCompletion, WhatIsLeftAlone) {
    const auto text = mend_rows[0].text;
    auto completion = completion_of(text);
    EXPECT_FALSE(mend_completion(completion, nullptr, "a"));
    EXPECT_FALSE(mend_completion(completion, json::array{}, "a"));
    completion["choices"].at(0).at("message").as_object()["tool_calls"] =
        parsed(R"([{"id":"x","type":"function","function":{"name":"get_time","arguments":"{}"}}])");
    EXPECT_FALSE(mend_completion(completion, tools(), "a"));
    for (const auto* body : {"{}", R"({"choices":7})", R"({"choices":[7,{},{"message":7}]})"}) {
        auto odd = parsed(body).as_object();
        EXPECT_FALSE(mend_completion(odd, tools(), "a")) << body;
    }
}

TEST(MendCompletion, EveryChoiceWithIdsOfItsOwnAndThinkingApart) {
    auto completion = completion_of(
        "<think>hm</think>Now: <tool_call>{\"name\":\"get_time\",\"arguments\":{}}</tool_call>",
        "length"
    );
    auto second = completion_of(mend_rows[0].text)["choices"].at(0);
    second.as_object()["index"] = 1;
    completion["choices"].as_array().push_back(second);
    ASSERT_TRUE(mend_completion(completion, tools(), "a"));
    const auto& first = completion["choices"].at(0);
    EXPECT_EQ(first.at("message").at("content"), "Now:");
    EXPECT_EQ(first.at("message").at("reasoning_content"), "hm");
    EXPECT_EQ(first.at("finish_reason"), "length");  // more was to come
    const auto& other = completion["choices"].at(1).at("message");
    EXPECT_TRUE(other.at("content").is_null());
    EXPECT_EQ(other.at("tool_calls").at(0).at("id"), "call_a_1");
}

/// A stream as servers send it: role, pieces of the text, finish_reason, usage, [DONE].
std::string stream_of_text(
    const std::vector<std::string>& pieces, std::string_view line_end = "\n"
) {
    std::string out;
    const auto add = [&](const json::object& chunk) {
        out += fmt::format("data: {}{}{}", json::serialize(chunk), line_end, line_end);
    };
    add(chunk_with(R"({"role":"assistant","content":""})"));
    for (const auto& piece : pieces)
        add(chunk_with(json::serialize(json::object{{"content", piece}})));
    add(chunk_with("{}", R"("stop")"));
    add(parsed(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}})").as_object());
    return out + fmt::format("data: [DONE]{}{}", line_end, line_end);
}

/// Cuts a text into pieces of whole characters; `random` null: one character each.
std::vector<std::string> pieces_of(std::string_view text, std::mt19937* random) {
    std::vector<std::string> pieces;
    while (!text.empty()) {
        std::size_t wanted = random == nullptr ? 1 : 1 + (*random)() % 12;
        std::string piece;
        for (; wanted > 0 && !text.empty(); --wanted) {
            const auto length = std::max<std::size_t>(utf8_length(text), 1);
            piece += text.substr(0, length);
            text.remove_prefix(length);
        }
        pieces.push_back(std::move(piece));
    }
    return pieces;
}

std::string mended(std::string_view bytes, std::mt19937* random, bool by_byte = false) {
    StreamMender mender(tools(), "a1");
    std::string out;
    while (!bytes.empty()) {
        const auto size = by_byte ? 1 : random == nullptr ? bytes.size() : 1 + (*random)() % 200;
        const auto fed = mender.feed(bytes.substr(0, size));
        EXPECT_TRUE(fed);
        out += *fed;
        bytes.remove_prefix(std::min<std::size_t>(size, bytes.size()));
    }
    EXPECT_TRUE(mender.done());
    return out;
}

struct Seen {
    std::string text;
    json::array calls;
    std::string finish_reason;
    int finishes = 0;
    bool done = false;
};

/// The stream as a client reads it.
Seen read(std::string_view bytes) {
    Seen seen;
    for (const auto& event : events_of(bytes)) {
        EXPECT_FALSE(seen.done) << "an event behind [DONE]";
        if (event.data == "[DONE]") {
            seen.done = true;
            continue;
        }
        const auto chunk = parsed(event.data);
        const auto& choices = chunk.at("choices").as_array();
        if (choices.empty()) continue;
        const auto& delta = choices[0].at("delta");
        seen.text += string_member(delta, "content").value_or("");
        if (const auto* calls = member(delta, "tool_calls")) {
            for (const auto& call : calls->as_array()) {
                EXPECT_EQ(
                    call.at("index").as_int64(), static_cast<std::int64_t>(seen.calls.size())
                );
                seen.calls.push_back(call);
            }
        }
        if (const auto reason = string_member(choices[0], "finish_reason")) {
            seen.finish_reason = *reason;
            ++seen.finishes;
        }
    }
    return seen;
}

void check_stream(const MendRow& row, std::string_view bytes, std::string_view out) {
    const auto seen = read(out);
    EXPECT_TRUE(seen.done) << row.about;
    EXPECT_EQ(seen.finishes, 1) << row.about;
    EXPECT_EQ(calls_of(seen.calls), row.calls) << row.about;
    if (row.calls.empty()) {
        EXPECT_EQ(seen.text, row.text) << row.about;
        EXPECT_EQ(seen.finish_reason, "stop") << row.about;
    } else {
        EXPECT_EQ(trim(seen.text), trim(row.visible)) << row.about;
        EXPECT_EQ(seen.finish_reason, "tool_calls") << row.about;
    }
    (void)bytes;
}

TEST(StreamMender, EveryFormatInEveryChunking) {
    std::mt19937 random(1);
    for (const auto& row : mend_rows) {
        const auto one = stream_of_text({std::string(row.text)});
        check_stream(row, one, mended(one, nullptr));
        const auto letters = stream_of_text(pieces_of(row.text, nullptr));
        const auto out = mended(letters, nullptr);
        check_stream(row, letters, out);
        EXPECT_EQ(mended(letters, nullptr, true), out) << row.about;
        for (int i = 0; i < 20; ++i) {
            const auto bytes =
                stream_of_text(pieces_of(row.text, &random), i % 2 == 0 ? "\n" : "\r\n");
            const auto whole = mended(bytes, nullptr);
            check_stream(row, bytes, whole);
            EXPECT_EQ(mended(bytes, &random), whole) << row.about;
        }
    }
}

TEST(StreamMender, LoneCarriageReturnsInEveryChunking) {
    for (const auto& row : mend_rows) {
        for (const auto* line_end : {"\r", "\r\n"}) {
            const auto bytes = stream_of_text(pieces_of(row.text, nullptr), line_end);
            EXPECT_EQ(mended(bytes, nullptr, true), mended(bytes, nullptr)) << row.about;
        }
    }
}

TEST(StreamMender, TextGoesOnByteForByte) {
    for (const auto* text :
         {"Hello there.", "a < b", "<b>bold</b> [1] `x` ```py\n1\n```", "{\"a\": 1}"}) {
        const auto bytes = stream_of_text(pieces_of(text, nullptr));
        EXPECT_EQ(mended(bytes, nullptr), bytes) << text;
    }
}

/// How much of the text has gone on when this much of it came.
struct WhenRow {
    std::string_view about;
    std::string_view came;
    std::string_view gone;
};

const WhenRow when_rows[] = {
    {"plain", "Hello", "Hello"},
    {"a tag begun", "Hello <", "Hello "},
    {"no tag after all", "Hello <b", "Hello <b"},
    {"a call", "Hello <tool_call>{\"na", "Hello "},
    {"no call after all", "Hello <tool_call> is a tag", "Hello <tool_call> is a tag"},
    {"not a tool", "<function=launch>", "<function=launch>"},
    {"a tool", "<function=weather>", ""},
    {"json call", "{\"name\": \"weather\"", ""},
    {"json answer", "{\"answer\": ", "{\"answer\": "},
    {"json with another name", "{\"name\": \"Bob\"", "{\"name\": \"Bob\""},
    {"blanks before", "\n\n{\"na", "\n\n"},
    {"list of numbers", "[1", "[1"},
    {"list of calls", "[weather(", ""},
    {"link", "[weather]", "[weather]"},
    {"fence of code", "```python\np", "```python\np"},
    {"fence of json", "```json\n", ""},
    {"fence of another json", "```json\n{\"a\"", "```json\n{\"a\""},
    {"json behind words", "So: {\"name\": \"weather\"", "So: {\"name\": \"weather\""},
    {"thinking", "<think>I use <tool_call>{", "<think>I use <tool_call>{"},
    {"behind thinking", "<think>a</think>{\"name\"", "<think>a</think>"},
    {"unknown tool, whole",
     "<tool_call>{\"name\":\"launch\",\"arguments\":{}}</tool_call> and then there is a lot to "
     "say.",
     "<tool_call>{\"name\":\"launch\",\"arguments\":{}}</tool_call> and then there is a lot to say."
    },
    {"harmony thinking",
     "<|channel|>analysis<|message|>I wonder",
     "<|channel|>analysis<|message|>I wonder"},
};

TEST(StreamMender, HoldsBackOnlyWhatMayBeACall) {
    for (const auto& row : when_rows) {
        StreamMender mender(tools(), "a");
        std::string out;
        for (const auto& piece : pieces_of(row.came, nullptr)) {
            const auto chunk = chunk_with(json::serialize(json::object{{"content", piece}}));
            out += *mender.feed(fmt::format("data: {}\n\n", json::serialize(chunk)));
        }
        EXPECT_EQ(read(out).text, row.gone) << row.about;
        out += mender.release();
        EXPECT_EQ(read(out).text, row.came) << row.about;
        EXPECT_FALSE(mender.done());
    }
}

TEST(StreamMender, WordsInTheSameChunkAsACallGoOnAtOnce) {
    StreamMender mender(tools(), "a");
    const auto chunk = chunk_with(R"({"role":"assistant","content":"Wait: <tool_call>{"})");
    const auto out = *mender.feed(fmt::format("data: {}\n\n", json::serialize(chunk)));
    EXPECT_EQ(read(out).text, "Wait: ");
    EXPECT_EQ(read(out + mender.release()).text, "Wait: <tool_call>{");
}

TEST(StreamMender, CommentsGoOnWhileACallIsHeld) {
    StreamMender mender(tools(), "a");
    const auto chunk = chunk_with(R"({"content":"<tool_call>{"})");
    EXPECT_EQ(*mender.feed(fmt::format("data: {}\n\n", json::serialize(chunk))), "");
    EXPECT_EQ(*mender.feed(": keepalive 9/10\n\n"), ": keepalive 9/10\n\n");
}

TEST(StreamMender, StructuredCallsAreLeftAlone) {
    std::string bytes;
    for (const auto* delta :
         {R"({"content":"<tool_call>"})",
          R"({"tool_calls":[{"index":0,"id":"x","function":{"name":"get_time","arguments":"{}"}}]})",
          R"({"content":"<tool_call>"})"})
        bytes += fmt::format("data: {}\n\n", json::serialize(chunk_with(delta)));
    bytes += "data: [DONE]\n\n";
    EXPECT_EQ(mended(bytes, nullptr), bytes);
}

TEST(StreamMender, WithoutFinishReasonDoneIsTheEnd) {
    const auto chunk = chunk_with(json::serialize(json::object{{"content", mend_rows[0].text}}));
    const auto out =
        mended(fmt::format("data: {}\n\ndata: [DONE]\n\n", json::serialize(chunk)), nullptr);
    const auto seen = read(out);
    EXPECT_EQ(calls_of(seen.calls), mend_rows[0].calls);
    EXPECT_EQ(seen.finish_reason, "tool_calls");
    EXPECT_TRUE(seen.done);
}

TEST(StreamMender, AnErrorLetsEverythingGo) {
    const auto chunk = chunk_with(R"({"content":"<tool_call>{"})");
    const auto bytes = fmt::format(
        "data: {}\n\ndata: {{\"error\":{{\"message\":\"x\"}}}}\n\n", json::serialize(chunk)
    );
    StreamMender mender(tools(), "a");
    EXPECT_EQ(*mender.feed(bytes), bytes);
    EXPECT_FALSE(mender.done());
}

TEST(StreamMender, WhatElseAnEventCarriesIsNotLost) {
    std::string bytes;
    const auto add = [&](const json::object& chunk) {
        bytes += fmt::format("data: {}\n\n", json::serialize(chunk));
    };
    add(chunk_with(R"({"role":"assistant","reasoning":"hm","content":"<tool_call>"})"));
    add(chunk_with(
        R"({"content":"{\"name\":\"get_time\",\"arguments\":{}}</tool_call>"})", R"("stop")"
    ));
    const auto out = mended(bytes + "data: [DONE]\n\n", nullptr);
    EXPECT_THAT(out, HasSubstr(R"("reasoning":"hm")"));
    EXPECT_EQ(calls_of(read(out).calls), "get_time {}");
}

TEST(StreamMender, TwoChoicesEachForItself) {
    std::string bytes;
    const auto add = [&](std::string_view delta, int index, std::string_view finish) {
        auto chunk = chunk_with(delta, finish);
        chunk["choices"].at(0).as_object()["index"] = index;
        bytes += fmt::format("data: {}\n\n", json::serialize(chunk));
    };
    add(R"({"content":"<tool_call>{\"name\":\"get_time\","})", 0, "null");
    add(R"({"content":"words"})", 1, "null");
    add(R"({"content":"\"arguments\":{}}</tool_call>"})", 0, R"("stop")");
    add("{}", 1, R"("stop")");
    const auto out = mended(bytes + "data: [DONE]\n\n", nullptr);
    EXPECT_EQ(calls_of(read(out).calls), "get_time {}");
    EXPECT_EQ(read(out).text, "words");
}

TEST(StreamMender, WithoutToolsNothingIsLookedAt) {
    StreamMender mender(nullptr, "a");
    const auto bytes = stream_of_text({"<tool_call>", "x"});
    EXPECT_EQ(*mender.feed(bytes), bytes);
    EXPECT_TRUE(mender.done());
}

TEST(StreamMender, ManyOpenTagsCostLittle) {
    StreamMender mender(tools(), "a");
    std::size_t gone = 0;
    for (int i = 0; i < 2000; ++i) {
        const auto chunk = chunk_with(
            R"({"content":"<tool_call>{\"name\":\"weather\",\"arguments\":{\"city\":\""})"
        );
        gone += mender.feed(fmt::format("data: {}\n\n", json::serialize(chunk)))->size();
    }
    gone += mender.release().size();
    EXPECT_GT(gone, 100'000U);
}

struct EyeRow {
    std::string_view about;
    std::string_view bytes;
    std::uint64_t events;
    bool done;
    bool error;
    bool between;
    std::uint64_t completion_tokens = 0;
    std::uint64_t prompt_tokens = 0;
};

const EyeRow eye_rows[] = {
    {"nothing", "", 0, false, false, true},
    {"one", "data: {}\n\n", 1, false, false, true},
    {"half an event", "data: {}\n\ndata: {", 1, false, false, false},
    {"behind a line of an event", "event: x\n", 0, false, false, false},
    {"end", "data: {}\n\ndata: [DONE]\n\n", 1, true, false, true},
    {"end without its empty line", "data: [DONE]\n", 0, true, false, false},
    {"carriage returns, no blank", "data:{}\r\n\r\ndata:[DONE]\r\n\r\n", 1, true, false, true},
    {"comment", ": keepalive\n\n", 0, false, false, true},
    {"error", "data: {\"error\":{}}\n\n", 1, false, true, true},
    {"error by name", "event: error\ndata: {}\n\n", 1, false, true, true},
    {"error in the text", "data: {\"a\":\"{\\\"error\\\"\"}\n\n", 1, false, false, true},
    {"[DONE] in the text", "data: {\"a\":\"[DONE]\"}\n\n", 1, false, false, true},
    {"usage",
     "data: {\"choices\":[],\"usage\":{\"prompt_tokens\": 12,\"completion_tokens\":345}}\n\n"
     "data: [DONE]\n\n",
     1,
     true,
     false,
     true,
     345,
     12},
    {"usage without an end", "data: {\"usage\":{\"prompt_tokens\":12}}\n\n", 1, false, false, true},
};

TEST(StreamEye, SeesInEveryChunking) {
    for (const auto& row : eye_rows) {
        for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
            StreamEye eye;
            for (std::size_t at = 0; at < row.bytes.size(); at += size)
                eye.feed(row.bytes.substr(at, size));
            EXPECT_EQ(eye.events(), row.events) << row.about;
            EXPECT_EQ(eye.done(), row.done) << row.about;
            EXPECT_EQ(eye.saw_error(), row.error) << row.about;
            EXPECT_EQ(eye.between_events(), row.between) << row.about;
            EXPECT_EQ(eye.completion_tokens(), row.completion_tokens) << row.about;
            EXPECT_EQ(eye.prompt_tokens(), row.prompt_tokens) << row.about;
        }
    }
}

TEST(StreamEye, LongLinesInPieces) {
    StreamEye eye;
    const std::string piece(5000, 'x');
    eye.feed("data: {\"a\":\"");
    for (int i = 0; i < 100; ++i) eye.feed(piece);
    eye.feed("\",\"usage\":{\"completion_tokens\":5}}\n");
    eye.feed("\ndata: [DONE]\n\n");
    EXPECT_EQ(eye.events(), 1U);
    EXPECT_EQ(eye.completion_tokens(), 5U);
    EXPECT_TRUE(eye.done());
}

}  // namespace
}  // namespace punie::translate
