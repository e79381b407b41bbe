#include "translate/protocols.hpp"
#include "unit/translate/rows.hpp"

namespace punie::translate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const RequestRow requests[] = {
    {"text",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}]})"},
    {"whole number as a fraction",
     R"({"max_tokens":5.0,"messages":[{"role":"user","content":"hi"}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}]})"},
    {"system as text",
     R"({"max_tokens":5,"system":"be brief","messages":[{"role":"user","content":"hi"}]})",
     R"({"max_tokens":5,"messages":[{"role":"system","content":"be brief"},
         {"role":"user","content":"hi"}]})"},
    {"system as blocks, with cache marks",
     R"({"max_tokens":5,"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},
         {"type":"text","text":"b"}],"messages":[{"role":"user","content":"hi"}]})",
     R"({"max_tokens":5,"messages":[{"role":"system","content":"a\nb"},
         {"role":"user","content":"hi"}]})"},
    {"null is missing",
     R"({"max_tokens":5,"system":null,"tools":null,"thinking":null,
         "messages":[{"role":"user","content":"hi"}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}]})"},
    {"system message at the start joins the system prompt",
     R"({"max_tokens":5,"system":"a","messages":[{"role":"system","content":"b"},
         {"role":"user","content":"hi"}]})",
     R"({"max_tokens":5,"messages":[{"role":"system","content":"a\nb"},
         {"role":"user","content":"hi"}]})"},
    {"system message in the middle stays there",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"},{"role":"system","content":"b"}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"},
         {"role":"system","content":"b"}]})"},
    {"text blocks are one string",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"a"},
         {"type":"text","text":"b"}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"a\nb"}]})"},
    {"empty text block",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":""}]})"},
    {"image in base64",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"a"},
         {"type":"image","source":{"type":"base64","media_type":"image/png","data":"QQ=="}}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"a"},
         {"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}]}]})"},
    {"image by address",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[
         {"type":"image","source":{"type":"url","url":"https://x/y.png"}}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[
         {"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]})"},
    {"document as text",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[{"type":"document","title":"T",
         "source":{"type":"text","media_type":"text/plain","data":"words"}}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"T\nwords"}]})"},
    {"document as blocks",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[{"type":"document",
         "source":{"type":"content","content":[{"type":"text","text":"w"}]}}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"w"}]})"},
    {"search result",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[{"type":"search_result","title":"T",
         "source":"https://x","content":[{"type":"text","text":"w"}]}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"T\nhttps://x\nw"}]})"},
    {"call and result",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"weather?"},
         {"role":"assistant","content":[{"type":"text","text":"I look."},
          {"type":"tool_use","id":"t1","name":"weather","input":{"city":"Paris"}}]},
         {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"sunny"}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"weather?"},
         {"role":"assistant","content":"I look.","tool_calls":[{"id":"t1","type":"function",
          "function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}]},
         {"role":"tool","tool_call_id":"t1","content":"sunny"}]})"},
    {"calls without text",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"?"},{"role":"assistant","content":[
          {"type":"tool_use","id":"t1","name":"a","input":{}},
          {"type":"tool_use","id":"t2","name":"b","input":{}}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"?"},{"role":"assistant","content":null,
         "tool_calls":[{"id":"t1","type":"function","function":{"name":"a","arguments":"{}"}},
         {"id":"t2","type":"function","function":{"name":"b","arguments":"{}"}}]}]})"},
    {"results before the words beside them, in blocks, one of them an error",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"and now?"},
         {"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"x"},
          {"type":"text","text":"y"}]},
         {"type":"tool_result","tool_use_id":"t2","is_error":true}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"tool","tool_call_id":"t1","content":"x\ny"},
         {"role":"tool","tool_call_id":"t2","content":"error"},
         {"role":"user","content":"and now?"}]})"},
    {"image in a result follows it",
     R"({"max_tokens":5,"messages":[{"role":"user","content":[{"type":"tool_result",
         "tool_use_id":"t1","content":[{"type":"text","text":"seen"},
          {"type":"image","source":{"type":"url","url":"u"}}]}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"tool","tool_call_id":"t1","content":"seen"},
         {"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}]})"},
    {"thinking goes back to the model, what is redacted does not",
     R"({"max_tokens":5,"messages":[{"role":"assistant","content":[
         {"type":"thinking","thinking":"hm","signature":"s"},
         {"type":"redacted_thinking","data":"x"},{"type":"text","text":"a"}]}]})",
     R"({"max_tokens":5,"messages":[{"role":"assistant","content":"a","reasoning_content":"hm"}]})"
    },
    {"two answers one after the other stay two",
     R"({"max_tokens":5,"messages":[{"role":"assistant","content":"a"},
         {"role":"assistant","content":"b"}]})",
     R"({"max_tokens":5,"messages":[{"role":"assistant","content":"a"},
         {"role":"assistant","content":"b"}]})"},
    {"sampling and stops",
     R"({"max_tokens":5,"temperature":0,"top_p":0.5,"top_k":3,"stop_sequences":["\n\n","END"],
         "messages":[{"role":"user","content":"hi"}]})",
     R"({"max_tokens":5,"temperature":0,"top_p":0.5,"top_k":3,"stop":["\n\n","END"],
         "messages":[{"role":"user","content":"hi"}]})"},
    {"no stops",
     R"({"max_tokens":5,"stop_sequences":[],"messages":[{"role":"user","content":"hi"}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}]})"},
    {"tools",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"tools":[{"name":"a",
         "description":"does a","input_schema":{"type":"object","properties":{"x":{"type":"string"}}},
         "cache_control":{"type":"ephemeral"}},{"type":"custom","name":"b","strict":true}]})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"tools":[
         {"type":"function","function":{"name":"a","description":"does a",
          "parameters":{"type":"object","properties":{"x":{"type":"string"}}}}},
         {"type":"function","function":{"name":"b","strict":true,
          "parameters":{"type":"object","properties":{}}}}]})"},
    {"choice auto, one call at a time",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],
         "tool_choice":{"type":"auto","disable_parallel_tool_use":true}})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"tool_choice":"auto",
         "parallel_tool_calls":false})"},
    {"choice any",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"tool_choice":{"type":"any"}})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"tool_choice":"required"})"},
    {"choice none",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"tool_choice":{"type":"none"}})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"tool_choice":"none"})"},
    {"choice of one tool",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],
         "tool_choice":{"type":"tool","name":"a"}})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],
         "tool_choice":{"type":"function","function":{"name":"a"}}})"},
    {"thinking on",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],
         "thinking":{"type":"enabled","budget_tokens":1024}})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],
         "chat_template_kwargs":{"enable_thinking":true}})"},
    {"thinking off",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"thinking":{"type":"disabled"}})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],
         "chat_template_kwargs":{"enable_thinking":false}})"},
    {"effort and format",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"output_config":{"effort":"max",
         "format":{"type":"json_schema","schema":{"type":"object"}}}})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"reasoning_effort":"high",
         "response_format":{"type":"json_schema","json_schema":{"name":"answer",
         "schema":{"type":"object"},"strict":true}}})"},
    {"what is ignored",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"metadata":{"user_id":"u"},
         "service_tier":"auto","context_management":{"edits":[]},"mcp_servers":[],"unknown":1})",
     R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}]})"},
};

