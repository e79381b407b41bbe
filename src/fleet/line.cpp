#include "fleet/line.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace punie::fleet {

namespace {

constexpr std::size_t most_turns = 10'000;  // clients remembered; more only while they wait

}  // namespace

bool Line::remove(AskId id) {
    const auto found = std::ranges::find(waiting_, id, &InLine::id);
    if (found == waiting_.end()) return false;
    waiting_.erase(found);
    if (waiting_.empty() && turns_.size() > most_turns) turns_.clear();
    return true;
}

std::size_t Line::place(AskId id) const {
    const auto found = std::ranges::find(waiting_, id, &InLine::id);
    return found == waiting_.end() ? 0 : static_cast<std::size_t>(found - waiting_.begin()) + 1;
}

const InLine* Line::pick(SteadyTime now, Milliseconds patience, const std::string* adapter) const {
    using Rank = std::tuple<std::int64_t, std::uint64_t>;  // the smallest is served
    const InLine* best = nullptr;
    Rank best_rank;
    for (const auto& one : waiting_) {
        if (adapter != nullptr && one.adapter != *adapter) continue;
        const auto turn = turns_.find(one.client);
        const std::int64_t priority =
            now - one.since >= patience ? std::numeric_limits<int>::max() : one.priority;
        const Rank rank{-priority, turn == turns_.end() ? 0 : turn->second};
        if (best != nullptr && rank >= best_rank) continue;
        best = &one;
        best_rank = rank;
    }
    return best;
}

const InLine* Line::first_other(const std::string& adapter) const {
    const auto found =
        std::ranges::find_if(waiting_, [&](const InLine& one) { return one.adapter != adapter; });
    return found == waiting_.end() ? nullptr : &*found;
}

int Line::highest_priority() const {
    int highest = std::numeric_limits<int>::min();
    for (const auto& one : waiting_) highest = std::max(highest, one.priority);
    return highest;
}

void Line::served(const InLine& waiter) {
    turns_[waiter.client] = ++turn_;
    if (turns_.size() <= most_turns) return;
    std::erase_if(turns_, [&](const auto& entry) {
        return std::ranges::find(waiting_, entry.first, &InLine::client) == waiting_.end();
    });
}

}  // namespace punie::fleet
