#include "translate/protocols.hpp"
#include "unit/translate/rows.hpp"

namespace punie::translate {
namespace {

using testing::HasSubstr;

const RequestRow requests[] = {
    {"text", R"({"input":"hi"})", R"({"messages":[{"role":"user","content":"hi"}]})"},
    {"empty text", R"({"input":""})", R"({"messages":[{"role":"user","content":""}]})"},
    {"instructions",
     R"({"input":"hi","instructions":"s"})",
     R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}]})"},
    {"messages without a type",
     R"({"input":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},
         {"role":"user","content":"c"}]})",
     R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},
         {"role":"user","content":"c"}]})"},
    {"the developer's words join the instructions",
     R"({"instructions":"s","input":[{"role":"developer","content":"d"},
         {"type":"message","role":"system","content":[{"type":"input_text","text":"e"}]},
         {"role":"user","content":"a"}]})",
     R"({"messages":[{"role":"system","content":"s\nd\ne"},{"role":"user","content":"a"}]})"},
    {"parts",
     R"({"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},
         {"type":"input_text","text":"b"}]}]})",
     R"({"messages":[{"role":"user","content":"a\nb"}]})"},
    {"image",
     R"({"input":[{"role":"user","content":[{"type":"input_text","text":"a"},
         {"type":"input_image","detail":"auto","image_url":"data:image/png;base64,QQ=="}]}]})",
     R"({"messages":[{"role":"user","content":[{"type":"text","text":"a"},
         {"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}]}]})"},
    {"an answer sent back",
     R"({"input":[{"role":"user","content":"a"},
         {"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"h"}]},
         {"type":"message","id":"msg_1","role":"assistant","status":"completed",
          "content":[{"type":"output_text","text":"b","annotations":[]}]}]})",
     R"({"messages":[{"role":"user","content":"a"},
         {"role":"assistant","content":"b","reasoning_content":"h"}]})"},
    {"reasoning with a summary only, a refusal",
     R"({"input":[{"type":"reasoning","id":"rs_1","encrypted_content":"x",
          "summary":[{"type":"summary_text","text":"h"}]},
         {"role":"assistant","content":[{"type":"refusal","refusal":"no"}]}]})",
     R"({"messages":[{"role":"assistant","content":"no","reasoning_content":"h"}]})"},
    {"calls and their outputs",
     R"({"input":[{"role":"user","content":"a"},{"role":"assistant","content":"I look."},
         {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"x\":1}"},
         {"type":"function_call","id":"fc_2","call_id":"c2","name":"g","arguments":""},
         {"type":"function_call_output","call_id":"c1","output":"F"},
         {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"G"}]}]})",
     R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"I look.",
         "tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
         {"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},
         {"role":"tool","tool_call_id":"c1","content":"F"},
         {"role":"tool","tool_call_id":"c2","content":"G"}]})"},
    {"limits and sampling",
     R"({"input":"a","max_output_tokens":9,"temperature":0.5,"top_p":1})",
     R"({"messages":[{"role":"user","content":"a"}],"max_tokens":9,"temperature":0.5,"top_p":1})"},
    {"tools",
     R"({"input":"a","tools":[{"type":"function","name":"f","description":"d","strict":true,
         "parameters":{"type":"object"}},{"type":"function","name":"g","parameters":null}],
         "parallel_tool_calls":false})",
     R"({"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{
         "name":"f","description":"d","strict":true,"parameters":{"type":"object"}}},
         {"type":"function","function":{"name":"g",
          "parameters":{"type":"object","properties":{}}}}],"parallel_tool_calls":false})"},
    {"choice by word",
     R"({"input":"a","tool_choice":"required"})",
     R"({"messages":[{"role":"user","content":"a"}],"tool_choice":"required"})"},
    {"choice of one",
     R"({"input":"a","tool_choice":{"type":"function","name":"f"}})",
     R"({"messages":[{"role":"user","content":"a"}],
         "tool_choice":{"type":"function","function":{"name":"f"}}})"},
    {"choice of some",
     R"({"input":"a","tools":[{"type":"function","name":"f"},{"type":"function","name":"g"}],
         "tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"g"}]}})",
     R"({"messages":[{"role":"user","content":"a"}],"tool_choice":"auto","tools":[
         {"type":"function","function":{"name":"g",
          "parameters":{"type":"object","properties":{}}}}]})"},
    {"format text",
     R"({"input":"a","text":{"format":{"type":"text"}}})",
     R"({"messages":[{"role":"user","content":"a"}]})"},
    {"format json",
     R"({"input":"a","text":{"format":{"type":"json_object"},"verbosity":"low"}})",
     R"({"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_object"}})"},
    {"format schema",
     R"({"input":"a","text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},
         "strict":true}}})",
     R"({"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema",
         "json_schema":{"name":"n","schema":{"type":"object"},"strict":true}}})"},
    {"effort",
     R"({"input":"a","reasoning":{"effort":"xhigh","summary":"auto"}})",
     R"({"messages":[{"role":"user","content":"a"}],"reasoning_effort":"high"})"},
    {"no reasoning",
     R"({"input":"a","reasoning":{"effort":"none"}})",
     R"({"messages":[{"role":"user","content":"a"}],
         "chat_template_kwargs":{"enable_thinking":false}})"},
    {"what is ignored",
     R"({"input":"a","store":true,"include":["reasoning.encrypted_content"],"user":"u",
         "metadata":{"k":"v"},"truncation":"auto","prompt_cache_key":"k","service_tier":"auto",
         "background":false,"previous_response_id":null,"stream_options":{"include_obfuscation":false}})",
     R"({"messages":[{"role":"user","content":"a"}]})"},
};

