// Loading, waiting, refusing: what a request sees of a fleet.

#include "fleet_fixture.hpp"

namespace punie::fleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(FleetFixture, AFirstAskLoadsAndALeaseNamesTheServer) {
    make(config({model("a", "")}));
    auto lease = admit("a");
    ASSERT_TRUE(lease) << lease.error().error.describe();
    EXPECT_EQ(lease->served_name(), "a");
    EXPECT_EQ(lease->request_model(), "default_model");
    EXPECT_THAT(lease->base_url(), HasSubstr("http://127.0.0.1:"));
    EXPECT_EQ(status("a").state, ServerState::ready);
    EXPECT_EQ(status("a").running, 1U);
    EXPECT_NE(status("a").pid, 0);
    EXPECT_EQ(run(ask_server(lease->base_url(), http::Client())), 200);
    lease = std::unexpected(Refusal{Refusal::Kind::cancelled, {ErrorCode::cancelled, ""}});
    EXPECT_EQ(status("a").running, 0U);
    EXPECT_EQ(status("a").served, 1U);
    EXPECT_EQ(status("a").loads, 1U);
}

TEST_F(FleetFixture, AliasesAndAdaptersAreNames) {
    auto spec = model("base", "");
    spec.aliases = {"gpt-4o"};
    spec.adapters = {{"tools", "/adapters/tools"}};
    spec.server.sampling.repetition_penalty = 1.1;
    make(config({spec}));
    auto plain = admit("gpt-4o");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->served_name(), "base");
    EXPECT_EQ(plain->adapter(), "");
    EXPECT_EQ(plain->request_model(), "default_model");
    EXPECT_THAT(plain->file_members(), ElementsAre("adapters", "draft_model"));
    ASSERT_EQ(plain->defaults().size(), 1U);
    EXPECT_EQ(plain->defaults().front().first, "repetition_penalty");
    plain = std::unexpected(Refusal{Refusal::Kind::cancelled, {ErrorCode::cancelled, ""}});
    auto adapted = admit("base:tools");
    ASSERT_TRUE(adapted);
    EXPECT_EQ(adapted->served_name(), "base:tools");
    EXPECT_EQ(adapted->adapter(), "/adapters/tools");
    // By "default_model" mlx_lm would take the adapter of its command line, and say nothing.
    EXPECT_EQ(adapted->request_model(), spec.server.model_path);
    EXPECT_NE(adapted->request_model(), "");
    EXPECT_EQ(fleet_->name_of("gpt-4o:tools"), "base:tools");
    EXPECT_EQ(fleet_->name_of("nobody"), std::nullopt);
    EXPECT_EQ(status("base").adapter_loaded, "base:tools");
    EXPECT_EQ(status("base").loads, 1U) << "one process serves both";
}

TEST_F(FleetFixture, SamplingThatMayNotBeOverriddenIsWhole) {
    auto spec = model("a", "");
    spec.server.sampling.temperature = 0.2;
    spec.sampling_overridable = false;
    make(config({spec}));
    const auto lease = admit("a");
    ASSERT_TRUE(lease);
    ASSERT_EQ(lease->defaults().size(), 1U);
    EXPECT_EQ(lease->defaults().front().first, "temperature");
}

TEST_F(FleetFixture, AnUnknownNameIsRefusedAtOnce) {
    make(config({model("a", "")}));
    const auto outcome = admit("b");
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Refusal::Kind::unknown_model);
    EXPECT_THAT(events_, IsEmpty());
}

TEST_F(FleetFixture, FiveHundredAsksDuringOneLoadAreAllAdmitted) {
    auto spec = model("a", "--load-ms 400");
    spec.parallel = 16;
    make(config({spec}));
    int admitted = 0;
    int refused = 0;
    for (int i = 0; i < 500; ++i) {
        begin(ask_for("a", fmt::format("client {}", i % 7)), [&](Admission outcome) {
            outcome ? ++admitted : ++refused;
            EXPECT_LE(status("a").running, 16U);
        });
    }
    run_until([&] { return admitted + refused == 500; });
    EXPECT_EQ(admitted, 500);
    EXPECT_EQ(status("a").loads, 1U);
    EXPECT_EQ(status("a").served, 500U);
}

TEST_F(FleetFixture, FromCouldAnswerToAdmittedAreFiftyMilliseconds) {
    make(config({model("a", "--load-503-ms 600")}));
    const auto begin = std::chrono::steady_clock::now();
    const auto lease = admit("a");
    ASSERT_TRUE(lease);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    // the fake could answer 600 ms after it began to listen; its start takes some of the machine
    const auto ready = std::ranges::find_if(events_, [](const FleetEvent& event) {
        return event.state == ServerState::ready;
    });
    ASSERT_NE(ready, events_.end());
    const std::chrono::duration<double, std::milli> after =
        std::chrono::system_clock::now() - ready->time;
    EXPECT_LT(after.count(), 50) << "from ready to admitted";
    EXPECT_GE(took.count(), 600);
    RecordProperty("milliseconds", static_cast<int>(took.count()));
}

