#pragma once
// Deadlines of thousands of connections at the price of one timer: a wheel of lists that is turned
// every 250 ms. Setting a later deadline, as every request does, touches no list.

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "base/awaitable.hpp"

namespace punie::relay {

/// Owner: outlives its nodes' use; nodes leave it when they are destroyed. Thread: the executor's.
class Deadlines {
public:
    static constexpr Milliseconds tick{250};

    /// What has a deadline.
    class Node {
    public:
        Node() = default;
        Node(const Node&) = delete;
        Node& operator=(const Node&) = delete;

        virtual ~Node() { unlink(); }

    protected:
        /// The deadline has passed (by less than two ticks); none is set any more. May destroy the
        /// node.
        virtual void expired() = 0;

    private:
        friend class Deadlines;
        void unlink();

        Node* before_ = nullptr;
        Node* behind_ = nullptr;
        SteadyTime deadline_ = SteadyTime::max();
        SteadyTime looked_at_;  ///< when the wheel comes by
    };

    explicit Deadlines(const asio::any_io_executor& executor);
    ~Deadlines();
    Deadlines(const Deadlines&) = delete;
    Deadlines& operator=(const Deadlines&) = delete;

    void set(Node& node, SteadyTime deadline);

    /// Zero: none.
    void set(Node& node, Milliseconds from_now) {
        if (from_now.count() == 0) return clear(node);
        set(node, std::chrono::steady_clock::now() + from_now);
    }

    /// No deadline any more. The node stays in its list until the wheel comes by.
    static void clear(Node& node) { node.deadline_ = SteadyTime::max(); }

    /// As `clear`, but nothing keeps the timer running.
    static void remove(Node& node) {
        clear(node);
        node.unlink();
    }

    /// No timer runs any more until `set` is called again.
    void stop() { timer_.cancel(); }

private:
    static constexpr std::size_t slots = 512;

    struct Head final : Node {
        void expired() override {}
    };

    void link(Node& node, SteadyTime now);
    void start();
    void turn();
    void visit(Head& list, SteadyTime now);
    bool empty() const;

    asio::steady_timer timer_;
    std::array<Head, slots> lists_;
    std::shared_ptr<bool> alive_;
    SteadyTime turned_;  ///< the time of list `position_`
    std::size_t position_ = 0;
    bool running_ = false;
};

}  // namespace punie::relay
