#pragma once
// The life of one child as Punie sees it.
//
// Two chains of asynchronous waits run on the executor and hold the Impl alive: the control chain
// (reports from the guard) and the pump (the child's output). Both end when the tree is empty,
// which always comes, because dropping the ManagedChild makes the guard kill it; so nothing keeps
// an io_context running for ever. Everything but `ring` belongs to the executor's thread.

#include <fmt/format.h>

#include <boost/asio.hpp>

#include <array>

#include "process/child.hpp"
#include "process/guard_protocol.hpp"
#include "process/launch.hpp"

namespace punie::process {

/// What the program leaves behind when it was asked to stop has this long to follow.
inline constexpr Milliseconds leftover_grace{500};

/// A program that the guard could not start.
struct StartFailure {
    guard::Stage stage;
    int error_number;
};

class ManagedChild::Impl : public std::enable_shared_from_this<ManagedChild::Impl> {
public:
    Impl(
        const asio::any_io_executor& on,
        Launched launched,
        Containment level,
        const SpawnOptions& options
    );
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl();

    /// Starts both chains. Errors: io (the event loop cannot watch more descriptors).
    Result<void> run();

    /// Lets the guard kill everything; the chains end soon after.
    void abandon();

    void command(guard::Command what);

    // The coroutines take a shared pointer: the ManagedChild may be destroyed while they wait.
    static Task<void> wait_started(std::shared_ptr<Impl> self);
    static Task<bool> started_or_cancelled(std::shared_ptr<Impl> self);
    static Task<ExitStatus> wait_exit(std::shared_ptr<Impl> self);
    static Task<void> wait_gone(std::shared_ptr<Impl> self);
    static Task<StopReport> stop(std::shared_ptr<Impl> self, Milliseconds grace);
    static Task<std::optional<std::string>> next_event(std::shared_ptr<Impl> self);

    asio::any_io_executor executor;
    Containment containment;
    pid_t guard = 0;
    pid_t program = 0;
    std::shared_ptr<OutputRing> ring = std::make_shared<OutputRing>();
    std::optional<StartFailure> failure;
    std::optional<ExitStatus> exit;
    bool started = false;  ///< or failed, or gone
    bool empty = false;    ///< nothing of the tree runs
    bool gone = false;     ///< and all its output is here

private:
    void await_reports();
    void on_socket_readable();
    void on_report(const guard::Report& report);
    void on_socket_end();
    void await_inner_end();
    void on_empty();
    void on_gone();

    void await_output();
    bool read_output(std::size_t limit);
    void keep(std::string_view bytes);

    void shorten_stop(SteadyTime deadline);
    void on_stop_deadline();
    static Task<StopReport> stop_to_the_end(std::shared_ptr<Impl> self, Milliseconds grace);

    std::optional<std::string> take_line();
    bool read_events();

    void changed() { changed_.cancel(); }

    Launched launched_;
    asio::posix::stream_descriptor socket_;
    asio::posix::stream_descriptor output_;
    asio::posix::stream_descriptor events_;
    asio::steady_timer changed_;  // never expires: cancelling it wakes every waiter
    asio::steady_timer pause_;    // grace of the output pipe, end of the inner guard
    asio::steady_timer stop_timer_;
    std::optional<SteadyTime> stop_deadline_;
    std::optional<RotatingFile> log_;
    std::vector<char> buffer_;

    std::array<char, sizeof(guard::Report)> partial_{};
    std::size_t partial_size_ = 0;
    pid_t inner_ = 0;
    std::string mark_;
    bool reaped_ = false;
    bool killed_ = false;
    bool output_ended_ = false;
    bool events_ended_ = false;
    std::string event_bytes_;
    std::size_t event_scanned_ = 0;
};

}  // namespace punie::process
