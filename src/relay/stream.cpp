#include "relay/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace punie::relay {

namespace {

#ifndef MSG_NOSIGNAL
constexpr int MSG_NOSIGNAL = 0;  // macOS: SO_NOSIGPIPE is set when the socket is made
#endif

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a client that leaves would end the program.

int descriptor_of(BIO* bio) {
    return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int bio_write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    const auto sent =
        ::send(descriptor_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    const auto got = ::recv(descriptor_of(bio), bytes, static_cast<std::size_t>(size), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    return static_cast<int>(got);
}

long bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int bio_create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

const BIO_METHOD* socket_method() {
    static BIO_METHOD* const method = [] {
        auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "punie socket");
        BIO_meth_set_write(made, bio_write);
        BIO_meth_set_read(made, bio_read);
        BIO_meth_set_ctrl(made, bio_control);
        BIO_meth_set_create(made, bio_create);
        return made;
    }();
    return method;
}

}  // namespace

void Stream::FreeTls::operator()(SSL* session) const {
    SSL_free(session);
}

Stream::Stream(const asio::any_io_executor& executor, int socket) : descriptor_(executor, socket) {}

Stream::~Stream() = default;

Io Stream::receive(char* into, std::size_t size) {
    if (!open()) return {.kind = Io::Kind::failed, .error = EBADF};
    if (tls_) {
        ERR_clear_error();
        const auto most = std::min<std::size_t>(size, 1U << 30U);
        return tls_result(SSL_read(tls_.get(), into, static_cast<int>(most)));
    }
    while (true) {
        const auto got = ::recv(native(), into, size, 0);
        if (got > 0) return {.bytes = static_cast<std::size_t>(got)};
        if (got == 0) return {.kind = Io::Kind::end};
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return {.kind = Io::Kind::again_read};
        return {.kind = Io::Kind::failed, .error = errno};
    }
}

Io Stream::send(std::span<const iovec> parts) {
    if (!open()) return {.kind = Io::Kind::failed, .error = EBADF};
    if (tls_) {
        std::array<char, 16384> record;  // a record at most: small parts go out together
        std::size_t size = 0;
        for (const auto& each : parts) {
            const auto bytes = std::min(each.iov_len, record.size() - size);
            if (bytes > 0) std::memcpy(record.data() + size, each.iov_base, bytes);
            size += bytes;
        }
        ERR_clear_error();
        return size == 0 ? Io{}
                         : tls_result(SSL_write(tls_.get(), record.data(), static_cast<int>(size)));
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());
    message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(parts.size());
    while (true) {
        const auto sent = ::sendmsg(native(), &message, MSG_NOSIGNAL);
        if (sent >= 0) return {.bytes = static_cast<std::size_t>(sent)};
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return {.kind = Io::Kind::again_write};
        return {.kind = Io::Kind::failed, .error = errno};
    }
}

Io Stream::tls_result(int result) {
    if (result > 0) return {.bytes = static_cast<std::size_t>(result)};
    const int saved = errno;
    switch (SSL_get_error(tls_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return {.kind = Io::Kind::again_read};
        case SSL_ERROR_WANT_WRITE:
            return {.kind = Io::Kind::again_write};
        case SSL_ERROR_ZERO_RETURN:
            return {.kind = Io::Kind::end};
        case SSL_ERROR_SYSCALL:
            return {.kind = Io::Kind::failed, .error = saved};
        default:
            return {.kind = Io::Kind::failed};
    }
}

bool Stream::start_tls(SSL_CTX* context, bool server) {
    tls_.reset(SSL_new(context));
    auto* bio = tls_ ? BIO_new(socket_method()) : nullptr;
    if (bio == nullptr) return false;
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(native())));
    SSL_set_bio(tls_.get(), bio, bio);
    SSL_set_mode(
        tls_.get(),
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
            SSL_MODE_RELEASE_BUFFERS
    );
    if (server) {
        SSL_set_accept_state(tls_.get());
    } else {
        SSL_set_connect_state(tls_.get());
    }
    return true;
}

Io Stream::handshake() {
    ERR_clear_error();
    return tls_result(SSL_do_handshake(tls_.get()));
}

bool Stream::has_pending() const {
    return tls_ && SSL_has_pending(tls_.get()) != 0;
}

bool Stream::quiet() {
    if (!open() || has_pending()) return false;
    char byte = 0;
    return ::recv(native(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

bool Stream::peer_ended() {
    return !open() || ended_by_peer(native());
}

bool Stream::broken() {
    if (!open()) return true;
    pollfd look{.fd = native(), .events = 0, .revents = 0};
    return ::poll(&look, 1, 0) > 0 && (look.revents & (POLLERR | POLLHUP)) != 0;
}

void Stream::shutdown_send() {
    if (!open()) return;
    if (tls_ && SSL_is_init_finished(tls_.get()) != 0) {
        ERR_clear_error();
        SSL_shutdown(tls_.get());
    }
    ::shutdown(native(), SHUT_WR);
}

void Stream::reset() {
    if (!open()) return;
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(native(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void Stream::close() {
    boost::system::error_code ignored;  // closing is all that is left to do
    descriptor_.close(ignored);
}

std::span<iovec> advanced(std::span<iovec> parts, std::size_t bytes) {
    while (!parts.empty() && bytes >= parts.front().iov_len) {
        bytes -= parts.front().iov_len;
        parts = parts.subspan(1);
    }
    if (bytes > 0) {
        parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + bytes;
        parts.front().iov_len -= bytes;
    }
    return parts;
}

}  // namespace punie::relay
