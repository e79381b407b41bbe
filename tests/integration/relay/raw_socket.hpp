#pragma once
// A client of raw bytes: sends what no client of good manners sends, leaves as rudely as wanted.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace punie::test {

/// Every wait ends after 20 s.
class RawSocket {
public:
    /// `receive_buffer`: bytes that the kernel may hold for a client that does not read; 0: its own
    /// choice.
    explicit RawSocket(std::uint16_t port, int receive_buffer = 0);

    /// A socket that is made before it is connected: for when no descriptor is left.
    class Unconnected {
    public:
        Unconnected();
        Unconnected(const Unconnected&) = delete;
        Unconnected& operator=(const Unconnected&) = delete;
        ~Unconnected();

    private:
        friend class RawSocket;
        int descriptor_;
    };

    RawSocket(Unconnected&& made, std::uint16_t port);
    explicit RawSocket(const std::filesystem::path& unix_socket);
    RawSocket(const RawSocket&) = delete;
    RawSocket& operator=(const RawSocket&) = delete;
    ~RawSocket();

    bool connected() const { return connected_; }

    int descriptor() const { return descriptor_; }

    /// False when the peer has gone.
    bool send(std::string_view bytes) const;

    /// Up to and with `words`, or what came until the peer ended.
    std::string read_until(std::string_view words);

    /// All until the peer ends.
    std::string read_all() { return read_until({}); }

    std::string read_exactly(std::size_t bytes);

    /// How reading ended: the peer's FIN, or its reset.
    bool was_reset() const { return reset_; }

    bool ended() const { return ended_; }

    void end_sending() const;
    void reset();
    void close();

private:
    void connect_to(std::uint16_t port);
    bool more();

    int descriptor_;
    bool connected_ = false;
    bool reset_ = false;
    bool ended_ = false;
    std::string held_;
};

/// "200" of "HTTP/1.1 200 OK", 0 if there is none.
int status_of(std::string_view answer);
/// What follows the head.
std::string body_of(const std::string& answer);
/// How often `words` stands in `text`.
std::size_t count_of(std::string_view text, std::string_view words);

}  // namespace punie::test
