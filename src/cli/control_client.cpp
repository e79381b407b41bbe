#include "cli/control_client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "base/ascii.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "gateway/control_place.hpp"

namespace punie::cli {

namespace {

class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}

    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }

    int get() const { return number_; }

private:
    int number_;
};

/// A stop token as a descriptor that poll sees.
class Wake {
public:
    explicit Wake(std::stop_token stop) : ends_(make()) {
        callback_.emplace(std::move(stop), Signal{ends_[1]});
    }

    int get() const { return ends_[0]; }

    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;

    ~Wake() {
        callback_.reset();  // from here on nobody writes
        for (const int end : ends_) ::close(end);
    }

private:
    struct Signal {
        int descriptor;

        void operator()() const { (void)!::write(descriptor, "s", 1); }
    };

    static std::array<int, 2> make() {
        std::array<int, 2> ends{-1, -1};
        if (::pipe(ends.data()) != 0) return {-1, -1};
        for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
        return ends;
    }

    std::array<int, 2> ends_;
    std::optional<std::stop_callback<Signal>> callback_;
};

Error nobody(const std::filesystem::path& socket) {
    return Error(ErrorCode::connection, fmt::format("no gateway answers at {}", socket.native()))
        .with_hint("start one with punie up FILE or punie serve FILE (another place: --socket)");
}

Result<Descriptor> connect_to(const std::filesystem::path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto& path = socket.native();
    if (path.size() >= sizeof address.sun_path) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "--socket: {} has {} characters; a Unix socket's path may have {}",
                path,
                path.size(),
                sizeof address.sun_path - 1
            )
        );
    }
    std::ranges::copy(path, address.sun_path);
    Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM, 0));
    if (descriptor.get() < 0) return std::unexpected(errno_error(errno, "cannot make a socket"));
    ::fcntl(descriptor.get(), F_SETFD, FD_CLOEXEC);
    if (::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
        0)
        return descriptor;
    const int error_number = errno;
    if (error_number == EACCES || error_number == EPERM) {
        return std::unexpected(
            Error(
                ErrorCode::connection,
                fmt::format("the gateway at {} belongs to another user", path)
            )
                .with_hint("only the user who started it may control it over the socket")
        );
    }
    return std::unexpected(nobody(socket));
}

Result<void> send_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return fail(
                ErrorCode::connection,
                fmt::format(
                    "the gateway took no question: {}", std::generic_category().message(errno)
                )
            );
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

/// What was read; "" at the end. Errors: cancelled, connection.
Result<std::string> read_some(int descriptor, int wake) {
    std::array<pollfd, 2> watched{pollfd{descriptor, POLLIN, 0}, pollfd{wake, POLLIN, 0}};
    while (true) {
        const int ready = ::poll(watched.data(), watched.size(), -1);
        if (ready < 0 && errno == EINTR) continue;
        if (watched[1].revents != 0) return fail(ErrorCode::cancelled, "interrupted");
        std::string bytes(65'536, '\0');
        const auto count = ::read(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return fail(ErrorCode::connection, "the gateway went away in the middle of its answer");
        bytes.resize(static_cast<std::size_t>(count));
        return bytes;
    }
}

struct Head {
    int status = 0;
    bool lines = false;  ///< of JSON
    BodyDecoder::Kind kind = BodyDecoder::Kind::to_end;
    std::uint64_t length = 0;
};

Result<Head> parse_head(std::string_view text) {
    Head head;
    const auto lines = split_lines(text);
    const auto space = lines.empty() ? std::string::npos : lines.front().find(' ');
    if (space == std::string::npos || !lines.front().starts_with("HTTP/1."))
        return fail(ErrorCode::protocol, "what answers at the control socket is no gateway");
    const auto* digits = lines.front().data() + space + 1;
    std::from_chars(digits, lines.front().data() + lines.front().size(), head.status);
    for (const auto& line : lines) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) continue;
        const auto name = lower(line.substr(0, colon));
        const auto value = lower(trim(std::string_view(line).substr(colon + 1)));
        if (name == "content-length") {
            head.kind = BodyDecoder::Kind::counted;
            std::from_chars(value.data(), value.data() + value.size(), head.length);
        } else if (name == "transfer-encoding" && value == "chunked") {
            head.kind = BodyDecoder::Kind::chunked;
        } else if (name == "content-type") {
            head.lines = value.starts_with("application/x-ndjson");
        }
    }
    return head;
}

