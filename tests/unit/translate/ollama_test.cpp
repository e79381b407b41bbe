#include "translate/protocols.hpp"
#include "unit/translate/rows.hpp"

namespace punie::translate {
namespace {

using testing::HasSubstr;

const RequestRow chats[] = {
    {"text",
     R"({"messages":[{"role":"user","content":"hi"}]})",
     R"({"messages":[{"role":"user","content":"hi"}]})"},
    {"system, answer",
     R"({"stream":false,"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},
         {"role":"assistant","content":"b","thinking":"t"},{"role":"user","content":"c"}]})",
     R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},
         {"role":"assistant","content":"b","reasoning_content":"t"},
         {"role":"user","content":"c"}]})"},
    {"images",
     R"({"messages":[{"role":"user","content":"what?","images":["iVBOR","/9j/4","R0lGOD","UklGR",
         "data:image/x;base64,QQ=="]}]})",
     R"({"messages":[{"role":"user","content":[{"type":"text","text":"what?"},
         {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBOR"}},
         {"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/4"}},
         {"type":"image_url","image_url":{"url":"data:image/gif;base64,R0lGOD"}},
         {"type":"image_url","image_url":{"url":"data:image/webp;base64,UklGR"}},
         {"type":"image_url","image_url":{"url":"data:image/x;base64,QQ=="}}]}]})"},
    {"options",
     R"({"messages":[{"role":"user","content":"a"}],"keep_alive":"5m","options":{"temperature":0,
         "top_p":0.9,"top_k":40,"min_p":0.1,"seed":7,"num_predict":50,"stop":["x"],
         "repeat_penalty":1.1,"repeat_last_n":64,"presence_penalty":0.5,"frequency_penalty":0.25,
         "num_ctx":4096,"mirostat":1}})",
     R"({"messages":[{"role":"user","content":"a"}],"temperature":0,"top_p":0.9,"top_k":40,
         "min_p":0.1,"seed":7,"max_tokens":50,"stop":["x"],"repetition_penalty":1.1,
         "repetition_context_size":64,"presence_penalty":0.5,"frequency_penalty":0.25})"},
    {"no limit, one stop, null options",
     R"({"messages":[{"role":"user","content":"a"}],
         "options":{"num_predict":-1,"stop":"x","temperature":null}})",
     R"({"messages":[{"role":"user","content":"a"}],"stop":["x"]})"},
    {"format json",
     R"({"messages":[{"role":"user","content":"a"}],"format":"json"})",
     R"({"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_object"}})"},
    {"format empty",
     R"({"messages":[{"role":"user","content":"a"}],"format":""})",
     R"({"messages":[{"role":"user","content":"a"}]})"},
    {"format schema",
     R"({"messages":[{"role":"user","content":"a"}],"format":{"type":"object"}})",
     R"({"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema",
         "json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}}})"},
    {"think",
     R"({"messages":[{"role":"user","content":"a"}],"think":false})",
     R"({"messages":[{"role":"user","content":"a"}],
         "chat_template_kwargs":{"enable_thinking":false}})"},
    {"think how hard",
     R"({"messages":[{"role":"user","content":"a"}],"think":"low"})",
     R"({"messages":[{"role":"user","content":"a"}],"reasoning_effort":"low",
         "chat_template_kwargs":{"enable_thinking":true}})"},
    {"tools",
     R"({"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{
         "name":"f","description":"d","parameters":{"type":"object"}}},{"function":{"name":"g"}}]})",
     R"({"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{
         "name":"f","description":"d","parameters":{"type":"object"}}},{"type":"function",
         "function":{"name":"g","parameters":{"type":"object","properties":{}}}}]})"},
    {"calls and results by name",
     R"({"messages":[{"role":"assistant","content":"","tool_calls":[
         {"function":{"name":"f","arguments":{"x":1}}},{"function":{"name":"g","arguments":{}}}]},
         {"role":"tool","tool_name":"g","content":"G"},{"role":"tool","tool_name":"f","content":"F"}]})",
     R"({"messages":[{"role":"assistant","content":null,"tool_calls":[
         {"id":"call_0","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
         {"id":"call_1","type":"function","function":{"name":"g","arguments":"{}"}}]},
         {"role":"tool","tool_call_id":"call_1","content":"G"},
         {"role":"tool","tool_call_id":"call_0","content":"F"}]})"},
    {"calls and results with ids, and in order",
     R"({"messages":[{"role":"assistant","tool_calls":[
         {"id":"x","function":{"name":"f","arguments":{}}},{"function":{"name":"f"}}]},
         {"role":"tool","tool_call_id":"x","content":"1"},{"role":"tool","content":"2"}]})",
     R"({"messages":[{"role":"assistant","content":null,"tool_calls":[
         {"id":"x","type":"function","function":{"name":"f","arguments":"{}"}},
         {"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},
         {"role":"tool","tool_call_id":"x","content":"1"},
         {"role":"tool","tool_call_id":"call_1","content":"2"}]})"},
    {"no messages: the model is loaded",
     R"({"messages":[]})",
     R"({"max_tokens":1,"messages":[{"role":"user","content":"."}]})"},
};

