// The scheduler's rules one by one: a script of events and the actions that must come of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "fleet/scheduler.hpp"

namespace punie::fleet {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string name_of(Refusal::Kind kind) {
    switch (kind) {
        case Refusal::Kind::unknown_model:
            return "unknown_model";
        case Refusal::Kind::queue_full:
            return "queue_full";
        case Refusal::Kind::deadline:
            return "deadline";
        case Refusal::Kind::backing_off:
            return "backing_off";
        case Refusal::Kind::does_not_fit:
            return "does_not_fit";
        case Refusal::Kind::start_failed:
            return "start_failed";
        case Refusal::Kind::poisoned:
            return "poisoned";
        case Refusal::Kind::not_allowed:
            return "not_allowed";
        case Refusal::Kind::closing:
            return "closing";
        case Refusal::Kind::cancelled:
            return "cancelled";
    }
    return "?";
}

struct Word {
    std::string operator()(const action::Start& one) const { return "start " + one.model; }

    std::string operator()(const action::Stop& one) const {
        return (one.force ? "kill " : "stop ") + one.model;
    }

    std::string operator()(const action::Check& one) const { return "check " + one.model; }

    std::string operator()(const action::Admit& one) const {
        return fmt::format("admit {}", one.ask);
    }

    std::string operator()(const action::Loaded& one) const {
        return fmt::format("loaded {}", one.ask);
    }

    std::string operator()(const action::Refuse& one) const {
        return fmt::format("{} {}", name_of(one.refusal.kind), one.ask);
    }

    std::string operator()(const action::Note&) const { return ""; }
};

class SchedulerTest : public testing::Test {
protected:
    using Words = std::vector<std::string>;

    static Plan plan(std::string name, std::uint64_t memory = 6) {
        Plan result;
        result.name = std::move(name);
        result.memory = memory;
        result.parallel = 2;
        return result;
    }

