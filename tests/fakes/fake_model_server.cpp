// fake-model-server: a real process that speaks the OpenAI protocol and misbehaves on command. It
// starts in a few milliseconds and stands in for mlx_lm.server or llama-server in tests. The flags
// are in model_server/options.hpp.
//
// It says on stdout: "bound to PORT", "listening on PORT", "ready-at NS" (CLOCK_MONOTONIC of the
// moment from which completions can be answered), "grandchild PID", "daemon PID", "serving PID",
// "request N" for each completion asked for, and "client-gone" when a client left before its answer
// was whole.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "model_server/options.hpp"
#include "model_server/replies.hpp"
#include "model_server/wire.hpp"

namespace fake {
namespace {

constexpr unsigned longest_life_s = 1800;  // a test that lost its fake must not leave it for ever
constexpr long keepalive_pause_ms = 20;

Options options;  // read once in main, constant afterwards

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // a closed pipe is not this program's problem
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// One write a line: lines of several threads do not mix.
[[gnu::format(printf, 1, 2)]] void say(const char* format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    const auto size = std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    write_all(1, std::string_view(line, static_cast<std::size_t>(size)));
}

long long monotonic_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

[[noreturn]] void die_by(int signal_number) {
    ::signal(signal_number, SIG_DFL);
    ::raise(signal_number
    );  // to this thread: with kill() another one may take it, later than the _exit below
    ::_exit(128 + signal_number);  // a signal that does not kill
}

[[noreturn]] void end_with(int code) {
    if (options.die_by_signal > 0) die_by(static_cast<int>(options.die_by_signal));
    ::_exit(code);
}

/// Whether the model is "loaded". Waiters wake when it is.
class Loading {
public:
    void finish() {
        {
            const std::lock_guard lock(mutex_);
            done_ = true;
            say("ready-at %lld\n", monotonic_ns());
        }
        changed_.notify_all();
    }

    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return done_; });
    }

    bool done() {
        const std::lock_guard lock(mutex_);
        return done_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
};

Loading loading;
std::atomic<long> completions_asked{0};
std::atomic<long> statuses_sent{0};

// ---- output ----

void print_texts() {
    if (!options.print.empty()) write_all(2, options.print + (options.no_newline ? "" : "\n"));
    if (options.invalid_utf8) write_all(2, "bytes that are no text: \xff\xfe \xc3( \xed\xa0\x80\n");
    if (options.print_file.empty()) return;
    const int fd = ::open(options.print_file.c_str(), O_RDONLY | O_CLOEXEC);
    char buffer[65536];
    for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
        write_all(2, std::string_view(buffer, static_cast<std::size_t>(got)));
    }
    if (fd >= 0) ::close(fd);
}

void flood() {
    std::string block;
    while (block.size() < 65536) {
        block +=
            options.invalid_utf8
                ? "flood \xff\xfe\xf0\x28 of bytes that are no text, as a binary would print it"
                : "flood of a chatty server: token 123456 at 7.31 tokens/s, cache 42 of 512 ..";
        if (!options.no_newline) block += '\n';
    }
    for (long long left = options.flood_bytes; options.flood_forever || left > 0;) {
        const auto size =
            options.flood_forever ? block.size() : std::min<std::size_t>(block.size(), left);
        write_all(1, std::string_view(block).substr(0, size));
        left -= static_cast<long long>(size);
    }
}

void close_output() {
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere < 0) return;
    ::dup2(nowhere, 1);
    ::dup2(nowhere, 2);
}

// ---- processes ----

[[noreturn]] void sleep_for_ever() {
    ::alarm(longest_life_s);
    while (true) ::pause();
}