ErrorCode code_from_name(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(ErrorCode::state); ++i) {
        const auto code = static_cast<ErrorCode>(i);
        if (name_of(code) == name) return code;
    }
    return ErrorCode::http_status;
}

std::string text_of(const json::value& value, std::string_view name) {
    return printable(string_member(value, name).value_or(""));
}

}  // namespace

Error control_error(const json::value& body, int status) {
    const auto* error = member(body, "error");
    if (error == nullptr)
        return {ErrorCode::http_status, fmt::format("the gateway answered with status {}", status)};
    std::vector<std::string> log;
    if (const auto* lines = member(*error, "log"); lines != nullptr && lines->is_array()) {
        log.reserve(lines->get_array().size());
        for (const auto& line : lines->get_array())
            if (line.is_string()) log.push_back(printable(line.get_string()));
    }
    Error result(
        code_from_name(string_member(*error, "code").value_or("")), text_of(*error, "message")
    );
    return std::move(result).with_hint(text_of(*error, "hint")).with_log(std::move(log));
}

namespace {

/// One exchange; the body's bytes go to `take`, which may end it by returning false.
Result<Head> exchange(
    const std::filesystem::path& socket,
    const std::string& question,
    const std::stop_token& stop,
    const std::function<bool(const Head&, std::string)>& take
) {
    const Wake wake(stop);
    auto connected = connect_to(socket);
    if (!connected) return std::unexpected(connected.error());
    if (auto sent = send_all(connected->get(), question); !sent)
        return std::unexpected(sent.error());
    std::string received;
    std::size_t end = std::string::npos;
    while (end == std::string::npos) {
        auto bytes = read_some(connected->get(), wake.get());
        if (!bytes) return std::unexpected(bytes.error());
        if (bytes->empty())
            return fail(ErrorCode::connection, "the gateway closed the connection unanswered");
        received += *bytes;
        end = received.find("\r\n\r\n");
    }
    auto head = parse_head(std::string_view(received).substr(0, end));
    if (!head) return head;
    BodyDecoder decoder(head->kind, head->length);
    auto rest = received.substr(end + 4);
    while (true) {
        auto body = decoder.feed(rest);
        if (!body) return std::unexpected(body.error());
        if (!body->empty() && !take(*head, *std::move(body))) return head;
        if (decoder.done()) return head;
        auto bytes = read_some(connected->get(), wake.get());
        if (!bytes) return std::unexpected(bytes.error());
        if (bytes->empty()) {
            if (decoder.may_end()) return head;
            return fail(ErrorCode::connection, "the gateway went away in the middle of its answer");
        }
        rest = *std::move(bytes);
    }
}

std::string question_text(std::string_view method, std::string_view target) {
    // The control socket is this machine's: its Host is a name that every gateway takes.
    return fmt::format(
        "{} {} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: punie\r\n{}Connection: close\r\n\r\n",
        method,
        target,
        method == "POST" ? "Content-Length: 0\r\n" : ""
    );
}

}  // namespace

Result<void> BodyDecoder::take_line(std::string_view line) {
    if (place_ == Place::data_end) {
        place_ = Place::size;
        return {};
    }
    if (place_ == Place::trailer) {
        done_ = line.empty();
        return {};
    }
    const auto size = line.substr(0, line.find(';'));
    const auto parsed = std::from_chars(size.data(), size.data() + size.size(), left_, 16);
    if (size.empty() || parsed.ec != std::errc{} || parsed.ptr != size.data() + size.size())
        return fail(ErrorCode::protocol, "the gateway's answer has a chunk without a size");
    place_ = left_ == 0 ? Place::trailer : Place::data;
    return {};
}

