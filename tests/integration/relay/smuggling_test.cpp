// Bytes that two servers might read in two ways, or that are no HTTP/1.1: refused, the connection
// closed, and nothing behind them read as a request. Each row has a control: nearly the same bytes,
// and they are served.
#include "relay_fixture.hpp"

namespace punie::test {
namespace {

using namespace std::literals;

struct Row {
    std::string_view name;
    std::string bad;
    int status;
    std::string good;
};

std::string get(std::string_view headers) {
    return "GET /path HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
}

std::string first_line(std::string_view line) {
    return std::string(line) + "\r\nHost: a\r\n\r\n";
}

const auto with_length = post("Content-Length: 5\r\n", "hello");
const auto with_chunks = post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n");

std::string chunks(std::string_view body) {
    return post("Transfer-Encoding: chunked\r\n", body);
}

std::vector<Row> framing_rows() {
    return {
        {"length_and_chunked",
         post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
         400,
         with_chunks},
        {"chunked_and_length",
         post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
         400,
         with_chunks},
        {"two_lengths",
         post("Content-Length: 5\r\nContent-Length: 0\r\n", "hello"),
         400,
         with_length},
        {"two_equal_lengths",
         post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
         400,
         with_length},
        {"length_list", post("Content-Length: 5, 5\r\n", "hello"), 400, with_length},
        {"length_list_differs", post("Content-Length: 5, 0\r\n", "hello"), 400, with_length},
        {"length_plus", post("Content-Length: +5\r\n", "hello"), 400, with_length},
        {"length_minus",
         post("Content-Length: -5\r\n", "hello"),
         400,
         post("Content-Length: 0\r\n", "")},
        {"length_hex", post("Content-Length: 0x5\r\n", "hello"), 400, with_length},
        {"length_hex_digits",
         post("Content-Length: a\r\n", "helloworld"),
         400,
         post("Content-Length: 10\r\n", "helloworld")},
        {"length_blank", post("Content-Length: \r\n", "hello"), 400, with_length},
        {"length_blank_inside",
         post("Content-Length: 1 0\r\n", "helloworld"),
         400,
         post("Content-Length: 10\r\n", "helloworld")},
        {"length_fraction", post("Content-Length: 5.0\r\n", "hello"), 400, with_length},
        {"length_exponent", post("Content-Length: 5e0\r\n", "hello"), 400, with_length},
        {"length_quoted", post("Content-Length: \"5\"\r\n", "hello"), 400, with_length},
        {"length_overflow",
         post("Content-Length: 18446744073709551621\r\n", "hello"),
         400,
         with_length},
        {"length_20_digits",
         post("Content-Length: 00000000000000000005\r\n", "hello"),
         400,
         post("Content-Length: 0000000000000000005\r\n", "hello")},
        {"length_underscore",
         post("Content_Length: 5\r\nContent-Length: 5,\r\n", "hello"),
         400,
         post("Content_Length: 7\r\nContent-Length: 5\r\n", "hello")},
        {"encoding_identity", post("Transfer-Encoding: identity\r\n", ""), 400, with_chunks},
        {"encoding_gzip",
         post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
         400,
         with_chunks},
        {"encoding_not_last",
         post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
         400,
         with_chunks},
        {"encoding_twice",
         post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
         400,
         with_chunks},
        {"encoding_twice_in_one",
         post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
         400,
         with_chunks},
        {"encoding_quoted",
         post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"),
         400,
         with_chunks},
        {"encoding_vertical_tab",
         post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"),
         400,
         post("Transfer-Encoding: \tchunked\r\n", "0\r\n\r\n")},
        {"encoding_prefix",
         post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
         400,
         post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n")},
        {"encoding_empty", post("Transfer-Encoding:\r\n", ""), 400, with_chunks},
        {"encoding_in_1_0",
         "POST /path HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400,
         "POST /path HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
        {"encoding_blank_before_colon",
         post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
         400,
         with_chunks},
        {"length_blank_before_colon", post("Content-Length : 5\r\n", "hello"), 400, with_length},
        {"length_tab_before_colon",
         post("Content-Length\t: 5\r\n", "hello"),
         400,
         post("Content-Length:\t5\r\n", "hello")},
    };
}

std::vector<Row> chunk_rows() {
    return {
        {"chunk_size_missing", chunks("\r\nhello\r\n0\r\n\r\n"), 400, with_chunks},
        {"chunk_size_hex_prefix", chunks("0x5\r\nhello\r\n0\r\n\r\n"), 400, with_chunks},
        {"chunk_size_plus", chunks("+5\r\nhello\r\n0\r\n\r\n"), 400, with_chunks},
        {"chunk_size_minus", chunks("-1\r\nhello\r\n0\r\n\r\n"), 400, with_chunks},
        {"chunk_size_blank_before", chunks(" 5\r\nhello\r\n0\r\n\r\n"), 400, with_chunks},
        {"chunk_size_blank_behind", chunks("5 \r\nhello\r\n0\r\n\r\n"), 400, with_chunks},
        {"chunk_size_no_digit", chunks("g\r\nhello\r\n0\r\n\r\n"), 400, with_chunks},
        {"chunk_size_overflow",
         chunks("10000000000000005\r\nhello\r\n0\r\n\r\n"),
         400,
         chunks("0000000000000005\r\nhello\r\n0\r\n\r\n")},
        {"chunk_size_huge", chunks("ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), 413, with_chunks},
        {"chunk_longer_than_size",
         chunks("3\r\nhello\r\n0\r\n\r\n"),
         400,
         chunks("5\r\nhello\r\n0\r\n\r\n")},
        {"chunk_bare_lf", chunks("5\nhello\r\n0\r\n\r\n"), 400, with_chunks},
        {"chunk_data_bare_lf", chunks("5\r\nhello\n0\r\n\r\n"), 400, with_chunks},
        {"chunk_bare_cr", chunks("5\rhello\r\n0\r\n\r\n"), 400, with_chunks},
        {"chunk_extension_lf",
         chunks("5;a\nhello\r\n0\r\n\r\n"),
         400,
         chunks("5;a=b\r\nhello\r\n0\r\n\r\n")},
        {"chunk_extension_too_long",
         chunks("5;" + std::string(5000, 'a') + "\r\nhello\r\n0\r\n\r\n"),
         400,
         chunks("5;" + std::string(500, 'a') + "\r\nhello\r\n0\r\n\r\n")},
        {"chunk_extension_control",
         chunks("5;a\x01\r\nhello\r\n0\r\n\r\n"),
         400,
         chunks("5;a\t\r\nhello\r\n0\r\n\r\n")},
        {"last_chunk_bare_lf", chunks("5\r\nhello\r\n0\n\n"), 400, with_chunks},
        {"trailer_bare_lf", chunks("0\r\nA: b\n\r\n"), 400, chunks("0\r\nA: b\r\n\r\n")},
        {"trailer_no_header", chunks("0\r\n: b\r\n\r\n"), 400, chunks("0\r\nA: b\r\n\r\n")},
        {"trailers_too_long",
         chunks("0\r\nA: " + std::string(9000, 'b') + "\r\n\r\n"),
         400,
         chunks("0\r\nA: " + std::string(900, 'b') + "\r\n\r\n")},
    };
}

std::vector<Row> header_rows() {
    return {
        {"folded", get("X-A: b\r\n c\r\n"), 400, get("X-A: b c\r\n")},
        {"folded_tab", get("X-A: b\r\n\tc\r\n"), 400, get("X-A: b\tc\r\n")},
        {"folded_first", "GET /path HTTP/1.1\r\n Host: a\r\n\r\n", 400, get("")},
        {"folded_encoding",
         post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"),
         400,
         with_chunks},
        {"blank_before_colon", get("X-A : b\r\n"), 400, get("X-A: b\r\n")},
        {"blank_in_name", get("X A: b\r\n"), 400, get("X-A: b\r\n")},
        {"no_colon", get("X-A\r\n"), 400, get("X-A:\r\n")},
        {"no_name", get(": b\r\n"), 400, get("b: \r\n")},
        {"name_control", get("X\x01: b\r\n"), 400, get("X1: b\r\n")},
        {"name_bracket", get("X(a): b\r\n"), 400, get("X'a': b\r\n")},
        {"name_not_ascii", get("X\xc3\xa9: b\r\n"), 400, get("X: \xc3\xa9\r\n")},
        {"value_nul", get("X-A: b\0c\r\n"sv), 400, get("X-A: b%00c\r\n")},
        {"value_control", get("X-A: b\x02\r\n"), 400, get("X-A: b\t\r\n")},
        {"value_delete", get("X-A: b\x7f\r\n"), 400, get("X-A: b~\r\n")},
        {"value_bare_cr", get("X-A: b\rX-B: c\r\n"), 400, get("X-A: b\r\nX-B: c\r\n")},
        {"line_bare_lf", "GET /path HTTP/1.1\nHost: a\n\n", 400, get("")},
        {"header_bare_lf", get("X-A: b\n"), 400, get("X-A: b\r\n")},
        {"end_bare_lf", "GET /path HTTP/1.1\r\nHost: a\r\n\n", 400, get("")},
        {"line_cr_cr_lf", "GET /path HTTP/1.1\r\r\nHost: a\r\n\r\n", 400, get("")},
        {"host_missing", "GET /path HTTP/1.1\r\n\r\n", 400, "GET /path HTTP/1.0\r\n\r\n"},
        {"host_twice", get("Host: b\r\n"), 400, get("")},
        {"host_twice_equal", get("Host: a\r\n"), 400, get("")},
        {"host_twice_in_1_0",
         "GET /path HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
         400,
         "GET /path HTTP/1.0\r\nHost: a\r\n\r\n"},
        {"host_empty", "GET /path HTTP/1.1\r\nHost:\r\n\r\n", 400, get("")},
        {"host_with_path", "GET /path HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, get("")},
        {"host_with_blank", "GET /path HTTP/1.1\r\nHost: a b\r\n\r\n", 400, get("")},
        {"host_list",
         "GET /path HTTP/1.1\r\nHost: a@b\r\n\r\n",
         400,
         "GET /path HTTP/1.1\r\nHost: a:80\r\n\r\n"},
        {"expect_other",
         post("Expect: 200-ok\r\nContent-Length: 5\r\n", "hello"),
         417,
         post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello")},
    };
}

std::vector<Row> line_rows() {
    return {
        {"no_version", first_line("GET /path"), 400, first_line("GET /path HTTP/1.1")},
        {"version_0_9", first_line("GET /path HTTP/0.9"), 505, first_line("GET /path HTTP/1.0")},
        {"version_1_2", first_line("GET /path HTTP/1.2"), 505, first_line("GET /path HTTP/1.1")},
        {"version_2", first_line("GET /path HTTP/2.0"), 505, first_line("GET /path HTTP/1.1")},
        {"version_lower", first_line("GET /path http/1.1"), 400, first_line("GET /path HTTP/1.1")},
        {"version_long", first_line("GET /path HTTP/1.11"), 400, first_line("GET /path HTTP/1.1")},
        {"two_blanks", first_line("GET  /path HTTP/1.1"), 400, first_line("GET /path HTTP/1.1")},
        {"blank_behind", first_line("GET /path HTTP/1.1 "), 400, first_line("GET /path HTTP/1.1")},
        {"tab_between", first_line("GET\t/path\tHTTP/1.1"), 400, first_line("GET /path HTTP/1.1")},
        {"blank_in_target",
         first_line("GET /pa th HTTP/1.1"),
         400,
         first_line("GET /pa%20th HTTP/1.1")},
        {"blank_before", first_line(" GET /path HTTP/1.1"), 400, first_line("GET /path HTTP/1.1")},
        {"method_control",
         first_line("G\x01T /path HTTP/1.1"),
         400,
         first_line("G!T /path HTTP/1.1")},
        {"method_slash", first_line("G/T /path HTTP/1.1"), 400, first_line("G-T /path HTTP/1.1")},
        {"method_long",
         first_line(std::string(40, 'A') + " /path HTTP/1.1"),
         400,
         first_line(std::string(30, 'A') + " /path HTTP/1.1")},
        {"target_control", first_line("GET /\x01 HTTP/1.1"), 400, first_line("GET /1 HTTP/1.1")},
        {"target_not_ascii",
         first_line("GET /\xc3\xa9 HTTP/1.1"),
         400,
         first_line("GET /%C3%A9 HTTP/1.1")},
        {"target_nul", first_line("GET /a\0b HTTP/1.1"sv), 400, first_line("GET /ab HTTP/1.1")},
        {"target_nul_encoded",
         first_line("GET /a%00b HTTP/1.1"),
         400,
         first_line("GET /a%20b HTTP/1.1")},
        {"target_broken_percent",
         first_line("GET /a%2 HTTP/1.1"),
         400,
         first_line("GET /a%2F HTTP/1.1")},
        {"target_fragment", first_line("GET /a#b HTTP/1.1"), 400, first_line("GET /a%23b HTTP/1.1")
        },
        {"target_relative", first_line("GET path HTTP/1.1"), 400, first_line("GET /path HTTP/1.1")},
        {"target_star", first_line("OPTIONS * HTTP/1.1"), 400, first_line("OPTIONS /path HTTP/1.1")
        },
        {"target_authority",
         first_line("CONNECT a:80 HTTP/1.1"),
         400,
         first_line("GET /a:80 HTTP/1.1")},
        {"absolute_foreign",
         first_line("GET http://b/path HTTP/1.1"),
         400,
         first_line("GET http://a/path HTTP/1.1")},
        {"absolute_user",
         first_line("GET http://u@a/path HTTP/1.1"),
         400,
         first_line("GET http://A/path HTTP/1.1")},
        {"absolute_port",
         first_line("GET http://a:81/path HTTP/1.1"),
         400,
         "GET http://a:81/path HTTP/1.1\r\nHost: a:81\r\n\r\n"},
        {"absolute_scheme",
         first_line("GET ftp://a/path HTTP/1.1"),
         400,
         first_line("GET http://a HTTP/1.1")},
        {"http2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, first_line("PRI /path HTTP/1.1")
        },
        {"tls_hello",
         "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello"s,
         400,
         first_line("GET /path HTTP/1.1")},
        {"nothing_http", "\x05\x01\x00\r\n\r\n"s, 400, first_line("GET /path HTTP/1.1")},
        {"empty_lines",
         "\r\n\r\n\r\n" + first_line("GET /path HTTP/1.1"),
         400,
         "\r\n" + first_line("GET /path HTTP/1.1")},
        {"an_answer", "HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", 400, first_line("GET /path HTTP/1.1")},
        {"headers_too_many",
         get([] {
             std::string all;
             for (int i = 0; i < 100; ++i) all += "X-A: b\r\n";
             return all;
         }()),
         431,
         get([] {
             std::string all;
             for (int i = 0; i < 99; ++i) all += "X-A: b\r\n";
             return all;
         }())},
        {"head_too_large",
         get("X-A: " + std::string(33000, 'b') + "\r\n"),
         431,
         get("X-A: " + std::string(30000, 'b') + "\r\n")},
        {"head_without_end",
         "GET /path HTTP/1.1\r\nHost: a\r\nX: " + std::string(40000, 'b'),
         431,
         get("")},
        {"target_too_long",
         first_line("GET /" + std::string(40000, 'a') + " HTTP/1.1"),
         431,
         first_line("GET /" + std::string(20000, 'a') + " HTTP/1.1")},
    };
}

class RawBytes : public RelayTest {
protected:
    RawBytes() { proxy_to(upstream_.port()); }

    void check(const Row& row) {
        SCOPED_TRACE(row.name);
        const auto before = upstream_.seen().size();
        RawSocket client(port());
        client.send(row.bad + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        const auto answer = client.read_all();
        EXPECT_EQ(status_of(answer), row.status) << answer.substr(0, 300);
        EXPECT_EQ(count_of(answer, "Content-Length: "), 1U) << answer.substr(0, 600);
        EXPECT_THAT(answer, testing::HasSubstr("Connection: close"));
        EXPECT_TRUE(client.ended()) << "the refusal could be lost by a reset";
        EXPECT_EQ(upstream_.seen().size(), before);

        RawSocket other(port());
        other.send(row.good);
        other.end_sending();
        const auto served = other.read_all();
        EXPECT_THAT(served, testing::HasSubstr("HTTP/1.1 200 OK")) << row.good.substr(0, 200);
        EXPECT_EQ(upstream_.seen().size(), before + 1);
    }

    CountingUpstream upstream_;
};

TEST_F(RawBytes, ThatLeaveTheBodysEndOpenAreRefused) {
    for (const auto& row : framing_rows()) check(row);
}

TEST_F(RawBytes, OfBrokenChunksAreRefused) {
    for (const auto& row : chunk_rows()) check(row);
}

TEST_F(RawBytes, OfBrokenHeadersAreRefused) {
    for (const auto& row : header_rows()) check(row);
}

TEST_F(RawBytes, OfBrokenFirstLinesAreRefused) {
    for (const auto& row : line_rows()) check(row);
}

TEST(RawBytesTable, HasAtLeastSixtyRows) {
    EXPECT_GE(
        framing_rows().size() + chunk_rows().size() + header_rows().size() + line_rows().size(), 60U
    );
}

// What arrives byte by byte is judged as what arrives at once.
TEST_F(RawBytes, InPiecesAreReadAsInOne) {
    for (const auto& bytes : {with_length, with_chunks, get("X-A: b\r\n")}) {
        RawSocket client(port());
        for (const char byte : bytes) client.send(std::string_view(&byte, 1));
        client.end_sending();
        EXPECT_THAT(client.read_all(), testing::HasSubstr("HTTP/1.1 200 OK"));
    }
    const auto seen = upstream_.seen();
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_THAT(seen[0], testing::EndsWith("\r\n\r\nhello"));
    EXPECT_THAT(seen[1], testing::EndsWith("\r\n\r\nhello"));
}

}  // namespace
}  // namespace punie::test
