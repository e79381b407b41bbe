#include "gateway/body_scan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>

namespace punie::gateway {
namespace {

Result<BodyTop> scan(std::string_view text, std::size_t piece = 1000000) {
    BodyScan scan;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        if (auto fed = scan.feed(text.substr(at, piece)); !fed) return std::unexpected(fed.error());
    }
    return scan.end();
}

std::string spliced(const std::string& text, std::vector<relay::Splice> splices) {
    return relay::Body(text).spliced(std::move(splices)).text();
}

struct Row {
    const char* name;
    std::string body;
    std::string words;  ///< of the error
};

class BadBody : public testing::TestWithParam<Row> {};

TEST_P(BadBody, IsRefusedWithItsReasonHoweverItIsCut) {
    for (const std::size_t piece : {1, 2, 3, 7, 1000}) {
        const auto top = scan(GetParam().body, piece);
        ASSERT_FALSE(top) << piece;
        EXPECT_EQ(top.error().code(), ErrorCode::invalid_argument);
        EXPECT_THAT(top.error().message(), testing::HasSubstr(GetParam().words)) << piece;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Rows,
    BadBody,
    testing::Values(
        Row{"Empty", "", "ends too early"},
        Row{"Blank", "  \n", "ends too early"},
        Row{"Cut", R"({"model": "a")", "ends too early"},
        Row{"CutInString", R"({"model": "a)", "ends too early"},
        Row{"Array", R"([{"model": "a"}])", "no object"},
        Row{"Text", R"("model")", "no object"},
        Row{"Number", "12 ", "no object"},
        Row{"Word", "hello", "not JSON"},
        Row{"SingleQuotes", "{'model': 'a'}", "not JSON"},
        Row{"TrailingComma", R"({"model": "a",})", "not JSON"},
        Row{"Comment", R"({"model": "a" /* b */})", "not JSON"},
        Row{"TwoBodies", R"({"model": "a"}{"model": "b"})", "not JSON"},
        Row{"TwoModels", R"({"model": "a", "model": "b"})", "\"model\" twice"},
        Row{"TwoModelsOneEscaped", R"({"model": "a", "m\u006fdel": "b"})", "\"model\" twice"},
        Row{"BrokenUtf8", "{\"model\": \"\xff\"}", "not JSON"},
        Row{"NaN", R"({"temperature": NaN})", "not JSON"},
        Row{"LongName", "{\"" + std::string(300, 'x') + "\": 1}", "longer than 256 bytes"}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(BodyScan, TooDeepIsRefusedAndDeepEnoughIsNot) {
    const auto nested = [](int depth) {
        return "{\"x\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
    };
    EXPECT_TRUE(scan(nested(150)));
    EXPECT_FALSE(scan(nested(100000)));
}

TEST(BodyScan, TooManyMembersAreRefused) {
    std::string body = "{";
    for (int i = 0; i < 300; ++i) body += "\"a" + std::to_string(i) + "\":1,";
    body.back() = '}';
    const auto top = scan(body);
    ASSERT_FALSE(top);
    EXPECT_THAT(top.error().message(), testing::HasSubstr("more than 256 members"));
}

TEST(BodyScan, FindsMembersAndTheirPlaces) {
    const std::string body =
        R"( { "model" : "a\"b" , "stream":true,"n": -1.5e3,"messages":[{"model":"inner","x":[1,{}]}], "tools": null } )";
    for (const std::size_t piece : {1, 2, 3, 5, 11, 10000}) {
        const auto top = scan(body, piece);
        ASSERT_TRUE(top) << top.error().message();
        ASSERT_EQ(top->members.size(), 5U);
        EXPECT_EQ(top->text("model"), "a\"b");
        EXPECT_TRUE(top->is_true("stream"));
        EXPECT_FALSE(top->is_true("tools"));
        EXPECT_FALSE(top->text("n"));
        const auto place = [&](std::string_view name) {
            const auto* member = top->find(name);
            return body.substr(member->begin, member->end - member->begin);
        };
        EXPECT_EQ(place("model"), R"("a\"b")");
        EXPECT_EQ(place("n"), "-1.5e3");
        EXPECT_EQ(place("messages"), R"([{"model":"inner","x":[1,{}]}])");
        EXPECT_EQ(place("tools"), "null");
    }
}

TEST(BodyScan, BracketsAndQuotesInStringsAreText) {
    const auto top = scan(R"({"a":"}],{\"model\":\"x\"","model":"y"})");
    ASSERT_TRUE(top);
    EXPECT_EQ(top->text("model"), "y");
    EXPECT_EQ(top->members.size(), 2U);
}

