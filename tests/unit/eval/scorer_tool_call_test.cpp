#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <random>

#include "eval/scorers/assignment.hpp"
#include "scorer_rows.hpp"

namespace punie::eval {

namespace {

using ::testing::HasSubstr;

const json::array& tools() {
    static const json::array all = json::parse(R"([
        {"type":"function","function":{"name":"set_light","parameters":{"type":"object","properties":{
            "room":{"enum":["kitchen","bath","hall"]},"on":{"type":"boolean"},
            "level":{"type":"integer","minimum":0,"maximum":100}},"required":["room"],"additionalProperties":false}}},
        {"type":"function","function":{"name":"set_blinds","parameters":{"type":"object","properties":{
            "room":{"type":"string"},"closed":{}}}}},
        {"type":"function","function":{"name":"get_time"}}])")
                                       .as_array();
    return all;
}

/// name {arguments}, several with "; ": as a structured answer.
openai::Answer calling(std::string_view calls) {
    json::array list;
    while (!calls.empty()) {
        const auto end = std::min(calls.find("; "), calls.size());
        const auto one = calls.substr(0, end);
        calls.remove_prefix(std::min(end + 2, calls.size()));
        const auto space = std::min(one.find(' '), one.size());
        const auto arguments = space == one.size() ? std::string_view("{}") : one.substr(space + 1);
        list.push_back({{"function", {{"name", one.substr(0, space)}, {"arguments", arguments}}}});
    }
    return openai::read_answer({{"content", nullptr}, {"tool_calls", list}}, "tool_calls");
}

struct CallRow {
    std::string_view parameters;
    std::string_view calls;
    double score;  ///< 1: passed
    std::string_view reason;
};

constexpr auto light = R"({"name":"set_light","arguments":{"room":"kitchen","on":true}})";

const std::array<CallRow, 66> rows = {{
    {light,
     R"(set_light {"room":"kitchen","on":true})",
     1,
     R"(called set_light(room="kitchen", on=true))"},
    {light, R"(set_light {"on":true,"room":"kitchen"})", 1, ""},
    {light,
     R"(set_light {"room":"bath","on":true})",
     2.0 / 3,
     R"(set_light: room should be "kitchen", was "bath")"},
    {light,
     R"(set_light {"room":"bath","on":false})",
     1.0 / 3,
     R"(set_light: room should be "kitchen", was "bath"; set_light: on should be true, was false)"},
    {light, R"(set_light {"room":"kitchen"})", 2.0 / 3, "set_light: on is missing, should be true"},
    {light,
     R"(set_light {"room":"kitchen","on":true,"level":5})",
     0.75,
     "set_light: level was not asked for (was 5)"},
    {light,
     R"(set_light {"room":"kitchen","on":"true"})",
     2.0 / 3,
     R"(on should be true, was "true")"},
    {light, R"(set_light {"room":"kitchen","on":1})", 2.0 / 3, "on should be true, was 1"},
    {light,
     R"(set_light {"room":"Kitchen","on":true})",
     2.0 / 3,
     R"(room should be "kitchen", was "Kitchen")"},
    {light, "get_time", 0, "called get_time() instead of set_light"},
    {light,
     R"(set_light {"room":"kitchen","on":true}; get_time)",
     0.5,
     "get_time() was not asked for"},
    {light,
     R"(get_time; set_light {"room":"kitchen","on":true})",
     0.5,
     "get_time() was not asked for"},
    {light,
     R"(set_light {"room":"kitchen","on":true}; set_light {"room":"kitchen","on":true})",
     0.5,
     "was not asked for"},
    {light,
     R"(set_light {"room":"kitch)",
     0,
     "set_light is no whole call: cut off in the middle of the call"},
    {light,
     R"(set_light {"room":"kitchen","on":true}; get_time {x)",
     0.5,
     "get_time is no whole call: its JSON is broken"},
    {R"("set_light")", R"(set_light {"room":"bath"})", 1, ""},
    {R"("get_time")", R"(set_light {"room":"bath"})", 0, "instead of get_time"},
    {R"({"name":"set_light"})", R"(set_light {"room":"bath"})", 1, ""},
    {R"({"name":"get_time","arguments":{}})", "get_time", 1, "called get_time()"},
    {R"({"name":"get_time","arguments":{}})",
     R"(get_time {"zone":"UTC"})",
     0.5,
     R"(zone was not asked for (was "UTC"))"},
    {R"({"name":["set_light","set_blinds"],"arguments":{"room":"bath"}})",
     R"(set_blinds {"room":"bath"})",
     1,
     ""},
    {R"({"name":["set_light","set_blinds"],"arguments":{"room":"bath"}})",
     "get_time",
     0,
     "instead of set_light or set_blinds"},
    // values
    {R"({"name":"a","arguments":{"x":1}})", R"(a {"x":1.0})", 1, ""},
    {R"({"name":"a","arguments":{"x":1.0}})", R"(a {"x":1})", 1, ""},
    {R"({"name":"a","arguments":{"x":5}})", R"(a {"x":"5"})", 0.5, R"(a: x should be 5, was "5")"},
    {R"({"name":"a","arguments":{"x":[5,"5"]}})", R"(a {"x":"5"})", 1, ""},
    {R"({"name":"a","arguments":{"x":"007"}})", R"(a {"x":7})", 0.5, R"(x should be "007", was 7)"},
    {R"({"name":"a","arguments":{"x":9007199254740993}})", R"(a {"x":9007199254740993})", 1, ""},
    {R"({"name":"a","arguments":{"x":9007199254740993}})",
     R"(a {"x":9007199254740992})",
     0.5,
     "should be 9007199254740993, was 9007199254740992"},
    {R"({"name":"a","arguments":{"x":[true,1]}})", R"(a {"x":1})", 1, ""},
    {R"({"name":"a","arguments":{"x":["b","c"]}})",
     R"(a {"x":"d"})",
     0.5,
     R"(x should be "b" or "c", was "d")"},
    {R"({"name":"a","arguments":{"x":["b",""]}})", "a", 1, ""},
    {R"({"name":"a","arguments":{"x":["b",""]}})", R"(a {"x":"b"})", 1, ""},
    {R"({"name":"a","arguments":{"x":["b",""]}})", R"(a {"x":"c"})", 0.5, "should be"},
    {R"({"name":"a","arguments":{"x":[[1,2]]}})", R"(a {"x":[1,2]})", 1, ""},
    {R"({"name":"a","arguments":{"x":[[1,2]]}})",
     R"(a {"x":[2,1]})",
     0.5,
     "x should be [1, 2], was [2, 1]"},
    {R"({"name":"a","arguments":{"x":{"value":[1,2]}}})", R"(a {"x":[1,2]})", 1, ""},
    {R"({"name":"a","arguments":{"x":{"value":[1,2]}}})",
     R"(a {"x":1})",
     0.5,
     "x should be [1, 2], was 1"},
    {R"({"name":"a","arguments":{"x":{"value":[]}}})", R"(a {"x":[]})", 1, ""},
    {R"({"name":"a","arguments":{"x":{"any":true}}})", R"(a {"x":[9]})", 1, ""},
    {R"({"name":"a","arguments":{"x":{"any":true}}})", "a", 0.5, "x is missing, should be anything"
    },
    {R"({"name":"a","arguments":{"x":{"optional":5}}})", "a", 1, ""},
    {R"({"name":"a","arguments":{"x":{"optional":5}}})", R"(a {"x":6})", 0.5, "x should be 5, was 6"
    },
    {R"({"name":"a","arguments":{"x":{"optional":true}}})", R"(a {"x":6})", 1, ""},
    {R"({"name":"a","arguments":{"x":{"regex":"^\\d{4}$"}}})", R"(a {"x":"2024"})", 1, ""},
    {R"({"name":"a","arguments":{"x":{"regex":"^\\d{4}$"}}})",
     R"(a {"x":2024})",
     0.5,
     "text that fits"},
    {R"({"name":"a","arguments":{"x":{"regex":"PARIS","ignore_case":true}}})",
     R"(a {"x":"in Paris"})",
     1,
     ""},
    {R"({"name":"a","arguments":{"x":{"contains":"par"}}})",
     R"(a {"x":"in Paris"})",
     0.5,
     R"(text with "par" in it)"},
    {R"({"name":"a","arguments":{"x":{"number":20,"tolerance":0.5}}})", R"(a {"x":20.4})", 1, ""},
    {R"({"name":"a","arguments":{"x":{"number":20,"tolerance":0.5}}})",
     R"(a {"x":21})",
     0.5,
     "x should be the number 20 ± 0.5, was 21"},
    {R"({"name":"a","arguments":{"x":{"number":0.3}}})", R"(a {"x":0.30000000000000004})", 1, ""},
    {R"({"name":"a","arguments":{"x":{"number":200,"relative":0.1}}})", R"(a {"x":181})", 1, ""},
    {R"({"name":"a","arguments":{"x":{"y":[1,2],"z":"b"}}})", R"(a {"x":{"z":"b","y":2}})", 1, ""},
    {R"({"name":"a","arguments":{"x":{"y":1}}})",
     R"(a {"x":{"y":1,"w":2}})",
     0.5,
     R"(x should be {y: 1}, was {"y": 1, "w": 2})"},
    {R"({"name":"a","arguments":{"x":{"y":1}},"extra_arguments":"allow"})",
     R"(a {"x":{"y":1,"w":2},"v":3})",
     1,
     ""},
    {R"({"name":"a","arguments":{"x":"É"},"ignore_case":true})", R"(a {"x":"é"})", 1, ""},
    {R"({"name":"a","arguments":{"x":[["A","B"]]},"ignore_case":true})",
     R"(a {"x":["a","b"]})",
     1,
     ""},
    // several calls
    {R"({"calls":[{"name":"a"},{"name":"b"}]})", "b; a", 1, ""},
    {R"({"calls":[{"name":"a"},{"name":"b"}]})", "a", 0.5, "b was not called"},
    {R"({"calls":["a","b"],"order":"as-given"})", "a; b", 1, ""},
    {R"({"calls":["a","b"],"order":"as-given"})",
     "b; a",
     0.5,
     "the right calls in another order: b(); a()"},
    {R"({"calls":["a","b"],"extra":"allow"})", "c; a; c; b", 1, ""},
    {R"({"calls":["a","b"],"extra":"allow"})", "c; a", 0.5, "b was not called"},
    {R"({"calls":["a"],"extra":"allow"})", "c {x; a", 0.99, "c is no whole call"},
    // The greedy way would give the first call to the first that fits at all.
    {R"({"calls":[{"name":"a","arguments":{"x":{"any":true}}},{"name":"a","arguments":{"x":1}}]})",
     R"(a {"x":1}; a {"x":2})",
     1,
     ""},
    {R"({"calls":[{"name":"a","arguments":{"x":1}},{"name":"a","arguments":{"x":2}},{"name":"a","arguments":{"x":3}}]})",
     R"(a {"x":3}; a {"x":1}; a {"x":4})",
     2.5 / 3,
     "a: x should be 2, was 4"},
}};

