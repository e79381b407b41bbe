#pragma once
// How long each phase of an exchange may wait, and the words for when it took longer. Pure: `now`
// comes in.

#include <punie/error.hpp>

#include <string>
#include <string_view>

#include "base/awaitable.hpp"
#include "http/message.hpp"

namespace punie::http {

/// One wait: until when, and what to say if nothing came.
struct Wait {
    std::string_view what;  ///< completes "waited 2.0 s for ..."; a literal
    SteadyTime deadline = SteadyTime::max();
    Milliseconds limit{0};
    bool whole = false;  ///< the limit is that of the whole exchange
};

/// Gives each wait the nearer of its own limit and what is left of the whole exchange's.
class Limits {
public:
    Limits(Deadlines deadlines, SteadyTime start)
        : deadlines_(deadlines), start_(start), connect_start_(start) {}

    /// Connect has one limit for all its steps, so it counts from the start.
    Wait connect(std::string_view what) const {
        return wait(what, deadlines_.connect, connect_start_);
    }

    /// Another connection is made for the same exchange: its steps count from here.
    void connect_again(SteadyTime now) { connect_start_ = now; }

    Wait first_byte(std::string_view what, SteadyTime since) const {
        return wait(what, deadlines_.first_byte, since);
    }

    Wait between_bytes(std::string_view what, SteadyTime since) const {
        return wait(what, deadlines_.between_bytes, since);
    }

private:
    Wait wait(std::string_view what, Milliseconds limit, SteadyTime since) const;

    Deadlines deadlines_;
    SteadyTime start_;
    SteadyTime connect_start_;
};

/// "127.0.0.1:80: waited 2.00 s for the response header; 12 bytes of it had arrived".
Error timed_out(const Wait& wait, std::string_view peer, std::string_view arrived);

Error cancelled(const Wait& wait, std::string_view peer);

}  // namespace punie::http