TEST(Anthropic, RequestsBecomeChats) {
    for (const auto& row : requests) check_request(anthropic(), row);
}

const RefusalRow refusals[] = {
    {R"({})", "model", "missing"},
    {R"({"model":""})", "model", "not empty"},
    {R"({"model":7})", "model", "the number 7"},
    {R"({"model":"m"})", "messages", "at least one"},
    {R"({"model":"m","messages":{}})", "messages", "expected a list"},
    {R"({"model":"m","messages":["hi"]})", "messages[0]", "expected an object"},
    {R"({"model":"m","messages":[{"role":"user"}]})", "messages[0].content", "missing"},
    {R"({"model":"m","messages":[{"role":"user","content":7}]})", "messages[0].content", "a list"},
    {R"({"model":"m","messages":[{"role":"robot","content":"a"}]})", "messages[0].role", "robot"},
    {R"({"model":"m","messages":[{"role":"user","content":"a"}]})", "max_tokens", "missing"},
    {R"({"model":"m","max_tokens":0,"messages":[{"role":"user","content":"a"}]})",
     "max_tokens",
     "above 0"},
    {R"({"model":"m","max_tokens":"9","messages":[{"role":"user","content":"a"}]})",
     "max_tokens",
     "a whole number"},
    {R"({"model":"m","max_tokens":9,"stream":"yes","messages":[{"role":"user","content":"a"}]})",
     "stream",
     "true or false"},
    {R"({"model":"m","max_tokens":9,"temperature":"hot","messages":[{"role":"user","content":"a"}]})",
     "temperature",
     "a number"},
    {R"({"model":"m","max_tokens":9,"stop_sequences":["a",1],
         "messages":[{"role":"user","content":"a"}]})",
     "stop_sequences[1]",
     "a string"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"video"}]}]})",
     "messages[0].content[0].type",
     "video"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"document",
         "source":{"type":"base64","media_type":"application/pdf","data":"QQ=="}}]}]})",
     "messages[0].content[0].source.type",
     "PDF"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image",
         "source":{"type":"file","file_id":"f"}}]}]})",
     "messages[0].content[0].source.type",
     "files are not kept"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":[
         {"type":"server_tool_use","id":"a","name":"web_search","input":{}}]}]})",
     "messages[0].content[0].type",
     "server_tool_use"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":[
         {"type":"tool_use","id":"a","name":"f","input":"x"}]}]})",
     "messages[0].content[0].input",
     "an object"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],
         "tools":[{"type":"web_search_20250305","name":"web_search"}]})",
     "tools[0].type",
     "web_search_20250305"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],"tools":[{}]})",
     "tools[0].name",
     "missing"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],
         "tool_choice":{"type":"some"}})",
     "tool_choice.type",
     "some"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],
         "tool_choice":{"type":"tool"}})",
     "tool_choice.name",
     "missing"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],
         "thinking":{"type":"deep"}})",
     "thinking.type",
     "deep"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],
         "mcp_servers":[{"url":"x"}]})",
     "mcp_servers",
     "not supported"},
    {R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],"container":"c"})",
     "container",
     "not supported"},
};