TEST(ToolCallScorerTest, JudgesCalls) {
    for (const auto& row : rows) {
        const auto judge = scorer("tool_call", row.parameters);
        ASSERT_NE(judge, nullptr);
        const auto judgement = judge->judge(calling(row.calls));
        EXPECT_NEAR(judgement.score, row.score, 1e-9) << row.parameters << " " << row.calls << "\n"
                                                      << judgement.reason;
        EXPECT_EQ(judgement.passed, row.score == 1) << row.parameters << " " << row.calls;
        EXPECT_THAT(judgement.reason, HasSubstr(row.reason)) << row.parameters << " " << row.calls;
    }
}

struct ToolRow {
    std::string_view parameters;
    std::string_view calls;
    std::string_view reason;  ///< "" when it passes
};

const std::array<ToolRow, 6> tool_rows = {{
    {R"({"name":"set_light","arguments":{"room":"kitchen","level":{"any":true}}})",
     R"(set_light {"room":"kitchen","level":50})",
     ""},
    {R"({"name":"set_light","arguments":{"room":"kitchen","level":{"any":true}}})",
     R"(set_light {"room":"kitchen","level":500})",
     "set_light does not fit its schema: /level: 500 should be at most 100"},
    {R"("set_light")",
     R"(set_light {"room":"attic"})",
     R"(/room: "attic" is not one of "kitchen", "bath", "hall")"},
    {R"("set_light")", R"(set_light {"on":true})", "/room: is missing"},
    {R"({"name":"set_blinds","arguments":{"closed":[true,1]}})", R"(set_blinds {"closed":1})", ""},
    {R"({"name":"set_light","arguments":{"room":"bath"},"extra_arguments":"allow"})",
     R"(set_light {"room":"bath","colour":"red"})",
     "/colour: is not known here"},
}};

