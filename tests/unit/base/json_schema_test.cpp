#include "base/json_schema.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json_equal.hpp"

namespace punie {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

JsonSchema compiled(std::string_view schema) {
    auto result = JsonSchema::compile(json::parse(schema));
    EXPECT_TRUE(result) << (result ? "" : result.error().message()) << "\n" << schema;
    return result ? *std::move(result) : JsonSchema{};
}

std::vector<std::string> findings(std::string_view schema, std::string_view value) {
    return compiled(schema).check(json::parse(value));
}

std::string refusal(const json::value& schema) {
    const auto result = JsonSchema::compile(schema);
    return result ? "compiled" : result.error().message();
}

// What a person is told: a row each.
struct Finding {
    std::string_view schema;
    std::string_view value;
    std::string_view finding;  ///< "" when it fits
};

constexpr auto tool = R"({"type":"object","properties":{
    "room":{"enum":["kitchen","bath"]},"on":{"type":"boolean"},
    "level":{"type":"integer","minimum":0,"maximum":100},
    "hours":{"type":"array","items":{"type":"number"},"maxItems":2}},
    "required":["room"],"additionalProperties":false})";

const std::array<Finding, 36> rows = {{
    {tool, R"({"room":"kitchen","on":true,"level":7,"hours":[1,2.5]})", ""},
    {tool, R"({"room":"attic"})", R"(/room: "attic" is not one of "kitchen", "bath")"},
    {tool, R"({"on":true})", "/room: is missing"},
    {tool, R"({"room":"bath","on":"yes"})", R"(/on: should be a boolean, is the string "yes")"},
    {tool, R"({"room":"bath","level":7.5})", "/level: should be an integer, is the number 7.5"},
    {tool, R"({"room":"bath","level":7.0})", ""},
    {tool, R"({"room":"bath","level":101})", "/level: 101 should be at most 100"},
    {tool, R"({"room":"bath","level":-1})", "/level: -1 should be at least 0"},
    {tool, R"({"room":"bath","levle":1})", "/levle: is not known here; did you mean level?"},
    {tool,
     R"({"room":"bath","colour":1})",
     "/colour: is not known here; there is hours, level, on or room"},
    {tool,
     R"({"room":"bath","hours":[1,"2"]})",
     R"(/hours/1: should be a number, is the string "2")"},
    {tool, R"({"room":"bath","hours":[1,2,3]})", "/hours: should have at most 2 elements, has 3"},
    {tool, "[1]", "(root): should be an object, is an array"},
    {R"({"type":["string","null"]})", "5", "(root): should be null or a string, is the number 5"},
    {R"({"const":{"a":1}})", R"({"a":1.0})", ""},
    {R"({"const":5})", "6", "(root): should be 5, is 6"},
    {R"({"exclusiveMinimum":0})", "0", "(root): 0 should be over 0"},
    {R"({"exclusiveMaximum":10})", "10", "(root): 10 should be under 10"},
    {R"({"multipleOf":0.01})", "4.02", ""},
    {R"({"multipleOf":5})", "12", "(root): 12 should be a multiple of 5"},
    {R"({"minLength":2})", R"("é")", "(root): should have at least 2 characters, has 1"},
    {R"({"pattern":"^\\d{4}$"})", R"("12")", R"((root): "12" does not fit the pattern ^\d{4}$)"},
    {R"({"pattern":"^\\u00e9$"})", R"("é")", ""},
    {R"({"format":"date"})", R"("tomorrow")", R"((root): "tomorrow" is no date)"},
    {R"({"format":"date"})", R"("2025-02-29")", R"((root): "2025-02-29" is no date)"},
    {R"({"format":"date"})", R"("2024-02-29")", ""},
    {R"({"format":"something"})", R"("x")", ""},
    {R"({"uniqueItems":true})", "[1,2,1.0]", "(root): two of its elements are the same"},
    {R"({"contains":{"const":1}})",
     "[2]",
     "(root): none of its elements is of the kind that must be there"},
    {R"({"dependencies":{"a":["b"]}})", R"({"a":1})", "/b: is missing, and a needs it"},
    {R"({"properties":{"a/b":{"type":"null"}}})",
     R"({"a/b":1})",
     "/a~1b: should be null, is the number 1"},
    {R"({"anyOf":[{"type":"string"},{"properties":{"a":{"type":"null"}},"type":"object"}]})",
     R"({"a":1})",
     "(root): fits none of the 2 forms; nearest: /a: should be null, is the number 1"},
    {R"({"oneOf":[{"minimum":1},{"minimum":2}]})",
     "3",
     "(root): fits 2 of the forms, of which exactly one must fit"},
    {R"({"not":{"type":"string"}})", R"("x")", R"((root): "x" is what must not stand here)"},
    {R"({"properties":{"a":false}})", R"({"a":1})", "/a: nothing may stand here"},
    {R"({"if":{"required":["a"]},"then":{"required":["b"]}})", R"({"a":1})", "/b: is missing"},
}};

