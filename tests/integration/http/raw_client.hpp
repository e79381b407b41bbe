#pragma once
// Bytes to a port of 127.0.0.1 and what comes back until the peer closes: for requests that no
// client of good manners sends.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace punie::test {

class RawClient {
public:
    explicit RawClient(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own way
        const auto* raw = reinterpret_cast<const sockaddr*>(&address);
        connected_ = ::connect(descriptor_, raw, sizeof address) == 0;
    }

    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    ~RawClient() { ::close(descriptor_); }

    bool connected() const { return connected_; }

    void send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    /// Until the peer closes or `words` came; what came within 20 s.
    std::string read(std::string_view words = {}) const {
        std::string all;
        std::array<char, 65536> buffer{};
        while (words.empty() || all.find(words) == std::string::npos) {
            pollfd watched{descriptor_, POLLIN, 0};
            if (::poll(&watched, 1, 20'000) <= 0) return all + "\n(nothing more came within 20 s)";
            const auto count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
            if (count <= 0) break;
            all.append(buffer.data(), static_cast<std::size_t>(count));
        }
        return all;
    }

private:
    int descriptor_;
    bool connected_ = false;
};

/// One request on a connection of its own, and the whole answer.
inline std::string ask(
    std::uint16_t port,
    std::string_view target,
    std::string_view host,
    std::string_view method = "GET"
) {
    const RawClient client(port);
    std::string request(method);
    request.append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host);
    request.append("\r\nConnection: close\r\n\r\n");
    client.send(request);
    return client.read();
}

}  // namespace punie::test