TEST(ToolCallScorerTest, HoldsCallsAgainstTheToolsSchema) {
    for (const auto& row : tool_rows) {
        const auto judgement =
            scorer("tool_call", row.parameters, &tools())->judge(calling(row.calls));
        EXPECT_EQ(judgement.passed, row.reason.empty()) << row.calls << judgement.reason;
        EXPECT_THAT(judgement.reason, HasSubstr(row.reason)) << row.calls;
        EXPECT_EQ(judgement.score == 1, judgement.passed);
    }
}

TEST(ToolCallScorerTest, BareTextTakesTheTypesOfTheSchema) {
    const auto text = [](std::string_view level) {
        return openai::read_text_answer(fmt::format(
            "<tool_call>\n<function=set_light>\n<parameter=room>\nkitchen\n</"
            "parameter>\n<parameter=level>\n{}\n"
            "</parameter>\n</function>\n</tool_call>",
            level
        ));
    };
    const auto wanted = R"({"name":"set_light","arguments":{"room":"kitchen","level":5}})";
    EXPECT_TRUE(scorer("tool_call", wanted, &tools())->judge(text("5")).passed);
    EXPECT_THAT(
        scorer("tool_call", wanted, &tools())->judge(text("6")).reason,
        HasSubstr("level should be 5, was 6")
    );
    // Without a schema the text may mean either.
    EXPECT_TRUE(scorer("tool_call", wanted)->judge(text("5")).passed);
    const auto as_text = R"({"name":"set_light","arguments":{"room":"kitchen","level":"5"}})";
    EXPECT_TRUE(scorer("tool_call", as_text)->judge(text("5")).passed);
    EXPECT_FALSE(scorer("tool_call", as_text, &tools())->judge(text("5")).passed);
}

