#pragma once
// The requests that wait for one model, and who of them is next: pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/awaitable.hpp"

namespace punie::fleet {

using AskId = std::uint64_t;

struct InLine {
    AskId id = 0;
    std::string client;
    std::string adapter;
    int priority = 0;
    SteadyTime since{};
};

/// Higher priorities first, but whoever waited longer than `patience` counts as highest; then the
/// client that was served least recently (round robin, so that one client's thousand requests do
/// not stand before another's one); then the order of arrival.
class Line {
public:
    void push(InLine waiter) { waiting_.push_back(std::move(waiter)); }

    bool remove(AskId id);

    bool empty() const { return waiting_.empty(); }

    std::size_t size() const { return waiting_.size(); }

    /// In order of arrival.
    const std::vector<InLine>& waiting() const { return waiting_; }

    /// From 1, in order of arrival; 0 when it does not wait here.
    std::size_t place(AskId id) const;

    /// The next one; with `adapter` only of those that want it. Null if there is none.
    const InLine* pick(SteadyTime now, Milliseconds patience, const std::string* adapter = nullptr)
        const;

    /// The first that wants an adapter other than this one.
    const InLine* first_other(const std::string& adapter) const;

    int highest_priority() const;

    /// It was picked and is served: its client's turn is over.
    void served(const InLine& waiter);

private:
    std::vector<InLine> waiting_;
    std::map<std::string, std::uint64_t> turns_;  ///< of clients: when they were last served
    std::uint64_t turn_ = 0;
};

}  // namespace punie::fleet
