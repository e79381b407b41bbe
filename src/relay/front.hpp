#pragma once
// Where clients connect: strict HTTP/1.1 with keep-alive over TCP, TLS or a Unix socket.

#include <punie/error.hpp>

#include <functional>
#include <memory>
#include <vector>

#include "relay/message.hpp"

namespace punie::relay {

struct TlsFiles {
    std::filesystem::path certificate;  ///< PEM, the chain
    std::filesystem::path key;          ///< PEM
};

/// One place to listen at. Either host and port, or a Unix socket (made with mode 0600, an old one
/// that nobody answers is replaced).
struct Listen {
    std::string name = "models";
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: a free one
    std::filesystem::path unix_socket{};
    std::optional<TlsFiles> tls{};
};

/// Zero means none, where it says so.
struct FrontLimits {
    std::size_t head_bytes = 32 * 1024;  ///< 431 beyond
    std::size_t headers = 100;           ///< 431 beyond
    BodyLimits body{};
    Milliseconds head{10'000};          ///< from a head's first byte to its end: 408, closed
    Milliseconds idle{75'000};          ///< between requests: closed without a word
    Milliseconds body_silence{30'000};  ///< between two pieces of a body: 408
    std::size_t body_rate = 1024;     ///< bytes a second that a body must make: 408 if it does not
    Milliseconds body_grace{10'000};  ///< before the rate counts
    Milliseconds write_silence{120'000};  ///< a client that takes nothing for so long is dropped
    std::size_t connections = 20'000;     ///< beyond: 503 and closed
};

/// An answer's head as the relay passes it on. The texts must live until it is sent.
struct AnswerHead {
    int status = 200;
    /// "Name: value\r\n" each, without those that are the front's own.
    std::string_view lines;
    std::string_view more_lines{};
    std::optional<std::uint64_t> length{};
};

/// One request and its answer. Lives as long as the handler's coroutine. The handler must end with
/// an answer (`reply`, or `begin` and `finish`) or `abort`; one that returns without gets 500.
///
/// When the client leaves, the handler's coroutine is cancelled (terminal; it does not throw unless
/// the handler sets throw_if_cancelled): its waits end with `cancelled`. A client that only ended
/// its sending is served on. From outside the two look alike, so at an end of sending something
/// harmless is sent, which a client that is gone answers with a reset: before the answer an interim
/// "100 Continue", in a chunked answer a leading zero of the next chunk's size. In an answer with a
/// length the next write shows it.
class Exchange {
public:
    virtual ~Exchange() = default;

    virtual const Head& head() const = 0;
    virtual const Peer& peer() const = 0;

    /// The whole body; also answers "Expect: 100-continue". Errors, each already answered to the
    /// client (the handler just returns): protocol (bad chunk, smuggling), timeout, connection,
    /// invalid_argument (too large).
    virtual Task<Result<Body>> read_body() = 0;

    virtual Task<Result<void>> reply(Reply reply) = 0;

    /// Begins an answer in pieces: with `length` that many bytes, without one chunked (HTTP/1.0: up
    /// to the connection's end). Connection, Date, Content-Length and Transfer-Encoding are the
    /// front's own; all other headers are passed on in order.
    virtual Task<Result<void>> begin(
        int status, Headers headers, std::optional<std::uint64_t> length
    ) = 0;

    /// Waits while the client is slow: back-pressure. `piece` must live until it returns.
    virtual Task<Result<void>> write(std::string_view piece) = 0;
    virtual Task<Result<void>> finish() = 0;

    /// begin, write and, if it is the `last`, finish in one go and in one packet.
    virtual Task<Result<void>> begin_with(AnswerHead head, std::string_view piece, bool last);
    /// write and finish in one go.
    virtual Task<Result<void>> finish_with(std::string_view piece);

    /// Ends the connection so that no client takes the answer for a whole one: no last chunk,
    /// reset.
    virtual void abort() = 0;

    virtual bool begun() const = 0;
    virtual std::uint64_t bytes_sent() const = 0;  ///< of the body
    virtual int status() const = 0;                ///< of the answer; 0 before it began
};

using Handler = std::function<Task<void>(Exchange&)>;

/// Words of the answers that the front itself gives (400, 408, 413, 431, 501, 503 ...): a JSON body
/// in OpenAI's form unless another is set.
using ErrorBody = std::function<std::string(int status, std::string_view message)>;

/// Owner: outlives `run`. Thread: the executor's.
class Front {
public:
    /// Errors: port_in_use (names the holder), io, invalid_argument (TLS files, address).
    static Result<Front> listen(
        const asio::any_io_executor& executor,
        std::vector<Listen> places,
        Handler handler,
        FrontLimits limits = {}
    );
    Front(Front&&) noexcept;
    Front& operator=(Front&&) noexcept;
    ~Front();

    /// Ports of the TCP places, in order; 0 for a Unix socket.
    std::vector<std::uint16_t> ports() const;

    /// Serves until `stop`; returns when every connection has ended.
    Task<void> run();

    /// No new connection, no new request; running answers may go on for `drain`, then are aborted.
    void stop(Milliseconds drain);

    /// Reads the certificates again; running connections keep theirs. A broken file leaves the old
    /// ones in force.
    Result<void> reload_tls();

    std::size_t connections() const;

    /// Words of the front's own answers from now on.
    void set_error_body(ErrorBody words);

private:
    struct Impl;
    explicit Front(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace punie::relay
