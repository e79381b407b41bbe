#pragma once
// One connection to a server behind us: connecting, sending, reading, each with a deadline and an
// end at once when the caller is cancelled.

#include <punie/error.hpp>

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "http/resolve.hpp"
#include "relay/buffers.hpp"
#include "relay/deadlines.hpp"
#include "relay/stream.hpp"

namespace punie::relay {

/// What an attempt to read or write came to. The kinds `again_*` are not among them.
struct LinkIo {
    Io io;
    bool timed_out = false;
    bool cancelled = false;

    bool fine() const { return io.kind == Io::Kind::done && !timed_out && !cancelled; }
};

/// Owner: outlives its calls. Thread: the executor's. One operation at a time.
class Link final : public Deadlines::Node {
public:
    Link(asio::any_io_executor executor, Deadlines& deadlines, BufferPool& buffers)
        : executor_(std::move(executor)), deadlines_(deadlines), buffer_(buffers) {}

    /// Connects to one address. errno 0: connected.
    Task<LinkIo> connect(asio::ip::tcp::endpoint endpoint, Milliseconds limit);
    Task<LinkIo> handshake(SSL_CTX* context, std::string host, bool verify, Milliseconds limit);

    /// Sends what the socket takes at once: true if that was all. A fault shows in `send`.
    bool send_now(std::span<iovec>& parts);

    /// Sends all of `parts`, which live in the caller. Ends early, with `early`, when the peer
    /// answers meanwhile.
    Task<LinkIo> send(std::span<iovec> parts);

    bool early() const { return early_; }

    /// Reads at least one byte into the buffer, whose room must not be empty.
    Task<LinkIo> read(Milliseconds limit);

    Stream& stream() { return *stream_; }

    Buffer& buffer() { return buffer_; }

    bool open() const { return stream_ && stream_->open(); }

    void close() {
        if (stream_) stream_->close();
    }

    SteadyTime idle_since;  ///< when it was kept

private:
    void expired() override;
    Task<LinkIo> wait(Io::Kind kind);
    Task<LinkIo> wait_writable_or_answer();
    LinkIo read_now();

    asio::any_io_executor executor_;
    Deadlines& deadlines_;
    std::unique_ptr<Stream> stream_;
    Buffer buffer_;
    bool timed_out_ = false;
    bool early_ = false;
    bool full_ = false;  ///< the last read filled its room: there is likely more
};

}  // namespace punie::relay