TEST(ToolCallScorerTest, AnswersWithoutCalls) {
    const auto judge = scorer("tool_call", light);
    auto judgement = judge->judge(openai::read_text_answer("I turned it on."));
    EXPECT_EQ(judgement.reason, R"(set_light was not called; the answer says "I turned it on.")");
    EXPECT_EQ(judgement.score, 0);
    EXPECT_FALSE(judgement.unparsed);
    EXPECT_EQ(
        judge->judge(openai::read_text_answer("")).reason,
        "set_light was not called; the answer is empty"
    );
    judgement = judge->judge(openai::read_answer({{"content", nullptr}}, "tool_calls"));
    EXPECT_EQ(judgement.reason, "the server dropped a call that it could not parse");
    EXPECT_TRUE(judgement.unparsed);
    judgement = judge->judge(openai::read_text_answer("<think>I could"));
    EXPECT_EQ(judgement.reason, "the answer was cut while it was still thinking");
    EXPECT_TRUE(judgement.unparsed);
    judgement = judge->judge(openai::read_answer({{"content", "Turning"}}, "length"));
    EXPECT_THAT(judgement.reason, HasSubstr("cut at the token limit"));
    judgement = judge->judge(
        openai::read_text_answer(R"(<tool_call>{"name":"set_light","arguments":{"room":"kit)")
    );
    EXPECT_TRUE(judgement.unparsed);
    EXPECT_EQ(judgement.score, 0);
    EXPECT_THAT(judgement.reason, HasSubstr("set_light is no whole call: cut off"));
}

