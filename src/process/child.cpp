#include "process/child.hpp"

#include <cerrno>

#include "process/child_impl.hpp"
#include "process/mark.hpp"

namespace punie::process {

ManagedChild::ManagedChild(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

ManagedChild::ManagedChild(ManagedChild&&) noexcept = default;

ManagedChild& ManagedChild::operator=(ManagedChild&& other) noexcept {
    std::swap(impl_, other.impl_);
    return *this;
}

ManagedChild::~ManagedChild() {
    if (impl_) impl_->abandon();
}

/// Waits for the guard's word. False when the caller was cancelled: then the tree has been ended,
/// and has ended.
Task<bool> ManagedChild::Impl::started_or_cancelled(std::shared_ptr<Impl> self) {
    bool cancelled = false;
    try {
        co_await wait_started(self);
    } catch (const boost::system::system_error&) {
        cancelled = true;
    }
    if (!cancelled) co_return true;
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    self->abandon();
    const auto on = self->executor;
    co_await asio::co_spawn(on, wait_gone(std::move(self)), asio::use_awaitable);
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return false;
}

Task<Result<ManagedChild>> ManagedChild::spawn(SpawnOptions options) {
    options.environment[std::string(mark_name)] = fresh_mark();
    auto program = resolve(options);
    if (!program) co_return std::unexpected(program.error());
    auto level = options.containment.value_or(available_containment());
    while (true) {
        auto launched = launch(*program, options.events, level);
        if (!launched) co_return std::unexpected(launched.error());
        const auto executor = co_await asio::this_coro::executor;
        // From here on leaving this function, by cancellation too, ends the guard.
        ManagedChild child(std::make_shared<Impl>(executor, std::move(*launched), level, options));
        if (auto running = child.impl_->run(); !running) co_return std::unexpected(running.error());
        if (!co_await Impl::started_or_cancelled(child.impl_))
            throw boost::system::system_error(asio::error::operation_aborted);
        if (child.impl_->started) co_return Result<ManagedChild>(std::move(child));
        const auto failure =
            child.impl_->failure.value_or(StartFailure{guard::Stage::setup, ECHILD});
        // What the probe found may have changed since: limits on namespaces are shared by all of a
        // user's programs.
        const bool can_step_down =
            failure.stage == guard::Stage::contain && level == Containment::pid_namespace;
        if (!can_step_down || options.containment) {
            co_return std::unexpected(start_error(*program, failure.stage, failure.error_number));
        }
        level = Containment::subreaper;
    }
}

pid_t ManagedChild::pid() const {
    return impl_->program;
}

pid_t ManagedChild::guard_pid() const {
    return impl_->guard;
}

Containment ManagedChild::containment() const {
    return impl_->containment;
}

std::optional<ExitStatus> ManagedChild::exit_status() const {
    return impl_->exit;
}

bool ManagedChild::tree_alive() const {
    return !impl_->empty;
}

Task<ExitStatus> ManagedChild::wait_exit() {
    return Impl::wait_exit(impl_);
}

Task<void> ManagedChild::wait_gone() {
    return Impl::wait_gone(impl_);
}

void ManagedChild::terminate() {
    impl_->command(guard::Command::terminate);
}

void ManagedChild::interrupt() {
    impl_->command(guard::Command::interrupt);
}

void ManagedChild::kill() {
    impl_->command(guard::Command::kill);
}

Task<StopReport> ManagedChild::stop(Milliseconds grace) {
    return Impl::stop(impl_, grace);
}

const OutputRing& ManagedChild::output() const {
    return *impl_->ring;
}

std::shared_ptr<const OutputRing> ManagedChild::shared_output() const {
    return impl_->ring;
}

Task<std::optional<std::string>> ManagedChild::next_event() {
    return Impl::next_event(impl_);
}

}  // namespace punie::process