TEST(OllamaChat, RequestsBecomeChats) {
    for (const auto& row : chats) check_request(ollama_chat(), row);
}

const RequestRow prompts[] = {
    {"prompt", R"({"prompt":"hi"})", R"({"messages":[{"role":"user","content":"hi"}]})"},
    {"system and image, nothing refused by being empty",
     R"({"prompt":"what?","system":"s","images":["iVBOR"],"raw":false,"template":"","suffix":"",
         "context":[]})",
     R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":[
         {"type":"text","text":"what?"},
         {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBOR"}}]}]})"},
    {"no prompt: the model is loaded",
     R"({})",
     R"({"max_tokens":1,"messages":[{"role":"user","content":"."}]})"},
};

TEST(OllamaGenerate, RequestsBecomeChats) {
    for (const auto& row : prompts) check_request(ollama_generate(), row);
}

TEST(OllamaChat, StreamsUnlessItIsTurnedOff) {
    const auto stream = [](std::string_view text) {
        return ollama_chat().request(request_of(text))->stream;
    };
    EXPECT_TRUE(stream(R"({"messages":[{"role":"user","content":"a"}]})"));
    EXPECT_TRUE(stream(R"({"stream":null,"messages":[{"role":"user","content":"a"}]})"));
    EXPECT_FALSE(stream(R"({"stream":false,"messages":[{"role":"user","content":"a"}]})"));
    EXPECT_FALSE(stream(R"({"messages":[]})"));  // a load is answered at once
}

const RefusalRow chat_refusals[] = {
    {R"({"messages":[]})", "model", "missing"},
    {R"({"model":"m","messages":"hi"})", "messages", "a list"},
    {R"({"model":"m","messages":[{"content":"hi"}]})", "messages[0].role", "missing"},
    {R"({"model":"m","messages":[{"role":"god","content":"hi"}]})", "messages[0].role", "god"},
    {R"({"model":"m","messages":[{"role":"user","content":["hi"]}]})",
     "messages[0].content",
     "a string"},
    {R"({"model":"m","messages":[{"role":"user","content":"a","images":[7]}]})",
     "messages[0].images[0]",
     "base64"},
    {R"({"model":"m","messages":[{"role":"assistant","tool_calls":[{}]}]})",
     "messages[0].tool_calls[0].function",
     "missing"},
    {R"({"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f",
         "arguments":[1]}}]}]})",
     "messages[0].tool_calls[0].function.arguments",
     "an object"},
    {R"({"model":"m","options":[],"messages":[]})", "options", "an object"},
    {R"({"model":"m","options":{"top_k":"x"},"messages":[]})", "options.top_k", "a number"},
    {R"({"model":"m","options":{"stop":[1]},"messages":[]})", "options.stop", "strings"},
    {R"({"model":"m","options":{"num_predict":1.5},"messages":[]})", "options.num_predict", "1.5"},
    {R"({"model":"m","format":"xml","messages":[]})", "format", "xml"},
    {R"({"model":"m","think":3,"messages":[]})", "think", "the number 3"},
    {R"({"model":"m","tools":[{"type":"magic"}],"messages":[]})", "tools[0].type", "magic"},
    {R"({"model":"m","messages":[],"keep_alive":0})", "keep_alive", "punie unload"},
    {R"({"model":"m","keep_alive":"0s"})", "keep_alive", "punie unload"},
};