Result<std::string> BodyDecoder::feed(std::string_view bytes) {
    if (kind_ == Kind::to_end) return std::string(bytes);
    std::string body;
    while (!bytes.empty() && !done()) {
        if (kind_ == Kind::counted || place_ == Place::data) {
            const auto piece = bytes.substr(0, left_);
            body += piece;
            left_ -= piece.size();
            bytes.remove_prefix(piece.size());
            if (kind_ == Kind::chunked && left_ == 0) place_ = Place::data_end;
            continue;
        }
        const auto end = bytes.find('\n');
        line_ += bytes.substr(0, end);
        if (end == std::string_view::npos) break;
        bytes.remove_prefix(end + 1);
        if (line_.ends_with('\r')) line_.pop_back();
        const auto taken = take_line(line_);
        line_.clear();
        if (!taken) return std::unexpected(taken.error());
    }
    return body;
}

ControlClient::ControlClient(std::filesystem::path socket)
    : socket_(socket.empty() ? gateway::control_place() : std::move(socket)) {}

Result<json::value> ControlClient::ask(
    std::string_view method, std::string_view target, const std::stop_token& stop
) const {
    std::string body;
    const auto head = exchange(
        socket_,
        question_text(method, target),
        stop,
        [&](const Head&, const std::string& piece) {
            body += piece;
            return true;
        }
    );
    if (!head) return std::unexpected(head.error());
    auto parsed = parse_json(body);
    if (!parsed && head->status < 400)
        return fail(ErrorCode::protocol, "what answers at the control socket is no gateway");
    if (head->status >= 400)
        return std::unexpected(control_error(parsed ? *parsed : json::value{}, head->status));
    return parsed;
}

Result<void> ControlClient::follow(
    std::string_view target,
    const std::function<bool(std::string_view)>& on_line,
    const std::stop_token& stop,
    std::string_view method
) const {
    std::string held;
    std::string failure;
    const auto take = [&](const Head& head, const std::string& piece) {
        if (head.status >= 400) {
            failure += piece;
            return true;
        }
        held += piece;
        std::size_t begin = 0;
        for (auto end = held.find('\n'); end != std::string::npos; end = held.find('\n', begin)) {
            const auto line = std::string_view(held).substr(begin, end - begin);
            begin = end + 1;
            if (line.empty() && head.lines) continue;
            if (!on_line(line)) return false;
        }
        held.erase(0, begin);
        return true;
    };
    const auto head = exchange(socket_, question_text(method, target), stop, take);
    if (!head) {
        if (head.error().code() == ErrorCode::cancelled) return {};
        return std::unexpected(head.error());
    }
    if (head->status < 400) return {};
    const auto parsed = parse_json(failure);
    return std::unexpected(control_error(parsed ? *parsed : json::value{}, head->status));
}

Result<pid_t> ControlClient::running_pid() const {
    const auto version = ask("GET", "/control/version");
    if (!version) return std::unexpected(version.error());
    const auto pid = integer_member(*version, "pid");
    if (!pid || *pid <= 0)
        return fail(ErrorCode::protocol, "what answers at the control socket is no gateway");
    return static_cast<pid_t>(*pid);
}

std::string encoded(std::string_view text) {
    constexpr std::string_view plain = "-._~/:";
    std::string result;
    for (const char byte : text) {
        const auto lower_case = static_cast<char>(byte | 0x20);
        const bool keep = (lower_case >= 'a' && lower_case <= 'z') ||
                          (byte >= '0' && byte <= '9') || plain.contains(byte);
        if (keep) {
            result += byte;
        } else {
            fmt::format_to(std::back_inserter(result), "%{:02X}", static_cast<unsigned char>(byte));
        }
    }
    return result;
}

void add_socket_option(CLI::App& command, std::string& socket) {
    command
        .add_option(
            "--socket", socket, "Control socket of the gateway (default: $PUNIE_CONTROL_SOCKET)"
        )
        ->type_name("PATH");
}

}  // namespace punie::cli