TEST_F(FleetFixture, WhoWaitsIsToldAboutOnceASecond) {
    make(config({model("a", "--load-ms 2300")}));
    std::vector<Waiting> told;
    auto ask = ask_for("a");
    ask.on_wait = [&](Waiting waiting) -> Task<bool> {
        told.push_back(std::move(waiting));
        co_return true;
    };
    const auto lease = run(fleet_->admit(std::move(ask)));
    ASSERT_TRUE(lease);
    ASSERT_GE(told.size(), 3U);
    EXPECT_LE(told.size(), 6U);
    EXPECT_EQ(told.front().model, "a");
    EXPECT_EQ(told.front().place, 1U);
    EXPECT_EQ(told.back().state, ServerState::loading);
    EXPECT_EQ(told.back().why, "loading");
    EXPECT_FALSE(told.back().seconds_left) << "it was never loaded before";
}

TEST_F(FleetFixture, TheNextLoadHasAnEstimate) {
    make(config({model("a", "--load-ms 300")}));
    ASSERT_TRUE(admit("a"));
    ASSERT_TRUE(run(fleet_->unload("a", false)));
    std::optional<double> left;
    auto ask = ask_for("a");
    ask.on_wait = [&](Waiting waiting) -> Task<bool> {
        left = waiting.seconds_left;
        co_return true;
    };
    ASSERT_TRUE(run(fleet_->admit(std::move(ask))));
    ASSERT_TRUE(left);
    EXPECT_GT(*left, 0.2);
    EXPECT_LT(*left, 10);
    EXPECT_GT(status("a").load_seconds.value_or(0), 0.2);
}