constexpr std::array<RefusalRow, 23> refusals = {{
    {"{}", "a call needs the name of a tool"},
    {"[]", "the list is empty"},
    {R"({"nam":"set_light"})", "a call needs the name of a tool"},
    {R"({"name":"set_light","argumens":{}})", "/argumens: unknown key; did you mean arguments?"},
    {R"({"name":"set_ligth"})",
     R"(/name: the prompt has no tool "set_ligth"; did you mean set_light?)"},
    {R"("fly")", R"(the prompt has no tool "fly"; it has get_time, set_blinds or set_light)"},
    {R"({"name":"set_light","arguments":5})",
     "/arguments: should be an object (name: value), is the number 5"},
    {R"({"name":"set_light","arguments":{"romm":"x"}})",
     R"(/arguments/romm: set_light has no argument "romm"; did you mean room?)"},
    {R"({"name":"set_light","arguments":{"room":[]}})",
     "/arguments/room: the list of accepted values is empty"},
    {R"({"name":"set_light","arguments":{"room":{"regex":"("}}})",
     "/arguments/room/regex: the pattern is not understood"},
    {R"({"name":"set_light","arguments":{"room":{"regex":5}}})",
     "/arguments/room/regex: should be text, is the number 5"},
    {R"({"name":"set_light","arguments":{"level":{"number":"5"}}})",
     R"(/arguments/level/number: should be a number, is the string "5")"},
    {R"({"name":"set_light","arguments":{"level":{"number":5,"tolerance":-1}}})",
     "/arguments/level/tolerance: should be a number from 0"},
    {R"({"name":"set_light","arguments":{"level":{"any":false}}})",
     "/arguments/level/any: should be true"},
    {R"({"name":"set_light","arguments":{"level":[1,{"regex":"("}]}})",
     "/arguments/level/1/regex: the pattern"},
    {R"({"calls":[]})", "/calls: should be a list of calls"},
    {R"({"calls":{"name":"set_light"}})", "/calls: should be a list of calls"},
    {R"({"calls":[{"name":"set_light"},{"nme":"get_time"}]})",
     "/calls/1: a call needs the name of a tool"},
    {R"({"calls":[{"name":"set_light","argument":{}}]})",
     "/calls/0/argument: unknown key; did you mean arguments?"},
    {R"({"calls":["set_light"],"order":"given"})",
     "/order: should be any or as-given, is the string \"given\""},
    {R"({"calls":["set_light"],"name":"get_time"})", "/name: unknown key"},
    {R"({"name":"set_light","extra":true})", "/extra: should be forbid or allow, is true"},
    {R"({"name":"set_light","ignore_case":"yes"})",
     R"(/ignore_case: should be true or false, is the string "yes")"},
}};

TEST(ToolCallScorerTest, RefusesWhatCouldNeverBe) {
    check_refusals("tool_call", refusals, &tools());
    const json::array broken =
        json::parse(R"([{"function":{"name":"a","parameters":{"type":"objct"}}}])").as_array();
    EXPECT_THAT(
        refusal("tool_call", R"("a")", &broken),
        HasSubstr(R"(the tool's parameters: #/type: "objct" is no JSON type)")
    );
}

TEST(NoToolCallScorerTest, WordsPassAndCallsDoNot) {
    const auto judge = scorer("no_tool_call", "true");
    EXPECT_TRUE(judge->judge(openai::read_text_answer("A dimmer dims.")).passed);
    EXPECT_TRUE(scorer("no_tool_call", "{}")->judge(openai::read_text_answer("")).passed);
    EXPECT_EQ(judge->judge(calling("get_time")).reason, "called get_time, where no call was right");
    const auto lost = judge->judge(openai::read_answer({{"content", nullptr}}, "tool_calls"));
    EXPECT_FALSE(lost.passed);
    EXPECT_TRUE(lost.unparsed);
    EXPECT_EQ(verdict_of(judge->judge(openai::read_text_answer("<think>hm"))), "unparsed");
    EXPECT_TRUE(refusal("no_tool_call", "false").starts_with("should be true, is false"));
}

double sum_of(const scorers::Worth& worth, const std::vector<std::size_t>& columns) {
    double sum = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i] != scorers::unassigned) sum += worth[i][columns[i]];
    }
    return sum;
}

/// By trying all ways to take columns for the rows.
double best_sum(
    const scorers::Worth& worth,
    std::vector<bool>& used,
    std::size_t row,
    std::size_t from,
    bool ordered
) {
    if (row == worth.size()) return 0;
    double best = best_sum(worth, used, row + 1, from, ordered);
    for (std::size_t j = ordered ? from : 0; j < used.size(); ++j) {
        if (used[j]) continue;
        used[j] = true;
        best = std::max(best, worth[row][j] + best_sum(worth, used, row + 1, j + 1, ordered));
        used[j] = false;
    }
    return best;
}

TEST(AssignmentTest, IsAsGoodAsTryingAll) {
    std::mt19937 random(7);
    for (int round = 0; round < 400; ++round) {
        const auto rows_count = 1 + random() % 5;
        const auto columns = 1 + random() % 5;
        scorers::Worth worth(rows_count, std::vector<double>(columns));
        for (auto& row : worth) {
            for (auto& value : row) value = static_cast<double>(random() % 5) / 4;
        }
        std::vector<bool> used(columns);
        const auto any = scorers::best_assignment(worth);
        EXPECT_NEAR(sum_of(worth, any), best_sum(worth, used, 0, 0, false), 1e-9);
        const auto ordered = scorers::best_alignment(worth);
        EXPECT_NEAR(sum_of(worth, ordered), best_sum(worth, used, 0, 0, true), 1e-9);
        std::vector<std::size_t> taken;
        for (const auto column : ordered) {
            if (column != scorers::unassigned) taken.push_back(column);
        }
        EXPECT_TRUE(std::ranges::is_sorted(taken, std::ranges::less_equal{}));
    }
    EXPECT_TRUE(scorers::best_assignment({}).empty());
    EXPECT_EQ(scorers::best_assignment({{}}).front(), scorers::unassigned);
}

TEST(ToolCallScorerTest, ThousandsOfCallsTakeNoTime) {
    std::string calls = "a";
    for (int i = 0; i < 5000; ++i) calls += "; a";
    const auto start = std::chrono::steady_clock::now();
    const auto judgement = scorer("tool_call", R"({"calls":["a","a","b"]})")->judge(calling(calls));
    EXPECT_FALSE(judgement.passed);
    EXPECT_LT(judgement.reason.size(), 1000U);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace

}  // namespace punie::eval
