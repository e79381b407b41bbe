#include "http/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "base/text.hpp"

namespace punie::http {

namespace beast = boost::beast;
namespace wire = boost::beast::http;

namespace {

constexpr std::size_t shortest_chunked_body = 5;  // "0 CR LF CR LF"
constexpr int max_interim = 20;  // a server that sends more 1xx responses than this means no good

}  // namespace

/// Collects what Beast finds.
class ResponseReader::Parser : public wire::basic_parser<false> {
public:
    int status = 0;
    int version = 0;  // 11 is HTTP/1.1
    bool in_header = true;
    bool chunk_seen = false;
    Headers headers;
    std::string body;
    std::uint64_t body_bytes = 0;

private:
    void
    on_request_impl(wire::verb, beast::string_view, beast::string_view, int, beast::error_code&)
        override {}

    void on_response_impl(int code, beast::string_view, int http_version, beast::error_code& error)
        override {
        status = code;
        version = http_version;
        if (code < 100 || code > 599) error = wire::error::bad_status;
    }

    void
    on_field_impl(wire::field, beast::string_view name, beast::string_view value, beast::error_code&)
        override {
        // fields behind a chunked body are trailers, of no use to us
        if (in_header) headers.emplace_back(std::string(name), std::string(value));
    }

    void on_header_impl(beast::error_code&) override { in_header = false; }

    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}

    std::size_t on_body_impl(beast::string_view bytes, beast::error_code&) override {
        body.append(bytes.data(), bytes.size());
        body_bytes += bytes.size();
        return bytes.size();
    }

    void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {
        chunk_seen = true;
    }

    std::size_t on_chunk_body_impl(
        std::uint64_t, beast::string_view bytes, beast::error_code& error
    ) override {
        return on_body_impl(bytes, error);
    }

    void on_finish_impl(beast::error_code&) override {}
};

ResponseReader::ResponseReader(BodyRule rule) : rule_(rule) {
    restart();
}

ResponseReader::ResponseReader(ResponseReader&&) noexcept = default;
ResponseReader& ResponseReader::operator=(ResponseReader&&) noexcept = default;
ResponseReader::~ResponseReader() = default;

void ResponseReader::restart() {
    parser_ = std::make_unique<Parser>();
    parser_->header_limit(header_limit);
    parser_->body_limit(boost::none);
    if (rule_ == BodyRule::none) parser_->skip(true);
}

namespace {

std::unexpected<Error> too_large() {
    return fail(
        ErrorCode::protocol,
        fmt::format(
            "the response header, or the size line of a chunk, is larger than {} bytes",
            header_limit
        )
    );
}

std::unexpected<Error> bad_bytes(
    const beast::error_code& error, bool in_header, std::string_view bytes
) {
    if (error == wire::error::header_limit) return too_large();
    return fail(
        ErrorCode::protocol,
        fmt::format(
            "the response {} is not valid HTTP ({}): it has \"{}\"",
            in_header ? "header" : "body",
            error.message(),
            printable(bytes.substr(0, bytes.substr(0, 60).find('\r')).substr(0, 60))
        )
    );
}

/// Whether `bytes` can become a status line. Beast would wait for the end of a whole header first,
/// for ever when the peer is something else (an SSH server, say) that has said all it will say.
bool may_be_http(std::string_view bytes) {
    static constexpr std::string_view start = "HTTP/1.";
    const auto length = std::min(bytes.size(), start.size());
    return bytes.substr(0, length) == start.substr(0, length);
}

}  // namespace

Result<void> ResponseReader::check_interim() {
    if (parser_->in_header || parser_->status >= 200) return {};
    if (parser_->status == 101) {
        return fail(
            ErrorCode::protocol, "the server switches to another protocol, which nobody asked for"
        );
    }
    if (++interim_ > max_interim) {
        return fail(
            ErrorCode::protocol,
            fmt::format("the server sent over {} interim responses", max_interim)
        );
    }
    restart();
    return {};
}

Result<std::size_t> ResponseReader::put(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && !parser_->is_done()) {
        const bool in_header = parser_->in_header;
        const auto rest = bytes.substr(used);
        // Beast 1.81 asserts that it sees the end of an empty chunked body in no smaller pieces
        if (!in_header && parser_->chunked() && !parser_->chunk_seen &&
            rest.size() < shortest_chunked_body) {
            break;
        }
        if (in_header && parser_->status == 0 && !may_be_http(rest))
            return bad_bytes(wire::error::bad_version, true, rest);
        beast::error_code error;
        const auto count = parser_->put(boost::asio::const_buffer(rest.data(), rest.size()), error);
        used += count;
        if (error && error != wire::error::need_more) {
            return bad_bytes(error, in_header, rest.substr(count));
        }
        // Beast's own limit starts anew wherever a read happens to end between two fields
        if (in_header) header_bytes_ += count;
        if (header_bytes_ > header_limit) return too_large();
        if (!parser_->in_header) parser_->eager(true);
        if (auto checked = check_interim(); !checked)
            return std::unexpected(std::move(checked).error());
        if (error || count == 0) break;
    }
    if (used == 0 && bytes.size() >= header_limit && !parser_->is_done()) return too_large();
    return used;
}

Result<void> ResponseReader::end_of_input() {
    if (parser_->is_done()) return {};
    if (parser_->in_header) {
        return fail(
            ErrorCode::connection,
            "the server closed the connection before the response header was whole"
        );
    }
    beast::error_code error;
    parser_->put_eof(error);
    if (!error) return {};
    const auto length = declared_length();
    const auto expected = length ? fmt::format("of {} bytes of the body", *length)
                                 : std::string("bytes of the body, before its last chunk");
    return fail(
        ErrorCode::connection,
        fmt::format("the server closed the connection after {} {}", parser_->body_bytes, expected)
    );
}

bool ResponseReader::header_done() const {
    return !parser_->in_header;
}

bool ResponseReader::done() const {
    return parser_->is_done();
}

bool ResponseReader::keeps_connection() const {
    return done() && parser_->version >= 11 && parser_->keep_alive();
}

int ResponseReader::status() const {
    return parser_->status;
}

Headers ResponseReader::take_headers() {
    return std::exchange(parser_->headers, {});
}

std::string ResponseReader::take_body() {
    return std::exchange(parser_->body, {});
}

std::uint64_t ResponseReader::body_bytes() const {
    return parser_->body_bytes;
}

std::optional<std::uint64_t> ResponseReader::declared_length() const {
    if (!header_done()) return std::nullopt;
    const auto length = parser_->content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

}  // namespace punie::http
