// The way from a configuration to a server that answered: the starting half of ManagedServer.

#include <fmt/format.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <cerrno>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"
#include "process/system.hpp"
#include "server/managed_server.hpp"

namespace punie::server {

// NOLINTNEXTLINE(misc-unused-using-decls): used below, in coroutines, where the check does not look
using asio::experimental::awaitable_operators::operator||;

namespace {

constexpr int free_port_tries = 3;
constexpr Milliseconds log_look{250
};  // between two looks for a fatal line in the log of a child that loads

/// Keys that are Punie's own business; a model server has no use for them.
const std::vector<std::string>& private_environment() {
    static const std::vector<std::string> names = {
        "PUNIE_API_KEY",
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "PUNIE_EVENTS_FD",
        "LLAMA_API_KEY",  // with one of these it would refuse whoever asks it for us
        "VLLM_API_KEY",
    };
    return names;
}

Error port_taken(const ServerConfig& config, int bind_error) {
    const auto holder = process::port_holder(config.port());
    if (bind_error == EADDRINUSE || holder) {
        const auto who = !holder ? std::string("a process that cannot be seen")
                         : holder->pid == 0
                             ? std::string("another user's process")
                             : fmt::format("pid {} ({})", holder->pid, holder->program);
        return Error(
                   ErrorCode::port_in_use,
                   fmt::format("port {} is in use by {}", config.port(), who)
        )
            .with_hint("end that program, or use another port (--port 0 takes a free one)");
    }
    if (bind_error == EACCES) {
        return Error(
                   ErrorCode::invalid_argument,
                   fmt::format("port {} may not be used by this user", config.port())
        )
            .with_hint("ports below 1024 need privileges; use one above, such as 8080");
    }
    return Error(
               ErrorCode::invalid_argument,
               fmt::format(
                   "host {}: cannot listen there: {}",
                   config.host(),
                   std::generic_category().message(bind_error)
               )
    )
        .with_hint("use an address of this machine, such as 127.0.0.1");
}

Task<void> pause(Milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

Task<Result<void>> ManagedServer::bring_up() {
    auto checked = co_await find_and_check();
    if (!checked) co_return checked;
    if (wanted_.backend() == BackendKind::openai) co_return co_await become_ready();
    auto outcome = co_await start_once();
    // Between our choice of a free port and the server's bind another program may take it.
    for (int again = 1; again < free_port_tries && wanted_.port() == 0 && !outcome; ++again) {
        const auto code = outcome.error().code();
        if (code != ErrorCode::port_in_use && code != ErrorCode::foreign_server) break;
        (void)co_await end_tree(Milliseconds{0});
        outcome = co_await start_once();
    }
    co_return outcome;
}

Task<Result<void>> ManagedServer::start_once() {
    auto chosen = choose_port();
    if (!chosen) co_return chosen;
    auto spawned = co_await spawn();
    if (!spawned) co_return spawned;
    apply(Event::spawned, fmt::format("pid {}, {}", child_->pid(), name_of(child_->containment())));
    co_return co_await become_ready();
}

Task<Result<void>> ManagedServer::find_and_check() {
    if (config().backend() == BackendKind::openai) co_return Result<void>{};
    if (options_.check_files) {  // a model that is not there needs no mlx_lm to be told so
        if (auto there = backend_.check_files(config(), {}); !there) co_return there;
    }
    if (!capabilities_) {
        backend::Search search{.explicit_path = options_.mlx_lm};
        auto found = co_await backend_.capabilities(search);
        if (!found) co_return std::unexpected(std::move(found).error());
        capabilities_ = *std::move(found);
    }
    if (!options_.check_files) co_return Result<void>{};
    co_return backend_.check_files(config(), *capabilities_);
}

Result<void> ManagedServer::choose_port() {
    if (wanted_.port() != 0) {
        const int error = process::bind_error(wanted_.host(), wanted_.port());
        if (error != 0) return std::unexpected(port_taken(wanted_, error));
        return {};
    }
    const auto port = process::free_port(wanted_.host());
    if (port == 0)
        return std::unexpected(port_taken(wanted_, process::bind_error(wanted_.host(), 0)));
    const std::scoped_lock lock(mutex_);
    shown_.config = wanted_.with_port(port);
    return {};
}

Task<Result<void>> ManagedServer::spawn() {
    auto argv = backend_.command(config(), *capabilities_);
    if (!argv) co_return std::unexpected(std::move(argv).error());
    process::SpawnOptions options;
    options.argv = *std::move(argv);
    options.environment = config().environment();
    options.environment.try_emplace(
        "PYTHONUNBUFFERED", "1"
    );  // the log's last words must reach us before a crash
    options.drop_environment = private_environment();
    options.containment = options_.containment;
    if (!config().log_file().empty()) options.log_file = config().log_file();
    auto child = co_await process::ManagedChild::spawn(std::move(options));
    if (!child) co_return std::unexpected(std::move(child).error());
    child_ = std::make_shared<process::ManagedChild>(*std::move(child));
    show_child();
    co_return Result<void>{};
}

Task<Result<void>> ManagedServer::become_ready() {
    const auto limit = options_.limits.start;
    auto first = co_await (probe_until_ready() || watch_until_end() || pause(limit));
    if (first.index() == 0) co_return std::get<0>(std::move(first));
    if (first.index() == 1) co_return std::get<1>(std::move(first));
    auto error = Error(
        ErrorCode::timeout,
        fmt::format(
            "not ready within {}; seen last: {}",
            human_duration(std::chrono::duration<double>(limit)),
            last_seen_
        )
    );
    co_return std::unexpected(
        std::move(error)
            .with_log(log_tail(12))
            .with_hint("give it longer with --start-timeout, or look at its output above")
    );
}

Task<Result<void>> ManagedServer::probe_until_ready() {
    while (true) {
        const auto seen = co_await look();
        if (auto fatal = fatal_in_log(seen == Seen::error_status))
            co_return std::unexpected(*std::move(fatal));
        const auto after = readiness_.step(seen);
        probe_limit_ = after.probe_limit;
        if (after.next == Next::ready) co_return Result<void>{};
        if (after.next == Next::fail_foreign) {
            auto error = port_taken(config(), EADDRINUSE);
            co_return fail(
                ErrorCode::foreign_server,
                fmt::format("a server that is not ours listens: {}", error.message()),
                error.hint()
            );
        }
        if (after.next == Next::fail_key) {
            co_return fail(
                ErrorCode::invalid_argument,
                fmt::format("the server wants a key that Punie does not have: {}", last_seen_),
                "leave --api-key out of its arguments and its environment: it listens for Punie "
                "only, and the gateway has keys of its own"
            );
        }
        if (after.wait.count() > 0) co_await pause(after.wait);
    }
}

/// One look at the socket table and, if our tree listens, one completion request.
Task<Seen> ManagedServer::look() {
    if (child_) {
        const auto port = config().port();
        if (!process::port_listens(port)) {
            last_seen_ = fmt::format("nothing listens on port {}", port);
            co_return Seen::nothing_listens;
        }
        if (!process::tree_listens(child_->guard_pid(), port)) {
            last_seen_ = fmt::format("another program listens on port {}", port);
            co_return Seen::foreign_listener;
        }
    }
    const bool plain = readiness_.use_plain_completion();
    auto response = co_await ask_for_one_token(plain, probe_limit_);
    if (!response) {
        if (response.error().code() == ErrorCode::cancelled)
            co_return Seen::silent;  // nobody asks any more
        const bool silent = response.error().code() == ErrorCode::timeout;
        last_seen_ = silent ? "it took a request and did not answer" : response.error().message();
        co_return silent ? Seen::silent : Seen::refused;
    }
    if (response->status < 300) {
        // A body that is no completion (an index page, an empty 200) is not an answer of a model.
        const auto body = parse_json(response->body);
        const auto* choices = body ? member(*body, "choices") : nullptr;
        if (choices != nullptr && choices->is_array() && !choices->as_array().empty())
            co_return Seen::answered;
        last_seen_ = "it answered a completion request with something that is no completion";
        co_return Seen::error_status;
    }
    // A server without the plain route says nothing by its 404: what the chat route answered is
    // what a person needs.
    if (plain && response->status == 404) co_return Seen::error_status;
    last_seen_ = fmt::format(
        "it answered {}: {}", response->status, printable(response->body).substr(0, 300)
    );
    if (response->status == 401 || response->status == 403) co_return Seen::unauthorised;
    co_return response->status == 503 || response->status == 429 ? Seen::busy : Seen::error_status;
}

std::optional<Error> ManagedServer::fatal_in_log(bool now) {
    const auto time = std::chrono::steady_clock::now();
    if (!child_ || (!now && time - log_looked_at_ < log_look)) return std::nullopt;
    log_looked_at_ = time;
    return backend::explain_log(config(), child_->output().last_lines(60));
}

Task<Result<http::Response>> ManagedServer::ask_for_one_token(bool plain, Milliseconds limit) {
    const auto config_now = config();
    json::object body{
        {"model", backend_.request_model(config_now)}, {"max_tokens", 1}, {"temperature", 0}
    };
    if (plain) {
        body["prompt"] = "a";
    } else {
        body["messages"] = json::array{json::object{{"role", "user"}, {"content", "a"}}};
    }
    http::Request request;
    request.method = "POST";
    request.url = config_now.base_url() + (plain ? "/completions" : "/chat/completions");
    request.headers = {{"Content-Type", "application/json"}};
    request.body = to_text(body);
    http::Deadlines deadlines;
    deadlines.connect = std::min(limit, Milliseconds{5'000});
    deadlines.total = limit;
    co_return co_await client_.send(std::move(request), deadlines);
}

}  // namespace punie::server