TEST(Responses, RequestsBecomeChats) {
    for (const auto& row : requests) check_request(responses(), row);
}

const RefusalRow refusals[] = {
    {R"({"input":"a"})", "model", "missing"},
    {R"({"model":"m"})", "input", "missing"},
    {R"({"model":"m","input":[]})", "input", "at least one"},
    {R"({"model":"m","input":7})", "input", "a list"},
    {R"({"model":"m","input":["a"]})", "input[0]", "an object"},
    {R"({"model":"m","input":[{"role":"user"}]})", "input[0].content", "missing"},
    {R"({"model":"m","input":[{"role":"boss","content":"a"}]})", "input[0].role", "boss"},
    {R"({"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]})",
     "input[0].content[0].type",
     "input_file"},
    {R"({"model":"m","input":[{"role":"user","content":[{"type":"input_image","file_id":"f"}]}]})",
     "input[0].content[0].file_id",
     "not kept"},
    {R"({"model":"m","input":[{"type":"item_reference","id":"x"}]})",
     "input[0].type",
     "item_reference"},
    {R"({"model":"m","input":[{"type":"function_call","name":"f"}]})", "input[0].call_id", "missing"
    },
    {R"({"model":"m","input":[{"type":"function_call_output","call_id":"f"}]})",
     "input[0].output",
     "missing"},
    {R"({"model":"m","input":"a","previous_response_id":"resp_1"})",
     "previous_response_id",
     "whole conversation"},
    {R"({"model":"m","input":"a","conversation":"c"})", "conversation", "not supported"},
    {R"({"model":"m","input":"a","prompt":{"id":"p"}})", "prompt", "not supported"},
    {R"({"model":"m","input":"a","background":true})", "background", "not supported"},
    {R"({"model":"m","input":"a","max_output_tokens":0})", "max_output_tokens", "above 0"},
    {R"({"model":"m","input":"a","tools":[{"type":"web_search"}]})", "tools[0].type", "web_search"},
    {R"({"model":"m","input":"a","tools":[{"type":"function"}]})", "tools[0].name", "missing"},
    {R"({"model":"m","input":"a","tool_choice":"maybe"})", "tool_choice", "maybe"},
    {R"({"model":"m","input":"a","tool_choice":{"type":"mcp"}})", "tool_choice.type", "mcp"},
    {R"({"model":"m","input":"a","text":{"format":{"type":"xml"}}})", "text.format.type", "xml"},
    {R"({"model":"m","input":"a","text":{"format":{"type":"json_schema"}}})",
     "text.format.schema",
     "missing"},
};

TEST(Responses, RefusesByName) {
    for (const auto& row : refusals) check_refusal(responses(), row);
}

ChatForm a_form(std::string_view text = R"({"input":"hi"})") {
    return *responses().request(request_of(text));
}

struct AnswerRow {
    std::string_view about;
    std::string_view choice;
    std::string_view output;
    std::string_view status;
};