void fork_relatives() {
    if (options.fork_grandchild) {
        const auto pid = ::fork();
        if (pid == 0) sleep_for_ever();
        say("grandchild %d\n", static_cast<int>(pid));
    }
    if (!options.double_fork) return;
    const auto middle = ::fork();
    if (middle == 0) {
        ::setsid();
        const auto pid = ::fork();
        if (pid == 0) sleep_for_ever();
        say("daemon %d\n", static_cast<int>(pid));
        ::_exit(0);
    }
    ::waitpid(middle, nullptr, 0);
}

/// Returns in the process that shall serve.
void become_the_server() {
    if (!options.fork_real_server && !options.exec_wrapper_exits) return;
    const auto pid = ::fork();
    if (pid == 0) {
        ::alarm(longest_life_s);
        if (options.exec_wrapper_exits) ::setsid();
        say("serving %d\n", static_cast<int>(::getpid()));
        return;
    }
    if (options.exec_wrapper_exits) ::_exit(0);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// ---- answers ----

void hang(const Connection& client) {
    client.sleep_ms(-1);
    say("client-gone\n");
}

void answer_health(const Connection& client) {
    if (options.hang_health) return hang(client);
    if (options.load_503_ms > 0 && !loading.done() && !options.health_before_load) {
        send_response(
            client,
            503,
            R"({"error":{"message":"Loading model","type":"unavailable_error","code":503}})"
        );
        return;
    }
    send_response(client, 200, R"({"status": "ok"})");
}

void answer_models(const Connection& client) {
    if (options.empty_models) {
        client.write("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n");
        return;
    }
    send_response(
        client,
        200,
        R"({"object":"list","data":[{"id":)" + quoted(options.model) +
            R"(,"object":"model","created":1700000000}]})"
    );
}

/// True when the answer was an error status.
bool refused(const Connection& client, const Request& request) {
    if (!options.api_key.empty() &&
        request.head.find("authorization: bearer " + options.api_key) == std::string::npos) {
        return send_response(client, 401, R"({"error":{"message":"Invalid API key"}})"), true;
    }
    if (options.load_503_ms > 0 && !loading.done()) {
        const auto* body =
            R"({"error":{"message":"Loading model","type":"unavailable_error","code":503}})";
        return send_response(client, 503, body), true;
    }
    if (options.status == 0) return false;
    if (options.status_times >= 0 && statuses_sent.fetch_add(1) >= options.status_times)
        return false;
    const auto status = static_cast<int>(options.status);
    const auto header =
        options.retry_after.empty() ? "" : "Retry-After: " + options.retry_after + "\r\n";
    return send_response(client, status, error_body(options, status), header), true;
}

/// A stream under way. Every call is false once the client left.
class Stream {
public:
    explicit Stream(const Connection& client) : client_(client) {}

    bool begin() const {
        return client_.write(
            options.chunked ? "HTTP/1.1 200 OK\r\nContent-Type: "
                              "text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                            : "HTTP/1.0 200 OK\r\nContent-type: "
                              "text/event-stream\r\nCache-Control: no-cache\r\n\r\n"
        );
    }

    bool raw(const std::string& bytes) const {
        if (!options.chunked) return client_.write(bytes);
        char size[20];
        std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
        return client_.write(size + bytes + "\r\n");
    }

    bool data(std::string_view json) const { return raw("data: " + std::string(json) + "\n\n"); }

    bool comment() const { return raw(": keepalive 9/10\n\n"); }

    void end() const {
        if (options.chunked) client_.write("0\r\n\r\n");
    }

    /// Nothing more comes, or comments only.
    void hang_here() const {
        if (!options.keepalive_comments) return hang(client_);
        while (client_.sleep_ms(keepalive_pause_ms) && comment()) {
        }
        say("client-gone\n");
    }

    bool pause(long ms) const { return ms <= 0 || client_.sleep_ms(ms); }

private:
    const Connection& client_;
};

/// What is told to go wrong after two tokens; true when the stream is over with it.
bool misbehave(const Connection& client, const Stream& stream) {
    if (options.die_mid_stream) die_by(SIGKILL);
    if (options.hang_mid_stream) return stream.hang_here(), true;
    if (options.reset_stream) return client.reset_on_close(), true;
    if (options.malformed_sse)
        return stream.data(R"({"choices": [{"delta": {"conte)"), stream.end(), true;
    if (options.stream_error) {
        return stream.data(R"({"error":{"message":"fake error in mid-stream","code":500}})"),
               stream.end(), true;
    }
    return options.torn_stream;
}

bool stream_tool_call(const Stream& stream) {
    if (options.lost_tool_calls) return true;
    const auto call = [&](std::string_view json) {
        return stream.data(chunk(options, R"({"tool_calls":[)" + std::string(json) + "]}"));
    };
    return call(
               R"({"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}})"
           ) &&
           call(R"({"index":0,"function":{"arguments":"{\"city\": "}})") &&
           call(R"({"index":0,"function":{"arguments":"\"Paris\"}"}})");
}