    void make(std::vector<Plan> plans, std::vector<Group> groups = {}) {
        Rules rules;
        rules.budget = 10;
        rules.queue.fairness = Milliseconds{10'000};
        rules.queue.min_loaded = Milliseconds{1000};
        rules.queue.drain = Milliseconds{30'000};
        rules.queue.wait = Milliseconds{600'000};
        rules.groups = std::move(groups);
        scheduler_.emplace(std::move(rules), std::move(plans), now_);
    }

    void after(int milliseconds) {
        now_ += Milliseconds{milliseconds};
        scheduler_->tick(now_);
    }

    void ask(AskId id, std::string model, AskFacts facts = {}) {
        facts.model = std::move(model);
        scheduler_->ask(id, std::move(facts), now_);
    }

    void ready(const std::string& model) { scheduler_->server_ready(model, now_); }

    void ended(const std::string& model) {
        scheduler_->server_ended(model, std::nullopt, now_, 0.5);
    }

    void crashed(const std::string& model, const std::string& why = "exit code 1") {
        scheduler_->server_ended(model, Error(ErrorCode::exited, why), now_, 0.5);
    }

    /// What was done since the last look, notes left out.
    Words did() {
        Words words;
        refusals_.clear();
        for (const auto& action : scheduler_->take_actions()) {
            if (const auto* refuse = std::get_if<action::Refuse>(&action))
                refusals_.push_back(refuse->refusal);
            auto word = std::visit(Word{}, action);
            if (!word.empty()) words.push_back(std::move(word));
        }
        return words;
    }

    /// Loaded, used once and idle, long enough to be evicted.
    void have_idle(const std::string& model) {
        scheduler_->load(next_id_, model, now_);
        ready(model);
        after(1500);
        did();
        ++next_id_;
    }

    const Slot& slot(const std::string& model) { return *scheduler_->find(model); }

    SteadyTime now_ = SteadyTime{} + std::chrono::hours(1);
    std::optional<Scheduler> scheduler_;
    std::vector<Refusal> refusals_;
    AskId next_id_ = 1000;
};

TEST_F(SchedulerTest, TheFirstAskStartsAndIsAdmittedWhenReady) {
    make({plan("a")});
    ask(1, "a");
    EXPECT_THAT(did(), ElementsAre("start a"));
    ask(2, "a");
    EXPECT_THAT(did(), IsEmpty());
    ready("a");
    EXPECT_THAT(did(), ElementsAre("admit 1", "admit 2"));
    ask(3, "a");
    EXPECT_THAT(did(), IsEmpty()) << "parallel is 2";
    EXPECT_THAT(scheduler_->waiting(3, now_)->why, HasSubstr("one of 2 answers"));
    scheduler_->leave(1, now_);
    EXPECT_THAT(did(), ElementsAre("admit 3"));
}

TEST_F(SchedulerTest, TheNextLoadWaitsUntilTheOldOneIsGone) {
    make({plan("a"), plan("b")});
    have_idle("a");
    ask(1, "b");
    EXPECT_THAT(did(), ElementsAre("stop a"));
    EXPECT_THAT(scheduler_->waiting(1, now_)->why, HasSubstr("waits for a to stop"));
    ended("a");
    EXPECT_THAT(did(), ElementsAre("start b"));
}

TEST_F(SchedulerTest, AModelInUseLeavesWhenTheOtherWaitedItsTime) {
    make({plan("a"), plan("b")});
    ask(1, "a");
    ready("a");
    did();
    ask(2, "b");
    EXPECT_THAT(scheduler_->waiting(2, now_)->why, HasSubstr("a is in use"));
    after(9000);
    ask(3, "a");
    EXPECT_THAT(did(), ElementsAre("admit 3")) << "together, within the bound";
    after(1000);
    ask(4, "a");
    EXPECT_THAT(did(), IsEmpty()) << "it drains";
    EXPECT_THAT(scheduler_->waiting(2, now_)->why, HasSubstr("waits for 2 answers of a"));
    scheduler_->leave(1, now_);
    scheduler_->leave(3, now_);
    EXPECT_THAT(did(), ElementsAre("stop a"));
    ended("a");
    EXPECT_THAT(did(), ElementsAre("start b"));
    ready("b");
    EXPECT_THAT(did(), ElementsAre("admit 2"));
    after(9000);
    EXPECT_THAT(did(), IsEmpty()) << "4 waits behind b only since b is ready";
    after(1000);
    scheduler_->leave(2, now_);
    EXPECT_THAT(did(), ElementsAre("stop b"));
}

TEST_F(SchedulerTest, ADrainHasALimit) {
    make({plan("a"), plan("b")});
    ask(1, "a");
    ready("a");
    ask(2, "b");
    after(10'000);
    did();
    after(29'999);
    EXPECT_THAT(did(), IsEmpty());
    EXPECT_EQ(scheduler_->next_time(), now_ + Milliseconds{1});
    after(1);
    EXPECT_THAT(did(), ElementsAre("kill a"));
}

TEST_F(SchedulerTest, ADrainEndsWhenNobodyWantsTheRoomAnyMore) {
    make({plan("a"), plan("b")});
    ask(1, "a");
    ready("a");
    ask(2, "b");
    after(10'000);
    ask(3, "a");
    did();
    EXPECT_EQ(slot("a").phase, Phase::draining);
    scheduler_->leave(2, now_);
    EXPECT_THAT(did(), ElementsAre("admit 3"));
    EXPECT_EQ(slot("a").phase, Phase::ready);
}

TEST_F(SchedulerTest, AYoungModelStays) {
    make({plan("a"), plan("b")});
    scheduler_->load(1, "a", now_);
    ready("a");
    ask(2, "b");
    did();
    EXPECT_THAT(scheduler_->waiting(2, now_)->why, HasSubstr("loaded only just now"));
    after(999);
    EXPECT_THAT(did(), IsEmpty());
    after(1);
    EXPECT_THAT(did(), ElementsAre("stop a"));
}

TEST_F(SchedulerTest, TheHigherPriorityDoesNotWait) {
    auto important = plan("b");
    important.priority = 1;
    make({plan("a"), important});
    ask(1, "a");
    ready("a");
    after(1000);
    ask(2, "b");
    EXPECT_EQ(slot("a").phase, Phase::draining);
}

TEST_F(SchedulerTest, AnEarlierLargerOneIsNotStarved) {
    make({plan("a", 6), plan("large", 9), plan("small", 4)});
    ask(1, "a");
    ready("a");
    did();
    ask(2, "large");
    ask(3, "small");
    EXPECT_THAT(did(), IsEmpty()) << "small would fit now, but then large would wait for it too";
    after(10'000);
    scheduler_->leave(1, now_);
    ended("a");
    EXPECT_THAT(did(), ElementsAre("stop a", "start large"));
}

TEST_F(SchedulerTest, WhatFitsBesideALaterOneIsLoaded) {
    make({plan("a", 6), plan("b", 6), plan("small", 3)});
    ask(1, "a");
    ready("a");
    did();
    ask(2, "b");
    ask(3, "small");
    EXPECT_THAT(did(), ElementsAre("start small"));
}

TEST_F(SchedulerTest, ATimeToLiveCountsFromTheEndOfTheLastAnswer) {
    auto a = plan("a");
    a.ttl = Milliseconds{5000};
    make({a});
    ask(1, "a");
    ready("a");
    after(60'000);
    EXPECT_THAT(did(), Not(Contains("stop a")));
    scheduler_->leave(1, now_);
    EXPECT_EQ(scheduler_->next_time(), now_ + Milliseconds{5000});
    after(4999);
    EXPECT_THAT(did(), IsEmpty());
    after(1);
    EXPECT_THAT(did(), ElementsAre("stop a"));
    ask(2, "a");
    EXPECT_THAT(did(), IsEmpty()) << "it waits for the stop";
    ended("a");
    EXPECT_THAT(did(), ElementsAre("start a"));
}

TEST_F(SchedulerTest, AnAskInTheMomentOfTheTimeToLiveIsServed) {
    auto a = plan("a");
    a.ttl = Milliseconds{5000};
    make({a});
    have_idle("a");
    now_ += Milliseconds{60'000};
    ask(1, "a");
    EXPECT_THAT(did(), ElementsAre("admit 1")) << "no stop was decided yet";
}

TEST_F(SchedulerTest, AFailedStartIsToldToAllWhoWaitAndBacksOff) {
    make({plan("a")});
    ask(1, "a");
    ask(2, "a");
    did();
    crashed("a", "CUDA exploded");
    EXPECT_THAT(did(), testing::UnorderedElementsAre("start_failed 1", "start_failed 2"));
    EXPECT_EQ(refusals_.front().error.message(), "CUDA exploded");
    EXPECT_EQ(refusals_.front().retry_after, Milliseconds{500});
    ask(3, "a");
    EXPECT_THAT(did(), ElementsAre("backing_off 3"));
    after(500);
    ask(4, "a");
    EXPECT_THAT(did(), ElementsAre("start a"));
    crashed("a");
    did();
    EXPECT_EQ(refusals_.front().retry_after, Milliseconds{1000});
}

TEST_F(SchedulerTest, ALoadTriesNow) {
    make({plan("a")});
    ask(1, "a");
    crashed("a");
    did();
    scheduler_->load(2, "a", now_);
    EXPECT_THAT(did(), ElementsAre("start a"));
    ready("a");
    EXPECT_THAT(did(), ElementsAre("loaded 2"));
}

TEST_F(SchedulerTest, AnUnloadInABackOffEndsItSoThatNobodyWaitsForNothing) {
    make({plan("a")});
    ask(1, "a");
    crashed("a");
    did();
    scheduler_->unload("a", false, now_);
    ask(2, "a");
    EXPECT_THAT(did(), ElementsAre("start a"));
    ready("a");
    EXPECT_THAT(did(), ElementsAre("admit 2"));
}

TEST_F(SchedulerTest, OneDeathOfAReadyServerIsWaitedOut) {
    make({plan("a")});
    ask(1, "a");
    ready("a");
    after(2000);
    did();
    crashed("a");
    ask(2, "a");
    EXPECT_THAT(did(), IsEmpty()) << "neither refused nor started at once";
    after(500);
    EXPECT_THAT(did(), ElementsAre("start a"));
    ready("a");
    EXPECT_THAT(did(), ElementsAre("admit 2"));
    crashed("a");
    ask(3, "a");
    EXPECT_THAT(did(), ElementsAre("backing_off 3")) << "twice is a loop";
}

TEST_F(SchedulerTest, AHealthyTimeForgetsDeaths) {
    make({plan("a")});
    for (int i = 0; i < 5; ++i) {
        scheduler_->load(static_cast<AskId>(100 + i), "a", now_);
        ready("a");
        after(31'000);
        crashed("a");
        EXPECT_EQ(slot("a").retry_at, now_ + Milliseconds{500}) << i;
        EXPECT_FALSE(slot("a").refuses);
        after(500);
    }
}

TEST_F(SchedulerTest, APoisonousRequestIsNotTriedAThirdTime) {
    make({plan("a")});
    ask(1, "a", {.deaths = 1});
    EXPECT_THAT(did(), ElementsAre("start a"));
    ask(2, "a", {.deaths = 2});
    EXPECT_THAT(did(), ElementsAre("poisoned 2"));
}

TEST_F(SchedulerTest, ABrokenAnswerHoldsOthersUntilItIsClear) {
    make({plan("a")});
    ask(1, "a");
    ready("a");
    did();
    scheduler_->broke(1, Error(ErrorCode::connection, "reset"), now_, 0.5);
    EXPECT_THAT(did(), ElementsAre("check a"));
    ask(2, "a");
    EXPECT_THAT(did(), IsEmpty());
    EXPECT_THAT(scheduler_->waiting(2, now_)->why, HasSubstr("sign of life"));
    scheduler_->server_answers("a", slot("a").generation, now_);
    EXPECT_THAT(did(), ElementsAre("admit 2"));
    scheduler_->broke(2, Error(ErrorCode::connection, "reset"), now_, 0.5);
    did();
    scheduler_->server_silent(
        "a", slot("a").generation, Error(ErrorCode::timeout, "no answer"), now_
    );
    EXPECT_THAT(did(), ElementsAre("kill a"));
    ended("a");
    EXPECT_EQ(slot("a").crashes, 1U);
    EXPECT_EQ(slot("a").error->message(), "no answer");
}

TEST_F(SchedulerTest, ADeadlineIsKept) {
    make({plan("a")});
    ask(1, "a", {.wait = Milliseconds{3000}});
    EXPECT_EQ(scheduler_->next_time(), now_ + Milliseconds{3000});
    did();
    after(3000);
    EXPECT_THAT(did(), ElementsAre("deadline 1"));
    EXPECT_THAT(refusals_.front().error.message(), HasSubstr("3.00 s"));
}

TEST_F(SchedulerTest, TheQueueIsBoundedInBytes) {
    make({plan("a"), plan("b", 1)});
    ask(1, "a", {.bytes = 60ULL << 20U});
    ask(2, "b", {.bytes = 5ULL << 20U});
    EXPECT_THAT(did(), Contains("queue_full 2"));
    ask(3, "b", {.bytes = 4ULL << 20U});
    EXPECT_THAT(did(), Not(Contains("queue_full 3")));
}

TEST_F(SchedulerTest, BytesCountOnlyWhileTheyWait) {
    make({plan("a"), plan("b", 1)});
    ask(1, "a", {.bytes = 60ULL << 20U});
    ready("a");
    EXPECT_THAT(did(), Contains("admit 1"));
    ask(2, "b", {.bytes = 60ULL << 20U});
    EXPECT_THAT(did(), ElementsAre("start b"));
    scheduler_->leave(2, now_);
    ask(3, "b", {.bytes = 60ULL << 20U});
    EXPECT_THAT(did(), Not(Contains("queue_full 3")));
}

TEST_F(SchedulerTest, WhatCannotFitIsRefusedWithTheNumbers) {
    auto pinned = plan("pinned", 6);
    pinned.pin = true;
    make({pinned, plan("b", 6), plan("huge", 11)});
    have_idle("pinned");
    ask(1, "huge");
    EXPECT_THAT(did(), ElementsAre("does_not_fit 1"));
    EXPECT_THAT(refusals_.front().error.message(), HasSubstr("11 B"));
    ask(2, "b");
    EXPECT_THAT(did(), ElementsAre("does_not_fit 2"));
    EXPECT_THAT(refusals_.front().error.message(), HasSubstr("pinned (6 B)"));
}

TEST_F(SchedulerTest, AnUnknownNeedIsLoadedAloneThenMeasured) {
    Plan unknown;
    unknown.name = "u";
    make({plan("a", 3), unknown});
    have_idle("a");
    ask(1, "u");
    EXPECT_THAT(did(), ElementsAre("stop a"));
    ended("a");
    ready("u");
    scheduler_->memory("u", 4, now_);
    did();
    EXPECT_EQ(Scheduler::need(slot("u")), 4U);
    ask(2, "a");
    EXPECT_THAT(did(), ElementsAre("start a")) << "3 and 4 fit together";
}

TEST_F(SchedulerTest, WhatGrowsPushesIdleOnesOut) {
    make({plan("a", 4), plan("b", 4)});
    have_idle("a");
    ask(1, "b");
    ready("b");
    did();
    scheduler_->memory("b", 7, now_);
    EXPECT_THAT(did(), ElementsAre("stop a"));
}

TEST_F(SchedulerTest, ATooLargeServerIsStartedAnewBetweenRequests) {
    auto a = plan("a");
    a.restart_above = 7;
    make({a});
    ask(1, "a");
    ready("a");
    did();
    scheduler_->memory("a", 8, now_);
    ask(2, "a");
    EXPECT_THAT(did(), ElementsAre("admit 2")) << "perhaps a moment without a request comes";
    after(10'000);
    scheduler_->leave(1, now_);
    ask(3, "a");
    EXPECT_THAT(did(), IsEmpty()) << "none came: the next one waits for the fresh one";
    scheduler_->leave(2, now_);
    EXPECT_THAT(did(), ElementsAre("stop a"));
    ended("a");
    EXPECT_THAT(did(), ElementsAre("start a"));
    ready("a");
    EXPECT_THAT(did(), ElementsAre("admit 3"));
}

TEST_F(SchedulerTest, AdaptersTakeTurns) {
    auto a = plan("a");
    a.one_adapter = true;
    a.parallel = 4;
    make({a});
    ask(1, "a", {.adapter = "x"});
    ready("a");
    EXPECT_THAT(did(), Contains("admit 1"));
    ask(2, "a", {.adapter = "y"});
    ask(3, "a", {.adapter = "x"});
    EXPECT_THAT(did(), ElementsAre("admit 3"));
    after(10'000);
    ask(4, "a", {.adapter = "x"});
    EXPECT_THAT(did(), IsEmpty()) << "y's turn has come";
    scheduler_->leave(1, now_);
    EXPECT_THAT(did(), IsEmpty());
    scheduler_->leave(3, now_);
    EXPECT_THAT(did(), ElementsAre("admit 2"));
    EXPECT_EQ(slot("a").adapter, "y");
    scheduler_->leave(2, now_);
    EXPECT_THAT(did(), ElementsAre("admit 4"));
}

TEST_F(SchedulerTest, AnUnloadDrainsOrForces) {
    make({plan("a")});
    ask(1, "a");
    ready("a");
    did();
    scheduler_->unload("a", false, now_);
    EXPECT_THAT(did(), IsEmpty());
    EXPECT_EQ(slot("a").phase, Phase::draining);
    scheduler_->unload("a", true, now_);
    EXPECT_THAT(did(), ElementsAre("kill a"));
    ended("a");
    EXPECT_EQ(slot("a").phase, Phase::stopped);
    EXPECT_EQ(slot("a").reason, "unloaded by request");
}

TEST_F(SchedulerTest, AForcedUnloadShortensARunningStop) {
    make({plan("a")});
    have_idle("a");
    scheduler_->unload("a", false, now_);
    EXPECT_THAT(did(), ElementsAre("stop a"));
    scheduler_->unload("a", true, now_);
    EXPECT_THAT(did(), ElementsAre("kill a"));
}

TEST_F(SchedulerTest, PreloadedOnesComeByPriorityAndPinnedOnesComeBack) {
    auto a = plan("a", 3);
    auto b = plan("b", 3);
    a.preload = b.preload = b.pin = true;
    b.priority = 1;
    make({a, b, plan("c", 3)});
    EXPECT_THAT(did(), IsEmpty());
    scheduler_->preload(now_);
    EXPECT_THAT(did(), ElementsAre("start b", "start a"));
    ready("a");
    ready("b");
    after(60'000);
    crashed("a");
    crashed("b");
    after(1000);
    EXPECT_THAT(did(), ElementsAre("start b")) << "a waits for a request";
}

TEST_F(SchedulerTest, ACloseRefusesAndStops) {
    make({plan("a"), plan("b")});
    ask(1, "a");
    ready("a");
    ask(2, "b");
    did();
    scheduler_->close(Milliseconds{5000}, now_);
    EXPECT_THAT(did(), ElementsAre("closing 2"));
    ask(3, "a");
    EXPECT_THAT(did(), ElementsAre("closing 3"));
    after(5000);
    EXPECT_THAT(did(), ElementsAre("kill a"));
    ended("a");
    EXPECT_THAT(did(), IsEmpty());
}

TEST_F(SchedulerTest, AReloadRestartsOnlyWhatChanged) {
    make({plan("a", 3), plan("b", 3), plan("c", 3)});
    for (const auto* name : {"a", "b", "c"}) have_idle(name);
    auto b = plan("b", 3);
    b.identity = "other";
    scheduler_->configure(scheduler_->rules(), {plan("a", 3), b}, now_);
    EXPECT_THAT(did(), testing::UnorderedElementsAre("stop b", "stop c"));
    ended("b");
    ended("c");
    EXPECT_THAT(did(), ElementsAre("start b")) << "it was loaded: it is again";
    EXPECT_EQ(scheduler_->find("c"), nullptr);
    ask(1, "c");
    EXPECT_THAT(did(), ElementsAre("unknown_model 1"));
}

TEST_F(SchedulerTest, AModelThatGoesAndComesBackForgetsOldLeases) {
    auto far = plan("far");
    far.ours = false;
    make({far, plan("a")});
    ask(1, "far");
    EXPECT_THAT(did(), ElementsAre("admit 1"));
    scheduler_->configure(scheduler_->rules(), {plan("a")}, now_);
    scheduler_->configure(scheduler_->rules(), {far, plan("a")}, now_);
    ask(2, "far");
    scheduler_->leave(1, now_);
    EXPECT_EQ(slot("far").running, 1);
}

}  // namespace
}  // namespace punie::fleet
