#pragma once
// A connected socket, plain or TLS. Reads and writes are tried at once and never wait; whoever gets
// "again" waits for the descriptor with Asio. That is one system call an operation, and TLS and
// plain look alike.

#include <openssl/ossl_typ.h>
#include <sys/uio.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/awaitable.hpp"

namespace punie::relay {

/// What became of a read or write that was tried.
struct Io {
    enum class Kind {
        done,
        again_read,   ///< try again when the descriptor is readable
        again_write,  ///< ... writable
        end,          ///< the peer ended its sending
        failed,
    };
    Kind kind = Kind::done;
    std::size_t bytes = 0;
    int error = 0;  ///< errno where it failed, 0 for a fault of TLS

    bool again() const { return kind == Kind::again_read || kind == Kind::again_write; }
};

/// Owns the descriptor. Thread: the executor's.
class Stream {
public:
    using Descriptor = asio::posix::stream_descriptor;

    /// `socket` is connected (or connecting) and does not block.
    Stream(const asio::any_io_executor& executor, int socket);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream();

    bool open() const { return descriptor_.is_open(); }

    Descriptor& descriptor() { return descriptor_; }

    int native() { return descriptor_.native_handle(); }

    Io receive(char* into, std::size_t size);
    /// Sends what the socket takes of the parts.
    Io send(std::span<const iovec> parts);

    /// From now on TLS, as a server or a client; `handshake` until it is done.
    bool start_tls(SSL_CTX* context, bool server);
    Io handshake();

    SSL* tls() { return tls_.get(); }

    const SSL* tls() const { return tls_.get(); }

    /// TLS has bytes that the descriptor will not announce.
    bool has_pending() const;

    /// Nothing unread and not closed by the peer: fit for another exchange. Looks without reading.
    bool quiet();
    /// Whether the peer ended its sending, whatever is still unread.
    bool peer_ended();
    /// Whether the connection was reset.
    bool broken();

    void shutdown_send();
    /// Ends the connection in a way that no peer takes for a proper end.
    void reset();
    void close();

private:
    Io tls_result(int result);

    struct FreeTls {
        void operator()(SSL* session) const;
    };

    Descriptor descriptor_;
    std::unique_ptr<SSL, FreeTls> tls_;
};

/// Takes `bytes` off the front of the parts; the parts that are left.
std::span<iovec> advanced(std::span<iovec> parts, std::size_t bytes);

/// `text` must outlive it: a temporary string would not.
template <std::same_as<std::string> Temporary>
iovec part(Temporary&& text) = delete;

inline iovec part(std::string_view text) {
    return {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
}

// What differs between the platforms; one file each.

/// A socket that a peer is connected by, without blocking and not inherited; -1 with errno.
int accept_socket(int listener, void* address, unsigned* size);
/// A new socket of that kind; -1 with errno.
int make_socket(int family, int type);
/// Bytes that the peer has not taken yet.
std::size_t unsent_bytes(int socket);
/// Whether the peer ended its sending.
bool ended_by_peer(int socket);

}  // namespace punie::relay
