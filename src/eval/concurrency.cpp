#include "eval/concurrency.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace punie::eval {

namespace {

constexpr double worth_it = 1.15;               ///< doubling must bring so much more
constexpr int answers_a_slot = 3;               ///< before a level is judged
constexpr auto calm = std::chrono::seconds(2);  ///< one overload is reported by many requests

}  // namespace

Concurrency::Concurrency(int fixed, int most)
    : fixed_(fixed > 0), limit_(fixed > 0 ? fixed : std::min(2, most)), most_(most) {
    settled_ = fixed_;
}

void Concurrency::begin_level(int limit, std::chrono::steady_clock::time_point now) {
    limit_ = limit;
    work_ = 0;
    answers_ = 0;
    since_ = now;
}

void Concurrency::answered(double work, std::chrono::steady_clock::time_point now) {
    if (settled_) return;
    if (!begun_) {  // the first answers pay for warming up
        begun_ = true;
        begin_level(limit_, now);
        return;
    }
    work_ += work;
    ++answers_;
    if (answers_ < static_cast<std::size_t>(limit_) * answers_a_slot) return;
    const auto seconds = std::chrono::duration<double>(now - since_).count();
    end_level(work_ / std::max(seconds, 1e-6), now);
}

void Concurrency::end_level(double rate, std::chrono::steady_clock::time_point now) {
    last_rate_ = rate;
    tried_ = limit_;
    if (best_limit_ == 0 || rate > best_rate_ * worth_it) {
        best_rate_ = rate;
        best_limit_ = limit_;
        if (limit_ < most_) {
            begin_level(std::min(limit_ * 2, most_), now);
            return;
        }
    }
    settled_ = true;
    limit_ = best_limit_;
}

void Concurrency::overloaded(std::chrono::steady_clock::time_point now) {
    if (fixed_ || now - halved_ < calm) return;
    halved_ = now;
    most_ = std::max(1, limit_ / 2);
    best_limit_ = std::min(best_limit_ == 0 ? most_ : best_limit_, most_);
    settled_ = true;
    limit_ = most_;
}

std::string Concurrency::describe() const {
    if (fixed_) return fmt::format("{} (given)", limit_);
    if (best_rate_ <= 0) return fmt::format("{} (too few answers to find out)", limit_);
    if (tried_ == best_limit_) return fmt::format("{} (found; {:.1f}/s)", limit_, best_rate_);
    return fmt::format(
        "{} (found; {:.1f}/s, with {} {:.1f}/s)", limit_, best_rate_, tried_, last_rate_
    );
}

}  // namespace punie::eval
