// Swaps, stops, crashes and reloads: nothing is lost, nothing runs twice, everything has a reason.

#include <sys/types.h>
#include <csignal>

#include "fleet_fixture.hpp"

namespace punie::fleet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(FleetFixture, ASwapWaitsForTheRunningAnswer) {
    make(config({model("a", "", 6'000'000'000), model("b", "", 6'000'000'000)}));
    auto running = admit("a");
    ASSERT_TRUE(running);
    bool admitted = false;
    begin(ask_for("b"), [&](Admission outcome) { admitted = outcome.has_value(); });
    run_until([&] { return status("a").state == ServerState::draining; });
    EXPECT_FALSE(admitted);
    EXPECT_EQ(status("b").state, ServerState::stopped);
    running = std::unexpected(Refusal{Refusal::Kind::cancelled, {ErrorCode::cancelled, ""}});
    run_until([&] { return admitted; });
    EXPECT_EQ(status("a").state, ServerState::stopped);
    EXPECT_THAT(status("a").reason, HasSubstr("makes room for b"));
    EXPECT_EQ(count("evicted", "a"), 1U);
}

TEST_F(FleetFixture, ASwapDoesNotWaitForEver) {
    auto configuration = config({model("a", "", 6'000'000'000), model("b", "", 6'000'000'000)});
    configuration.queue.fairness = Milliseconds{100};
    configuration.queue.drain = Milliseconds{300};
    make(std::move(configuration));
    const auto endless = admit("a");
    ASSERT_TRUE(endless);
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(admit("b"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
    EXPECT_EQ(status("a").running, 0U);
}

TEST_F(FleetFixture, TwoThatFitStayTogether) {
    make(config({model("a", "", 5'000'000'000), model("b", "", 5'000'000'000)}));
    ASSERT_TRUE(admit("a"));
    ASSERT_TRUE(admit("b"));
    EXPECT_EQ(status("a").state, ServerState::ready);
    EXPECT_EQ(status("b").state, ServerState::ready);
    EXPECT_EQ(fleet_->memory_used(), 10'000'000'000U);
}

class SwapTest : public FleetFixture {
protected:
    void on_event(const FleetEvent& event) override {
        FleetFixture::on_event(event);
        if (!fleet_) return;
        const bool a = status("a").pid != 0 && process::process_alive(status("a").pid);
        const bool b = status("b").pid != 0 && process::process_alive(status("b").pid);
        both_ = both_ || (a && b);
    }

    /// Asks one after the other, a and b in turn, as fast as it is let.
    Task<void> client(int number, int requests) {
        const http::Client http;
        for (int i = 0; i < requests; ++i) {
            const auto* name = (number + i) % 2 == 0 ? "a" : "b";
            auto ask = ask_for(name, fmt::format("client {}", number));
            auto lease = co_await fleet_->admit(std::move(ask));
            if (!lease) {
                ++lost_;
                reason_ = lease.error().error.describe();
                continue;
            }
            const auto status = co_await ask_server(lease->base_url(), http);
            status == 200 ? ++answered_ : ++lost_;
            if (status != 200) reason_ = fmt::format("status {}", status);
        }
        ++ended_;
    }

    bool both_ = false;
    int answered_ = 0;
    int lost_ = 0;
    int ended_ = 0;
    std::string reason_;
};

TEST_F(SwapTest, AHundredSwapsUnderConcurrentAsksLoseNothing) {
    auto configuration = config({model("a", ""), model("b", "")});
    configuration.groups = {{"one at a time", {"a", "b"}, false, false}};
    configuration.queue.fairness = Milliseconds{20};
    make(std::move(configuration));
    constexpr int clients = 4;
    for (int i = 0; i < clients; ++i)
        asio::co_spawn(context_, client(i, 120), [](const std::exception_ptr& thrown) {
            ASSERT_FALSE(thrown);
        });
    run_until([&] { return ended_ == clients; });
    EXPECT_EQ(lost_, 0) << reason_;
    EXPECT_EQ(answered_, clients * 120);
    EXPECT_FALSE(both_) << "both were alive";
    EXPECT_GE(status("a").loads + status("b").loads, 100U);
}

TEST_F(FleetFixture, AStubbornServerDelaysNoOtherModel) {
    auto stubborn = model("stubborn", "--ignore-sigterm");
    stubborn.stop_grace = Milliseconds{3000};
    make(config({stubborn, model("b", "")}));
    ASSERT_TRUE(admit("stubborn"));
    ASSERT_TRUE(admit("b"));
    std::optional<Result<void>> unloaded;
    asio::co_spawn(
        context_,
        fleet_->unload("stubborn", false),
        [&](const std::exception_ptr&, Result<void> result) { unloaded = std::move(result); }
    );
    run_until([&] { return status("stubborn").state == ServerState::draining; });
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(admit("b"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    EXPECT_FALSE(unloaded) << "it ignores SIGTERM";
    ASSERT_TRUE(run(fleet_->unload("stubborn", true))) << "a forced one does not wait";
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
    run_until([&] { return unloaded.has_value(); });
    EXPECT_EQ(status("stubborn").pid, 0);
}

TEST_F(FleetFixture, AnAskDuringAStopWaitsAndStartsAnew) {
    auto slow = model("a", "--ignore-sigterm");
    slow.stop_grace = Milliseconds{400};
    make(config({slow}));
    std::uint64_t before = 0;
    {
        const auto lease = admit("a");
        ASSERT_TRUE(lease);
        before = lease->generation();
    }
    asio::co_spawn(
        context_, fleet_->unload("a", false), [](const std::exception_ptr&, Result<void>) {}
    );
    run_until([&] { return status("a").state == ServerState::draining; });
    const auto lease = admit("a");
    ASSERT_TRUE(lease);
    EXPECT_NE(lease->generation(), before);
    EXPECT_EQ(status("a").loads, 2U);
}

TEST_F(FleetFixture, AServerKilledInAnAnswerIsStartedAgain) {
    make(config({model("a", "")}));
    auto lease = admit("a");
    ASSERT_TRUE(lease);
    const auto pid = status("a").pid;
    const auto generation = lease->generation();
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    EXPECT_TRUE(lease->broke(Error(ErrorCode::connection, "connection reset")));
    EXPECT_EQ(lease->deaths(), 1);
    auto ask = ask_for("a");
    ask.deaths = lease->deaths();
    auto again = run(fleet_->admit(std::move(ask)));
    ASSERT_TRUE(again) << again.error().error.describe();
    EXPECT_NE(again->generation(), generation);
    EXPECT_EQ(status("a").crashes, 1U);
    EXPECT_EQ(count("crash", "a"), 1U);
    EXPECT_FALSE(again->broke(Error(ErrorCode::connection, "connection reset")))
        << "a second server died of this request";
    EXPECT_EQ(again->deaths(), 2);
    auto poison = ask_for("a");
    poison.deaths = 2;
    const auto refused = run(fleet_->admit(std::move(poison)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Refusal::Kind::poisoned);
}

TEST_F(FleetFixture, ABrokenConnectionOfALivingServerCostsNoRestart) {
    make(config({model("a", "")}));
    auto lease = admit("a");
    ASSERT_TRUE(lease);
    EXPECT_TRUE(lease->broke(Error(ErrorCode::protocol, "bad chunk size")));
    const auto again = admit("a");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->generation(), lease->generation());
    EXPECT_EQ(status("a").crashes, 0U);
}

TEST_F(FleetFixture, ACrashLoopBacksOffAndSaysWhy) {
    make(config({model("a", "--print CUDA%20exploded --exit-code 7")}));
    const auto first = admit("a");
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().kind, Refusal::Kind::start_failed);
    EXPECT_THAT(first.error().error.describe(), HasSubstr("CUDA exploded"));
    EXPECT_THAT(first.error().error.describe(), HasSubstr("exit code 7"));
    EXPECT_TRUE(first.error().retry_after);
    for (int i = 0; i < 20; ++i) {
        const auto next = admit("a");
        ASSERT_FALSE(next);
        EXPECT_EQ(next.error().kind, Refusal::Kind::backing_off);
        EXPECT_THAT(next.error().error.describe(), HasSubstr("CUDA exploded"));
        EXPECT_TRUE(next.error().retry_after);
    }
    EXPECT_EQ(status("a").loads, 1U) << "twenty asks, one start";
    EXPECT_EQ(status("a").state, ServerState::failed);
    EXPECT_TRUE(status("a").retries_at);
    EXPECT_THAT(run(fleet_->load("a")).error().describe(), HasSubstr("CUDA exploded"))
        << "a person may try now";
    EXPECT_EQ(status("a").loads, 2U);
    const auto log = fleet_->log("a", 5);
    ASSERT_TRUE(log);
    EXPECT_THAT(*log, testing::Contains("CUDA exploded"));
}

TEST_F(FleetFixture, AWaitOverTheFirstDeathOfAReadyServerGoesOn) {
    auto spec = model("a", "--crash-on-request 2");  // the first is the probe of readiness
    spec.parallel = 1;
    make(config({spec}));
    auto lease = admit("a");
    ASSERT_TRUE(lease);
    std::optional<Admission> second;
    begin(ask_for("a"), [&](Admission outcome) { second.emplace(std::move(outcome)); });
    EXPECT_EQ(run(ask_server(lease->base_url(), http::Client())), 0) << "it dies of it";
    EXPECT_TRUE(lease->broke(Error(ErrorCode::connection, "closed")));
    run_until([&] { return second.has_value(); });
    ASSERT_TRUE(*second) << (*second).error().error.describe();
    EXPECT_NE((*second)->generation(), lease->generation());
}

TEST_F(FleetFixture, AnUnloadLeavesNothing) {
    make(config({model("a", "--fork-grandchild --double-fork")}));
    ASSERT_TRUE(admit("a"));
    const auto pid = status("a").pid;
    const auto url = status("a").url;
    ASSERT_TRUE(run(fleet_->unload("a", false)));
    EXPECT_FALSE(process::process_alive(pid));
    const auto colon = url.rfind(':');
    const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1)));
    EXPECT_FALSE(process::port_listens(port));
    EXPECT_EQ(status("a").reason, "unloaded by request");
    EXPECT_EQ(run(fleet_->unload("b", false)).error().code(), ErrorCode::not_found);
}

TEST_F(FleetFixture, AStopCommandIsRunForAStop) {
    auto spec = model("a", "");
    const auto mark = folder_->path() / "stopped";
    spec.stop_command = {"/usr/bin/touch", mark.native()};
    make(config({spec}));
    ASSERT_TRUE(admit("a"));
    EXPECT_FALSE(std::filesystem::exists(mark));
    ASSERT_TRUE(run(fleet_->unload("a", false)));
    EXPECT_TRUE(std::filesystem::exists(mark));
}

TEST_F(FleetFixture, AReloadTouchesOnlyWhatChanged) {
    make(config({model("a", ""), model("b", ""), model("c", "")}));
    const auto stream = admit("a");
    auto changed = admit("b");
    ASSERT_TRUE(stream && changed && admit("c"));
    const auto a_before = status("a").pid;
    const auto b_before = status("b").pid;
    auto a = model("a", "");
    a.aliases = {"other"};
    a.ttl = Milliseconds{600'000};
    auto b = model("b", "--load-ms 10");
    const auto did = fleet_->apply(config({a, b, model("d", "")}));
    ASSERT_TRUE(did);
    EXPECT_THAT(
        *did,
        testing::UnorderedElementsAre(
            HasSubstr("b: changed"), HasSubstr("c: removed"), HasSubstr("d: added")
        )
    );
    EXPECT_EQ(status("a").pid, a_before) << "its stream lives";
    EXPECT_EQ(status("a").running, 1U);
    EXPECT_TRUE(admit("other"));
    EXPECT_EQ(status("b").state, ServerState::draining) << "its answer may end";
    changed = std::unexpected(Refusal{Refusal::Kind::cancelled, {ErrorCode::cancelled, ""}});
    run_until([&] { return status("b").state == ServerState::ready; });
    EXPECT_NE(status("b").pid, b_before);
    EXPECT_FALSE(fleet_->status("c"));
    EXPECT_EQ(admit("c").error().kind, Refusal::Kind::unknown_model);
    EXPECT_TRUE(admit("d"));
}

TEST_F(FleetFixture, AReloadToTheSameChangesNothing) {
    make(config({model("a", "")}));
    const auto stream = admit("a");
    ASSERT_TRUE(stream);
    const auto pid = status("a").pid;
    const auto did = fleet_->apply(config({model("a", "")}));
    ASSERT_TRUE(did);
    EXPECT_THAT(*did, IsEmpty());
    EXPECT_EQ(status("a").pid, pid);
}

TEST_F(FleetFixture, AServerThatGrowsTooLargeIsStartedAnewBetweenRequests) {
    auto spec = model("a", "--alloc-mb 80");
    spec.restart_above = 40'000'000;
    make(config({spec}));
    auto lease = admit("a");
    ASSERT_TRUE(lease);
    EXPECT_EQ(status("a").state, ServerState::ready) << "never in an answer";
    lease = std::unexpected(Refusal{Refusal::Kind::cancelled, {ErrorCode::cancelled, ""}});
    run_until([&] { return status("a").loads >= 2; });
    EXPECT_GE(count("memory", "a"), 1U);
}

TEST_F(FleetFixture, RequestsForOneAdapterGoTogether) {
    auto spec = model("a", "");
    spec.adapters = {{"x", "/x"}, {"y", "/y"}};
    auto configuration = config({spec});
    configuration.queue.fairness = Milliseconds{5000};
    make(std::move(configuration));
    std::vector<Lease> held;
    auto first = admit("a:x");
    ASSERT_TRUE(first);
    std::vector<std::string> order;
    std::vector<Lease> leases;
    for (const auto* name : {"a:y", "a:x", "a:y", "a:x"}) {
        begin(ask_for(name), [&](Admission outcome) {
            ASSERT_TRUE(outcome);
            order.push_back(outcome->served_name());
            leases.push_back(*std::move(outcome));
        });
    }
    run_until([&] { return order.size() == 2; });
    EXPECT_THAT(order, testing::ElementsAre("a:x", "a:x"));
    leases.clear();
    first = std::unexpected(Refusal{Refusal::Kind::cancelled, {ErrorCode::cancelled, ""}});
    run_until([&] { return order.size() == 4; });
    EXPECT_THAT(order, testing::ElementsAre("a:x", "a:x", "a:y", "a:y"));
}

TEST_F(FleetFixture, ACloseRefusesNewAsksAndLetsAnswersEnd) {
    make(config({model("a", "")}));
    auto lease = admit("a");
    ASSERT_TRUE(lease);
    bool closed = false;
    asio::co_spawn(context_, fleet_->close(Milliseconds{20'000}), [&](const std::exception_ptr&) {
        closed = true;
    });
    run_until([&] { return status("a").state == ServerState::draining; });
    EXPECT_EQ(admit("a").error().kind, Refusal::Kind::closing);
    EXPECT_FALSE(closed);
    lease = std::unexpected(Refusal{Refusal::Kind::cancelled, {ErrorCode::cancelled, ""}});
    run_until([&] { return closed; });
    EXPECT_EQ(status("a").pid, 0);
}

TEST_F(FleetFixture, EventsAreKeptInOrderAndCanBeWaitedFor) {
    make(config({model("a", "")}));
    bool heard = false;
    asio::co_spawn(context_, fleet_->wait_event(0), [&](const std::exception_ptr&) {
        heard = true;
    });
    ASSERT_TRUE(admit("a"));
    run_until([&] { return heard; });
    const auto all = fleet_->events_since(0);
    ASSERT_GE(all.size(), 3U);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].number, i + 1);
    EXPECT_EQ(all.back().state, ServerState::ready);
    EXPECT_EQ(fleet_->events_since(all.back().number).size(), 0U);
}

TEST_F(FleetFixture, AFleetThatIsNotClosedLeavesNoServer) {
    make(config({model("a", "")}));
    ASSERT_TRUE(admit("a"));
    const auto pid = status("a").pid;
    fleet_.reset();
    run_until([&] { return !process::process_alive(pid); });
}

}  // namespace
}  // namespace punie::fleet