TEST(BodyScan, LongValuesHaveAPlaceButNoText) {
    const auto body = "{\"model\":\"" + std::string(5000, 'm') + "\",\"b\":1}";
    const auto top = scan(body);
    ASSERT_TRUE(top);
    EXPECT_EQ(top->text("model"), std::nullopt);
    EXPECT_EQ(top->find("model")->end - top->find("model")->begin, 5002U);
}

TEST(Splices, ReplaceWhereItStandsAndAddInFront) {
    const std::string body = R"({"stream":true, "model" : "old","x":{"model":1}})";
    const auto top = scan(body);
    ASSERT_TRUE(top);
    const auto splices = splices_for(*top, {{"model", R"("new")"}, {"top_k", "5"}});
    EXPECT_EQ(
        spliced(body, splices), R"({"top_k":5,"stream":true, "model" : "new","x":{"model":1}})"
    );
}

TEST(BodyTop, CountsWhatATreeWouldBeMadeOf) {
    EXPECT_EQ(scan("{}")->parts, 1U);
    EXPECT_EQ(scan(R"({"a": [1, 2, {"b": ",,:{["}], "c": null})", 3)->parts, 9U);
}

TEST(Splices, IntoAnEmptyObject) {
    const std::string body = " { } ";
    const auto top = scan(body);
    ASSERT_TRUE(top);
    EXPECT_EQ(
        spliced(body, splices_for(*top, {{"a", "1"}, {"b", "\"2\""}})), R"( {"a":1,"b":"2" } )"
    );
}

TEST(Splices, NothingAskedNothingChanged) {
    const std::string body = R"({"model":"a"})";
    EXPECT_EQ(spliced(body, splices_for(*scan(body), {})), body);
}

/// A random JSON value as text, with blanks and escapes where they may be.
std::string random_value(std::mt19937& random, int depth) {
    const auto pick = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
    static constexpr const char* texts[] = {
        R"("")", R"("a")", R"("\"}{")", R"("\\")", R"("\u0041,:")", "1", "-0.5", "true", "null"
    };
    if (depth == 0 || pick(2) == 0) return texts[pick(std::size(texts))];
    std::string result = pick(2) == 0 ? "[" : "{";
    const bool object = result == "{";
    const int count = pick(4);
    for (int i = 0; i < count; ++i) {
        if (i > 0) result += pick(2) == 0 ? "," : " ,\n";
        if (object) result += "\"k" + std::to_string(i) + "\" : ";
        result += random_value(random, depth - 1);
    }
    return result + (object ? "}" : "]");
}

TEST(Splices, OfRandomBodiesGiveWhatAParserWouldGive) {
    std::mt19937 random(20261124);
    for (int i = 0; i < 2000; ++i) {
        std::string body = "{";
        for (int k = 0; k < i % 5; ++k) {
            body += (k > 0 ? ", " : "") + std::string("\"m") + std::to_string(k) +
                    "\":" + random_value(random, 3);
        }
        body += "}";
        const auto top = scan(body, 1 + (i % 9));
        ASSERT_TRUE(top) << body;
        auto expected = boost::json::parse(body).as_object();
        ASSERT_EQ(top->members.size(), expected.size()) << body;
        expected["m1"] = "new";
        expected["added"] = 1;
        const auto result = spliced(body, splices_for(*top, {{"m1", "\"new\""}, {"added", "1"}}));
        EXPECT_EQ(boost::json::parse(result).as_object(), expected) << body << "\n" << result;
    }
}

}  // namespace
}  // namespace punie::gateway
