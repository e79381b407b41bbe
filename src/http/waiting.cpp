#include "http/waiting.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace punie::http {

namespace {

/// `since + limit` without running over the clock's end.
SteadyTime deadline_after(SteadyTime since, Milliseconds limit) {
    if (limit.count() <= 0) return SteadyTime::max();
    const auto left = std::chrono::duration_cast<Milliseconds>(SteadyTime::max() - since);
    return limit >= left ? SteadyTime::max() : since + limit;
}

}  // namespace

Wait Limits::wait(std::string_view what, Milliseconds limit, SteadyTime since) const {
    Wait wait{.what = what, .deadline = deadline_after(since, limit), .limit = limit};
    const auto end = deadline_after(start_, deadlines_.total);
    if (end < wait.deadline) {
        wait.deadline = end;
        wait.limit = deadlines_.total;
        wait.whole = true;
    }
    return wait;
}

Error timed_out(const Wait& wait, std::string_view peer, std::string_view arrived) {
    const auto limit = human_duration(wait.limit);
    if (!wait.whole) {
        return {
            ErrorCode::timeout,
            fmt::format("{}: waited {} for {}; {}", peer, limit, wait.what, arrived)
        };
    }
    return {
        ErrorCode::timeout,
        fmt::format(
            "{}: the whole exchange took longer than {}; it waited for {}; {}",
            peer,
            limit,
            wait.what,
            arrived
        )
    };
}

Error cancelled(const Wait& wait, std::string_view peer) {
    return {
        ErrorCode::cancelled, fmt::format("{}: cancelled while waiting for {}", peer, wait.what)
    };
}

}  // namespace punie::http