TEST_F(FleetFixture, ADeadlineEndsAWaitWithItsReason) {
    make(config({model("a", "--never-ready")}));
    auto ask = ask_for("a");
    ask.wait = Milliseconds{300};
    const auto begin = std::chrono::steady_clock::now();
    const auto outcome = run(fleet_->admit(std::move(ask)));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Refusal::Kind::deadline);
    EXPECT_THAT(outcome.error().error.message(), HasSubstr("loading"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST_F(FleetFixture, AClientThatLeavesWhileItWaitsIsDropped) {
    make(config({model("a", "--never-ready")}));
    asio::cancellation_signal cancel;
    std::optional<Refusal::Kind> kind;
    asio::co_spawn(
        context_,
        deliver(
            fleet_->admit(ask_for("a")),
            [&](Admission outcome) {
                ASSERT_FALSE(outcome);
                kind = outcome.error().kind;
            }
        ),
        asio::bind_cancellation_slot(
            cancel.slot(), [](const std::exception_ptr& thrown) { ASSERT_FALSE(thrown); }
        )
    );
    run_until([&] { return fleet_->status("a")->waiting == 1; });
    cancel.emit(asio::cancellation_type::terminal);
    run_until([&] { return kind.has_value(); });
    EXPECT_EQ(kind, Refusal::Kind::cancelled);
    EXPECT_EQ(status("a").waiting, 0U);
}

TEST_F(FleetFixture, AFullQueueRefuses) {
    auto configuration = config({model("a", "--never-ready")});
    configuration.queue.requests = 3;
    make(std::move(configuration));
    int full = 0;
    int ended = 0;
    for (int i = 0; i < 5; ++i) {
        begin(ask_for("a"), [&](Admission outcome) {
            ++ended;
            if (!outcome && outcome.error().kind == Refusal::Kind::queue_full) {
                ++full;
                EXPECT_TRUE(outcome.error().retry_after);
            }
        });
    }
    run_until([&] { return full == 2; });
    EXPECT_EQ(status("a").waiting, 3U);
    run(fleet_->close(Milliseconds{0}));
    EXPECT_EQ(ended, 5);
}

TEST_F(FleetFixture, AModelOverTheBudgetIsRefusedWithTheNumbers) {
    make(config({model("big", "", 12'000'000'000)}));
    const auto outcome = admit("big");
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Refusal::Kind::does_not_fit);
    EXPECT_THAT(outcome.error().error.message(), HasSubstr("12.0 GB"));
    EXPECT_THAT(outcome.error().error.message(), HasSubstr("10.0 GB"));
    const auto loaded = run(fleet_->load("big"));
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code(), ErrorCode::out_of_memory);
}

TEST_F(FleetFixture, AFallbackStandsInAndIsNamed) {
    auto broken = model("broken", "--print no%20such%20layer --exit-code 3");
    broken.fallbacks = {"nobody", "good"};
    make(config({broken, model("good", "")}));
    const auto lease = admit("broken");
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->served_name(), "good");
}

TEST_F(FleetFixture, AFallbackThatTheAskerMayNotUseDoesNotStandIn) {
    auto broken = model("broken", "--print no%20such%20layer --exit-code 3");
    broken.fallbacks = {"secret", "good"};
    make(config({broken, model("secret", ""), model("good", "")}));
    auto ask = ask_for("broken");
    std::vector<std::string> asked;
    ask.bar = [&](std::string_view name) -> std::optional<Error> {
        asked.emplace_back(name);
        if (name != "secret") return std::nullopt;
        return Error(ErrorCode::invalid_argument, "not for you");
    };
    const auto lease = run(fleet_->admit(std::move(ask)));
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->served_name(), "good");
    EXPECT_THAT(asked, ElementsAre("broken", "secret", "good"));
    EXPECT_EQ(fleet_->status("secret")->loads, 0U);

    auto direct = ask_for("secret");
    direct.bar = [](std::string_view) { return Error(ErrorCode::invalid_argument, "not for you"); };
    const auto refused = run(fleet_->admit(std::move(direct)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Refusal::Kind::not_allowed);
    EXPECT_EQ(refused.error().error.message(), "not for you");
}

TEST_F(FleetFixture, AnEndpointThatIsNotOursNeedsNoStart) {
    ModelSpec spec;
    spec.name = "hosted";
    spec.upstream = UpstreamSpec{"http://127.0.0.1:9/v1/", "big", ""};
    spec.server.backend = BackendKind::openai;
    spec.server.url = spec.upstream->url;
    make(config({spec}));
    auto lease = admit("hosted");
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->base_url(), "http://127.0.0.1:9/v1");
    EXPECT_EQ(lease->request_model(), "big");
    EXPECT_TRUE(lease->broke(Error(ErrorCode::connection, "connection refused")));
    auto again = admit("hosted");
    ASSERT_TRUE(again) << "once may be an accident";
    EXPECT_TRUE(again->broke(Error(ErrorCode::connection, "connection refused")));
    const auto third = admit("hosted");
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().kind, Refusal::Kind::backing_off);
    EXPECT_TRUE(third.error().retry_after);
}

TEST_F(FleetFixture, APreloadedModelIsThereWithoutARequest) {
    auto spec = model("a", "");
    spec.preload = true;
    make(config({spec, model("b", "")}));
    asio::cancellation_signal stop;
    bool ended = false;
    asio::co_spawn(
        context_,
        fleet_->run(),
        asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr&) { ended = true; })
    );
    run_until([&] { return status("a").state == ServerState::ready; });
    EXPECT_EQ(status("b").state, ServerState::stopped);
    stop.emit(asio::cancellation_type::terminal);
    run_until([&] { return ended; });
}

TEST_F(FleetFixture, ATimeToLiveCountsFromTheLastAnswersEnd) {
    auto spec = model("a", "");
    spec.ttl = Milliseconds{300};
    make(config({spec}));
    {
        const auto lease = admit("a");
        ASSERT_TRUE(lease);
        asio::steady_timer longer(context_, Milliseconds{500});
        bool over = false;
        longer.async_wait([&](auto) { over = true; });
        run_until([&] { return over; });
        EXPECT_EQ(status("a").state, ServerState::ready) << "an answer runs";
    }
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(status("a").unloads_at);
    run_until([&] { return status("a").state == ServerState::stopped; });
    EXPECT_GE(std::chrono::steady_clock::now() - begin, Milliseconds{290});
    EXPECT_THAT(status("a").reason, HasSubstr("unloaded after 0.3"));
}

TEST_F(FleetFixture, WhatAModelNeedsIsMeasuredAndRemembered) {
    auto spec = model("a", "--alloc-mb 60");
    spec.memory.reset();
    make(config({spec}));
    ASSERT_TRUE(admit("a"));
    const auto measured = status("a").memory_needed.value_or(0);
    EXPECT_GT(measured, 60'000'000U);
    EXPECT_LT(measured, 600'000'000U);
    run(fleet_->close(Milliseconds{0}));
    make(config({spec}));
    EXPECT_EQ(status("a").memory_needed, measured) << "read from the state folder";
    auto small = config({spec}, 50'000'000);
    make(std::move(small));
    const auto refused = admit("a");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Refusal::Kind::does_not_fit);
}

}  // namespace
}  // namespace punie::fleet
