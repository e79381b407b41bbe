#pragma once
// How many requests at once: found from what the server can do. Pure.
//
// The number is doubled as long as that brings more tokens (answers, where a server counts none) a
// second; when two doublings brought nothing, the best one is kept. A server that says "too many"
// gets half, and from there one more at a time, never again as many as were too many. A
// timeout may have other causes: half, and then the search or the climb goes on.

#include <chrono>
#include <string>

namespace punie::eval {

/// A request that the server could not serve in time.
struct Overload {
    std::chrono::steady_clock::time_point sent;
    std::chrono::steady_clock::time_point now;
    int in_flight = 0;     ///< requests that the server had when it failed, this one among them
    bool said_so = false;  ///< `asks_to_wait`; else a timeout or a bare 503
};

class Concurrency {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// `fixed` over 0: no search. `most` bounds the search.
    explicit Concurrency(int fixed, int most = 64);

    int limit() const { return limit_; }

    /// An answer came at `now`; `work` is its completion tokens, or 1.
    void answered(double work, Time now);

    /// Counts once for all that were sent before the last halving, and not while more are in flight
    /// than may be.
    void overloaded(const Overload& overload);

    /// For the record: "8 (found; 12.1/s, with 16 11.9/s)", "4 (given)", "3 (of 4 the server
    /// refused some)".
    std::string describe() const;

private:
    enum class Phase { given, searching, settled };

    void begin_level(int limit, Time now);
    void end_level(double rate, Time now);
    void climb();

    Phase phase_;
    int limit_;
    int most_;  ///< of the search; when settled, of the climb

    // The search.
    bool begun_ = false;
    int best_limit_ = 0;
    double best_rate_ = 0;
    int tried_ = 0;
    double tried_rate_ = 0;
    int misses_ = 0;  ///< levels in a row that brought nothing
    double work_ = 0;
    int answers_ = 0;
    Time since_;

    // After an overload.
    Time halved_;
    int too_many_ = 0;  ///< what the server last refused to take
    int calm_answers_ = 0;
};

}  // namespace punie::eval
