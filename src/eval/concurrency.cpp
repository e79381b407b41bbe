#include "eval/concurrency.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace punie::eval {

namespace {

constexpr double worth_it = 1.15;       ///< doubling must bring so much more
constexpr int answers_a_slot = 3;       ///< before a level is judged
constexpr int patience = 1;             ///< levels without a gain: one may be bad luck
constexpr int calm_after_refusal = 10;  ///< answers a slot before one more is tried
constexpr int calm_after_timeout = 2;

}  // namespace

Concurrency::Concurrency(int fixed, int most)
    : phase_(fixed > 0 ? Phase::given : Phase::searching),
      limit_(fixed > 0 ? fixed : std::clamp(most, 1, 2)),
      most_(std::max(1, most)) {}

void Concurrency::begin_level(int limit, Time now) {
    limit_ = limit;
    work_ = 0;
    answers_ = 0;
    since_ = now;
}

void Concurrency::answered(double work, Time now) {
    if (phase_ == Phase::given) return;
    if (phase_ == Phase::settled) {
        climb();
        return;
    }
    if (!begun_) {  // the first answers pay for warming up
        begun_ = true;
        begin_level(limit_, now);
        return;
    }
    work_ += work;
    ++answers_;
    if (answers_ < limit_ * answers_a_slot) return;
    const auto seconds = std::chrono::duration<double>(now - since_).count();
    end_level(work_ / std::max(seconds, 1e-6), now);
}

void Concurrency::end_level(double rate, Time now) {
    tried_rate_ = rate;
    tried_ = limit_;
    if (best_limit_ == 0 || rate > best_rate_ * worth_it) {
        best_rate_ = rate;
        best_limit_ = limit_;
        misses_ = 0;
    } else {
        ++misses_;
    }
    if (misses_ <= patience && limit_ < most_) {
        begin_level(std::min(limit_ * 2, most_), now);
        return;
    }
    phase_ = Phase::settled;
    limit_ = most_ = best_limit_;
}

void Concurrency::overloaded(const Overload& overload) {
    if (phase_ == Phase::given || overload.sent < halved_ || overload.in_flight > limit_) return;
    halved_ = overload.now;
    calm_answers_ = 0;
    if (overload.said_so) {
        phase_ = Phase::settled;
        too_many_ = limit_;
        most_ = std::max(1, limit_ - 1);
    }
    begin_level(std::max(1, limit_ / 2), overload.now);
    if (phase_ == Phase::searching) {  // from anew: what was measured is not to be trusted
        best_limit_ = 0;
        misses_ = 0;
    }
}

void Concurrency::climb() {
    const int calm = too_many_ > 0 ? calm_after_refusal : calm_after_timeout;
    if (limit_ >= most_ || ++calm_answers_ < limit_ * calm) return;
    calm_answers_ = 0;
    ++limit_;
}

std::string Concurrency::describe() const {
    if (phase_ == Phase::given) return fmt::format("{} (given)", limit_);
    if (too_many_ > 0) return fmt::format("{} (of {} the server refused some)", limit_, too_many_);
    if (phase_ == Phase::searching) return fmt::format("{} (too few answers to find out)", limit_);
    if (limit_ < most_) return fmt::format("{} ({} before a timeout)", limit_, most_);
    if (tried_ == best_limit_) return fmt::format("{} (found; {:.1f}/s)", limit_, best_rate_);
    return fmt::format(
        "{} (found; {:.1f}/s, with {} {:.1f}/s)", limit_, best_rate_, tried_, tried_rate_
    );
}

}  // namespace punie::eval
