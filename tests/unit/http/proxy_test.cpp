#include "http/proxy.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "http/client.hpp"

namespace punie::http {
namespace {

using Environment = std::map<std::string, std::string>;

struct Row {
    const char* name;
    const char* url;
    Environment environment;
    std::optional<std::string> proxy;
};

const Environment usual = {
    {"http_proxy", "http://plain:3128"}, {"https_proxy", "http://secure:3129"}
};

Environment usual_but(std::string no_proxy) {
    auto environment = usual;
    environment["no_proxy"] = std::move(no_proxy);
    return environment;
}

class ProxyFor : public testing::TestWithParam<Row> {};

TEST_P(ProxyFor, FollowsTheVariables) {
    EXPECT_EQ(proxy_for(GetParam().url, GetParam().environment), GetParam().proxy);
}

const auto* const page = "http://example.org/x";

INSTANTIATE_TEST_SUITE_P(
    Choice,
    ProxyFor,
    testing::Values(
        Row{"NothingSet", page, {}, std::nullopt},
        Row{"Http", page, usual, "http://plain:3128"},
        Row{"Https", "https://example.org/", usual, "http://secure:3129"},
        Row{"UpperCase", page, {{"HTTP_PROXY", "http://up:1"}}, "http://up:1"},
        Row{"UpperCaseHttps", "https://a.b/", {{"HTTPS_PROXY", "http://up:1"}}, "http://up:1"},
        Row{"LowerCaseWins",
            page,
            {{"HTTP_PROXY", "http://up:1"}, {"http_proxy", "http://low:1"}},
            "http://low:1"},
        Row{"AllProxy", "https://a.b/", {{"all_proxy", "http://all:1"}}, "http://all:1"},
        Row{"AllProxyUpper", page, {{"ALL_PROXY", "http://all:1"}}, "http://all:1"},
        Row{"AllProxyIsLast",
            page,
            {{"all_proxy", "http://all:1"}, {"HTTP_PROXY", "http://up:1"}},
            "http://up:1"},
        Row{"HttpsDoesNotUseHttpProxy", "https://a.b/", {{"http_proxy", "http://p:1"}}, std::nullopt
        },
        Row{"EmptyCountsAsUnset",
            page,
            {{"http_proxy", ""}, {"all_proxy", "http://all:1"}},
            "http://all:1"},
        Row{"SchemeIsAdded", page, {{"http_proxy", "plain:3128"}}, "http://plain:3128"},
        Row{"BadUrl", "not a url", usual, std::nullopt}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

INSTANTIATE_TEST_SUITE_P(
    Loopback,
    ProxyFor,
    testing::Values(
        Row{"Localhost", "http://localhost:8080/", usual, std::nullopt},
        Row{"LocalhostUpper", "http://LOCALHOST/", usual, std::nullopt},
        Row{"BelowLocalhost", "http://api.localhost/", usual, std::nullopt},
        Row{"LocalhostDot", "http://localhost./", usual, std::nullopt},
        Row{"V4", "http://127.0.0.1:8080/", usual, std::nullopt},
        Row{"V4Other", "https://127.9.9.9/", usual, std::nullopt},
        Row{"V6", "http://[::1]:8080/", usual, std::nullopt},
        Row{"V6Mapped", "http://[::ffff:127.0.0.1]/", usual, std::nullopt},
        Row{"NotLoopback", "http://128.0.0.1/", usual, "http://plain:3128"},
        Row{"NameThatEndsAlike", "http://notlocalhost/", usual, "http://plain:3128"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

INSTANTIATE_TEST_SUITE_P(
    NoProxy,
    ProxyFor,
    testing::Values(
        Row{"Star", page, usual_but("*"), std::nullopt},
        Row{"StarInList", page, usual_but("a.b, *"), std::nullopt},
        Row{"Exact", page, usual_but("example.org"), std::nullopt},
        Row{"IgnoresCase", page, usual_but("EXAMPLE.org"), std::nullopt},
        Row{"Below", "http://a.example.org/", usual_but("example.org"), std::nullopt},
        Row{"LeadingDot", page, usual_but(".example.org"), std::nullopt},
        Row{"OnlyAtADot", "http://badexample.org/", usual_but("example.org"), "http://plain:3128"},
        Row{"NotAbove", "http://org/", usual_but("example.org"), "http://plain:3128"},
        Row{"TrailingDot", "http://example.org./", usual_but("example.org"), std::nullopt},
        Row{"Commas", page, usual_but("a.b,example.org,c.d"), std::nullopt},
        Row{"Blanks", page, usual_but("a.b  example.org"), std::nullopt},
        Row{"Port", "http://example.org:81/", usual_but("example.org:81"), std::nullopt},
        Row{"OtherPort", "http://example.org:82/", usual_but("example.org:81"), "http://plain:3128"
        },
        Row{"DefaultPort", "https://example.org/", usual_but("example.org:443"), std::nullopt},
        Row{"Address", "http://10.0.0.1/", usual_but("10.0.0.1"), std::nullopt},
        Row{"Network", "http://10.1.2.3/", usual_but("10.0.0.0/8"), std::nullopt},
        Row{"OtherNetwork", "http://11.1.2.3/", usual_but("10.0.0.0/8"), "http://plain:3128"},
        Row{"V6Network", "http://[fd00::1]/", usual_but("fd00::/8"), std::nullopt},
        Row{"V6Address", "http://[fd00::1]/", usual_but("fd00::1"), std::nullopt},
        Row{"V6Bracketed", "http://[fd00::1]:5/", usual_but("[fd00::1]:5"), std::nullopt},
        Row{"V6OtherPort", "http://[fd00::1]:6/", usual_but("[fd00::1]:5"), "http://plain:3128"},
        Row{"NetworkIsNoName", page, usual_but("10.0.0.0/8"), "http://plain:3128"},
        Row{"BadNetwork", "http://10.1.2.3/", usual_but("10.0.0.0/99"), "http://plain:3128"},
        Row{"OnlySeparators", page, usual_but(" , ,"), "http://plain:3128"},
        Row{"OnlyADot", page, usual_but("."), "http://plain:3128"},
        Row{"UpperVariable",
            page,
            {{"http_proxy", "http://p:1"}, {"NO_PROXY", "example.org"}},
            std::nullopt}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(ParseProxy, TakesHostPortAndCredentials) {
    const auto proxy = parse_proxy("http://user:pass%20word@proxy.example:3128");
    ASSERT_TRUE(proxy) << proxy.error().message();
    EXPECT_EQ(proxy->peer.text(), "proxy.example:3128");
    EXPECT_EQ(
        proxy->authorization, "Basic dXNlcjpwYXNzIHdvcmQ="
    );  // printf 'user:pass word' | base64
}

TEST(ParseProxy, RefusesOtherKindsByName) {
    for (const auto* text : {"socks5://p:1080", "https://p:443"}) {
        const auto proxy = parse_proxy(text);
        ASSERT_FALSE(proxy) << text;
        EXPECT_EQ(proxy.error().code(), ErrorCode::unsupported);
        EXPECT_NE(proxy.error().message().find("only http proxies work"), std::string::npos);
    }
}

TEST(ParseProxy, NeverShowsThePassword) {
    const auto proxy = parse_proxy("http://user:secret@/");
    ASSERT_FALSE(proxy);
    EXPECT_EQ(proxy.error().describe().find("secret"), std::string::npos)
        << proxy.error().message();
}

}  // namespace
}  // namespace punie::http
