// What children do to their output: floods, no newlines, bad bytes, closed and held pipes; the log
// file; events.
#include "base/files.hpp"
#include "integration/process/support.hpp"

namespace punie::process::testing {

using asio::experimental::awaitable_operators::operator||;
using ::testing::ElementsAre;

class Output : public EachLevel {};

PUNIE_TEST_EACH_LEVEL(Output);

constexpr std::uint64_t flood_bytes = 50'000'000;

TEST_P(Output, AFloodIsDrainedAndItsEndKept) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(
            fake({"flood", "50000000", "print", "last words", "exit", "0"}, level)
        );
        EXPECT_TRUE((co_await child->wait_exit()).success());
        co_await child->wait_gone();
        EXPECT_EQ(child->output().total(), flood_bytes + 11);
        EXPECT_LE(child->output().contents().size(), 256U * 1024);
        EXPECT_THAT(child->output().last_lines(1), ElementsAre("last words"));
    }(GetParam()));
}

TEST_P(Output, AFloodWithoutNewlinesIsDrained) {
    run([](Containment level) -> Task<void> {
        auto child =
            co_await ManagedChild::spawn(fake({"flood-without-newlines", "50000000"}, level));
        co_await child->wait_gone();
        EXPECT_EQ(child->output().total(), flood_bytes);
        EXPECT_EQ(child->output().last_lines(3, 40), std::vector{std::string(40, 'x')});
    }(GetParam()));
}

TEST_P(Output, InvalidBytesAreMadePrintable) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"invalid-utf8"}, level));
        co_await child->wait_gone();
        EXPECT_THAT(child->output().last_lines(5), ElementsAre("bad \uFFFD\uFFFD\uFFFD bytes red"));
    }(GetParam()));
}

TEST_P(Output, AnUnfinishedLineCounts) {
    run([](Containment level) -> Task<void> {
        auto child =
            co_await ManagedChild::spawn(fake({"print", "one", "print-no-newline", "two"}, level));
        co_await child->wait_exit();
        EXPECT_THAT(child->output().last_lines(5), ElementsAre("one", "two"));
    }(GetParam()));
}

TEST_P(Output, ClosedPipesDoNotEndTheSupervision) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"ready", "close-output", "hang"}, level));
        EXPECT_TRUE(co_await printed(*child, "ready"));
        asio::steady_timer timer(co_await asio::this_coro::executor, 20ms);
        const auto first = co_await (child->wait_exit() || timer.async_wait(asio::use_awaitable));
        EXPECT_EQ(first.index(), 1U);
        child->kill();
        EXPECT_EQ((co_await child->wait_exit()).signal, SIGKILL);
        co_await child->wait_gone();
    }(GetParam()));
}

TEST_P(Output, APipeHeldByAGrandchildDoesNotHideTheEnd) {
    run([](Containment level) -> Task<void> {
        auto child =
            co_await ManagedChild::spawn(fake({"print", "before", "daemon", "exit", "5"}, level));
        EXPECT_EQ((co_await child->wait_exit()).code, 5);
        EXPECT_THAT(child->output().last_lines(5), ElementsAre("before"));
        child->kill();
        co_await child->wait_gone();
    }(GetParam()));
}

/// A descriptor that left the tree: taken from /proc by a process that is not in it.
TEST_P(Output, AnEscapedDescriptorGetsAShortGrace) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"ready", "hang"}, level));
        EXPECT_TRUE(co_await printed(*child, "ready"));
        const int escaped =
            ::open(fmt::format("/proc/{}/fd/1", child->pid()).c_str(), O_WRONLY | O_CLOEXEC);
        EXPECT_GE(escaped, 0);
        child->kill();
        co_await child->wait_exit();
        const auto begin = std::chrono::steady_clock::now();
        co_await child->wait_gone();
        EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
        ::close(escaped);
    }(GetParam()));
}