TEST(Anthropic, RefusesByName) {
    for (const auto& row : refusals) check_refusal(anthropic(), row);
}

ChatForm a_form() {
    return *anthropic().request(
        request_of(R"({"max_tokens":5,"messages":[{"role":"user","content":"hi"}]})")
    );
}

struct AnswerRow {
    std::string_view about;
    std::string_view choice;  // of the completion
    std::string_view content;
    std::string_view stop_reason;
};

const AnswerRow answers[] = {
    {"text",
     R"({"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"})",
     R"([{"type":"text","text":"hi"}])",
     "end_turn"},
    {"nothing",
     R"({"message":{"role":"assistant","content":null},"finish_reason":"stop"})",
     R"([])",
     "end_turn"},
    {"cut",
     R"({"message":{"content":"hi"},"finish_reason":"length"})",
     R"([{"type":"text","text":"hi"}])",
     "max_tokens"},
    {"no reason given",
     R"({"message":{"content":"hi"}})",
     R"([{"type":"text","text":"hi"}])",
     "end_turn"},
    {"filtered",
     R"({"message":{"content":""},"finish_reason":"content_filter"})",
     R"([])",
     "refusal"},
    {"stop sequence",
     R"({"message":{"content":"hi"},"finish_reason":"stop","stop_reason":"END"})",
     R"([{"type":"text","text":"hi"}])",
     "stop_sequence"},
    {"thinking",
     R"({"message":{"content":"hi","reasoning":"hm"},"finish_reason":"stop"})",
     R"([{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"hi"}])",
     "end_turn"},
    {"call",
     R"({"message":{"content":null,"tool_calls":[{"id":"c1","type":"function",
        "function":{"name":"f","arguments":"{\"x\":1}"}}]},"finish_reason":"tool_calls"})",
     R"([{"type":"tool_use","id":"c1","name":"f","input":{"x":1}}])",
     "tool_use"},
    {"call without id and arguments, and the wrong reason",
     R"({"message":{"content":"so","tool_calls":[{"function":{"name":"f","arguments":""}}]},
        "finish_reason":"stop"})",
     R"([{"type":"text","text":"so"},{"type":"tool_use","id":"call_a1_0","name":"f","input":{}}])",
     "tool_use"},
    {"arguments that are no object",
     R"({"message":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\"x\":"}}]},
        "finish_reason":"tool_calls"})",
     R"([{"type":"tool_use","id":"c","name":"f","input":{"raw_arguments":"{\"x\":"}}])",
     "tool_use"},
    {"arguments as an object",
     R"({"message":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":{"x":1}}}]},
        "finish_reason":"tool_calls"})",
     R"([{"type":"tool_use","id":"c","name":"f","input":{"x":1}}])",
     "tool_use"},
};

