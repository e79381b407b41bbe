#include "cli/interrupt.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>
#include <utility>

namespace punie::cli {

namespace {

constexpr std::array watched = {SIGINT, SIGTERM, SIGHUP};
std::atomic<int> wake_descriptor{-1};

/// Only an async-signal-safe write: everything else happens in the watching thread.
void on_signal(int number) {
    const int saved = errno;
    const auto byte = static_cast<unsigned char>(number);
    if (const int descriptor = wake_descriptor.load(); descriptor >= 0)
        (void)!::write(descriptor, &byte, 1);
    errno = saved;
}

}  // namespace

struct Interrupt::State {
    std::array<int, 2> pipe{-1, -1};
    std::array<struct sigaction, watched.size()> before{};
    std::function<void()> on_first;
    std::function<void()> on_second;
    std::stop_source stop;
    std::thread thread;

    void watch() {
        int count = 0;
        unsigned char byte = 0;
        while (::read(pipe[0], &byte, 1) == 1 || errno == EINTR) {
            if (byte == 0) return;  // the destructor
            if (++count == 1) {
                stop.request_stop();
                if (on_first) on_first();
            } else if (on_second) {
                on_second();
            } else {
                ::_exit(130);
            }
        }
    }
};

Interrupt::Interrupt(std::function<void()> on_first, std::function<void()> on_second) {
    auto state = std::make_unique<State>();
    state->on_first = std::move(on_first);
    state->on_second = std::move(on_second);
    if (::pipe(state->pipe.data()) == 0) {
        for (const int end : state->pipe) ::fcntl(end, F_SETFD, FD_CLOEXEC);
        wake_descriptor = state->pipe[1];
        struct sigaction action{};
        action.sa_handler = on_signal;
        for (std::size_t i = 0; i < watched.size(); ++i)
            ::sigaction(watched.at(i), &action, &state->before.at(i));
        state->thread = std::thread([raw = state.get()] { raw->watch(); });
    }
    state_ = state.release();
}

Interrupt::~Interrupt() {
    const std::unique_ptr<State> state(state_);
    if (!state->thread.joinable()) return;
    for (std::size_t i = 0; i < watched.size(); ++i)
        ::sigaction(watched.at(i), &state->before.at(i), nullptr);
    wake_descriptor = -1;
    const unsigned char end = 0;
    (void)!::write(state->pipe[1], &end, 1);
    state->thread.join();
    for (const int descriptor : state->pipe) ::close(descriptor);
}

std::stop_token Interrupt::token() const {
    return state_->stop.get_token();
}

bool Interrupt::happened() const {
    return state_->stop.stop_requested();
}

}  // namespace punie::cli
