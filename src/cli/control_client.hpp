#pragma once
// What the commands ask the running gateway, over its control socket. Small and blocking: one
// connection a question, HTTP/1.1 with Content-Length or chunks.

#include <punie/error.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the library names it so
class App;
}

namespace punie::cli {

/// Takes a chunked or counted body apart as it arrives. Pure.
class BodyDecoder {
public:
    enum class Kind { counted, chunked, to_end };

    BodyDecoder(Kind kind, std::uint64_t length) : kind_(kind), left_(length) {}

    /// The body's bytes among these. Errors: protocol (no chunk size).
    Result<std::string> feed(std::string_view bytes);

    /// Whether the body is whole.
    bool done() const { return done_ || (kind_ == Kind::counted && left_ == 0); }

    /// Whether a connection that ends now ends properly.
    bool may_end() const { return done() || kind_ == Kind::to_end; }

private:
    Result<void> take_line(std::string_view line);

    enum class Place { size, data, data_end, trailer };
    Kind kind_;
    std::uint64_t left_ = 0;
    Place place_ = Place::size;
    std::string line_;
    bool done_ = false;
};

class ControlClient {
public:
    /// "": the default place.
    explicit ControlClient(std::filesystem::path socket = {});

    const std::filesystem::path& socket() const { return socket_; }

    /// One question, one JSON answer. Errors: connection (no gateway: says what to start; or it
    /// went away in its answer), cancelled, and what the gateway's error says, with its code.
    Result<json::value> ask(
        std::string_view method, std::string_view target, const std::stop_token& stop = {}
    ) const;

    /// An answer in lines as they arrive, until its end or until `on_line` returns false. Empty
    /// lines (signs of life) are left out of NDJSON, not of text. Errors: as `ask`; a stop ends it
    /// without an error.
    Result<void> follow(
        std::string_view target,
        const std::function<bool(std::string_view)>& on_line,
        const std::stop_token& stop,
        std::string_view method = "GET"
    ) const;

    /// Whether somebody answers there: its pid. Errors: as `ask`.
    Result<pid_t> running_pid() const;

private:
    std::filesystem::path socket_;
};

/// The error that an answer of the gateway tells of.
Error control_error(const json::value& body, int status);

/// For a path: what is neither a letter, a digit nor one of "-._~/:" becomes "%XX".
std::string encoded(std::string_view text);

/// `--socket PATH` of every command that asks the gateway.
void add_socket_option(CLI::App& command, std::string& socket);

}  // namespace punie::cli