/// False when the stream ended early, by the client or by command.
bool stream_tokens(
    const Connection& client, const Stream& stream, const std::vector<std::string>& tokens
) {
    if (!options.reasoning.empty())
        stream.data(chunk(options, R"({"reasoning":)" + quoted(options.reasoning) + "}"));
    std::size_t sent = 0;
    for (const auto& token : tokens) {
        if (sent == 2 && misbehave(client, stream)) return false;
        if (sent > 0 && options.keepalive_comments) stream.comment();
        if (sent > 0 && !stream.pause(options.slow_tokens)) return say("client-gone\n"), false;
        const auto delta = R"({"role":"assistant","content":)" + quoted(token) + "}";
        const auto logprobs = options.logprobs ? logprobs_of(token) : std::string();
        if (!stream.data(chunk(options, delta, "null", logprobs)))
            return say("client-gone\n"), false;
        ++sent;
    }
    return true;
}

void answer_stream(
    const Connection& client,
    const Request& request,
    const std::vector<std::string>& tokens,
    std::string_view finish
) {
    const Stream stream(client);
    if (!stream.begin()) return;
    for (int i = 0; options.keepalive_comments && i < 3; ++i) stream.comment();
    if (options.hang_first_token) return stream.hang_here();
    if (!stream.pause(options.first_token_ms)) return say("client-gone\n");
    if (options.empty_choices) {
        stream.data(usage_chunk(options, 0));
    } else {
        const bool tools = options.tool_call || options.lost_tool_calls;
        if (!(tools ? stream_tool_call(stream) : stream_tokens(client, stream, tokens))) return;
        stream.data(chunk(options, "{}", '"' + std::string(finish) + '"'));
    }
    if (asks(request.body, "include_usage")) stream.data(usage_chunk(options, tokens.size()));
    if (!options.no_done) stream.data("[DONE]");
    stream.end();
}

void answer_whole(
    const Connection& client, const std::vector<std::string>& tokens, std::string_view finish
) {
    std::string content;
    for (const auto& token : tokens) content += token;
    auto body = complete_body(options, content, tokens.size(), finish);
    if (options.bad_json) body.resize(body.size() / 2);
    if (!client.sleep_ms(options.first_token_ms)) return say("client-gone\n");
    if (!options.short_body) {
        send_response(client, 200, body);
        return;
    }
    client.write(
        "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n" + body
    );
}

void answer_completion(const Connection& client, const Request& request) {
    const auto number = completions_asked.fetch_add(1) + 1;
    say("request %ld\n", number);
    if (options.crash_on_request == number) die_by(SIGSEGV);
    if (options.never_ready) return hang(client);
    if (options.answer_garbage) {
        client.write("SSH-2.0-OpenSSH_9.2p1\r\n");
        return;
    }
    if (refused(client, request)) return;
    loading.wait();
    auto tokens = tokens_of(options.echo_request ? request.body : options.answer);
    std::string_view finish = "stop";
    const auto limit =
        std::strtoul(std::string(value_in(request.body, "max_tokens")).c_str(), nullptr, 10);
    if (limit > 0 && limit < tokens.size()) {
        if (!options.echo_request) tokens.resize(limit);
        finish = "length";
    }
    if (options.tool_call || options.lost_tool_calls) finish = "tool_calls";
    const bool streams = asks(request.body, "stream");
    if (streams) return answer_stream(client, request, tokens, finish);
    answer_whole(client, tokens, finish);
}

