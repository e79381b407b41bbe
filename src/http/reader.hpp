#pragma once
// The bytes of a response taken apart: header, body pieces, its proper end. The one place that
// knows Beast. No I/O.

#include <punie/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace punie::http {

/// Bytes that a response header, or one chunk's size line, may have.
inline constexpr std::size_t header_limit = 64UL << 10U;

/// Which body a response has beside what its header says.
enum class BodyRule {
    as_declared,
    none,  ///< answers to HEAD and CONNECT
};

/// Feed it with `put` until `done`, and tell it of the connection's end by `end_of_input`. Interim
/// (1xx) responses are skipped.
class ResponseReader {
public:
    explicit ResponseReader(BodyRule rule);
    ResponseReader(ResponseReader&&) noexcept;
    ResponseReader& operator=(ResponseReader&&) noexcept;
    ~ResponseReader();

    /// How many of the bytes (at most header_limit) were used; those left must be offered again
    /// together with more. Bytes behind the end of the response are never used. Errors: protocol
    /// (what is wrong with the bytes).
    Result<std::size_t> put(std::string_view bytes);

    /// The peer closed its side. Errors: connection when the response is not whole.
    Result<void> end_of_input();

    bool header_done() const;
    bool done() const;
    int status() const;
    Headers take_headers();
    std::string take_body();  ///< the body bytes since the last call

    /// Whether the server keeps the connection behind this response: HTTP/1.1, no "Connection:
    /// close", an end that does not need the connection's.
    bool keeps_connection() const;

    std::uint64_t body_bytes() const;                      ///< seen so far
    std::optional<std::uint64_t> declared_length() const;  ///< Content-Length

private:
    class Parser;
    void restart();
    Result<void> check_interim();
    BodyRule rule_;
    int interim_ = 0;
    std::size_t header_bytes_ = 0;
    std::unique_ptr<Parser> parser_;
};

}  // namespace punie::http