TEST(Anthropic, CompletionsBecomeMessages) {
    for (const auto& row : answers) {
        const auto completion = parsed(fmt::format(
            R"({{"choices":[{}],"usage":{{"prompt_tokens":9,"completion_tokens":4,)"
            R"("prompt_tokens_details":{{"cached_tokens":2}}}}}})",
            row.choice
        ));
        const auto answer = anthropic().answer(a_form(), completion.as_object(), context_of_rows());
        ASSERT_TRUE(answer) << row.about << ": " << answer.error().message();
        EXPECT_TRUE(same_json(answer->at("content"), parsed(row.content)))
            << row.about << "\n  found    " << json::serialize(answer->at("content"));
        EXPECT_EQ(answer->at("stop_reason").as_string(), row.stop_reason) << row.about;
        EXPECT_EQ(answer->at("id"), "msg_a1");
        EXPECT_EQ(answer->at("model"), "m");
        EXPECT_EQ(answer->at("usage").at("input_tokens"), 7);
        EXPECT_EQ(answer->at("usage").at("cache_read_input_tokens"), 2);
        EXPECT_EQ(answer->at("usage").at("output_tokens"), 4);
    }
}

TEST(Anthropic, AnswersThatAreNone) {
    for (const auto* body : {R"({})", R"({"choices":[]})", R"({"choices":[{"index":0}]})"}) {
        const auto answer =
            anthropic().answer(a_form(), parsed(body).as_object(), context_of_rows());
        ASSERT_FALSE(answer) << body;
        EXPECT_EQ(answer.error().code(), ErrorCode::protocol) << body;
    }
    const auto error = anthropic().answer(
        a_form(), parsed(R"({"error":{"message":"no memory"}})").as_object(), context_of_rows()
    );
    ASSERT_FALSE(error);
    EXPECT_EQ(error.error().code(), ErrorCode::http_status);
    EXPECT_THAT(error.error().message(), HasSubstr("no memory"));
}

/// "text:Hi" for a delta, "start:text:0" and so on: a stream in short.
std::vector<std::string> short_of(std::string_view bytes) {
    std::vector<std::string> all;
    for (const auto& event : events_of(bytes)) {
        const auto data = parsed(event.data);
        EXPECT_EQ(data.at("type").as_string(), event.type);
        const auto index = integer_member(data, "index").value_or(-1);
        if (event.type == "content_block_start") {
            const auto& block = data.at("content_block");
            all.push_back(fmt::format(
                "start {} {} {}",
                index,
                std::string(block.at("type").as_string()),
                string_member(block, "name").value_or("")
            ));
        } else if (event.type == "content_block_delta") {
            const auto& delta = data.at("delta");
            for (const auto* name : {"text", "thinking", "partial_json", "signature"}) {
                if (const auto text = string_member(delta, name))
                    all.push_back(fmt::format("{} {} {}", index, name, *text));
            }
        } else if (event.type == "content_block_stop") {
            all.push_back(fmt::format("stop {}", index));
        } else if (event.type == "message_delta") {
            all.push_back(fmt::format(
                "end {} {} {}",
                std::string(data.at("delta").at("stop_reason").as_string()),
                data.at("usage").at("input_tokens").as_int64(),
                data.at("usage").at("output_tokens").as_int64()
            ));
        } else {
            all.push_back(event.type);
        }
    }
    return all;
}

