#include "relay/deadlines.hpp"

#include <algorithm>

namespace punie::relay {

void Deadlines::Node::unlink() {
    if (before_ == nullptr) return;
    before_->behind_ = behind_;
    behind_->before_ = before_;
    before_ = behind_ = nullptr;
}

Deadlines::Deadlines(const asio::any_io_executor& executor)
    : timer_(executor), alive_(std::make_shared<bool>(true)) {
    for (auto& list : lists_) list.before_ = list.behind_ = &list;
}

Deadlines::~Deadlines() {
    for (auto& list : lists_) {
        while (list.behind_ != &list) list.behind_->unlink();
    }
}

void Deadlines::set(Node& node, SteadyTime deadline) {
    node.deadline_ = deadline;
    const bool visited_before = node.before_ != nullptr && node.looked_at_ <= deadline;
    if (visited_before || deadline == SteadyTime::max()) return;
    node.unlink();
    if (!running_) start();
    link(node, turned_);
}

/// Into the list of its time, or the farthest one, where it is looked at and linked again.
void Deadlines::link(Node& node, SteadyTime now) {
    const auto ticks = std::max<SteadyTime::duration::rep>((node.deadline_ - now) / tick, 0) + 1;
    const auto ahead = std::min<std::size_t>(static_cast<std::size_t>(ticks), slots - 1);
    node.looked_at_ = now + ahead * tick;
    Node& list = lists_[(position_ + ahead) % slots];
    node.before_ = list.before_;
    node.behind_ = &list;
    list.before_->behind_ = &node;
    list.before_ = &node;
}

void Deadlines::start() {
    running_ = true;
    turned_ = std::chrono::steady_clock::now();
    timer_.expires_at(turned_ + tick);
    timer_.async_wait([this,
                       alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
        if (alive.expired()) return;
        if (error) {
            running_ = false;
            return;
        }
        turn();
    });
}

bool Deadlines::empty() const {
    return std::ranges::all_of(lists_, [](const Head& list) { return list.behind_ == &list; });
}

void Deadlines::visit(Head& list, SteadyTime now) {
    Head passed;  // nodes that are set meanwhile may go into `list` again
    passed.before_ = passed.behind_ = &passed;
    if (list.behind_ != &list) {
        passed.before_ = list.before_;
        passed.behind_ = list.behind_;
        passed.before_->behind_ = &passed;
        passed.behind_->before_ = &passed;
        list.before_ = list.behind_ = &list;
    }
    while (passed.behind_ != &passed) {
        Node& node = *passed.behind_;
        node.unlink();
        if (node.deadline_ == SteadyTime::max()) continue;
        if (node.deadline_ > now) {
            link(node, turned_);
            continue;
        }
        node.deadline_ = SteadyTime::max();
        node.expired();
    }
    passed.before_ = passed.behind_ = nullptr;
}

void Deadlines::turn() {
    const std::weak_ptr alive = alive_;
    const auto now = std::chrono::steady_clock::now();
    while (turned_ + tick <= now) {
        turned_ += tick;
        position_ = (position_ + 1) % slots;
        visit(lists_[position_], now);
        if (alive.expired()) return;
    }
    running_ = false;
    if (empty()) return;
    running_ = true;
    timer_.expires_at(turned_ + tick);
    timer_.async_wait([this, alive](const boost::system::error_code& error) {
        if (alive.expired()) return;
        if (error) {
            running_ = false;
            return;
        }
        turn();
    });
}

}  // namespace punie::relay