const AnswerRow answers[] = {
    {"text",
     R"({"message":{"content":"hi"},"finish_reason":"stop"})",
     R"([{"id":"msg_a1_0","type":"message","role":"assistant","status":"completed","content":[
        {"type":"output_text","text":"hi","annotations":[],"logprobs":[]}]}])",
     "completed"},
    {"nothing", R"({"message":{"content":null},"finish_reason":"stop"})", R"([])", "completed"},
    {"cut",
     R"({"message":{"content":"hi"},"finish_reason":"length"})",
     R"([{"id":"msg_a1_0","type":"message","role":"assistant","status":"incomplete","content":[
        {"type":"output_text","text":"hi","annotations":[],"logprobs":[]}]}])",
     "incomplete"},
    {"thinking and calls",
     R"({"message":{"reasoning_content":"hm","tool_calls":[
         {"id":"c1","function":{"name":"f","arguments":"{}"}},
         {"function":{"name":"g","arguments":"{\"x\":1}"}}]},"finish_reason":"tool_calls"})",
     R"([{"id":"rs_a1_0","type":"reasoning","summary":[],"status":"completed","content":[
        {"type":"reasoning_text","text":"hm"}]},
        {"id":"fc_a1_1","type":"function_call","status":"completed","call_id":"c1","name":"f",
         "arguments":"{}"},
        {"id":"fc_a1_2","type":"function_call","status":"completed","call_id":"call_a1_1","name":"g",
         "arguments":"{\"x\":1}"}])",
     "completed"},
};

TEST(Responses, CompletionsBecomeResponses) {
    for (const auto& row : answers) {
        const auto completion = parsed(fmt::format(
            R"({{"choices":[{}],"usage":{{"prompt_tokens":9,"completion_tokens":4,)"
            R"("completion_tokens_details":{{"reasoning_tokens":2}}}}}})",
            row.choice
        ));
        const auto answer = responses().answer(
            a_form(R"({"input":"hi","instructions":"s","temperature":0,"metadata":{"a":"b"}})"),
            completion.as_object(),
            context_of_rows()
        );
        ASSERT_TRUE(answer) << row.about << ": " << answer.error().message();
        EXPECT_TRUE(same_json(answer->at("output"), parsed(row.output)))
            << row.about << "\n  found    " << json::serialize(answer->at("output"));
        EXPECT_EQ(answer->at("status").as_string(), row.status) << row.about;
        EXPECT_EQ(answer->at("id"), "resp_a1");
        EXPECT_EQ(answer->at("object"), "response");
        EXPECT_EQ(answer->at("created_at"), 1764000000);
        EXPECT_EQ(answer->at("instructions"), "s");
        EXPECT_EQ(answer->at("temperature"), 0);
        EXPECT_EQ(answer->at("metadata").at("a"), "b");
        EXPECT_EQ(answer->at("usage").at("total_tokens"), 13);
        EXPECT_EQ(answer->at("usage").at("output_tokens_details").at("reasoning_tokens"), 2);
        EXPECT_EQ(answer->at("incomplete_details").is_null(), row.status == "completed");
    }
}

/// The events in short: their names without "response.", places, and what they add.
std::vector<std::string> short_of(std::string_view bytes) {
    std::vector<std::string> all;
    std::int64_t sequence = 0;
    for (const auto& event : events_of(bytes)) {
        const auto data = parsed(event.data);
        EXPECT_EQ(data.at("type").as_string(), std::string_view(event.type));
        EXPECT_EQ(data.at("sequence_number"), sequence++);
        auto text = event.type.substr(event.type.find('.') + 1);
        if (const auto index = integer_member(data, "output_index"))
            text += fmt::format(" {}", *index);
        for (const auto* name : {"delta", "text", "arguments"}) {
            if (const auto added = string_member(data, name)) text += fmt::format(" {}", *added);
        }
        if (const auto* item = member(data, "item"))
            text += fmt::format(" {}", string_member(*item, "type").value_or(""));
        if (const auto* part = member(data, "part"))
            text += fmt::format(" {}", string_member(*part, "type").value_or(""));
        all.push_back(text);
    }
    return all;
}

struct StreamRow {
    std::string_view about;
    std::vector<std::string_view> deltas;
    std::string_view finish;
    std::vector<std::string> events;  // behind created and in_progress
};

const StreamRow streams[] = {
    {"text",
     {R"({"content":"Hel"})", R"({"content":"lo"})"},
     R"("stop")",
     {"output_item.added 0 message",
      "content_part.added 0 output_text",
      "output_text.delta 0 Hel",
      "output_text.delta 0 lo",
      "output_text.done 0 Hello",
      "content_part.done 0 output_text",
      "output_item.done 0 message",
      "completed"}},
    {"nothing", {}, R"("stop")", {"completed"}},
    {"cut",
     {R"({"content":"a"})"},
     R"("length")",
     {"output_item.added 0 message",
      "content_part.added 0 output_text",
      "output_text.delta 0 a",
      "output_text.done 0 a",
      "content_part.done 0 output_text",
      "output_item.done 0 message",
      "incomplete"}},
    {"thinking and a call",
     {R"({"reasoning":"h"})",
      R"({"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{"}}]})",
      R"({"tool_calls":[{"index":0,"function":{"arguments":"}"}}]})"},
     R"("tool_calls")",
     {"output_item.added 0 reasoning",
      "content_part.added 0 reasoning_text",
      "reasoning_text.delta 0 h",
      "reasoning_text.done 0 h",
      "content_part.done 0 reasoning_text",
      "output_item.done 0 reasoning",
      "output_item.added 1 function_call",
      "function_call_arguments.delta 1 {",
      "function_call_arguments.delta 1 }",
      "function_call_arguments.done 1 {}",
      "output_item.done 1 function_call",
      "completed"}},
};

