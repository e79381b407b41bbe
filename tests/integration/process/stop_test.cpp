// Stopping: politely, by force, twice at once, cancelled, and of trees that do not want to go.
#include "integration/process/support.hpp"

namespace punie::process::testing {

using asio::experimental::awaitable_operators::operator||;
using asio::experimental::awaitable_operators::operator&&;

class Stop : public EachLevel {};

PUNIE_TEST_EACH_LEVEL(Stop);

/// A started fake that has printed "ready".
Task<ManagedChild> ready_child(std::vector<std::string> words, Containment level) {
    words.insert(words.end(), {"ready", "hang"});
    auto child = co_await ManagedChild::spawn(fake(std::move(words), level));
    if (!child) throw std::runtime_error(child.error().describe());
    EXPECT_TRUE(co_await printed(*child, "ready"));
    co_return std::move(*child);
}

struct Row {
    const char* name;
    std::vector<std::string> words;
    Milliseconds grace;
    StopReport::How how;
    ExitStatus status;
    Milliseconds at_most;
};

const std::vector<Row> rows = {
    {"Obedient", {}, 10s, StopReport::How::on_request, {.code = {}, .signal = SIGTERM}, 5s},
    {"ExitsWithACode",
     {"on-term-exit-7"},
     10s,
     StopReport::How::on_request,
     {.code = 7, .signal = {}},
     5s},
    {"IgnoresSigterm",
     {"ignore", "15"},
     50ms,
     StopReport::How::killed,
     {.code = {}, .signal = SIGKILL},
     5s},
    {"NoGrace", {"ignore", "15"}, 0ms, StopReport::How::killed, {.code = {}, .signal = SIGKILL}, 5s
    },
    {"StopsItself",
     {"ready", "stop-self"},
     10s,
     StopReport::How::on_request,
     {.code = {}, .signal = SIGTERM},
     5s},
    {"Grandchild",
     {"grandchild"},
     10s,
     StopReport::How::on_request,
     {.code = {}, .signal = SIGTERM},
     5s},
    {"DoubleForked",
     {"daemon"},
     10s,
     StopReport::How::on_request,
     {.code = {}, .signal = SIGTERM},
     5s},
    {"StubbornDaemon",
     {"stubborn-daemon"},
     10s,
     StopReport::How::killed,
     {.code = {}, .signal = SIGTERM},
     5s},
    {"ClosedOutput",
     {"ready", "close-output"},
     10s,
     StopReport::How::on_request,
     {.code = {}, .signal = SIGTERM},
     5s},
};

class StopTable : public ::testing::TestWithParam<std::tuple<Containment, Row>> {};

TEST_P(StopTable, LeavesNothing) {
    run([](Containment level, Row row) -> Task<void> {
        auto words = row.words;
        words.insert(words.end(), {"ready", "hang"});
        auto child = co_await ManagedChild::spawn(fake(words, level));
        EXPECT_TRUE(co_await printed(*child, "ready"));
        const auto report = co_await child->stop(row.grace);
        EXPECT_EQ(report.how, row.how);
        EXPECT_EQ(report.status, row.status) << report.status.describe();
        EXPECT_LT(report.took, row.at_most);
        EXPECT_FALSE(child->tree_alive());
        EXPECT_TRUE(descendants(child->guard_pid()).empty());
        EXPECT_FALSE(process_alive(child->guard_pid()));
    }(std::get<0>(GetParam()), std::get<1>(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(
    Rows,
    StopTable,
    ::testing::Combine(::testing::ValuesIn(levels()), ::testing::ValuesIn(rows)),
    [](const auto& info) {
        return fmt::format("{}_{}", std::get<1>(info.param).name, name_of(std::get<0>(info.param)));
    }
);

TEST_P(Stop, IsIdempotent) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ready_child({}, level);
        EXPECT_EQ((co_await child.stop(10s)).how, StopReport::How::on_request);
        const auto again = co_await child.stop(10s);
        EXPECT_EQ(again.how, StopReport::How::was_not_running);
        EXPECT_EQ(again.status.signal, SIGTERM);
        child.terminate();
        child.interrupt();
        child.kill();
    }(GetParam()));
}

TEST_P(Stop, TheShortestGraceWins) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ready_child({"ignore", "15"}, level);
        const auto [patient, hasty] = co_await (child.stop(1h) && child.stop(20ms));
        EXPECT_EQ(patient.how, StopReport::How::killed);
        EXPECT_EQ(hasty.how, StopReport::How::killed);
        EXPECT_LT(patient.took, 5s);
    }(GetParam()));
}

TEST_P(Stop, ALongerGraceDoesNotProlong) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ready_child({"ignore", "15"}, level);
        const auto [hasty, patient] = co_await (child.stop(20ms) && child.stop(1h));
        EXPECT_LT(patient.took, 5s);
        EXPECT_EQ(hasty.how, StopReport::How::killed);
    }(GetParam()));
}

TEST_P(Stop, CancelledItKillsAndWaits) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ready_child({"ignore", "15"}, level);
        std::optional<StopReport> report;
        const auto stopping = [](ManagedChild& c, std::optional<StopReport>& out) -> Task<void> {
            out = co_await c.stop(1h);
        };
        asio::steady_timer timer(co_await asio::this_coro::executor, 20ms);
        co_await (stopping(child, report) || timer.async_wait(asio::use_awaitable));
        EXPECT_FALSE(child.tree_alive()) << "the cancelled call waits for the end";
        EXPECT_TRUE(report.has_value());
        if (report) EXPECT_EQ(report->how, StopReport::How::killed);
    }(GetParam()));
}

TEST_P(Stop, ACallersOwnCancellationIsNotSwallowed) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ready_child({"ignore", "15"}, level);
        bool went_on = false;
        const auto stopping = [](ManagedChild& c, bool& reached) -> Task<void> {
            co_await c.stop(1h);
            asio::steady_timer timer(co_await asio::this_coro::executor, 0ms);
            co_await timer.async_wait(asio::use_awaitable);  // throws: the caller was cancelled
            reached = true;
        };
        asio::steady_timer timer(co_await asio::this_coro::executor, 20ms);
        co_await (stopping(child, went_on) || timer.async_wait(asio::use_awaitable));
        EXPECT_FALSE(went_on);
    }(GetParam()));
}

TEST_P(Stop, OfAProgramThatEndedButLeftADaemon) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"stubborn-daemon", "exit", "0"}, level));
        co_await child->wait_exit();
        const auto report = co_await child->stop(1h);
        EXPECT_EQ(report.how, StopReport::How::killed);
        EXPECT_TRUE(report.status.success());
        EXPECT_LT(report.took, 5s);
    }(GetParam()));
}

TEST_P(Stop, TermReachesADaemonThatWasLeftBehind) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"daemon", "exit", "0"}, level));
        co_await child->wait_exit();
        EXPECT_EQ((co_await child->stop(1h)).how, StopReport::How::on_request);
    }(GetParam()));
}

TEST_P(Stop, KillIsImmediate) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ready_child({"ignore", "15", "stubborn-daemon", "grandchild"}, level);
        child.kill();
        co_await child.wait_gone();
        EXPECT_EQ(child.exit_status()->signal, SIGKILL);
    }(GetParam()));
}

}  // namespace punie::process::testing