TEST(JsonSchemaTest, SaysWhatDoesNotFit) {
    for (const auto& [schema, value, finding] : rows) {
        const auto found = findings(schema, value);
        EXPECT_EQ(found.empty() ? "" : found.front(), finding) << schema << "\n" << value;
    }
}

TEST(JsonSchemaTest, FindsSeveralThingsUpToTheLimit) {
    const auto schema = compiled(tool);
    const auto value = json::parse(R"({"on":1,"level":"high","colour":0})");
    EXPECT_THAT(
        schema.check(value),
        ElementsAre(
            "/room: is missing",
            "/on: should be a boolean, is the number 1",
            R"(/level: should be an integer, is the string "high")",
            "/colour: is not known here; there is hours, level, on or room"
        )
    );
    EXPECT_THAT(schema.check(value, 2), SizeIs(2));
    EXPECT_THAT(JsonSchema{}.check(value), IsEmpty());
}

TEST(JsonSchemaTest, WholeNumbersKeepTheirDigits) {
    EXPECT_THAT(findings(R"({"const":9007199254740993})", "9007199254740993"), IsEmpty());
    EXPECT_THAT(findings(R"({"const":9007199254740993})", "9007199254740992"), SizeIs(1));
    EXPECT_THAT(findings(R"({"maximum":18446744073709551614})", "18446744073709551615"), SizeIs(1));
}

struct Refusal {
    std::string_view schema;
    std::string_view message;
};