TEST(OllamaChat, RefusesByName) {
    for (const auto& row : chat_refusals) check_refusal(ollama_chat(), row);
}

const RefusalRow generate_refusals[] = {
    {R"({"model":"m","prompt":7})", "prompt", "a string"},
    {R"({"model":"m","prompt":"a","suffix":"b"})", "suffix", "not supported"},
    {R"({"model":"m","prompt":"a","raw":true})", "raw", "not supported"},
    {R"({"model":"m","prompt":"a","template":"{{ .Prompt }}"})", "template", "not supported"},
    {R"({"model":"m","prompt":"a","context":[1,2]})", "context", "/api/chat"},
};

TEST(OllamaGenerate, RefusesByName) {
    for (const auto& row : generate_refusals) check_refusal(ollama_generate(), row);
}

ChatForm form_of(const Protocol& protocol, std::string_view text) {
    return *protocol.request(request_of(text));
}

TEST(OllamaChat, WholeAnswer) {
    const auto form = form_of(ollama_chat(), R"({"messages":[{"role":"user","content":"a"}]})");
    const auto completion = parsed(R"({"choices":[{"message":{"content":"hi","reasoning":"hm",
        "tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\"x\":1}"}}]},
        "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":7,"completion_tokens":3}})");
    const auto answer = ollama_chat().answer(form, completion.as_object(), context_of_rows());
    ASSERT_TRUE(answer);
    EXPECT_EQ(
        json::serialize(*answer),
        R"({"model":"m","created_at":"2025-11-24T16:00:00Z","message":{"role":"assistant",)"
        R"("content":"hi","thinking":"hm","tool_calls":[{"id":"c","function":{"index":0,)"
        R"("name":"f","arguments":{"x":1}}}]},"done":true,"done_reason":"stop",)"
        R"("total_duration":2000000000,"load_duration":500000000,"prompt_eval_count":7,)"
        R"("eval_count":3,"eval_duration":1500000000})"
    );
}

TEST(OllamaGenerate, WholeAnswerWithTheServersTimes) {
    const auto form = form_of(ollama_generate(), R"({"prompt":"a"})");
    const auto completion = parsed(R"({"choices":[{"message":{"content":"hi"},
        "finish_reason":"length"}],"timings":{"prompt_ms":20.5,"predicted_ms":100}})");
    const auto answer = ollama_generate().answer(form, completion.as_object(), context_of_rows());
    ASSERT_TRUE(answer);
    EXPECT_EQ(
        json::serialize(*answer),
        R"({"model":"m","created_at":"2025-11-24T16:00:00Z","response":"hi","done":true,)"
        R"("done_reason":"length","total_duration":2000000000,"load_duration":500000000,)"
        R"("prompt_eval_count":0,"eval_count":0,"prompt_eval_duration":20500000,)"
        R"("eval_duration":100000000})"
    );
}

TEST(OllamaGenerate, LoadingSaysLoad) {
    const auto form = form_of(ollama_generate(), R"({})");
    const auto completion =
        parsed(R"({"choices":[{"message":{"content":"x"},"finish_reason":"length"}]})");
    const auto answer = ollama_generate().answer(form, completion.as_object(), context_of_rows());
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->at("done_reason"), "load");
    EXPECT_EQ(answer->at("response"), "");
    EXPECT_EQ(answer->at("done"), true);
}

