// punie::ServerProcess: a thread with an event loop around a ManagedServer.

#include <punie/server_process.hpp>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <utility>

#include "base/blocking.hpp"
#include "server/managed_server.hpp"

namespace punie {

std::string_view name_of(ServerState state) {
    static constexpr std::array names = {
        "stopped", "starting", "loading", "ready", "draining", "failed"
    };
    static_assert(names.size() == static_cast<std::size_t>(ServerState::failed) + 1);
    return names.at(static_cast<std::size_t>(state));
}

class ServerProcess::Impl {
public:
    Impl(ServerConfig config, ServerProcessOptions options)
        : work_(context_.get_executor()),
          server_(server::ManagedServer::make(
              context_.get_executor(),
              std::move(config),
              {.limits = options.limits,
               .mlx_lm = std::move(options.mlx_lm),
               .on_event = std::move(options.on_event)}
          )),
          thread_([this] { context_.run(); }) {}

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    ~Impl() {
        // A failure stays the last thing that was said of a server that nobody stopped.
        if (server::is_running(server_->state())) (void)run(server_->stop(Milliseconds{0}), {});
        work_.reset();
        thread_.join();
    }

    template <typename T>
    Result<T> run(Task<Result<T>> work, std::stop_token stop) {
        return run_blocking<T>(context_.get_executor(), std::move(work), std::move(stop));
    }

    server::ManagedServer& server() { return *server_; }

private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::shared_ptr<server::ManagedServer> server_;
    std::thread thread_;
};

ServerProcess::ServerProcess(ServerConfig config, ServerProcessOptions options)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(options))) {}

ServerProcess::~ServerProcess() = default;

Result<void> ServerProcess::start(std::stop_token stop) {
    return impl_->run(impl_->server().start(), std::move(stop));
}

Result<void> ServerProcess::stop(std::optional<std::chrono::milliseconds> grace) {
    return impl_->run(impl_->server().stop(grace), {});
}

Result<void> ServerProcess::health_check() {
    return impl_->run(impl_->server().health_check(), {});
}

bool ServerProcess::is_running() const {
    return impl_->server().pid() != 0;
}

ServerState ServerProcess::state() const {
    return impl_->server().state();
}

std::vector<ServerEvent> ServerProcess::events() const {
    return impl_->server().events();
}

ServerConfig ServerProcess::config() const {
    return impl_->server().config();
}

pid_t ServerProcess::pid() const {
    return impl_->server().pid();
}

std::vector<std::string> ServerProcess::log_tail(std::size_t lines) const {
    return impl_->server().log_tail(lines);
}

Result<void> ServerProcess::wait(std::stop_token stop) {
    return impl_->run(impl_->server().wait_ended(), std::move(stop));
}

}  // namespace punie
