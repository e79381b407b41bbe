#include "server/managed_server.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <utility>

#include "base/assert.hpp"
#include "base/text.hpp"

namespace punie::server {

// NOLINTNEXTLINE(misc-unused-using-decls): used below, in coroutines, where the check does not look
using asio::experimental::awaitable_operators::operator||;

namespace {

constexpr Milliseconds failed_start_grace{300};  // a child that broke gets no long farewell

std::chrono::duration<double> seconds(Milliseconds time) {
    return time;
}

}  // namespace

std::shared_ptr<ManagedServer> ManagedServer::make(
    asio::any_io_executor executor, ServerConfig config, ManagedServerOptions options
) {
    // The constructor is private, which make_shared cannot reach.
    return std::shared_ptr<ManagedServer>(new ManagedServer(
        std::move(executor), std::move(config), std::move(options)
    )  // NOLINT(cppcoreguidelines-owning-memory)
    );
}

ManagedServer::ManagedServer(
    asio::any_io_executor executor, ServerConfig config, ManagedServerOptions options
)
    : executor_(std::move(executor)),
      wanted_(std::move(config)),
      options_(std::move(options)),
      backend_(backend::backend_for(wanted_.backend())),
      changed_(executor_),
      stop_asked_(executor_),
      capabilities_(options_.capabilities),
      shown_{ServerState::stopped, {}, wanted_, 0, 0, nullptr} {}

// ---------------------------------------------------------------- what others see

ServerState ManagedServer::state() const {
    const std::scoped_lock lock(mutex_);
    return shown_.state;
}

std::vector<ServerEvent> ManagedServer::events() const {
    const std::scoped_lock lock(mutex_);
    return shown_.events;
}

ServerConfig ManagedServer::config() const {
    const std::scoped_lock lock(mutex_);
    return shown_.config;
}

pid_t ManagedServer::pid() const {
    const std::scoped_lock lock(mutex_);
    return shown_.pid;
}

pid_t ManagedServer::guard_pid() const {
    const std::scoped_lock lock(mutex_);
    return shown_.guard_pid;
}

std::vector<std::string> ManagedServer::log_tail(std::size_t lines) const {
    std::shared_ptr<const process::OutputRing> output;
    {
        const std::scoped_lock lock(mutex_);
        output = shown_.output;
    }
    return output ? output->last_lines(lines) : std::vector<std::string>{};
}

void ManagedServer::show_child() {
    const std::scoped_lock lock(mutex_);
    shown_.pid = child_ ? child_->pid() : 0;
    shown_.guard_pid = child_ ? child_->guard_pid() : 0;
    if (child_) shown_.output = child_->shared_output();
}

Milliseconds ManagedServer::since_start() const {
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started_);
}

void ManagedServer::apply(Event event, std::string reason, std::optional<Error> error) {
    const auto before = state();
    const auto step = next(before, event);
    PUNIE_ASSERT(step, "an event came in a state that has no step for it");
    if (step->to == before) return;
    ServerEvent shown{
        .state = step->to,
        .time = std::chrono::system_clock::now(),
        .elapsed = std::chrono::steady_clock::now() - started_,
        .reason = std::move(reason),
        .error = std::move(error),
    };
    {
        const std::scoped_lock lock(mutex_);
        shown_.state = step->to;
        shown_.events.push_back(shown);
    }
    if (options_.on_event) options_.on_event(shown);
    changed_.notify();
}

// ---------------------------------------------------------------- what callers ask for

Task<Result<void>> ManagedServer::start() {
    const auto self = shared_from_this();
    co_await asio::this_coro::throw_if_cancelled(false);
    bool cancelled = false;
    ++starters_;
    while (state() == ServerState::draining && !cancelled) cancelled = !co_await changed_.wait();
    if (!cancelled && !is_running(state())) launch();
    while (!cancelled && (state() == ServerState::starting || state() == ServerState::loading)) {
        cancelled = !co_await changed_.wait();
    }
    --starters_;
    if (cancelled) {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        if (starters_ == 0 && state() != ServerState::ready) (void)co_await stop(Milliseconds{0});
        co_return fail(ErrorCode::cancelled, "the start was cancelled");
    }
    if (state() == ServerState::ready) co_return Result<void>{};
    if (state() == ServerState::failed) co_return std::unexpected(failure_.value());
    co_return fail(ErrorCode::cancelled, "the server was stopped while it started");
}

