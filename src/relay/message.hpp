#pragma once
// What the relay passes on, as values.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/awaitable.hpp"
#include "http/message.hpp"

namespace punie::relay {

using http::find_header;
using http::Headers;

/// Headers whose texts are somebody else's.
using HeaderViews = std::vector<std::pair<std::string_view, std::string_view>>;
HeaderViews views_of(const Headers& headers);

/// A request's head as it arrived: names, values and their order unchanged.
struct Head {
    std::string method;
    std::string target;  ///< as it stood: "/v1/models?x=1"
    std::string path;    ///< decoded, without the query; begins with "/"
    std::string query;   ///< as it stood, without "?"
    int minor = 1;       ///< of HTTP/1.x
    Headers headers;

    /// First header of that name (case-insensitive), "" if there is none.
    std::string_view header(std::string_view name) const;
};

/// Who sent it.
struct Peer {
    std::string address;  ///< "127.0.0.1", "" on a Unix socket
    std::uint16_t port = 0;
    bool unix_socket = false;
    bool tls = false;
    std::string listener;  ///< name of the Listen that accepted it
    std::uint16_t local_port = 0;
};

/// A replacement of [at, at + removed) by `put`.
struct Splice {
    std::uint64_t at = 0;
    std::uint64_t removed = 0;
    std::string put;
};

/// A request's body, whole: in memory, or beyond `BodyLimits::in_memory` in a file without a name.
class Body {
public:
    Body();
    explicit Body(std::string text);
    Body(Body&&) noexcept;
    Body& operator=(Body&&) noexcept;
    ~Body();

    std::uint64_t size() const;
    bool in_memory() const;
    /// The bytes of a body in memory; "" of another.
    const std::string& text() const;
    /// Bytes [offset, offset + size), shorter at the end. Blocking but for the page cache; Errors:
    /// io.
    Result<std::string> read(std::uint64_t offset, std::size_t size) const;

    /// The body with parts of it replaced; a file is shared, not copied. `splices`: sorted by
    /// place, not overlapping, within the body. Only of a body without splices.
    Body spliced(std::vector<Splice> splices) const;

private:
    friend class BodyReader;
    struct Spooled;
    std::string text_;
    std::shared_ptr<Spooled> spooled_;
    std::vector<Splice> splices_;  ///< of the file
};

struct BodyLimits {
    std::uint64_t bytes = 128ULL << 20U;  ///< larger ones: 413
    std::size_t in_memory = 1ULL << 20U;  ///< larger ones go to a file
    std::filesystem::path folder{};       ///< of that file; "": the system's temporary folder
};

/// A whole answer.
struct Reply {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    Headers headers{};
};

}  // namespace punie::relay