/// "text|thinking|name arguments" of each line but the last, which is returned apart.
std::vector<std::string> short_of(std::string_view bytes, json::value& last) {
    auto lines = lines_of(bytes);
    EXPECT_FALSE(lines.empty());
    if (lines.empty()) return {};
    last = lines.back();
    lines.pop_back();
    std::vector<std::string> all;
    for (const auto& line : lines) {
        EXPECT_EQ(line.at("done"), false);
        const auto* message = member(line, "message");
        if (message == nullptr) {
            all.push_back(fmt::format(
                "{}|{}",
                string_member(line, "response").value_or(""),
                string_member(line, "thinking").value_or("")
            ));
            continue;
        }
        std::string calls;
        if (const auto* list = member(*message, "tool_calls")) {
            for (const auto& call : list->as_array()) calls += json::serialize(call.at("function"));
        }
        all.push_back(fmt::format(
            "{}|{}|{}",
            string_member(*message, "content").value_or(""),
            string_member(*message, "thinking").value_or(""),
            calls
        ));
    }
    return all;
}

struct StreamRow {
    std::string_view about;
    std::vector<std::string_view> deltas;
    std::string_view finish;
    std::vector<std::string> lines;
    std::string_view done_reason;
};

const StreamRow streams[] = {
    {"text", {R"({"content":"Hel"})", R"({"content":"lo"})"}, R"("stop")", {"Hel||", "lo||"}, "stop"
    },
    {"nothing", {}, R"("stop")", {}, "stop"},
    {"cut", {R"({"content":"a"})"}, R"("length")", {"a||"}, "length"},
    {"thinking", {R"({"reasoning":"h"})", R"({"content":"a"})"}, R"("stop")", {"|h|", "a||"}, "stop"
    },
    {"a call is one line",
     {R"({"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"x\""}}]})",
      R"({"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]})"},
     R"("tool_calls")",
     {R"(||{"index":0,"name":"f","arguments":{"x":1}})"},
     "stop"},
    {"two calls",
     {R"({"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}},
        {"index":1,"function":{"name":"g","arguments":"[]"}}]})"},
     R"("tool_calls")",
     {R"(||{"index":0,"name":"f","arguments":{}})",
      R"(||{"index":1,"name":"g","arguments":{"raw_arguments":"[]"}})"},
     "stop"},
};

TEST(OllamaChat, Streams) {
    const auto form = form_of(ollama_chat(), R"({"messages":[{"role":"user","content":"a"}]})");
    for (const auto& row : streams) {
        json::value last;
        const auto bytes = stream_of(ollama_chat(), form, row.deltas, row.finish);
        EXPECT_EQ(short_of(bytes, last), row.lines) << row.about;
        EXPECT_EQ(last.at("done"), true);
        EXPECT_EQ(last.at("done_reason").as_string(), row.done_reason) << row.about;
        EXPECT_EQ(last.at("prompt_eval_count"), 7);
        EXPECT_EQ(last.at("eval_count"), 3);
        EXPECT_EQ(last.at("total_duration"), 2'500'000'000);
        EXPECT_EQ(last.at("message").at("content"), "");
    }
}

TEST(OllamaGenerate, Streams) {
    const auto form = form_of(ollama_generate(), R"({"prompt":"a"})");
    json::value last;
    const auto bytes =
        stream_of(ollama_generate(), form, {R"({"reasoning":"h"})", R"({"content":"a"})"});
    EXPECT_EQ(short_of(bytes, last), (std::vector<std::string>{"|h", "a|"}));
    EXPECT_EQ(last.at("response"), "");
    EXPECT_EQ(last.at("done"), true);
}

TEST(OllamaChat, SignsOfLifeAndErrors) {
    const auto form = form_of(ollama_chat(), R"({"messages":[{"role":"user","content":"a"}]})");
    auto stream = ollama_chat().stream(form, context_of_rows());
    auto bytes = stream->begin() + stream->keep_alive("loading") + stream->keep_alive("loading");
    bytes += *stream->feed(json::serialize(chunk_with(R"({"content":"a"})")));
    bytes += stream->fail(Error(ErrorCode::exited, "it died"));
    const auto lines = lines_of(bytes);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(json::serialize(lines[1]), R"({"error":"it died"})");
    EXPECT_EQ(ollama_chat().error(404, Error(ErrorCode::not_found, "no m")), R"({"error":"no m"})");
}

}  // namespace
}  // namespace punie::translate