constexpr std::array<Refusal, 14> refusals = {{
    {R"({"properties":{"room":{"type":"strng"}}})",
     R"(#/properties/room/type: "strng" is no JSON type; there are null, boolean, integer)"},
    {R"({"$ref":"http://example.com/other.json"})",
     "is outside of this schema, and nothing is fetched"},
    {R"({"$ref":"#/definitions/none"})", "#/$ref: there is no #/definitions/none"},
    {R"({"$ref":"#nowhere"})", R"("#nowhere" leads nowhere in this schema)"},
    {R"({"$ref":5})", "#/$ref: should be a string"},
    {R"json({"pattern":"(?=a)"})json", "is not understood"},
    {R"({"minimum":"5"})", R"(#/minimum: should be a number, is the string "5")"},
    {R"({"minLength":-1})", "#/minLength: should be a whole number from 0, is the number -1"},
    {R"({"required":true})", "#/required: should be an array of names, is true"},
    {R"({"properties":[]})", "#/properties: should be an object, is an array"},
    {R"({"anyOf":[]})", "#/anyOf: should be an array with at least one schema"},
    {R"({"items":5})", "#/items: a schema is an object, true or false, not the number 5"},
    {R"({"multipleOf":0})", "#/multipleOf: should be a number over 0"},
    {"5", "#: a schema is an object, true or false, not the number 5"},
}};

TEST(JsonSchemaTest, RefusesWhatItDoesNotUnderstand) {
    for (const auto& [schema, message] : refusals)
        EXPECT_THAT(refusal(json::parse(schema)), HasSubstr(message)) << schema;
}

TEST(JsonSchemaTest, RingsOfReferencesEnd) {
    EXPECT_THAT(findings(R"({"$ref":"#"})", "1"), ElementsAre(HasSubstr("refers to itself")));
    EXPECT_THAT(
        findings(R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}]})", "1"),
        ElementsAre(HasSubstr("refers to itself"))
    );
    // A ring through the value is none: each step goes one level down.
    EXPECT_THAT(
        findings(R"({"items":{"$ref":"#"},"type":"array"})", "[[[[[1]]]]]"),
        ElementsAre("/0/0/0/0/0: should be an array, is the number 1")
    );
}

TEST(JsonSchemaTest, BranchesWithoutEndEnd) {
    json::object definitions;
    for (int i = 0; i < 60; ++i) {
        const json::value next{{"$ref", fmt::format("#/definitions/d{}", i + 1)}};
        definitions[fmt::format("d{}", i)] = json::object{{"allOf", json::array{next, next}}};
    }
    definitions["d60"] = true;
    const json::value schema{{"$ref", "#/definitions/d0"}, {"definitions", definitions}};
    const auto result = JsonSchema::compile(schema);
    ASSERT_TRUE(result);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THAT(result->check(1), ElementsAre(HasSubstr("branches without end")));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(JsonSchemaTest, DeepSchemasAndValuesAreNoCrash) {
    json::value schema = true;
    json::value value = 1;
    for (int i = 0; i < 5'000; ++i) {
        schema = json::object{{"items", std::move(schema)}};
        value = json::array{std::move(value)};
    }
    const auto result = JsonSchema::compile(schema);
    ASSERT_TRUE(result);
    EXPECT_THAT(result->check(value), SizeIs(1));
}

// The official suite (Debian: json-schema-test-suite), where it is installed.
std::filesystem::path suite_folder() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe) nothing else runs
    const char* named = std::getenv("PUNIE_JSON_SCHEMA_SUITE");
    return named == nullptr ? "/usr/share/json-schema-test-suite/tests/draft7" : named;
}

json::value file_of(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return json::parse(text.str());
}

struct Outcome {
    int passed = 0;
    std::vector<std::string> failed;
};

void run_group(const std::string& file, const json::value& group, Outcome& outcome) {
    const auto name = fmt::format("{}: {}", file, *string_member(group, "description"));
    const auto schema = JsonSchema::compile(*member(group, "schema"));
    for (const auto& test : member(group, "tests")->as_array()) {
        const auto full = fmt::format("{}: {}", name, *string_member(test, "description"));
        if (!schema) {
            outcome.failed.push_back(fmt::format("{} ({})", full, schema.error().message()));
            continue;
        }
        const bool valid = schema->check(*member(test, "data")).empty();
        if (valid == *bool_member(test, "valid"))
            ++outcome.passed;
        else
            outcome.failed.push_back(full);
    }
}

TEST(JsonSchemaTest, PassesTheOfficialSuite) {
    const auto folder = suite_folder();
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not installed";
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        // refRemote.json is about schemas that are fetched, which is never done here.
        if (entry.path().extension() == ".json" && entry.path().filename() != "refRemote.json")
            files.push_back(entry.path());
    }
    for (const auto* format : {"date", "date-time", "time", "ipv4", "email"}) {
        const auto path = folder / "optional" / "format" / fmt::format("{}.json", format);
        if (std::filesystem::exists(path)) files.push_back(path);
    }
    std::ranges::sort(files);
    Outcome outcome;
    for (const auto& file : files) {
        for (const auto& group : file_of(file).as_array())
            run_group(file.filename(), group, outcome);
    }
    EXPECT_THAT(outcome.failed, IsEmpty());
    EXPECT_GT(outcome.passed, 400);
    RecordProperty("passed", outcome.passed);
}

TEST(JsonSchemaTest, RemoteSchemasAreRefused) {
    const auto path = suite_folder() / "refRemote.json";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not installed";
    for (const auto& group : file_of(path).as_array()) {
        EXPECT_THAT(refusal(*member(group, "schema")), HasSubstr("nothing is fetched"))
            << *string_member(group, "description");
    }
}

}  // namespace

}  // namespace punie
