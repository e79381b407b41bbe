// What runs and what has ended.

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "gateway/control.hpp"

namespace punie::gateway {
namespace {

class BookTest : public testing::Test {
protected:
    static RequestRecord named(std::string id) {
        RequestRecord record;
        record.id = std::move(id);
        return record;
    }

    asio::io_context context_{1};
    RequestBook book_{context_.get_executor(), 3};
};

TEST_F(BookTest, NumbersCountFromOneInTheOrderOfEnds) {
    book_.end(named("a"));
    book_.end(named("b"));
    const auto all = book_.since(0);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].first, 1U);
    EXPECT_EQ(all[0].second.id, "a");
    EXPECT_EQ(all[1].first, 2U);
    const auto later = book_.since(1);
    ASSERT_EQ(later.size(), 1U);
    EXPECT_EQ(later[0].second.id, "b");
    EXPECT_TRUE(book_.since(2).empty());
    EXPECT_TRUE(book_.since(99).empty());
}

TEST_F(BookTest, KeepsSoManyAndForgetsTheOldest) {
    for (const auto* id : {"a", "b", "c", "d", "e"}) book_.end(named(id));
    const auto all = book_.since(0);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all.front().second.id, "c");
    EXPECT_EQ(all.front().first, 3U);
}

TEST_F(BookTest, ListsRequestsAsLongAsSomebodyHoldsThem) {
    auto first = book_.begin();
    auto second = book_.begin();
    first->model = "tiny";
    EXPECT_LT(first->number, second->number);
    ASSERT_EQ(book_.live().size(), 2U);
    EXPECT_EQ(book_.live()[0].model, "tiny");
    first.reset();
    ASSERT_EQ(book_.live().size(), 1U);
    EXPECT_EQ(book_.live()[0].number, second->number);
}

TEST_F(BookTest, SweepsOutWhatEndedLongAgo) {
    const auto kept = book_.begin();
    for (int i = 0; i < 1'000; ++i) (void)book_.begin();
    ASSERT_EQ(book_.live().size(), 1U);
    EXPECT_EQ(book_.live()[0].number, kept->number);
}

TEST_F(BookTest, WaitsForTheNextEnd) {
    bool woken = false;
    const auto wait = [](RequestBook& book, bool& done) -> Task<void> {
        co_await book.wait_after(0);
        done = true;
    };
    asio::co_spawn(context_, wait(book_, woken), asio::detached);
    context_.poll();
    EXPECT_FALSE(woken);
    book_.end(named("a"));
    context_.restart();
    context_.poll();
    EXPECT_TRUE(woken);
}

TEST_F(BookTest, DoesNotWaitForWhatIsThere) {
    book_.end(named("a"));
    bool woken = false;
    const auto wait = [](RequestBook& book, bool& done) -> Task<void> {
        co_await book.wait_after(0);
        done = true;
    };
    asio::co_spawn(context_, wait(book_, woken), asio::detached);
    context_.poll();
    EXPECT_TRUE(woken);
}

TEST_F(BookTest, ACancelledWaitEnds) {
    asio::cancellation_signal cancel;
    bool ended = false;
    const auto wait = [](RequestBook& book) -> Task<void> { co_await book.wait_after(0); };
    asio::co_spawn(
        context_,
        wait(book_),
        asio::bind_cancellation_slot(
            cancel.slot(), [&ended](const std::exception_ptr&) { ended = true; }
        )
    );
    context_.poll();
    EXPECT_FALSE(ended);
    cancel.emit(asio::cancellation_type::terminal);
    context_.restart();
    context_.poll();
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace punie::gateway
