// fake-eval-server: an OpenAI chat endpoint that costs next to nothing, for evaluations. One
// thread, poll(2), keep-alive, hundreds of connections. The flags are in eval_server/options.hpp.
//
// It says "listening on PORT" on stdout. GET /stats tells what it saw:
// {"requests","answered","in_flight","most_at_once","connections"}.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "eval_server/answers.hpp"
#include "eval_server/options.hpp"

namespace fake {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned longest_life_s = 1800;  // a test that lost its fake must not leave it for ever
constexpr std::size_t largest_request = std::size_t{64} << 20U;

struct Request {
    std::string method;
    std::string path;
    std::string body;
    bool close = false;
};

struct Connection {
    int descriptor = -1;
    unsigned long id = 0;
    std::string in;
    std::string out;
    std::string asked;       // the body that is being answered
    bool in_flight = false;  // a completion was asked for and is not answered
    bool waiting = false;    // for its delay, or for ever
    bool logs = false;       // what is in `out` is a whole answer
    bool close_after = false;
    bool dead = false;
};

struct Due {
    Clock::time_point at;
    unsigned long connection;
    Reply reply;
};

std::string_view reason(int status) {
    if (status == 200) return "OK";
    if (status == 404) return "Not Found";
    if (status == 429) return "Too Many Requests";
    if (status == 503) return "Service Unavailable";
    return status < 500 ? "Refused" : "Server Error";
}

bool same_text(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, ::tolower, ::tolower);
}

/// The value of a header in `head`, "" when there is none.
std::string_view header(std::string_view head, std::string_view name) {
    while (!head.empty()) {
        const auto end = head.find("\r\n");
        const auto line = head.substr(0, end);
        const auto colon = line.find(':');
        if (colon != std::string_view::npos && same_text(line.substr(0, colon), name)) {
            const auto value = line.find_first_not_of(' ', colon + 1);
            return value == std::string_view::npos ? std::string_view() : line.substr(value);
        }
        if (end == std::string_view::npos) return {};
        head.remove_prefix(end + 2);
    }
    return {};
}

/// Takes a whole request out of `in`, if there is one.
bool take_request(std::string& in, Request& request) {
    const auto head_end = in.find("\r\n\r\n");
    if (head_end == std::string::npos) return false;
    const std::string_view head(in.data(), head_end);
    const auto length_text = std::string(header(head, "Content-Length"));
    const auto length = std::strtoul(length_text.c_str(), nullptr, 10);
    if (in.size() < head_end + 4 + length) return false;
    const auto first = head.substr(0, head.find("\r\n"));
    const auto space = first.find(' ');
    const auto second = first.find(' ', space + 1);
    request.method = first.substr(0, space);
    request.path = first.substr(space + 1, second - space - 1);
    request.close = same_text(header(head, "Connection"), "close") || first.ends_with("HTTP/1.0");
    request.body = in.substr(head_end + 4, length);
    in.erase(0, head_end + 4 + length);
    return true;
}

class Server {
public:
    Server(const Options& options, Answers& answers) : options_(options), answers_(answers) {}

    bool listen() {
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        const int yes = 1;
        ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
        if (::inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1)
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_, raw, sizeof address) != 0 || ::listen(listener_, 1024) != 0)
            return false;
        socklen_t size = sizeof address;
        ::getsockname(listener_, raw, &size);
        prepare(listener_);
        if (!options_.log.empty()) {
            log_ = ::open(options_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
            if (log_ < 0) return false;
        }
        std::printf("listening on %d\n", ntohs(address.sin_port));
        std::fflush(stdout);
        return true;
    }

    [[noreturn]] void serve() {
        std::vector<pollfd> watched;
        std::vector<Connection*> in_order;
        while (true) {
            watched.assign(1, {listener_, POLLIN, 0});
            in_order.clear();
            for (auto& [id, connection] : connections_) {
                const short events = connection->out.empty() ? POLLIN : POLLIN | POLLOUT;
                watched.push_back({connection->descriptor, events, 0});
                in_order.push_back(connection.get());
            }
            ::poll(watched.data(), static_cast<nfds_t>(watched.size()), time_to_next());
            if ((watched[0].revents & POLLIN) != 0) accept_all();
            for (std::size_t i = 0; i < in_order.size(); ++i) {
                const auto events = watched[i + 1].revents;
                if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) read_from(*in_order[i]);
                if ((events & POLLOUT) != 0) write_to(*in_order[i]);
            }
            answer_due();
            bury_dead();
        }
    }

