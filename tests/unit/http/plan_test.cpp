#include "http/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace punie::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Request get(std::string url) {
    return Request{.url = std::move(url)};
}

ClientOptions with_proxy(const std::string& proxy) {
    return ClientOptions{.environment = {{"all_proxy", proxy}}};
}

TEST(FindHeader, IgnoresCaseAndTakesTheFirst) {
    const Headers headers = {{"Retry-After", "1"}, {"retry-after", "2"}, {"X", ""}};
    EXPECT_EQ(find_header(headers, "RETRY-AFTER"), "1");
    EXPECT_EQ(find_header(headers, "x"), "");
    EXPECT_EQ(find_header(headers, "Retry"), std::nullopt);
    EXPECT_EQ(find_header({}, "x"), std::nullopt);
}

TEST(PlanExchange, WritesAGet) {
    const auto plan = plan_exchange(get("http://a.b:81/c?d"), {});
    ASSERT_TRUE(plan);
    EXPECT_EQ(
        plan->wire,
        "GET /c?d HTTP/1.1\r\nHost: a.b:81\r\nUser-Agent: punie\r\nAccept: */*\r\nConnection: "
        "close\r\n\r\n"
    );
    EXPECT_EQ(plan->dialled().text(), "a.b:81");
    EXPECT_FALSE(plan->tls());
    EXPECT_EQ(plan->tunnel, "");
}

TEST(PlanExchange, KeepsConnectionsOnlyWhereItIsAskedToAndNotThroughProxies) {
    const auto kept = plan_exchange(get("http://a.b/"), {.keep_alive = true});
    ASSERT_TRUE(kept);
    EXPECT_TRUE(kept->keep_alive);
    EXPECT_THAT(kept->wire, Not(HasSubstr("Connection:")));
    EXPECT_TRUE(plan_exchange(get("https://a.b/"), {.keep_alive = true})->keep_alive);
    EXPECT_FALSE(plan_exchange(get("http://a.b/"), {})->keep_alive);
    auto options = with_proxy("http://proxy:1");
    options.keep_alive = true;
    const auto proxied = plan_exchange(get("http://a.b/"), options);
    ASSERT_TRUE(proxied);
    EXPECT_FALSE(proxied->keep_alive);
    EXPECT_THAT(proxied->wire, HasSubstr("Connection: close\r\n"));
    EXPECT_FALSE(plan_exchange(get("https://a.b/"), options)->keep_alive);
}

TEST(PlanExchange, WritesAPostWithItsLength) {
    Request request{
        .method = "POST",
        .url = "http://a.b/",
        .headers = {{"Content-Type", "application/json"}},
        .body = "{}"
    };
    const auto plan = plan_exchange(request, {});
    ASSERT_TRUE(plan);
    EXPECT_THAT(plan->wire, HasSubstr("Content-Type: application/json\r\nContent-Length: 2\r\n"));
    EXPECT_THAT(plan->wire, EndsWith("\r\n\r\n{}"));
    request.body.clear();
    EXPECT_THAT(plan_exchange(request, {})->wire, HasSubstr("Content-Length: 0\r\n"));
}

TEST(PlanExchange, LetsTheRequestReplaceWhatTheClientWouldSay) {
    Request request = get("http://u:p@a.b/");
    request.headers = {
        {"host", "other"}, {"ACCEPT", "text/event-stream"}, {"Authorization", "Bearer k"}
    };
    const auto plan = plan_exchange(request, {});
    ASSERT_TRUE(plan);
    EXPECT_THAT(plan->wire, HasSubstr("host: other\r\n"));
    EXPECT_THAT(plan->wire, Not(HasSubstr("Host: a.b")));
    EXPECT_THAT(plan->wire, Not(HasSubstr("*/*")));
    EXPECT_THAT(plan->wire, HasSubstr("Authorization: Bearer k\r\n"));
    EXPECT_THAT(plan->wire, Not(HasSubstr("Basic")));
}

