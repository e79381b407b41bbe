#pragma once
// An answer that is being read from its connection.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/chunked.hpp"
#include "relay/head.hpp"
#include "relay/link.hpp"
#include "relay/turns.hpp"
#include "relay/upstream.hpp"

namespace punie::relay {

/// The kept connections of one origin.
struct KeptLinks {
    std::vector<std::unique_ptr<Link>> links;  ///< the longest idle one first
    std::size_t most = 0;
    std::string peer;  ///< "127.0.0.1:80", for messages
    bool forgotten = false;

    /// The one used last; those that the server closed, or that are old, are closed.
    std::unique_ptr<Link> take();
    void put(std::unique_ptr<Link> link);
};

/// What the connections of one `Upstreams` share; lives as long as any of them.
struct UpstreamState {
    explicit UpstreamState(const asio::any_io_executor& executor)
        : buffers(64UL << 10U), deadlines(executor) {}

    BufferPool buffers;
    Deadlines deadlines;
};

/// A piece of a body, and whether it was the last.
struct Piece {
    std::string_view bytes;
    bool last = false;
};

struct UpstreamAnswer::Impl {
    Impl(
        std::shared_ptr<UpstreamState> shared,
        std::unique_ptr<Link> on,
        std::shared_ptr<KeptLinks> home,
        UpstreamLimits given
    );
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl();

    /// `sent`: how sending the request ended; a server may answer before it took everything.
    Task<std::optional<UpstreamFailure>> read_head(LinkIo sent, bool answer_to_head);

    /// What the buffer holds of the body already; empty and not the last if nothing does.
    Result<Piece> ready();
    /// The next bytes of the body, waited for.
    Task<Result<Piece>> next_piece();

    const Headers& headers();

    /// The connection goes back to be used again; pieces given before are not valid any more.
    void release();

    std::shared_ptr<UpstreamState> state;
    std::unique_ptr<Link> link;  ///< none once it is released
    std::shared_ptr<KeptLinks> kept;
    UpstreamLimits limits;
    ResponseHead head;
    ChunkDecoder chunks;
    std::uint64_t left = 0;  ///< of a body with a length
    bool ended = false;
    bool whole_sent = false;  ///< the request
    /// The server's side took all that was sent: it may have begun to work, even if it then closed.
    bool server_took = true;
    std::optional<Headers> parsed;

private:
    std::optional<Error> take_head(bool answer_to_head);
    UpstreamFailure head_failure(const LinkIo& result) const;
    Error body_failure(const LinkIo& result) const;
    Error torn(std::string_view why) const;
    Result<Piece> take();

    HeadScanner scanner_;
    int interim_ = 0;
    bool answered_ = false;  ///< the first byte has come
    Turns turns_;
};

}  // namespace punie::relay
