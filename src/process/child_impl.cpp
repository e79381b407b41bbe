#include "process/child_impl.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/files.hpp"
#include "process/mark.hpp"
#include "process/pipes.hpp"
#include "process/system.hpp"

namespace punie::process {

namespace {

using namespace std::chrono_literals;

constexpr auto pipe_grace = 200ms;  // a descriptor that escaped the tree may hold the output open
constexpr std::size_t read_bytes = 256 * 1024;        // as much as the ring keeps
constexpr std::size_t turn_bytes = 1024 * 1024;       // then others have their turn
constexpr std::size_t drain_bytes = 4 * 1024 * 1024;  // more than a pipe holds

}  // namespace

ManagedChild::Impl::Impl(
    const asio::any_io_executor& on,
    Launched launched,
    Containment level,
    const SpawnOptions& options
)
    : executor(on),
      containment(level),
      guard(launched.guard),
      launched_(std::move(launched)),
      socket_(on),
      output_(on),
      events_(on),
      changed_(on, SteadyTime::max()),
      pause_(on),
      stop_timer_(on),
      buffer_(read_bytes) {
    mark_ = options.environment.at(std::string(mark_name));
    if (options.log_file) log_.emplace(*options.log_file);
}

ManagedChild::Impl::~Impl() {
    // Only when the io_context was destroyed before the guard ended: the closing socket makes it
    // kill the tree.
    if (!reaped_) reap_guard(guard, false);
}

Result<void> ManagedChild::Impl::run() {
    const auto watch = [](asio::posix::stream_descriptor& watched, Descriptor& given) {
        boost::system::error_code error;
        if (given) watched.assign(given.get(), error);
        if (!error) given.release();
        return error;
    };
    for (const auto& error :
         {watch(socket_, launched_.socket),
          watch(output_, launched_.output),
          watch(events_, launched_.events)}) {
        if (error)
            return std::unexpected(errno_error(error.value(), "cannot watch the pipes of a child"));
    }
    await_reports();
    await_output();
    return {};
}

void ManagedChild::Impl::abandon() {
    if (socket_.is_open()) ::shutdown(socket_.native_handle(), SHUT_WR);
}

void ManagedChild::Impl::command(guard::Command what) {
    if (empty || !socket_.is_open()) return;
    if (what == guard::Command::kill) killed_ = true;
    send_quietly(socket_.native_handle(), static_cast<char>(what));
}

void ManagedChild::Impl::await_reports() {
    socket_.async_wait(
        asio::posix::stream_descriptor::wait_read,
        [self = shared_from_this()](const boost::system::error_code& error) {
            if (!error) self->on_socket_readable();
        }
    );
}

void ManagedChild::Impl::on_socket_readable() {
    while (true) {
        // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): it does not block, and there is no lock
        const auto count = ::recv(
            socket_.native_handle(),
            partial_.data() + partial_size_,
            partial_.size() - partial_size_,
            MSG_DONTWAIT
        );
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return await_reports();
        if (count <= 0) return on_socket_end();
        partial_size_ += static_cast<std::size_t>(count);
        if (partial_size_ < partial_.size()) continue;
        partial_size_ = 0;
        guard::Report report{};
        std::memcpy(&report, partial_.data(), sizeof(report));
        on_report(report);
    }
}

void ManagedChild::Impl::on_report(const guard::Report& report) {
    switch (report.kind) {
        case guard::Kind::started:
            program = report.first;
            inner_ = report.second;
            started = true;
            break;
        case guard::Kind::failed:
            failure = StartFailure{static_cast<guard::Stage>(report.first), report.second};
            break;
        case guard::Kind::exited:
            read_output(drain_bytes
            );  // what it printed before it ended belongs to the story of its end
            if (!exit && report.second != 0) exit = ExitStatus{.code = {}, .signal = report.second};
            if (!exit) exit = ExitStatus{.code = report.first, .signal = {}};
            if (stop_deadline_) {
                command(guard::Command::terminate);
                shorten_stop(std::chrono::steady_clock::now() + leftover_grace);
            }
            break;
        case guard::Kind::empty:
            inner_ = 0;
            break;
        case guard::Kind::target:
            break;
    }
    changed();
}

void ManagedChild::Impl::on_socket_end() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    reap_guard(guard, true);
    reaped_ = true;
    await_inner_end();
}

/// The guard was killed and could not say that the tree is empty. Its twin is the last to go: the
/// kernel lets the first process of a namespace disappear only after all others. Where there is no
/// namespace and both guards were killed, what carries the tree's mark is ended from here.
void ManagedChild::Impl::await_inner_end() {
    const bool told = inner_ <= 0;
    if (told || (kill_marked(mark_) == 0 && !process_alive(inner_))) return on_empty();
    pause_.expires_after(2ms);
    pause_.async_wait([self = shared_from_this()](const boost::system::error_code&) {
        self->await_inner_end();
    });
}

void ManagedChild::Impl::on_empty() {
    if (!exit)
        exit = ExitStatus{
            .code = {}, .signal = SIGKILL
        };  // its guard died before it could tell, and all with it
    empty = true;
    stop_timer_.cancel();
    changed();
    if (output_ended_) return on_gone();
    pause_.expires_after(pipe_grace);
    pause_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (error || self->gone) return;
        self->read_output(drain_bytes);
        self->on_gone();
    });
}

void ManagedChild::Impl::on_gone() {
    if (gone) return;
    gone = true;
    boost::system::error_code ignored;
    pause_.cancel();
    output_.close(ignored);
    if (events_.is_open()) events_.cancel(ignored);  // the reader looks once more and finds the end
    changed();
}

void ManagedChild::Impl::await_output() {
    output_.async_wait(
        asio::posix::stream_descriptor::wait_read,
        [self = shared_from_this()](const boost::system::error_code& error) {
            if (error || self->gone) return;
            if (self->read_output(turn_bytes)) return self->await_output();
            if (self->empty) self->on_gone();
        }
    );
}

/// Reads what is there, about `limit` bytes at most; false at the end of the output.
bool ManagedChild::Impl::read_output(std::size_t limit) {
    std::size_t total = 0;
    while (!output_ended_ && total < limit) {
        const auto count = ::read(output_.native_handle(), buffer_.data(), buffer_.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
        if (count <= 0) {
            output_ended_ = true;
            break;
        }
        keep({buffer_.data(), static_cast<std::size_t>(count)});
        total += static_cast<std::size_t>(count);
    }
    return !output_ended_;
}

void ManagedChild::Impl::keep(std::string_view bytes) {
    ring->append(bytes);
    if (log_) log_->write(bytes);
}

void ManagedChild::Impl::shorten_stop(SteadyTime deadline) {
    if (stop_deadline_ && *stop_deadline_ <= deadline) return;
    stop_deadline_ = deadline;
    stop_timer_.expires_at(deadline);
    stop_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (!error) self->on_stop_deadline();
    });
}

void ManagedChild::Impl::on_stop_deadline() {
    if (!empty) command(guard::Command::kill);
}

}  // namespace punie::process