TEST(PlanExchange, SendsTheUrlsCredentialsAndNotInTheTarget) {
    const auto plan = plan_exchange(get("http://u:p@a.b/x"), {});
    ASSERT_TRUE(plan);
    EXPECT_THAT(plan->wire, StartsWith("GET /x HTTP/1.1\r\n"));
    EXPECT_THAT(plan->wire, HasSubstr("Authorization: Basic dTpw\r\n"));
}

TEST(PlanExchange, AsksAProxyInAbsoluteForm) {
    const auto plan = plan_exchange(get("http://a.b/c"), with_proxy("http://u:p@proxy:3128"));
    ASSERT_TRUE(plan);
    EXPECT_THAT(plan->wire, StartsWith("GET http://a.b/c HTTP/1.1\r\nHost: a.b\r\n"));
    EXPECT_THAT(plan->wire, HasSubstr("Proxy-Authorization: Basic dTpw\r\n"));
    EXPECT_EQ(plan->dialled().text(), "proxy:3128");
    EXPECT_EQ(plan->tunnel, "");
}

TEST(PlanExchange, TunnelsHttpsAndTellsTheServerNothingOfTheProxy) {
    Request request = get("https://a.b/c");
    request.headers = {{"Authorization", "Bearer key"}};
    const auto plan = plan_exchange(request, with_proxy("u:p@proxy:3128"));
    ASSERT_TRUE(plan);
    EXPECT_EQ(
        plan->tunnel,
        "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\nUser-Agent: punie\r\n"
        "Proxy-Authorization: Basic dTpw\r\n\r\n"
    );
    EXPECT_THAT(plan->wire, StartsWith("GET /c HTTP/1.1\r\n"));
    EXPECT_THAT(plan->wire, Not(HasSubstr("Proxy-Authorization")));
}

TEST(PlanExchange, DialsLoopbackItself) {
    const auto plan = plan_exchange(get("http://127.0.0.1:9/"), with_proxy("http://proxy:1"));
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->dialled().text(), "127.0.0.1:9");
}

struct Bad {
    const char* name;
    Request request;
    ErrorCode code;
    const char* words;
};

class BadRequest : public testing::TestWithParam<Bad> {};

TEST_P(BadRequest, IsRefused) {
    const auto plan = plan_exchange(GetParam().request, {});
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code(), GetParam().code);
    EXPECT_THAT(plan.error().message(), HasSubstr(GetParam().words));
    EXPECT_THAT(plan.error().describe(), Not(HasSubstr("secret")));
}

Request with_header(std::string name, std::string value) {
    return Request{.url = "http://a/", .headers = {{std::move(name), std::move(value)}}};
}

constexpr auto invalid = ErrorCode::invalid_argument;

INSTANTIATE_TEST_SUITE_P(
    Table,
    BadRequest,
    testing::Values(
        Bad{"Scheme", get("ftp://a/"), invalid, "only http and https"},
        Bad{"Url", get("a b"), invalid, "not usable"},
        Bad{"Method", Request{.method = "GET /x", .url = "http://a/"}, invalid, "no HTTP method"},
        Bad{"EmptyMethod", Request{.method = "", .url = "http://a/"}, invalid, "no HTTP method"},
        Bad{"HeaderName", with_header("A B", "x"), invalid, "no HTTP header name"},
        Bad{"EmptyHeaderName", with_header("", "x"), invalid, "no HTTP header name"},
        Bad{"LineBreakInValue",
            with_header("Authorization", "secret\r\nX: y"),
            invalid,
            "Authorization"},
        Bad{"NulInValue", with_header("A", std::string("x\0y", 3)), invalid, "control character"},
        Bad{"OwnLength", with_header("content-length", "3"), invalid, "set by the client itself"},
        Bad{"OwnEncoding",
            with_header("Transfer-Encoding", "chunked"),
            invalid,
            "set by the client itself"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(PlanExchange, RefusesAProxyOfAnotherKind) {
    const auto plan = plan_exchange(get("http://a.b/"), with_proxy("socks5://s:1"));
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code(), ErrorCode::unsupported);
}

}  // namespace
}  // namespace punie::http
