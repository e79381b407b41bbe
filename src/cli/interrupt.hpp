#pragma once
// Ctrl-C and SIGTERM as a stop token: the first asks for a clean end, the second kills at once.

#include <functional>
#include <stop_token>

namespace punie::cli {

/// One for the process at a time. The destructor restores what was before.
class Interrupt {
public:
    /// Watches SIGINT, SIGTERM and SIGHUP. `on_first` and `on_second` are called in a thread of its
    /// own. Without `on_second` a second signal ends the process at once (the guards then end the
    /// children).
    explicit Interrupt(std::function<void()> on_first = {}, std::function<void()> on_second = {});
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;
    ~Interrupt();

    std::stop_token token() const;
    bool happened() const;

private:
    struct State;
    State* state_;  // owned; raw because a signal handler reaches it
};

}  // namespace punie::cli
