// The coroutines of a child: each waits for a change and looks.
#include <unistd.h>

#include <cerrno>

#include "process/child_impl.hpp"

namespace punie::process {

namespace {

constexpr std::size_t longest_event = 1'000'000;
constexpr std::size_t event_read_bytes = 64 * 1024;

constexpr auto quiet = asio::as_tuple(asio::use_awaitable);

/// A wait that was cut short by its caller's cancellation ends with an exception, as any Asio
/// operation does.
Task<void> throw_if_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
}

}  // namespace

Task<void> ManagedChild::Impl::wait_started(std::shared_ptr<Impl> self) {
    while (!self->started && !self->gone) {
        co_await self->changed_.async_wait(quiet);
        co_await throw_if_cancelled();
    }
}

Task<ExitStatus> ManagedChild::Impl::wait_exit(std::shared_ptr<Impl> self) {
    while (!self->exit) {
        co_await self->changed_.async_wait(quiet);
        co_await throw_if_cancelled();
    }
    co_return *self->exit;
}

Task<void> ManagedChild::Impl::wait_gone(std::shared_ptr<Impl> self) {
    while (!self->gone) {
        co_await self->changed_.async_wait(quiet);
        co_await throw_if_cancelled();
    }
}

/// In a coroutine of its own, so that ignoring the cancellation from here on is not inherited by
/// the caller.
Task<StopReport> ManagedChild::Impl::stop(std::shared_ptr<Impl> self, Milliseconds grace) {
    const auto executor = self->executor;
    co_return co_await asio::co_spawn(
        executor, stop_to_the_end(std::move(self), grace), asio::use_awaitable
    );
}

Task<StopReport> ManagedChild::Impl::stop_to_the_end(
    std::shared_ptr<Impl> self, Milliseconds grace
) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto begin = std::chrono::steady_clock::now();
    const bool was_running = !self->empty;
    if (was_running && !self->stop_deadline_) self->command(guard::Command::terminate);
    if (was_running) {
        const auto leftover_limit = self->exit ? std::min(grace, leftover_grace) : grace;
        self->shorten_stop(begin + leftover_limit);
    }
    bool heeds_cancellation = true;
    while (!self->gone) {
        co_await self->changed_.async_wait(quiet);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (!heeds_cancellation || state.cancelled() == asio::cancellation_type::none) continue;
        heeds_cancellation = false;
        self->command(guard::Command::kill);
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    }
    StopReport report{
        .how = StopReport::How::was_not_running, .status = self->exit.value_or(ExitStatus{})
    };
    if (was_running)
        report.how = self->killed_ ? StopReport::How::killed : StopReport::How::on_request;
    report.took =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
    co_return report;
}

/// A whole line from the buffer; at the end of the events what remains.
std::optional<std::string> ManagedChild::Impl::take_line() {
    const auto end = event_bytes_.find('\n', event_scanned_);
    if (end == std::string::npos && event_bytes_.size() > longest_event) {
        event_bytes_.resize(longest_event);  // the rest of this line is dropped as it comes
    }
    event_scanned_ = event_bytes_.size();
    const bool last_line = events_ended_ && !event_bytes_.empty();
    if (end == std::string::npos && !last_line) return std::nullopt;
    auto line = event_bytes_.substr(0, std::min(end, longest_event));
    event_bytes_.erase(0, end == std::string::npos ? end : end + 1);
    event_scanned_ = 0;
    return line;
}

/// Reads what is there; false if nothing was.
bool ManagedChild::Impl::read_events() {
    std::array<char, event_read_bytes> bytes{};
    while (true) {
        const auto count = ::read(events_.native_handle(), bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
        if (count <= 0) {
            events_ended_ = true;
            return true;
        }
        event_bytes_.append(bytes.data(), static_cast<std::size_t>(count));
        return true;
    }
}

Task<std::optional<std::string>> ManagedChild::Impl::next_event(std::shared_ptr<Impl> self) {
    while (true) {
        if (auto line = self->take_line()) co_return line;
        if (self->events_ended_ || !self->events_.is_open()) co_return std::nullopt;
        if (self->read_events()) continue;
        if (self->gone) {
            self->events_ended_ = true;  // an escaped descriptor may hold the pipe open
            continue;
        }
        co_await self->events_.async_wait(asio::posix::stream_descriptor::wait_read, quiet);
        co_await throw_if_cancelled();
    }
}

}  // namespace punie::process
