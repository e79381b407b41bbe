#include "relay/head.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace punie::relay {
namespace {

using testing::HasSubstr;

RequestHead parsed(std::string_view text) {
    auto request = parse_request_head(text, 100);
    EXPECT_TRUE(request) << (request ? "" : request.error().message);
    return request ? *std::move(request) : RequestHead{};
}

TEST(RequestHead, KeepsNamesValuesAndOrder) {
    const auto request = parsed(
        "GET /a%20b/c?x=%20y&z HTTP/1.1\r\nhost: A:80\r\nX-One:1\r\nx-one: \t two "
        "\t\r\nX-E:\r\n\r\n"
    );
    const auto& head = request.head;
    EXPECT_EQ(head.method, "GET");
    EXPECT_EQ(head.target, "/a%20b/c?x=%20y&z");
    EXPECT_EQ(head.path, "/a b/c");
    EXPECT_EQ(head.query, "x=%20y&z");
    EXPECT_EQ(head.minor, 1);
    const Headers expected{{"host", "A:80"}, {"X-One", "1"}, {"x-one", "two"}, {"X-E", ""}};
    EXPECT_EQ(head.headers, expected);
    EXPECT_EQ(head.header("HOST"), "A:80");
    EXPECT_EQ(head.header("x-one"), "1");
    EXPECT_EQ(head.header("X-None"), "");
}

TEST(RequestHead, AbsoluteTargetBecomesItsPath) {
    EXPECT_EQ(parsed("GET HTTP://a:80/p?q HTTP/1.1\r\nHost: A:80\r\n\r\n").head.target, "/p?q");
    EXPECT_EQ(parsed("GET https://a HTTP/1.1\r\nHost: a\r\n\r\n").head.target, "/");
    EXPECT_EQ(parsed("GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n").head.target, "/?q");
    EXPECT_EQ(parsed("GET /http://b/ HTTP/1.1\r\nHost: a\r\n\r\n").head.target, "/http://b/");
}

struct Kept {
    std::string_view headers;
    bool http_1_0;
    bool http_1_1;
};

TEST(RequestHead, TellsWhetherTheConnectionIsKept) {
    constexpr auto rows = std::to_array<Kept>({
        {"", false, true},
        {"Connection: keep-alive\r\n", true, true},
        {"Connection: close\r\n", false, false},
        {"Connection: x, CLOSE\r\n", false, false},
        {"Connection: Keep-Alive, x\r\n", true, true},
        {"Connection: keep-alive\r\nConnection: close\r\n", false, false},
        {"Connection: closed\r\n", false, true},
    });
    for (const auto& row : rows) {
        const auto rest = "\r\nHost: a\r\n" + std::string(row.headers) + "\r\n";
        EXPECT_EQ(parsed("GET / HTTP/1.0" + rest).keep_alive, row.http_1_0) << row.headers;
        EXPECT_EQ(parsed("GET / HTTP/1.1" + rest).keep_alive, row.http_1_1) << row.headers;
    }
}

TEST(RequestHead, TellsWhereTheBodyEnds) {
    const auto with = [](std::string_view headers) {
        return parsed("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n");
    };
    EXPECT_EQ(with("").framing, Framing::none);
    EXPECT_EQ(with("Content-Length: 0\r\n").framing, Framing::none);
    EXPECT_EQ(with("Content-Length: 007\r\n").length, 7U);
    EXPECT_EQ(with("Transfer-Encoding: Chunked\r\n").framing, Framing::chunked);
    EXPECT_TRUE(with("Expect: 100-Continue\r\nContent-Length: 1\r\n").expects_continue);
    EXPECT_FALSE(with("Expect: 100-continue\r\n").expects_continue);
}

TEST(RequestHead, NamesWhatIsWrong) {
    const auto refused = [](std::string_view text) {
        const auto request = parse_request_head(text, 2);
        return request ? Refusal{.status = 0} : request.error();
    };
    EXPECT_THAT(
        refused("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n").message,
        HasSubstr("host stands twice")
    );
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nA: b\r\n\r\n").status, 431);
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n").status, 0);
    EXPECT_EQ(refused("GET / HTTP/3.0\r\n\r\n").status, 505);
}

TEST(HeadScanner, FindsTheEndHoweverTheBytesArrive) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
    const auto end = bytes.find("rest");
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        HeadScanner scanner;
        auto state = HeadScanner::State::incomplete;
        for (auto have = step; state == HeadScanner::State::incomplete; have += step) {
            state = scanner.scan(std::string_view(bytes).substr(0, have));
        }
        EXPECT_EQ(state, HeadScanner::State::complete) << step;
        EXPECT_EQ(scanner.size(), end) << step;
    }
}

TEST(HeadScanner, LeavesTheBodyAlone) {
    using namespace std::literals;
    HeadScanner scanner;
    EXPECT_EQ(scanner.scan("GET / HTTP/1.1\r\n\r\n\0\n\r"sv), HeadScanner::State::complete);
    EXPECT_EQ(scanner.size(), 18U);
}

TEST(HeadScanner, RefusesAtTheFirstByteThatNoHeadCanHave) {
    using namespace std::literals;
    for (const auto bytes : {"\x16\x03"sv, "\n"sv, "GET / HTTP/1.1\n"sv, "GET /\0"sv, " "sv}) {
        HeadScanner scanner;
        EXPECT_EQ(scanner.scan(bytes), HeadScanner::State::bad);
        EXPECT_TRUE(scanner.bad());
    }
}

ResponseHead answer(std::string_view text, bool to_head = false) {
    ResponseHead head;
    const auto parsed = parse_response_head(text, to_head, head);
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error());
    return head;
}

TEST(ResponseHead, KeepsWhatIsForTheClient) {
    const auto head = answer(
        "HTTP/1.1 404 Not here\r\nServer: x\r\nDate: now\r\nContent-Length: 5\r\nX-A:  b \r\n"
        "Connection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n\r\n"
    );
    EXPECT_EQ(head.status, 404);
    EXPECT_EQ(head.lines, "Server: x\r\nX-A:  b \r\n");
    EXPECT_EQ(head.framing, Framing::length);
    EXPECT_EQ(head.length, 5U);
    EXPECT_FALSE(head.keep_alive);
    const Headers expected{{"Server", "x"}, {"X-A", "b"}};
    EXPECT_EQ(headers_of_lines(head.lines), expected);
}

TEST(ResponseHead, TellsWhereTheBodyEnds) {
    EXPECT_EQ(answer("HTTP/1.1 200 OK\r\n\r\n").framing, Framing::until_close);
    EXPECT_EQ(
        answer("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n").framing, Framing::chunked
    );
    EXPECT_EQ(answer("HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n").framing, Framing::none);
    EXPECT_EQ(answer("HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n").framing, Framing::none);
    EXPECT_EQ(answer("HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n", true).framing, Framing::none);
    EXPECT_EQ(answer("HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n", true).length, 5U);
    // the same length twice is what some servers send; there is nothing to be read in two ways
    EXPECT_EQ(
        answer("HTTP/1.1 200 X\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n").length, 5U
    );
}

TEST(ResponseHead, MustBeHttp1) {
    constexpr auto bad = std::to_array<std::string_view>({
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX A: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-A: \x01\r\n\r\n",
    });
    for (const auto text : bad) {
        ResponseHead head;
        EXPECT_FALSE(parse_response_head(text, false, head)) << text;
    }
}

}  // namespace
}  // namespace punie::relay