struct StreamRow {
    std::string_view about;
    std::vector<std::string_view> deltas;
    std::string_view finish;
    std::vector<std::string> events;  // between message_start and message_stop
};

const StreamRow streams[] = {
    {"text",
     {R"({"role":"assistant","content":""})", R"({"content":"Hel"})", R"({"content":"lo"})"},
     R"("stop")",
     {"start 0 text ", "0 text Hel", "0 text lo", "stop 0", "end end_turn 7 3"}},
    {"nothing", {}, R"("stop")", {"end end_turn 7 3"}},
    {"cut",
     {R"({"content":"a"})"},
     R"("length")",
     {"start 0 text ", "0 text a", "stop 0", "end max_tokens 7 3"}},
    {"thinking, then text",
     {R"({"reasoning":"h"})", R"({"reasoning_content":"m"})", R"({"content":"a"})"},
     R"("stop")",
     {"start 0 thinking ",
      "0 thinking h",
      "0 thinking m",
      "0 signature ",
      "stop 0",
      "start 1 text ",
      "1 text a",
      "stop 1",
      "end end_turn 7 3"}},
    {"a call in pieces",
     {R"({"content":"so"})",
      R"({"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}]})",
      R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]})",
      R"({"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]})"},
     R"("tool_calls")",
     {"start 0 text ",
      "0 text so",
      "stop 0",
      "start 1 tool_use f",
      R"(1 partial_json {"x")",
      "1 partial_json :1}",
      "stop 1",
      "end tool_use 7 3"}},
    {"two calls one after the other",
     {R"({"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]})",
      R"({"tool_calls":[{"index":1,"id":"d","function":{"name":"g","arguments":"{}"}}]})"},
     R"("tool_calls")",
     {"start 0 tool_use f",
      "0 partial_json {}",
      "stop 0",
      "start 1 tool_use g",
      "1 partial_json {}",
      "stop 1",
      "end tool_use 7 3"}},
    {"two calls whose pieces are mixed are put in a row",
     {R"({"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\""}},
         {"index":1,"id":"d","function":{"name":"g","arguments":"{\"b\""}}]})",
      R"({"tool_calls":[{"index":1,"function":{"arguments":":2}"}}]})",
      R"({"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]})"},
     R"("tool_calls")",
     {"start 0 tool_use f",
      R"(0 partial_json {"a")",
      "0 partial_json :1}",
      "stop 0",
      "start 1 tool_use g",
      R"(1 partial_json {"b":2})",
      "stop 1",
      "end tool_use 7 3"}},
    {"every whole call under index 0",
     {R"({"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]})",
      R"({"tool_calls":[{"index":0,"id":"d","function":{"name":"g","arguments":"{}"}}]})"},
     R"("tool_calls")",
     {"start 0 tool_use f",
      "0 partial_json {}",
      "stop 0",
      "start 1 tool_use g",
      "1 partial_json {}",
      "stop 1",
      "end tool_use 7 3"}},
    {"calls without index and id, text behind them, and the wrong reason",
     {R"({"tool_calls":[{"function":{"name":"f","arguments":"{}"}},
         {"function":{"name":"g","arguments":"{}"}}]})",
      R"({"content":"done"})"},
     R"("stop")",
     {"start 0 tool_use f",
      "0 partial_json {}",
      "stop 0",
      "start 1 tool_use g",
      "1 partial_json {}",
      "stop 1",
      "start 2 text ",
      "2 text done",
      "stop 2",
      "end tool_use 7 3"}},
    {"a name that comes late",
     {R"({"tool_calls":[{"index":0,"id":"c","function":{"arguments":"{"}}]})",
      R"({"tool_calls":[{"index":0,"function":{"name":"f","arguments":"}"}}]})"},
     R"("tool_calls")",
     {"start 0 tool_use f", "0 partial_json {}", "stop 0", "end tool_use 7 3"}},
    {"a whole message in one chunk is no delta of another choice",
     {R"({"content":[{"type":"text","text":"in parts"}]})"},
     R"("stop")",
     {"start 0 text ", "0 text in parts", "stop 0", "end end_turn 7 3"}},
};