private:
    static void prepare(int descriptor) {
        ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
        ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    }

    int time_to_next() const {
        if (due_.empty()) return -1;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(due_.front().at - Clock::now());
        return static_cast<int>(std::max<long>(0, left.count()));
    }

    void accept_all() {
        while (true) {
            const int descriptor = ::accept(listener_, nullptr, nullptr);
            if (descriptor < 0) return;
            prepare(descriptor);
            const int yes = 1;
            ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            auto connection = std::make_unique<Connection>();
            connection->descriptor = descriptor;
            connection->id = ++accepted_;
            connections_.emplace(connection->id, std::move(connection));
        }
    }

    void read_from(Connection& connection) {
        while (!connection.dead) {
            const auto got = ::read(connection.descriptor, buffer_.data(), buffer_.size());
            if (got < 0 && errno == EINTR) continue;
            if (got < 0 && errno == EAGAIN) break;
            if (got <= 0) {
                connection.dead = true;
                return;
            }
            connection.in.append(buffer_.data(), static_cast<std::size_t>(got));
            if (connection.in.size() > largest_request) connection.dead = true;
            if (static_cast<std::size_t>(got) < buffer_.size()) break;
        }
        take_requests(connection);
    }

    /// The next request is looked at when the last one is answered.
    void take_requests(Connection& connection) {
        Request request;
        while (!connection.dead && !connection.in_flight && connection.out.empty() &&
               !connection.close_after && take_request(connection.in, request))
            handle(connection, std::move(request));
    }

    void handle(Connection& connection, Request request) {
        connection.close_after = request.close || options_.close || options_.http10;
        if (request.method == "POST" && request.path.ends_with("/completions")) {
            complete(connection, std::move(request.body));
        } else if (request.path.ends_with("/models")) {
            send(connection, {Fate::answer, 200, models()});
        } else if (request.path.ends_with("/health")) {
            send(connection, {Fate::answer, 200, R"({"status":"ok"})"});
        } else if (request.path.ends_with("/stats")) {
            send(connection, {Fate::answer, 200, stats()});
        } else {
            send(connection, {Fate::error, 404, R"({"error":{"message":"no such path"}})"});
        }
    }

    void complete(Connection& connection, std::string body) {
        ++requests_;
        connection.in_flight = true;
        most_at_once_ = std::max(most_at_once_, ++in_flight_);
        auto reply = answers_.to(body, in_flight_);
        connection.asked = std::move(body);
        connection.waiting = reply.fate == Fate::hang || options_.delay_ms > 0;
        if (reply.fate == Fate::hang) return;
        if (options_.delay_ms == 0) {
            answer(connection, std::move(reply));
            return;
        }
        const auto at = Clock::now() + std::chrono::milliseconds(options_.delay_ms);
        due_.push_back({at, connection.id, std::move(reply)});  // one delay for all: in order
    }

    void answer_due() {
        const auto now = Clock::now();
        while (!due_.empty() && due_.front().at <= now) {
            auto due = std::move(due_.front());
            due_.pop_front();
            const auto found = connections_.find(due.connection);
            if (found != connections_.end() && !found->second->dead)
                answer(*found->second, std::move(due.reply));
        }
    }

    void answer(Connection& connection, Reply reply) {
        connection.waiting = false;
        leave_flight(connection);
        connection.logs = reply.fate == Fate::answer;
        send(connection, reply);
    }

    void leave_flight(Connection& connection) {
        if (connection.in_flight) --in_flight_;
        connection.in_flight = false;
    }

    void send(Connection& connection, const Reply& reply) {
        std::string head = options_.http10 ? "HTTP/1.0 " : "HTTP/1.1 ";
        head.append(std::to_string(reply.status)).append(" ").append(reason(reply.status));
        head.append("\r\nContent-Type: ");
        head.append(reply.stream ? "text/event-stream" : "application/json");
        head.append("\r\nContent-Length: ").append(std::to_string(reply.body.size()));
        const bool busy = reply.status == 429 || reply.status == 503;
        if (busy && !options_.retry_after.empty())
            head.append("\r\nRetry-After: ").append(options_.retry_after);
        if (connection.close_after && !options_.http10) head.append("\r\nConnection: close");
        head.append("\r\n\r\n");
        const bool cut = reply.fate == Fate::cut;
        if (cut) connection.close_after = true;
        connection.out = std::move(head);
        connection.out.append(reply.body, 0, cut ? reply.body.size() / 2 : std::string::npos);
        write_to(connection);
    }

    void write_to(Connection& connection) {
        while (!connection.out.empty()) {
            const auto sent =
                ::write(connection.descriptor, connection.out.data(), connection.out.size());
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0 && errno == EAGAIN) return;
            if (sent <= 0) {
                connection.dead = true;
                return;
            }
            connection.out.erase(0, static_cast<std::size_t>(sent));
        }
        if (std::exchange(connection.logs, false)) sent_whole(connection);
        if (connection.close_after) connection.dead = true;
        take_requests(connection);
    }

    void sent_whole(Connection& connection) {
        ++answered_;
        if (log_ >= 0) {
            auto line = std::move(connection.asked);
            std::ranges::replace(line, '\n', ' ');
            line += '\n';
            if (::write(log_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
                std::fputs("the log could not be written\n", stderr);
        }
        if (options_.exit_after > 0 && answered_ >= options_.exit_after) ::_exit(1);
    }

    void bury_dead() {
        for (auto at = connections_.begin(); at != connections_.end();) {
            if (!at->second->dead) {
                ++at;
                continue;
            }
            leave_flight(*at->second);
            ::close(at->second->descriptor);
            at = connections_.erase(at);
        }
    }

    std::string models() const {
        auto names = options_.models;
        if (names.empty()) names.push_back(options_.model);
        std::string text;
        for (const auto& name : names) {
            text.append(text.empty() ? "" : ",").append(R"({"id":")").append(escaped(name));
            text.append(R"(","object":"model"})");
        }
        return R"({"object":"list","data":[)" + text + "]}";
    }

    std::string stats() const {
        std::array<char, 200> text{};
        std::snprintf(
            text.data(),
            text.size(),
            R"({"requests":%ld,"answered":%ld,"in_flight":%ld,"most_at_once":%ld,"connections":%lu})",
            requests_,
            answered_,
            in_flight_,
            most_at_once_,
            accepted_
        );
        return text.data();
    }

    const Options& options_;
    Answers& answers_;
    int listener_ = -1;
    int log_ = -1;
    std::unordered_map<unsigned long, std::unique_ptr<Connection>> connections_;
    std::deque<Due> due_;
    std::vector<char> buffer_ = std::vector<char>(std::size_t{64} << 10U);
    unsigned long accepted_ = 0;
    long requests_ = 0;
    long answered_ = 0;
    long in_flight_ = 0;
    long most_at_once_ = 0;
};

int run(const Options& options) {
    Answers answers(options);
    if (!answers.read()) {
        std::fprintf(stderr, "cannot read the rules %s\n", options.rules.c_str());
        return 2;
    }
    Server server(options, answers);
    if (!server.listen()) {
        std::fprintf(stderr, "cannot listen: %s\n", std::strerror(errno));
        return 2;
    }
    server.serve();
}

}  // namespace
}  // namespace fake

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    ::alarm(fake::longest_life_s);
    const auto options = fake::read_options(std::vector<std::string>(argv + 1, argv + argc));
    return fake::run(options);
}
