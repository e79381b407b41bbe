#pragma once
// Sockets that wait for clients: opening them, and taking clients off them even when the process
// has no descriptor left.

#include <punie/error.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>

#include "relay/front.hpp"
#include "relay/stream.hpp"

namespace punie::relay {

/// A listening socket. Owns it, and the file of a Unix socket.
class Listener {
public:
    /// Errors: port_in_use, io, invalid_argument.
    static Result<std::unique_ptr<Listener>> open(
        const asio::any_io_executor& executor, Listen place
    );

    Listener(const asio::any_io_executor& executor, int socket, Listen place);
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener();

    const Listen& place() const { return place_; }

    std::uint16_t port() const { return port_; }

    Stream::Descriptor& descriptor() { return descriptor_; }

    std::shared_ptr<SSL_CTX> tls() const { return tls_; }

    void set_tls(std::shared_ptr<SSL_CTX> context) { tls_ = std::move(context); }

    struct Accepted {
        int socket = -1;
        int error = 0;  ///< errno without a socket; EAGAIN: nobody waits
        Peer peer{};
    };

    Accepted accept();

    void close();

private:
    Listen place_;
    Stream::Descriptor descriptor_;
    std::shared_ptr<SSL_CTX> tls_;
    std::uint16_t port_ = 0;
    std::optional<std::pair<std::uint64_t, std::uint64_t>> file_;  ///< device and inode
};

/// Descriptors kept so that clients can be taken off the queue and turned away when there is none
/// left.
class ReserveDescriptors {
public:
    ReserveDescriptors() { fill(); }

    ReserveDescriptors(const ReserveDescriptors&) = delete;
    ReserveDescriptors& operator=(const ReserveDescriptors&) = delete;

    ~ReserveDescriptors() { spend(); }

    void fill();
    void spend();

private:
    std::array<int, 2> descriptors_{-1, -1};
};

}  // namespace punie::relay