void answer(int fd) {
    const Connection client(fd);
    const auto request = client.read();
    if (!request) return;
    if (request->path == "/health" || request->path == "/v1/health") return answer_health(client);
    if (request->path == "/v1/models") return answer_models(client);
    if (request->path == "/v1/chat/completions") return answer_completion(client, *request);
    send_response(client, 404, R"({"error":"Not Found"})");
}

// ---- the life ----

/// Asked of a new process image: a forked one must start its threads itself.
void start_threads() {
    if (options.flood_bytes > 0 || options.flood_forever) std::thread(flood).detach();
    if (options.exit_after_ms >= 0) {
        std::thread([] {
            std::this_thread::sleep_for(std::chrono::milliseconds(options.exit_after_ms));
            end_with(1);
        }).detach();
    }
}

void start_loading() {
    const auto ms = std::max(options.load_ms, options.load_503_ms);
    if (options.never_ready) return;
    if (ms <= 0) return loading.finish();
    std::thread([ms] {
        std::this_thread::sleep_for(std::chrono::milliseconds(ms));
        loading.finish();
    }).detach();
}

/// A listening socket, or the end of the process as Python's http.server would end it.
int listen_or_die() {
    const auto port = options.wrong_port >= 0 ? options.wrong_port : options.port;
    const auto bound = bind_to(options.host, port);
    if (bound.fd < 0) {
        const auto reason = errno;
        const auto text = "Traceback (most recent call last):\nOSError: [Errno " +
                          std::to_string(reason) + "] " + std::generic_category().message(reason) +
                          "\n";
        write_all(2, text);
        ::_exit(1);
    }
    if (options.listen_after_ms > 0) {
        say("bound to %d\n", bound.port);
        std::this_thread::sleep_for(std::chrono::milliseconds(options.listen_after_ms));
    }
    if (options.die_before_listen) end_with(1);
    ::listen(bound.fd, 128);
    say("listening on %d\n", bound.port);
    return bound.fd;
}

[[noreturn]] void serve(int listener) {
    while (true) {
        const int fd = ::accept(listener, nullptr, nullptr);
        if (fd >= 0) std::thread(answer, fd).detach();
    }
}

void end_at_once_if_told() {
    const bool later = options.exit_after_ms >= 0 || options.die_before_listen;
    if (options.exit_code < 0 && (options.die_by_signal == 0 || later)) return;
    flood();
    end_with(static_cast<int>(options.exit_code));
}

int run() {
    if (options.version) {
        say("version: 1.2.3-fake\n");
        return 0;
    }
    if (options.help) {
        options.print_file = options.help_file;
        ::dup2(1, 2);
        print_texts();
        return 0;
    }
    ::alarm(longest_life_s);
    ::signal(SIGPIPE, SIG_IGN);
    if (options.ignore_sigterm) ::signal(SIGTERM, SIG_IGN);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    print_texts();
    end_at_once_if_told();
    fork_relatives();
    become_the_server();
    start_threads();
    std::vector<char> memory(
        static_cast<std::size_t>(options.alloc_mb) << 20U, 'x'
    );  // written: really resident
    const int listener = listen_or_die();
    if (options.close_output) close_output();
    if (options.stop_self) ::kill(::getpid(), SIGSTOP);
    start_loading();
    serve(listener);
}

}  // namespace
}  // namespace fake

int main(int argc, char** argv) {
    fake::options = fake::read_options(argc, argv);
    return fake::run();
}