TEST(Anthropic, Streams) {
    for (const auto& row : streams) {
        auto events = short_of(stream_of(anthropic(), a_form(), row.deltas, row.finish));
        ASSERT_GE(events.size(), 2U);
        EXPECT_EQ(events.front(), "message_start") << row.about;
        EXPECT_EQ(events.back(), "message_stop") << row.about;
        events.pop_back();
        events.erase(events.begin());
        EXPECT_EQ(events, row.events) << row.about;
    }
}

TEST(Anthropic, AStreamThatBreaksEndsInAnError) {
    auto stream = anthropic().stream(a_form(), context_of_rows());
    auto bytes = stream->keep_alive("loading\nm") + stream->begin();
    bytes += *stream->feed(json::serialize(chunk_with(R"({"content":"a"})")));
    bytes += stream->fail(Error(ErrorCode::exited, "the server \x1b[31mdied\xff"));
    EXPECT_THAT(
        short_of(bytes), ElementsAre("ping", "message_start", "start 0 text ", "0 text a", "error")
    );
    const auto error = parsed(events_of(bytes).back().data).at("error");
    EXPECT_EQ(error.at("type"), "api_error");
    EXPECT_THAT(std::string(error.at("message").as_string()), HasSubstr("the server died"));
}

TEST(Anthropic, WhatIsNoChunkIsAnError) {
    for (const auto* data : {"", "x", "[1]", "{", R"({"error":{"message":"m","code":503}})"}) {
        auto stream = anthropic().stream(a_form(), context_of_rows());
        EXPECT_FALSE(stream->feed(data)) << data;
    }
    auto stream = anthropic().stream(a_form(), context_of_rows());
    const auto error = stream->feed(R"({"error":{"message":"full","code":503}})");
    EXPECT_EQ(error.error().http_status(), 503);
    EXPECT_EQ(
        parsed(events_of(stream->fail(error.error())).front().data).at("error").at("type"),
        "overloaded_error"
    );
}

TEST(Anthropic, ErrorsByStatus) {
    const std::pair<int, std::string_view> rows[] = {
        {400, "invalid_request_error"},
        {401, "authentication_error"},
        {403, "permission_error"},
        {404, "not_found_error"},
        {413, "request_too_large"},
        {429, "rate_limit_error"},
        {500, "api_error"},
        {502, "api_error"},
        {503, "overloaded_error"},
        {504, "timeout_error"},
        {422, "invalid_request_error"},
    };
    for (const auto& [status, type] : rows) {
        const auto body = parsed(anthropic().error(status, Error(ErrorCode::state, "why")));
        EXPECT_EQ(body.at("type"), "error");
        EXPECT_EQ(body.at("error").at("type").as_string(), type) << status;
        EXPECT_EQ(body.at("error").at("message"), "why");
    }
}

TEST(AnthropicCounts, AsksForOneTokenAndSaysThePrompts) {
    const auto form = anthropic_counts().request(
        request_of(R"({"stream":true,"messages":[{"role":"user","content":"hi"}]})")
    );
    ASSERT_TRUE(form) << form.error().message();
    EXPECT_FALSE(form->stream);
    EXPECT_EQ(form->body.at("max_tokens"), 1);
    const auto answer = anthropic_counts().answer(
        *form, parsed(R"({"usage":{"prompt_tokens":12}})").as_object(), context_of_rows()
    );
    ASSERT_TRUE(answer);
    EXPECT_EQ(json::serialize(*answer), R"({"input_tokens":12})");
    const auto none = anthropic_counts().answer(*form, {}, context_of_rows());
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message(), HasSubstr("usage"));
}

}  // namespace
}  // namespace punie::translate
