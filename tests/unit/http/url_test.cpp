#include "http/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace punie::http {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Good {
    const char* name;
    const char* text;
    const char* peer;
    const char* target;
    const char* host_header;
};

class GoodUrl : public testing::TestWithParam<Good> {};

TEST_P(GoodUrl, IsTakenApart) {
    const auto url = parse_url(GetParam().text);
    ASSERT_TRUE(url) << url.error().message();
    EXPECT_EQ(url->peer.text(), GetParam().peer);
    EXPECT_EQ(url->target, GetParam().target);
    EXPECT_EQ(url->host_header(), GetParam().host_header);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    GoodUrl,
    testing::Values(
        Good{"Plain", "http://a.b/c", "a.b:80", "/c", "a.b"},
        Good{"NoPath", "http://a.b", "a.b:80", "/", "a.b"},
        Good{"Https", "https://a.b/", "a.b:443", "/", "a.b"},
        Good{"Port", "http://a.b:8080/v1", "a.b:8080", "/v1", "a.b:8080"},
        Good{"OwnPort", "https://a.b:443/", "a.b:443", "/", "a.b"},
        Good{"OtherSchemesPort", "http://a.b:443/", "a.b:443", "/", "a.b:443"},
        Good{"EmptyPort", "http://a.b:/x", "a.b:80", "/x", "a.b"},
        Good{"Query", "http://a.b/c?d=e&f", "a.b:80", "/c?d=e&f", "a.b"},
        Good{"QueryWithoutPath", "http://a.b?d=e", "a.b:80", "/?d=e", "a.b"},
        Good{"Fragment", "http://a.b/c#d", "a.b:80", "/c", "a.b"},
        Good{"UpperCase", "HTTP://A.B/C", "a.b:80", "/C", "a.b"},
        Good{"V4", "http://127.0.0.1:1/", "127.0.0.1:1", "/", "127.0.0.1:1"},
        Good{"V6", "http://[::1]:8080/x", "[::1]:8080", "/x", "[::1]:8080"},
        Good{"V6NoPort", "http://[::1]/x", "[::1]:80", "/x", "[::1]"},
        Good{"Encoded", "http://a.b/c%20d", "a.b:80", "/c%20d", "a.b"},
        Good{"User", "http://u:p@a.b/", "a.b:80", "/", "a.b"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

struct Bad {
    const char* name;
    const char* text;
};

class BadUrl : public testing::TestWithParam<Bad> {};

TEST_P(BadUrl, IsRefusedAndShown) {
    const auto url = parse_url(GetParam().text);
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(url.error().message(), HasSubstr(std::string("\"") + GetParam().text + "\""));
    EXPECT_THAT(url.error().hint(), HasSubstr("http://"));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    BadUrl,
    testing::Values(
        Bad{"Empty", ""},
        Bad{"NoScheme", "a.b/c"},
        Bad{"HostAndPort", "127.0.0.1:8080"},
        Bad{"NoHost", "http:///x"},
        Bad{"OnlyScheme", "http:"},
        Bad{"Blank", "http://a b/"},
        Bad{"BlankInPath", "http://a/b c"},
        Bad{"PortTooLarge", "http://a:65536/"},
        Bad{"PortZero", "http://a:0/"},
        Bad{"PortWord", "http://a:http/"},
        Bad{"OpenBracket", "http://[::1/"},
        Bad{"BadEscape", "http://a/%zz"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(ParseUrl, KeepsALineBreakOutOfTheRequest) {
    EXPECT_FALSE(parse_url("http://a/b\r\nX: y"));
}

TEST(ParseUrl, MakesCredentialsAHeader) {
    const auto url = parse_url("http://me:p%40ss@a.b/");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->authorization, "Basic bWU6cEBzcw==");  // printf 'me:p@ss' | base64
    EXPECT_EQ(parse_url("http://a.b/")->authorization, "");
}

TEST(ParseUrl, NeverShowsThePassword) {
    for (const auto* text : {"http://me:secret@a b/", "http://me:secret@a:99999/", "me:secret@a"}) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_THAT(url.error().describe(), Not(HasSubstr("secret")));
    }
}

TEST(IsLoopback, KnowsTheirForms) {
    for (const auto* host :
         {"localhost",
          "LocalHost",
          "localhost.",
          "x.localhost",
          "127.0.0.1",
          "127.255.0.1",
          "::1",
          "0:0:0:0:0:0:0:1",
          "::ffff:127.0.0.1"}) {
        EXPECT_TRUE(is_loopback(host)) << host;
    }
    for (const auto* host :
         {"",
          "example.org",
          "localhost.org",
          "mylocalhost",
          "128.0.0.1",
          "::2",
          "0.0.0.0",
          "::ffff:10.0.0.1",
          "127.0.0.1.example.org"}) {
        EXPECT_FALSE(is_loopback(host)) << host;
    }
}

}  // namespace
}  // namespace punie::http
