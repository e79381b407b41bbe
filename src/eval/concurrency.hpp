#pragma once
// How many requests at once: found from what the server can do. Pure.
//
// The number is doubled as long as that brings more tokens (answers, where a server counts none) a
// second; when it no longer does, the best one is kept. A server that says "too many" (429, 503) or
// times out gets half, and is not asked for as many again.

#include <chrono>
#include <cstddef>
#include <string>

namespace punie::eval {

class Concurrency {
public:
    /// `fixed` over 0: no search. `most` bounds the search.
    explicit Concurrency(int fixed, int most = 64);

    int limit() const { return limit_; }

    /// An answer came at `now`; `work` is its completion tokens, or 1.
    void answered(double work, std::chrono::steady_clock::time_point now);

    /// The server could not keep up (429, 503, timeout).
    void overloaded(std::chrono::steady_clock::time_point now);

    /// For the record: "8 (found; 12.1 tokens/s, with 16 11.9)", "4 (given)".
    std::string describe() const;

private:
    void begin_level(int limit, std::chrono::steady_clock::time_point now);
    void end_level(double rate, std::chrono::steady_clock::time_point now);

    bool fixed_;
    int limit_;
    int most_;
    bool settled_ = false;
    int best_limit_ = 0;
    double best_rate_ = 0;
    double last_rate_ = 0;
    int tried_ = 0;
    double work_ = 0;
    std::size_t answers_ = 0;
    bool begun_ = false;
    std::chrono::steady_clock::time_point since_;
    std::chrono::steady_clock::time_point halved_;
};

}  // namespace punie::eval