TEST_P(Output, IsCopiedToTheLogFile) {
    const auto folder = TemporaryFolder::make();
    ASSERT_TRUE(folder);
    const auto file = folder->path() / "logs" / "child.log";
    run([](Containment level, std::filesystem::path log) -> Task<void> {
        auto options = fake({"print", "to the file"}, level);
        options.log_file = log;
        auto child = co_await ManagedChild::spawn(options);
        co_await child->wait_gone();
    }(GetParam(), file));
    EXPECT_EQ(slurp(file), "to the file\n");
}

TEST_P(Output, AFullDiskDoesNotStopTheChild) {
    run([](Containment level) -> Task<void> {
        auto options = fake({"flood", "3000000", "print", "done"}, level);
        options.log_file = "/dev/full";
        auto child = co_await ManagedChild::spawn(options);
        EXPECT_TRUE((co_await child->wait_exit()).success());
        EXPECT_THAT(child->output().last_lines(1), ElementsAre("done"));
    }(GetParam()));
}

class Events : public EachLevel {};

PUNIE_TEST_EACH_LEVEL(Events);

Task<std::vector<std::string>> events_of(std::vector<std::string> words, Containment level) {
    auto options = fake(std::move(words), level);
    options.events = true;
    auto child = co_await ManagedChild::spawn(options);
    std::vector<std::string> lines;
    while (auto line = co_await child->next_event()) lines.push_back(std::move(*line));
    co_return lines;
}

TEST_P(Events, ComeLineByLine) {
    EXPECT_THAT(
        run(events_of({"event", "a", "print", "x", "event", "", "event", "b"}, GetParam())),
        ElementsAre("a", "", "b")
    );
}

TEST_P(Events, ManyAreAllThere) {
    const auto lines = run(events_of({"events", "20000"}, GetParam()));
    ASSERT_EQ(lines.size(), 20000U);
    EXPECT_EQ(lines.front(), "event 0");
    EXPECT_EQ(lines.back(), "event 19999");
}

TEST_P(Events, AnUnfinishedLastLineCounts) {
    EXPECT_THAT(
        run(events_of({"event", "a", "unfinished-event", "b"}, GetParam())), ElementsAre("a", "b")
    );
}

TEST_P(Events, AnOverlongLineIsCutAndTheNextIsWhole) {
    const auto lines = run(events_of({"long-event", "3500000", "event", "next"}, GetParam()));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].size(), 1'000'000U);
    EXPECT_EQ(lines[1], "next");
}

TEST_P(Events, EndWhenTheTreeIsGoneThoughTheDescriptorEscaped) {
    run([](Containment level) -> Task<void> {
        auto options = fake({"event", "one", "ready", "hang"}, level);
        options.events = true;
        auto child = co_await ManagedChild::spawn(options);
        EXPECT_TRUE(co_await printed(*child, "ready"));
        const int escaped =
            ::open(fmt::format("/proc/{}/fd/3", child->pid()).c_str(), O_WRONLY | O_CLOEXEC);
        child->kill();
        EXPECT_EQ(co_await child->next_event(), "one");
        EXPECT_EQ(co_await child->next_event(), std::nullopt);
        ::close(escaped);
    }(GetParam()));
}

TEST_P(Events, WaitingCanBeCancelledAndNothingIsLost) {
    run([](Containment level) -> Task<void> {
        auto options = fake({"unfinished-event", "ha", "ready", "on-term-exit-7", "hang"}, level);
        options.events = true;
        auto child = co_await ManagedChild::spawn(options);
        EXPECT_TRUE(co_await printed(*child, "ready"));
        asio::steady_timer timer(co_await asio::this_coro::executor, 10ms);
        const auto first = co_await (child->next_event() || timer.async_wait(asio::use_awaitable));
        EXPECT_EQ(first.index(), 1U);
        child->terminate();
        EXPECT_EQ(co_await child->next_event(), "ha");
    }(GetParam()));
}

TEST_P(Events, WithoutAPipeThereAreNone) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"hang"}, level));
        EXPECT_EQ(co_await child->next_event(), std::nullopt);
    }(GetParam()));
}

}  // namespace punie::process::testing
