#pragma once
// Heads of requests and answers taken apart, strictly: what two servers might read in two ways is
// refused (RFC 9112, 11.2). Pure.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "relay/message.hpp"

namespace punie::relay {

/// Where a body ends.
enum class Framing {
    none,
    length,
    chunked,
    until_close,  ///< answers only
};

/// What is wrong with a request, as the status and words of the answer.
struct Refusal {
    int status = 400;
    std::string message;
};

/// Finds a head's end in bytes that arrive in pieces, and refuses at the first byte that no head
/// can have: a line that is not ended by CR LF, a NUL.
class HeadScanner {
public:
    enum class State { incomplete, complete, bad };

    /// `bytes`: all that arrived of the head so far; what was looked at before is not again.
    State scan(std::string_view bytes) {
        const auto state = look(bytes);
        bad_ = state == State::bad;
        return state;
    }

    bool fresh() const { return seen_ == 0; }

    bool bad() const { return bad_; }

    /// Bytes of the head with its empty line, once complete.
    std::size_t size() const { return size_; }

private:
    State look(std::string_view bytes);

    std::size_t seen_ = 0;
    std::size_t line_ = 0;  ///< where the present line begins
    std::size_t size_ = 0;
    bool bad_ = false;
};

struct RequestHead {
    Head head;
    Framing framing = Framing::none;
    std::uint64_t length = 0;
    bool keep_alive = true;
    bool expects_continue = false;
};

/// `text` is a whole head, its empty line included, as HeadScanner found it.
std::expected<RequestHead, Refusal> parse_request_head(std::string_view text, std::size_t headers);

struct ResponseHead {
    int status = 0;
    int minor = 1;
    /// Headers for the client as they stood ("Name: value\r\n" each), without hop-by-hop ones,
    /// Content-Length and Date.
    std::string lines;
    Framing framing = Framing::until_close;
    std::uint64_t length = 0;
    bool keep_alive = true;
};

/// `text` is a whole head. `into.lines` keeps its memory from one answer to the next. The error
/// says what is wrong.
std::expected<void, std::string> parse_response_head(
    std::string_view text, bool answer_to_head, ResponseHead& into
);

/// "Name: value\r\n" lines as pairs.
Headers headers_of_lines(std::string_view lines);

/// The value of the first such line with that name (case-insensitive); "" none.
std::string_view value_in_lines(std::string_view lines, std::string_view name);

}  // namespace punie::relay
