#include <gmock/gmock.h>

#include <array>
#include <chrono>

#include "base/json_schema.hpp"
#include "eval/scorers/number_text.hpp"
#include "eval/scorers/text_match.hpp"
#include "scorer_rows.hpp"

namespace punie::eval {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::array<TextRow, 14> equals = {{
    {R"("Paris")", "Paris", "passed"},
    {R"("Paris")", " Paris\n", "passed"},
    {R"("Paris")", "paris", "failed", R"(should be "Paris"; the answer says "paris")"},
    {R"("Paris")", "Paris.", "failed"},
    {R"({"value":"Paris","ignore_case":true})", "PARIS", "passed"},
    {R"({"value":"Paris","normalise":true})", "**paris**.", "passed"},
    {R"({"value":"New York","normalise":true})", "\"new   york\"", "passed"},
    {R"({"value":"Paris","trim":false})", "Paris", "passed"},
    {R"(["Paris","Lutetia"])", "Lutetia", "passed"},
    {R"(["Paris","Lutetia"])", "Rome", "failed", R"(should be "Paris" or "Lutetia")"},
    {"5", "5", "passed"},
    {"true", "true", "passed"},
    {R"("Paris")", "<think>Rome</think>Paris", "passed"},
    {R"("Paris")", "", "unparsed", "the answer is empty"},
}};

constexpr std::array<TextRow, 14> contains = {{
    {R"("dim")", "A dimmer.", "passed", R"(contains "dim")", "dim"},
    {R"("Dim")", "A dimmer.", "failed", R"(does not contain "Dim"; the answer says "A dimmer.")"},
    {R"({"value":"DIM","ignore_case":true})", "A dimmer.", "passed", "", "dim"},
    {R"({"value":"ÉTÉ","ignore_case":true})", "en été", "passed", "", "été"},
    {R"({"value":"ЛЕС","ignore_case":true})", "в лес", "passed", "", "лес"},
    {R"({"value":"cat","whole_words":true})", "concatenate", "failed"},
    {R"({"value":"cat","whole_words":true})", "concatenate a cat.", "passed"},
    {R"({"value":"cat","whole_words":true})", "caté", "failed"},
    {R"({"value":"C++","whole_words":true})", "in C++.", "passed"},
    {R"(["a1","b2"])", "x b2", "passed", "", "b2"},
    {R"(["a1","b2"])", "x", "failed", R"("a1" or "b2")"},
    {"42", "It is 42.", "passed"},
    {R"("x")", "<think>x</think>y", "failed"},
    {R"("x")", "<think>x", "unparsed", "cut while it was still thinking"},
}};

constexpr std::array<TextRow, 16> keywords = {{
    {R"(["lamp","dim"])", "A LAMP that dims", "passed", R"(found: "lamp", "dim")"},
    {R"(["lamp","dim"])", "A lamp", "failed", R"(missing: "dim")"},
    {R"("lamp")", "A lamp", "passed"},
    {R"({"all":["lamp","dim"],"min":1})", "A lamp", "passed"},
    {R"({"value":["a1","b2","c3"],"min":2})", "a1", "failed", R"(missing: "b2", "c3")"},
    {R"({"any":["a1","b2"]})", "b2", "passed", R"(found: "b2")"},
    {R"({"any":["a1","b2"]})", "c3", "failed", R"(none of "a1", "b2")"},
    {R"({"none":["sorry"]})", "Yes.", "passed", "nothing unwanted"},
    {R"({"none":["sorry"]})", "Sorry, no.", "failed", R"(unwanted: "sorry")"},
    {R"({"all":["a1"],"none":["b2"]})", "a1 b2", "failed", R"(unwanted: "b2")"},
    {R"({"all":["Lamp"],"ignore_case":false})", "lamp", "failed"},
    {R"({"all":["cat"],"whole_words":true})", "concatenate", "failed"},
    {R"({"all":["cat"],"whole_words":true})", "cat.", "passed"},
    {R"([5,true])", "5 true", "passed"},
    {R"(["größe"])", "GRÖßE", "passed"},
    {R"(["a1"])", "", "unparsed"},
}};

constexpr std::array<TextRow, 10> regex = {{
    {R"("^yes")", "yes, it is", "passed", "\"yes\" fits /^yes/", "yes"},
    {R"("^yes")", "oh yes", "failed", "nothing fits /^yes/"},
    {R"({"value":"YES","ignore_case":true})", "yes", "passed"},
    {R"({"value":"\\d+","whole":true})", "42", "passed"},
    {R"({"value":"\\d+","whole":true})", "42.", "failed"},
    {R"(["a.c","x.z"])", "xyz", "passed", "", "xyz"},
    {R"("\\p{L}+")", "é", "passed"},
    {R"("(?m)^b$")", "a\nb\nc", "passed"},
    {R"("(a*)*b")", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "failed"},
    {R"("x")", "", "unparsed"},
}};

constexpr std::array<TextRow, 34> jsons = {{
    {"true", R"({"a":1})", "passed"},
    {"true", "[1]", "passed"},
    {"true", "5", "passed"},
    {"true", "```json\n{\"a\":1}\n```", "passed", "", R"({"a":1})"},
    {"true", "Here:\n```json\n{\"a\":1}\n```\nDone.", "passed"},
    {"true", "Here: {\"a\":1} it is.", "passed", "", R"({"a":1})"},
    {"true", "```python\nx = 1\n```\n```json\n[2]\n```", "passed", "", "[2]"},
    {"true", "no braces", "unparsed", "no JSON in it"},
    {"true", R"({"a":)", "unparsed", "no valid JSON"},
    {"true", "{'a': 1}", "unparsed", "no valid JSON"},
    {R"({"only":true})", R"({"a":1})", "passed"},
    {R"({"only":true})", "```json\n{\"a\":1}\n```", "unparsed"},
    {R"({"only":true})", "Here: {\"a\":1}", "unparsed"},
    {R"({"schema":{"type":"object","required":["a"]}})", R"({"a":1})", "passed"},
    {R"({"schema":{"type":"object","required":["a"]}})", R"({"b":1})", "failed", "/a: is missing"},
    {R"({"value":true,"schema":{"type":"array"}})",
     "{}",
     "failed",
     "(root): should be an array, is an object"},
    {R"({"paths":{"$.a.b[0]":5}})", R"({"a":{"b":[5.0]}})", "passed"},
    {R"({"paths":{"$.a.b[0]":5}})", R"({"a":{"b":[6]}})", "failed", "$.a.b[0] should be 5, is 6"},
    {R"({"paths":{"$.a.b[0]":5}})", R"({"a":{}})", "failed", "$.a.b[0] is missing, should be 5"},
    {R"({"paths":{"/a/b/0":5}})", R"({"a":{"b":[5]}})", "passed"},
    {R"({"paths":{"/a~1b":5}})", R"({"a/b":5})", "passed"},
    {R"({"paths":{"$['a b'].c":5}})", R"({"a b":{"c":5}})", "passed"},
    {R"({"paths":{"$[-1]":3}})", "[1,2,3]", "passed"},
    {R"({"paths":{"$":{"value":[1]}}})", "[1]", "passed"},
    {R"({"paths":{"$.a":["x","y"]}})", R"({"a":"y"})", "passed"},
    {R"({"paths":{"$.a":{"regex":"^p"}}})", R"({"a":"paris"})", "passed"},
    {R"({"paths":{"$.a":{"optional":5}}})", "{}", "passed"},
    {R"({"paths":{"$.a":"PARIS"},"ignore_case":true})", R"({"a":"Paris"})", "passed"},
    {R"({"equals":{"a":1,"b":[1,2]}})", R"({"b":1,"a":1})", "passed"},
    {R"({"equals":{"a":1}})",
     R"({"a":1,"b":2})",
     "failed",
     R"(should be {a: 1}, is {"a": 1, "b": 2})"},
    {R"({"equals":{"a":1},"extra_members":true})", R"({"a":1,"b":2})", "passed"},
    {R"({"equals":[1,2]})", "[1,2]", "passed"},
    {R"({"equals":[1,2]})", "1", "failed"},
    {R"({"paths":{"$.a":1,"$.b":2}})", R"({"a":1,"b":3})", "failed", "$.b should be 2"},
}};

constexpr std::array<TextRow, 60> numbers = {{
    {"135", "135", "passed", "the number is 135", "135"},
    {"135", "The lamps use 3 * 9 * 5 = 135", "passed", "", "135"},
    {"135", "It burns 135 Wh.", "passed"},
    {"135", "It burns 135Wh", "passed"},
    {"135", "134", "failed", "the number should be 135, is 134"},
    {"135", "no idea", "unparsed", R"(no number in it; the answer says "no idea")"},
    {"135", "", "unparsed"},
    {"135", "The answer is 135. I used 3 lamps.", "passed", "", "135"},
    {"135", "The answer is **135** Wh, for 3 lamps.", "passed"},
    {"135", "Answer: $135 for 3", "passed"},
    {"7", "The answer is the sum of 3 and 4, which is 7", "passed"},
    {"42", "So 6 * 7.\n#### 42\n(1 check)", "passed"},
    {"42", "\\boxed{42} since 6 * 7 = 41 + 1", "passed"},
    {"0.5", "\\boxed{\\frac{1}{2}}", "passed"},
    {"0.5", "\\[ x = \\dfrac{1}{2} \\]", "passed"},
    {"1234", "1,234", "passed"},
    {"1234567", "1,234,567", "passed"},
    {"1234567", "1.234.567", "passed"},
    {"1234.5", "1,234.5", "passed"},
    {"1234.5", "1.234,5", "passed"},
    {"3.5", "3,5", "passed"},
    {"3.5", "3.5.", "passed"},
    {"1234", "1{,}234", "passed"},
    {"1234", "1\\,234", "passed"},
    {"1234", "1\u202f234", "passed"},
    {"1234", "1_234", "passed"},
    {"1234", "1'234", "passed"},
    {"0.123", "0,123", "passed"},
    {"3", "one of 1,2,3", "passed"},
    {"-5", "-5", "passed"},
    {"-5", "minus: \u22125 degrees", "passed"},
    {"-5", "-$5", "passed"},
    {"20", "10-20", "passed"},
    {"20", "between 10 and 20", "passed"},
    {"0.5", "1/2", "passed"},
    {"1.5", "1 1/2 cups", "passed"},
    {"0.5", "½", "passed"},
    {"1.5", "1½", "passed"},
    {"2024", "12/5/2024", "passed"},
    {"50", "50 %", "passed", "the number is 50 %"},
    {"0.5", "50%", "passed"},
    {"0.5", "50 percent", "passed"},
    {"50", "50\\%", "passed"},
    {"0.5", "50", "failed"},
    {"100000", "1e5", "passed"},
    {"100000", "1 \\times 10^{5}", "passed"},
    {"0.0025", "2.5 × 10^-3", "passed"},
    {"100000", "10^5", "passed"},
    {"12", "12 kg of CO2", "passed"},
    {"5", "5 (H2O)", "passed"},
    {"5", "第5个", "passed"},
    {R"({"value":3.14159,"tolerance":0.01})", "3.14", "passed"},
    {R"({"value":3.14159,"tolerance":0.001})",
     "3.14",
     "failed",
     "should be 3.14159 ± 0.001, is 3.14"},
    {R"({"value":200,"relative":0.01})", "199", "passed"},
    {R"({"value":200,"relative":0.01})", "197", "failed", "200 ± 1 %"},
    {R"({"value":3,"which":"first"})", "3 then 5", "passed"},
    {R"({"value":3,"which":"any"})", "5, 3, 7", "passed"},
    {R"({"value":3,"which":"only"})", "3 is 3", "passed"},
    {R"({"value":3,"which":"only"})", "3 or 4", "unparsed", "different numbers"},
    {R"([3,"1/2"])", "It is 0.5", "passed"},
}};

constexpr std::array<TextRow, 52> choices = {{
    {R"("B")", "B", "passed", "chose B (the whole answer)", "B"},
    {R"("B")", "b", "passed"},
    {R"("B")", "B.", "passed"},
    {R"("B")", "(B)", "passed"},
    {R"("B")", "**B**", "passed"},
    {R"("B")", "**(B)**.", "passed"},
    {R"("B")", "`B`", "passed"},
    {R"("B")", "The answer is B.", "passed", "where it says its answer"},
    {R"("B")", "The answer is (B).", "passed"},
    {R"("B")", "The answer is **B**", "passed"},
    {R"("B")", "the correct answer is: b)", "passed"},
    {R"("B")", "Answer: B", "passed"},
    {R"("B")", "**Answer:** B", "passed"},
    {R"("B")", "Final answer: (B) Paris", "passed"},
    {R"("B")", "The correct option is B, since A is wrong.", "passed"},
    {R"("B")", "I would choose option B.", "passed"},
    {R"("B")", "B. Paris", "passed", "at its start"},
    {R"("B")", "B) Paris", "passed"},
    {R"("B")", "(B) Paris", "passed"},
    {R"("B")", "B: Paris is the capital.", "passed"},
    {R"("B")", "Let me see.\n\nB", "passed", "the last line"},
    {R"("B")", "Let me see.\n\n**B. Paris**", "passed"},
    {R"("B")", "\\boxed{B}", "passed", "in \\boxed{}"},
    {R"("B")", "So $\\boxed{\\text{B}}$.", "passed"},
    {R"("B")", "\\boxed{\\textbf{(B)}}", "passed"},
    {R"("B")", "A is wrong, so the answer is B", "passed"},
    {R"("B")", "It must be **B**, as A city needs it.", "passed", "in bold"},
    {R"("B")", "I think it is (B) here.", "passed", "in brackets"},
    {R"("B")", "Paris, so B it is", "passed", "the only letter"},
    {R"("A")", "A", "passed"},
    {R"("A")", "A.", "passed"},
    {R"("A")", "The answer is A.", "passed"},
    {R"("A")", "The answer is A", "passed"},
    {R"("A")", "The answer is (A)", "passed"},
    {R"("A")", "A dimmer is what I would take.", "unparsed", "no choice among A to E found"},
    {R"("A")", "The answer is a city.", "unparsed"},
    {R"("A")", "This is an answer: a good one.", "unparsed"},
    {R"("A")", "I have no idea.", "unparsed"},
    {R"("A")", "A is right and B is wrong.", "unparsed"},
    {R"("A")", "A) Rome\nB) Paris\nC) Oslo", "unparsed"},
    {R"("A")", "", "unparsed"},
    {R"("A")", "The answer is B.", "failed", "should be A, chose B"},
    {R"("C")", "First I thought the answer is A. No: the answer is C.", "passed"},
    {R"("C")", "Answer: C because A and B are wrong", "passed"},
    {R"("B")", "<think>The answer is A.</think>B", "passed"},
    {R"({"value":"F","options":["A","B","C","D","E","F"]})", "F", "passed"},
    {R"("F")", "F", "passed"},
    {R"({"value":"B","options":["Rome","Paris"]})", "It is Paris.", "passed", "by its text"},
    {R"({"value":"Paris","options":["Rome","Paris"]})", "B", "passed"},
    {R"({"value":"B","options":{"A":"Rome","B":"Paris"}})",
     "Rome.",
     "failed",
     "chose A (by its text)"},
    {R"({"value":"B","options":["Rome","Paris"]})", "Rome or Paris", "unparsed"},
    {R"({"value":"B","options":["A","B"]})", "C", "unparsed"},
}};

TEST(ScorerTest, Equals) {
    check_texts("equals", equals);
}

TEST(ScorerTest, Contains) {
    check_texts("contains", contains);
}

TEST(ScorerTest, Keywords) {
    check_texts("keywords", keywords);
}

TEST(ScorerTest, Regex) {
    check_texts("regex", regex);
}

TEST(ScorerTest, Json) {
    check_texts("json", jsons);
}

TEST(ScorerTest, Number) {
    check_texts("number", numbers);
}

TEST(ScorerTest, Choice) {
    check_texts("choice", choices);
}

TEST(ScorerTest, PartsGivePartsOfTheScore) {
    const auto score =
        [](std::string_view name, std::string_view parameters, std::string_view answer) {
            return scorer(name, parameters)->judge(openai::read_text_answer(answer)).score;
        };
    EXPECT_DOUBLE_EQ(score("keywords", R"(["a1","b2","c3","d4"])", "a1 b2 c3"), 0.75);
    EXPECT_DOUBLE_EQ(score("keywords", R"({"all":["a1","b2","c3"],"min":2})", "a1"), 0.5);
    EXPECT_DOUBLE_EQ(score("keywords", R"({"all":["a1"],"none":["b2"]})", "a1 b2"), 0.5);
    EXPECT_DOUBLE_EQ(score("json", R"({"paths":{"$.a":1,"$.b":2}})", R"({"a":1,"b":3})"), 2.0 / 3);
    EXPECT_DOUBLE_EQ(score("json", R"({"schema":{"type":"array"}})", "{}"), 0.5);
}

constexpr std::array<RefusalRow, 5> text_refusals = {{
    {"{}", "needs a text"},
    {"[]", "the list is empty"},
    {R"({"value":"x","ignorecase":true})", "/ignorecase: unknown key; did you mean ignore_case?"},
    {R"({"value":{"x":1}})", "/value: should be text or a list of texts, has an object"},
    {R"({"value":"x","ignore_case":1})", "/ignore_case: should be true or false, is the number 1"},
}};
constexpr std::array<RefusalRow, 2> contains_refusals = {{
    {R"("")", "an empty text is in every answer"},
    {R"({"value":["a",""]})", "/value: an empty text is in every answer"},
}};
constexpr std::array<RefusalRow, 6> keyword_refusals = {{
    {"{}", "needs words"},
    {R"({"all":[]})", "/all: the list is empty"},
    {R"({"all":["a"],"min":2})", "/min: 2 of 1 keywords cannot be"},
    {R"({"all":["a"],"min":-1})", "/min: should be a whole number from 0"},
    {R"({"al":["a"]})", "needs words"},
    {R"({"all":["a"],"non":["b"]})", "/non: unknown key; did you mean none?"},
}};
constexpr std::array<RefusalRow, 3> regex_refusals = {{
    {R"x("(")x", "the pattern \"(\" is not understood"},
    {R"x({"value":["a","(?=b)"]})x", "/value: the pattern \"(?=b)\" is not understood"},
    {"{}", "needs a pattern"},
}};
constexpr std::array<RefusalRow, 8> json_refusals = {{
    {"false", "should be true, or {schema, paths, equals}, is false"},
    {R"({"schema":{"type":"objct"}})", R"(/schema: #/type: "objct" is no JSON type)"},
    {R"({"paths":{"a.b":1}})", R"(/paths: "a.b" is no path; write $.a.b[0] or /a/b/0)"},
    {R"({"paths":{"$..a":1}})", R"(/paths: "$..a" is no path)"},
    {R"({"paths":{"$.a[*]":1}})", R"(/paths: "$.a[*]" is no path)"},
    {R"({"paths":{"$.a":[]}})", "/paths/$.a: the list of accepted values is empty"},
    {R"({"shema":{}})", "/shema: unknown key; did you mean schema?"},
    {R"({"paths":5})", "/paths: should be an object"},
}};
constexpr std::array<RefusalRow, 7> number_refusals = {{
    {R"("many")", R"(should be a number, is the string "many")"},
    {R"({"value":"1 or 2"})", R"(/value: should be a number, is the string "1 or 2")"},
    {R"({"tolerance":1})", "needs a number"},
    {R"({"value":1,"tolerance":-1})", "/tolerance: should be a number from 0, is the number -1"},
    {R"({"value":1,"tolerence":1})", "/tolerence: unknown key; did you mean tolerance?"},
    {R"({"value":1,"which":"best"})",
     R"(/which: should be last, first, only or any, is the string "best")"},
    {"[]", "the list is empty"},
}};
constexpr std::array<RefusalRow, 6> choice_refusals = {{
    {R"("maybe")", R"(should be a letter, is "maybe")"},
    {"{}", "needs the right letter"},
    {R"({"value":"D","options":["A","B"]})", "/value: D is none of the options"},
    {R"({"value":"A","options":["A"]})", "/options: should be 2 to 26 options"},
    {R"({"value":"A","options":{"AA":"x"}})", R"(/options: an option is a letter, not "AA")"},
    {R"({"value":"A","option":["A","B"]})", "/option: unknown key; did you mean options?"},
}};

TEST(ScorerTest, RefusesBadParametersWithTheirPlace) {
    check_refusals("equals", text_refusals);
    check_refusals("contains", text_refusals);
    check_refusals("contains", contains_refusals);
    check_refusals("keywords", keyword_refusals);
    check_refusals("regex", regex_refusals);
    check_refusals("json", json_refusals);
    check_refusals("number", number_refusals);
    check_refusals("choice", choice_refusals);
    EXPECT_EQ(
        refusal("tool_cal", "true"),
        "there is no scorer \"tool_cal\"; there are tool_call, no_tool_call, keywords, equals, "
        "contains, regex, json, "
        "number or choice (did you mean tool_call?)"
    );
}

TEST(ScorerTest, SchemasAreOnesAndTakeWhatTheScorersTake) {
    const auto schemas = scorer_schemas();
    EXPECT_EQ(schemas.size(), scorer_names().size());
    const auto fits = [&](std::string_view name, std::string_view parameters) {
        const auto schema = JsonSchema::compile(schemas.at(name));
        EXPECT_TRUE(schema) << name << (schema ? "" : schema.error().message());
        const auto found =
            schema ? schema->check(json::parse(parameters)) : std::vector<std::string>{};
        EXPECT_THAT(found, IsEmpty()) << name << " " << parameters;
    };
    for (const auto& row : equals) fits("equals", row.parameters);
    for (const auto& row : contains) fits("contains", row.parameters);
    for (const auto& row : keywords) fits("keywords", row.parameters);
    for (const auto& row : regex) fits("regex", row.parameters);
    for (const auto& row : jsons) fits("json", row.parameters);
    for (const auto& row : numbers) fits("number", row.parameters);
    for (const auto& row : choices) fits("choice", row.parameters);
    fits("no_tool_call", "true");
    fits(
        "tool_call",
        R"({"calls":[{"name":"a","arguments":{"x":[1,2]}},"b"],"order":"as-given","extra":"allow"})"
    );
    const auto tool_call = JsonSchema::compile(schemas.at("tool_call"));
    EXPECT_FALSE(tool_call->check(json::parse(R"({"nam":"a"})")).empty());
}

TEST(ScorerTest, FoldingKeepsLengths) {
    EXPECT_EQ(scorers::folded("ÀÉÎÕÜ×Ÿ ŻĄ ΑΩ ЖЁ ß İ ẞ"), "àéîõü×ÿ żą αω жё ß İ ẞ");
    EXPECT_EQ(scorers::folded("\xC3"), "\xC3");
}

TEST(ScorerTest, HostileTextTakesNoTime) {
    const std::array<std::string_view, 14> pieces = {
        "1",
        "1,",
        "1.",
        "-",
        "{",
        "[",
        "```",
        "```\n",
        "\\boxed{",
        "answer is ",
        "A ",
        "(A) ",
        "1/",
        "\\frac{1}{2}"
    };
    for (const auto piece : pieces) {
        std::string text;
        while (text.size() < 100'000) text += piece;
        openai::Answer answer;
        answer.text = text;
        for (const auto* name : {"number", "json", "choice", "keywords", "equals"}) {
            const std::string_view parameters = std::string_view(name) == "number" ? "5"
                                                : std::string_view(name) == "json" ? "true"
                                                                                   : R"("B")";
            const auto start = std::chrono::steady_clock::now();
            (void)scorer(name, parameters)->judge(answer);
            EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(2500))
                << name << " " << piece;
        }
    }
}

TEST(NumberTextTest, FindsAllNumbers) {
    std::vector<double> values;
    const auto text = scorers::plain_numbers("3 lamps, 9.5 W, 1,200 h, CO2, -4 °C, 5/4, v1.2.3");
    for (const auto& number : scorers::numbers_in(text)) values.push_back(number.value);
    EXPECT_THAT(values, ElementsAre(3, 9.5, 1200, -4, 1.25));
}

}  // namespace

}  // namespace punie::eval
