#pragma once
// A blocking HTTP client that hides nothing: bytes as they come, proper ends told from torn ones.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace punie::tests {

/// How an answer came to its end.
enum class End {
    open,    ///< not yet
    proper,  ///< length reached, last chunk, or the connection's end where nothing else says it
    torn,    ///< the connection ended before
    reset,   ///< likewise, by RST
    late,    ///< the test's limit passed
};

inline bool is_torn(End end) {
    return end == End::torn || end == End::reset;
}

struct RawAnswer {
    int status = 0;
    std::string head;
    std::string body;  ///< without chunk sizes
    End end = End::open;

    std::string header(std::string_view name) const {
        const auto lower = [](std::string text) {
            for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            return text;
        };
        const auto heads = lower(head);
        const auto key = "\r\n" + lower(std::string(name)) + ":";
        const auto at = heads.find(key);
        if (at == std::string::npos) return "";
        const auto begin = head.find_first_not_of(' ', at + key.size());
        return head.substr(begin, head.find("\r\n", begin) - begin);
    }
};

/// One connection. Not for two answers at once; pipelined ones are read one after the other.
class RawConnection {
public:
    explicit RawConnection(int port) {
        socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }

    explicit RawConnection(const std::string& unix_path) {
        socket_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, unix_path.c_str(), sizeof address.sun_path - 1);
        connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }

    RawConnection(const RawConnection&) = delete;
    RawConnection& operator=(const RawConnection&) = delete;

    ~RawConnection() { close(); }

    bool connected() const { return connected_; }

    void close() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }

    /// Leaves with a RST.
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close();
    }

    void half_close() const { ::shutdown(socket_, SHUT_WR); }

    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    bool ask(
        std::string_view method,
        std::string_view target,
        std::string_view body = {},
        const std::vector<std::string>& headers = {"Host: localhost"}
    ) const {
        std::string text = fmt::format("{} {} HTTP/1.1\r\n", method, target);
        for (const auto& header : headers) text += header + "\r\n";
        if (!body.empty() || method == "POST") {
            text += fmt::format(
                "Content-Type: application/json\r\nContent-Length: {}\r\n", body.size()
            );
        }
        text += "\r\n";
        text += body;
        return send(text);
    }

    /// Reads until the answer has ended or its body has `words`.
    RawAnswer read(
        std::string_view words = {}, std::chrono::milliseconds limit = std::chrono::seconds(30)
    ) {
        const auto until = std::chrono::steady_clock::now() + limit;
        while (true) {
            if (auto answer = parsed();
                answer.end != End::open || (!words.empty() && answer.body.contains(words))) {
                return answer;
            }
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                until - std::chrono::steady_clock::now()
            );
            pollfd watched{socket_, POLLIN, 0};
            if (left.count() <= 0 || ::poll(&watched, 1, static_cast<int>(left.count())) == 0) {
                auto answer = parsed();
                answer.end = End::late;
                return answer;
            }
            receive();
        }
    }

    /// Whether the peer closes within the limit.
    bool closes(std::chrono::milliseconds limit = std::chrono::seconds(30)) {
        const auto until = std::chrono::steady_clock::now() + limit;
        while (!ended_) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                until - std::chrono::steady_clock::now()
            );
            pollfd watched{socket_, POLLIN, 0};
            if (left.count() <= 0 || ::poll(&watched, 1, static_cast<int>(left.count())) == 0) {
                return false;
            }
            receive();
        }
        return true;
    }

    const std::string& raw() const { return bytes_; }

    int socket() const { return socket_; }

private:
    void receive() {
        char buffer[65536];
        const auto count = ::recv(socket_, buffer, sizeof buffer, 0);
        if (count > 0) {
            bytes_.append(buffer, static_cast<std::size_t>(count));
        } else {
            ended_ = true;
            reset_ = count < 0;
        }
    }

    RawAnswer parsed() {
        RawAnswer answer;
        const auto cut = [&] { return reset_ ? End::reset : End::torn; };
        auto head_end = bytes_.find("\r\n\r\n");
        while (head_end != std::string::npos && bytes_.starts_with("HTTP/1.1 1")) {
            bytes_.erase(0, head_end + 4);  // an interim answer
            head_end = bytes_.find("\r\n\r\n");
        }
        if (head_end == std::string::npos) {
            if (ended_) answer.end = cut();
            return answer;
        }
        answer.head = bytes_.substr(0, head_end + 2);
        answer.status = std::atoi(answer.head.c_str() + 9);
        const std::string_view rest = std::string_view(bytes_).substr(head_end + 4);
        if (answer.header("transfer-encoding") == "chunked") {
            read_chunks(rest, answer, head_end + 4);
        } else if (const auto length = answer.header("content-length"); !length.empty()) {
            const auto size = std::stoul(length);
            answer.body = rest.substr(0, size);
            if (answer.body.size() == size) {
                answer.end = End::proper;
                bytes_.erase(0, head_end + 4 + size);
                return answer;
            }
        } else if (answer.status == 204 || answer.status == 304) {
            answer.end = End::proper;
            bytes_.erase(0, head_end + 4);
            return answer;
        } else {
            answer.body = rest;
            if (ended_ && !reset_) answer.end = End::proper;
        }
        if (answer.end == End::open && ended_) answer.end = cut();
        return answer;
    }

    void read_chunks(std::string_view rest, RawAnswer& answer, std::size_t offset) {
        std::size_t at = 0;
        while (true) {
            const auto line = rest.find("\r\n", at);
            if (line == std::string_view::npos) return;
            const auto size =
                std::strtoul(std::string(rest.substr(at, line - at)).c_str(), nullptr, 16);
            if (size == 0) {
                if (rest.size() < line + 4) return;
                answer.end = End::proper;
                bytes_.erase(0, offset + line + 4);
                return;
            }
            answer.body += rest.substr(line + 2, size);
            if (rest.size() < line + 2 + size + 2) return;
            at = line + 2 + size + 2;
        }
    }

    int socket_ = -1;
    bool connected_ = false;
    bool ended_ = false;
    bool reset_ = false;
    std::string bytes_;
};

}  // namespace punie::tests
