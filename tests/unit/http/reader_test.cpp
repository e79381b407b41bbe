#include "http/reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace punie::http {
namespace {

using testing::HasSubstr;

/// Feeds `bytes` in steps of `step`, as a socket might.
Result<std::string> read_whole(ResponseReader& reader, std::string_view bytes, std::size_t step) {
    std::string body;
    std::string held;
    while (!bytes.empty() && !reader.done()) {
        const auto part = bytes.substr(0, std::min(step, header_limit - held.size()));
        held += part;
        bytes.remove_prefix(part.size());
        auto used = reader.put(held);
        if (!used) return std::unexpected(std::move(used).error());
        held.erase(0, *used);
        body += reader.take_body();
    }
    if (auto ended = reader.end_of_input(); !ended)
        return std::unexpected(std::move(ended).error());
    return body;
}

struct Kept {
    const char* name;
    const char* bytes;
    bool kept;
};

class KeptConnection : public testing::TestWithParam<Kept> {};

TEST_P(KeptConnection, IsToldByTheResponse) {
    ResponseReader reader(BodyRule::as_declared);
    EXPECT_FALSE(reader.keeps_connection()) << "not before the response is whole";
    ASSERT_TRUE(reader.put(GetParam().bytes));
    EXPECT_EQ(reader.keeps_connection(), GetParam().kept);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    KeptConnection,
    testing::Values(
        Kept{"Length", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", true},
        Kept{
            "Chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            true
        },
        Kept{"NoContent", "HTTP/1.1 204 OK\r\n\r\n", true},
        Kept{"NotWhole", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx", false},
        Kept{"UntilTheEnd", "HTTP/1.1 200 OK\r\n\r\nx", false},
        Kept{
            "Close", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\nx", false
        },
        Kept{"Http10", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false},
        Kept{
            "Http10KeepAlive",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
            false
        }
    ),
    [](const auto& info) { return info.param.name; }
);

struct Good {
    const char* name;
    const char* bytes;
    int status;
    const char* body;
};

class GoodResponse : public testing::TestWithParam<Good> {};

TEST_P(GoodResponse, ReadsTheSameInEveryPiece) {
    const std::string_view bytes = GetParam().bytes;
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        ResponseReader reader(BodyRule::as_declared);
        const auto body = read_whole(reader, bytes, step);
        ASSERT_TRUE(body) << "step " << step << ": " << body.error().message();
        EXPECT_EQ(*body, GetParam().body) << "step " << step;
        EXPECT_EQ(reader.status(), GetParam().status);
        EXPECT_TRUE(reader.done());
    }
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    GoodResponse,
    testing::Values(
        Good{"Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
        Good{"EmptyBody", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""},
        Good{"UntilTheEnd", "HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello"},
        Good{"UntilTheEndEmpty", "HTTP/1.0 200 OK\r\n\r\n", 200, ""},
        Good{"NoReason", "HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\nx", 404, "x"},
        Good{
            "Chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
            "chunked\r\n\r\n3\r\nhel\r\n2;e=1\r\nlo\r\n0\r\n\r\n",
            200,
            "hello"
        },
        Good{
            "ChunkedTrailer",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: v\r\n\r\n",
            200,
            "x"
        },
        Good{
            "ChunkedEmpty",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            200,
            ""
        },
        Good{
            "Continue",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            200,
            "x"
        },
        Good{
            "TwoInterim",
            "HTTP/1.1 102 P\r\nA: b\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 204 N\r\n\r\n",
            204,
            ""
        },
        Good{"NoContent", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        Good{"NotModifiedWithLength", "HTTP/1.1 304 N\r\nContent-Length: 9\r\n\r\n", 304, ""}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

struct Bad {
    const char* name;
    std::string bytes;
    ErrorCode code;
    const char* words;
};

class BadResponse : public testing::TestWithParam<Bad> {};

TEST_P(BadResponse, IsAnErrorInEveryPiece) {
    const auto& bytes = GetParam().bytes;
    for (const std::size_t step :
         {std::size_t{1}, std::size_t{7}, std::size_t{4096}, header_limit}) {
        ResponseReader reader(BodyRule::as_declared);
        const auto body = read_whole(reader, bytes, step);
        ASSERT_FALSE(body) << "step " << step << " read " << body->size() << " bytes";
        EXPECT_EQ(body.error().code(), GetParam().code) << body.error().message();
        EXPECT_THAT(body.error().message(), HasSubstr(GetParam().words)) << "step " << step;
    }
}

std::string chunked(std::string_view rest) {
    return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").append(rest);
}

std::string repeated(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

constexpr auto protocol = ErrorCode::protocol;
constexpr auto connection = ErrorCode::connection;

INSTANTIATE_TEST_SUITE_P(
    Protocol,
    BadResponse,
    testing::Values(
        Bad{"Noise", "SSH-2.0-OpenSSH_9.2\r\n", protocol, "not valid HTTP"},
        Bad{"OtherVersion", "HTTP/2.0 200 OK\r\n\r\n", protocol, "not valid HTTP"},
        Bad{"StatusWord", "HTTP/1.1 OK\r\n\r\n", protocol, "not valid HTTP"},
        Bad{"StatusTooShort", "HTTP/1.1 20 OK\r\n\r\n", protocol, "not valid HTTP"},
        Bad{"StatusTooLong", "HTTP/1.1 2000 OK\r\n\r\n", protocol, "not valid HTTP"},
        Bad{"StatusTooSmall", "HTTP/1.1 000 OK\r\n\r\n", protocol, "not valid HTTP"},
        Bad{"StatusTooLarge", "HTTP/1.1 999 OK\r\n\r\n", protocol, "not valid HTTP"},
        Bad{"BadField", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", protocol, "not valid HTTP"},
        Bad{"BadLength",
            "HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n",
            protocol,
            "not valid HTTP"},
        Bad{"NegativeLength",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            protocol,
            "not valid HTTP"},
        Bad{"TwoLengths",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            protocol,
            "not valid HTTP"},
        Bad{"BadChunkSize", chunked("zz\r\nhello\r\n0\r\n\r\n"), protocol, "body is not valid HTTP"
        },
        Bad{"NegativeChunk", chunked("-5\r\nhello\r\n0\r\n\r\n"), protocol, "body is not valid HTTP"
        },
        Bad{"HugeChunk", chunked("fffffffffffffffff\r\n"), protocol, "body is not valid HTTP"},
        Bad{"ChunkNotClosed", chunked("2\r\nhello\r\n0\r\n\r\n"), protocol, "body is not valid HTTP"
        },
        Bad{"HugeField",
            "HTTP/1.1 200 OK\r\nA: " + std::string(80'000, 'a') + "\r\n\r\n",
            protocol,
            "larger than"},
        Bad{"ManyFields",
            "HTTP/1.1 200 OK\r\n" + repeated("A: b\r\n", 20'000) + "\r\n",
            protocol,
            "larger than"},
        Bad{"HugeChunkExtension",
            chunked("1;a=" + std::string(80'000, 'a') + "\r\nx\r\n0\r\n\r\n"),
            protocol,
            "larger than"},
        Bad{"HugeTrailer",
            chunked("0\r\nA: " + std::string(80'000, 'a') + "\r\n\r\n"),
            protocol,
            "larger than"},
        Bad{"InterimForEver", repeated("HTTP/1.1 100 C\r\n\r\n", 50), protocol, "interim"},
        Bad{"SwitchesProtocol", "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n", protocol, "another protocol"
        }
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

INSTANTIATE_TEST_SUITE_P(
    CutOff,
    BadResponse,
    testing::Values(
        Bad{"InTheStatus", "HTTP/1.1 2", connection, "before the response header was whole"},
        Bad{"InTheHeader",
            "HTTP/1.1 200 OK\r\nA: b\r\n",
            connection,
            "before the response header was whole"},
        Bad{"AfterInterim",
            "HTTP/1.1 100 C\r\n\r\n",
            connection,
            "before the response header was whole"},
        Bad{"InTheBody",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
            connection,
            "after 5 of 9 bytes"},
        Bad{"InAChunk",
            chunked("9\r\nhello"),
            connection,
            "after 5 bytes of the body, before its last chunk"},
        Bad{"BetweenChunks", chunked("5\r\nhello\r\n"), connection, "before its last chunk"},
        Bad{"InTheLastChunk", chunked("5\r\nhello\r\n0\r\n"), connection, "before its last chunk"}
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(ResponseReader, LeavesWhatComesBehindTheEnd) {
    ResponseReader reader(BodyRule::as_declared);
    const std::string response = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    EXPECT_EQ(reader.put(response + "more").value(), response.size());
    EXPECT_TRUE(reader.done());
    EXPECT_EQ(reader.put("more").value(), 0U);
}

TEST(ResponseReader, ReadsNoBodyWhereThereCannotBeOne) {
    ResponseReader reader(BodyRule::none);
    const std::string response = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    EXPECT_EQ(reader.put(response).value(), response.size());
    EXPECT_TRUE(reader.done());
    EXPECT_TRUE(reader.end_of_input());
}

TEST(ResponseReader, GivesHeadersWithoutTrailersAndCountsTheBody) {
    ResponseReader reader(BodyRule::as_declared);
    ASSERT_TRUE(reader.put(
        "HTTP/1.1 200 OK\r\nA:  b \r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: v\r\n\r\n"
    ));
    const Headers expected = {{"A", "b"}, {"Transfer-Encoding", "chunked"}};
    EXPECT_EQ(reader.take_headers(), expected);
    EXPECT_EQ(reader.body_bytes(), 1U);
    EXPECT_EQ(reader.declared_length(), std::nullopt);
}

TEST(ResponseReader, LimitsAHeaderWhoseFieldsComeOneByOne) {
    ResponseReader reader(BodyRule::as_declared);
    ASSERT_TRUE(reader.put("HTTP/1.1 200 OK\r\n"));
    std::size_t fields = 0;
    std::string held;
    while (fields < 100'000) {
        held += "A: b\r\n";
        const auto used = reader.put(held);
        if (!used) break;
        held.erase(0, *used);
        ++fields;
    }
    EXPECT_LT(fields * 6, header_limit + 100);
}

TEST(ResponseReader, ShowsTheOffendingBytesSafely) {
    ResponseReader reader(BodyRule::as_declared);
    const auto used = reader.put("\x1b[31mSSH\xff\r\n\r\n");
    ASSERT_FALSE(used);
    EXPECT_EQ(used.error().message().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace punie::http
