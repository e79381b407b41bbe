#include "relay/syntax.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace punie::relay {
namespace {

using namespace std::literals;

TEST(Syntax, TokensAndValues) {
    EXPECT_TRUE(is_token("X-One_2"));
    for (const auto text : {""sv, "a b"sv, "a:"sv, "a\0"sv, "\xc3\xa9"sv}) {
        EXPECT_FALSE(is_token(text));
    }
    EXPECT_TRUE(is_field_value("a \t \xc3\xa9"));
    for (const auto text : {"a\r"sv, "a\n"sv, "\0"sv, "\x7f"sv}) EXPECT_FALSE(is_field_value(text));
}

TEST(Syntax, NumbersAreDigitsAndNothingElse) {
    EXPECT_EQ(decimal("0"), 0U);
    EXPECT_EQ(decimal("9999999999999999999"), 9'999'999'999'999'999'999U);
    for (const auto text : {""sv, "+1"sv, "-1"sv, "1 "sv, "0x1"sv, "10000000000000000000"sv}) {
        EXPECT_FALSE(decimal(text)) << text;
    }
}

TEST(Syntax, ListsAreTakenApart) {
    std::vector<std::string_view> items;
    for_each_item(" a ,, b\t,c", [&](std::string_view item) { items.push_back(item); });
    EXPECT_EQ(items, (std::vector<std::string_view>{"a", "b", "c"}));
    EXPECT_TRUE(has_item("keep-alive, Close", "close"));
    EXPECT_FALSE(has_item("closed", "close"));
}

TEST(Syntax, HeadersOfTheConnection) {
    for (const auto name :
         {"TE"sv,
          "Trailer"sv,
          "UPGRADE"sv,
          "connection"sv,
          "Keep-Alive"sv,
          "Content-Length"sv,
          "HTTP2-Settings"sv,
          "Proxy-Connection"sv,
          "transfer-encoding"sv,
          "Proxy-Authenticate"sv,
          "Proxy-Authorization"sv}) {
        EXPECT_TRUE(is_hop_by_hop(name)) << name;
    }
    for (const auto name : {"Authorization"sv, "Accept"sv, "Trailers"sv}) {
        EXPECT_FALSE(is_hop_by_hop(name)) << name;
    }
}

TEST(Syntax, PhrasesAreFound) {
    EXPECT_EQ(reason_phrase(200), "OK");
    EXPECT_EQ(reason_phrase(529), "Overloaded");
    EXPECT_EQ(reason_phrase(299), "");
    EXPECT_EQ(reason_phrase(100), "Continue");
}

}  // namespace
}  // namespace punie::relay