TEST(Responses, Streams) {
    for (const auto& row : streams) {
        const auto bytes = stream_of(responses(), a_form(), row.deltas, row.finish);
        auto events = short_of(bytes);
        ASSERT_GE(events.size(), 2U);
        EXPECT_EQ(events[0], "created");
        EXPECT_EQ(events[1], "in_progress");
        events.erase(events.begin(), events.begin() + 2);
        EXPECT_EQ(events, row.events) << row.about;
    }
}

TEST(Responses, TheLastEventHoldsWhatAWholeAnswerWould) {
    const auto bytes = stream_of(
        responses(), a_form(), {R"({"reasoning":"h"})", R"({"content":"a"})", R"({"content":"b"})"}
    );
    const auto last = parsed(events_of(bytes).back().data).at("response");
    const auto completion = parsed(R"({"choices":[{"message":{"reasoning":"h","content":"ab"},
        "finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}})");
    const auto whole = responses().answer(a_form(), completion.as_object(), context_of_rows());
    EXPECT_TRUE(same_json(last, *whole)) << json::serialize(last) << "\n"
                                         << json::serialize(*whole);
}

TEST(Responses, TheBeginningMayBeAskedForLast) {
    const auto begun = responses().stream(a_form(), context_of_rows())->begin();
    auto stream = responses().stream(a_form(), context_of_rows());
    auto bytes = *stream->feed(json::serialize(chunk_with(R"({"content":"a"})")));
    bytes += stream->finish(1);
    EXPECT_EQ(stream->begin(), begun);
    EXPECT_EQ(short_of(begun + bytes).back(), "completed");
}

TEST(Responses, AStreamThatBreaksFails) {
    auto stream = responses().stream(a_form(), context_of_rows());
    auto bytes = stream->keep_alive("loading\r\nm") + stream->begin();
    bytes += *stream->feed(json::serialize(chunk_with(R"({"content":"a"})")));
    bytes += stream->fail(Error(ErrorCode::exited, "it died"));
    EXPECT_THAT(short_of(bytes).back(), "failed");
    const auto last = parsed(events_of(bytes).back().data).at("response");
    EXPECT_EQ(last.at("status"), "failed");
    EXPECT_EQ(last.at("error").at("message"), "it died");
}

TEST(Responses, OtherRoutesHaveNoProtocol) {
    for (const auto* path :
         {"/v1/messages", "/v1/messages/count_tokens", "/api/chat", "/api/generate", "/v1/responses"
         }) {
        EXPECT_NE(protocol_for(path), nullptr) << path;
    }
    for (const auto* path : {"", "/", "/v1/chat/completions", "/v1/messages/", "/api/tags"})
        EXPECT_EQ(protocol_for(path), nullptr) << path;
    EXPECT_EQ(protocol_for("/v1/responses")->name(), "responses");
}

TEST(OpenAiError, HasTheirForm) {
    EXPECT_EQ(
        openai_error(404, "no model \"x\"\xff", "model_not_found"),
        R"({"error":{"message":"no model \"x\")"
        "\xEF\xBF\xBD"
        R"(","type":"not_found_error","param":null,"code":"model_not_found"}})"
    );
    const std::pair<int, std::string_view> rows[] = {
        {400, "invalid_request_error"},
        {401, "authentication_error"},
        {403, "permission_error"},
        {404, "not_found_error"},
        {429, "rate_limit_error"},
        {500, "server_error"},
        {503, "server_error"},
    };
    for (const auto& [status, type] : rows) {
        const auto error = parsed(openai_error(status, "m", "")).at("error");
        EXPECT_EQ(error.at("type").as_string(), type) << status;
        EXPECT_TRUE(error.at("code").is_null());
    }
    EXPECT_THAT(responses().error(400, Error(ErrorCode::state, "why")), HasSubstr("\"why\""));
}

}  // namespace
}  // namespace punie::translate