Task<Result<void>> ManagedServer::stop(std::optional<Milliseconds> grace) {
    const auto self = shared_from_this();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (state() == ServerState::stopped) co_return Result<void>{};
    const auto wanted = grace.value_or(options_.limits.stop_grace);
    const bool again = stop_grace_.has_value();
    stop_grace_ = again ? std::min(*stop_grace_, wanted) : wanted;
    apply(Event::stop, "a stop was asked for");
    stop_asked_.notify();
    // A second, more impatient stop shortens the first one's grace: the child's own stop takes the
    // shortest.
    if (const auto child = child_; again && child) (void)co_await child->stop(wanted);
    while (is_running(state())) co_await changed_.wait();
    co_return Result<void>{};
}

Task<Result<void>> ManagedServer::health_check() {
    const auto self = shared_from_this();
    if (state() != ServerState::ready) {
        co_return fail(
            ErrorCode::state, fmt::format("the server is {}, not ready", name_of(state()))
        );
    }
    auto response =
        co_await ask_for_one_token(readiness_.use_plain_completion(), options_.limits.health);
    if (!response) co_return std::unexpected(std::move(response).error().in("health check"));
    if (response->status >= 300) {
        auto error = Error(
            ErrorCode::http_status,
            fmt::format("health check: the server answered {}", response->status)
        );
        co_return std::unexpected(std::move(error).with_http_status(response->status));
    }
    co_return Result<void>{};
}

Task<Result<void>> ManagedServer::wait_ended() {
    const auto self = shared_from_this();
    co_await asio::this_coro::throw_if_cancelled(false);
    while (is_running(state())) {
        if (!co_await changed_.wait())
            co_return fail(ErrorCode::cancelled, "the wait was cancelled");
    }
    if (state() == ServerState::failed) co_return std::unexpected(failure_.value());
    co_return Result<void>{};
}

// ---------------------------------------------------------------- the life: the only writer

void ManagedServer::launch() {
    started_ = std::chrono::steady_clock::now();
    stop_grace_.reset();
    failure_.reset();
    readiness_ = Readiness{};
    last_seen_ = "the program was not started yet";
    apply(
        Event::start, fmt::format("{} with {}", wanted_.model_path(), name_of(wanted_.backend()))
    );
    // The life owns a reference to this object and ends when the server does; whoever destroys the
    // executor stops first.
    asio::co_spawn(
        executor_,
        live(),
        [self = shared_from_this()](const std::exception_ptr& thrown) {
            if (thrown) std::rethrow_exception(thrown);
        }
    );
}

Task<void> ManagedServer::live() {
    const auto self = shared_from_this();
    co_await live_until_end();
    const bool stopping = stop_grace_.has_value();
    const auto how = co_await end_tree(stopping ? *stop_grace_ : failed_start_grace);
    child_.reset();
    show_child();
    if (state() == ServerState::draining) {
        apply(Event::gone, how);
    } else if (failure_) {
        apply(Event::broke, failure_->message(), failure_);
    }
}

/// Ends with a stop asked for, or with `failure_`.
Task<void> ManagedServer::live_until_end() {
    auto brought_up = co_await (bring_up() || stop_asked_.wait());
    if (stop_grace_) co_return;
    if (const auto& result = std::get<0>(brought_up); !result) {
        failure_ = result.error();
        co_return;
    }
    apply(
        Event::answered,
        fmt::format("a completion came back after {}", human_duration(seconds(since_start())))
    );
    auto ended = co_await (watch_until_end() || stop_asked_.wait());
    if (stop_grace_) co_return;
    failure_ = std::get<0>(ended).error();
}

Task<std::string> ManagedServer::end_tree(Milliseconds grace) {
    if (!child_) co_return "nothing was running";
    const auto report = co_await child_->stop(grace);
    if (report.how == process::StopReport::How::killed) {
        co_return fmt::format(
            "killed: it did not end within {} of SIGTERM", human_duration(seconds(grace))
        );
    }
    co_return fmt::format("ended after {}", human_duration(seconds(report.took)));
}

Task<Result<void>> ManagedServer::watch_until_end() {
    if (!child_) {  // an endpoint that is not ours has no end that we could see
        while (co_await changed_.wait()) {
        }
        co_return fail(ErrorCode::cancelled, "the wait was cancelled");
    }
    const auto child = child_;
    const auto status = co_await child->wait_exit();
    if (status.success() && child->tree_alive())
        co_await child->wait_gone();  // a launcher that put it in the background
    child->kill();
    co_await child->wait_gone();
    co_return std::unexpected(
        backend::explain_exit(config(), status, child->output().last_lines(12))
    );
}

}  // namespace punie::server
