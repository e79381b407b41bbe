// run_trainer against a real process that misbehaves on command (tests/fakes/fake_trainer.cpp).
#include "training/trainer_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <sstream>

#include "base/files.hpp"
#include "base/text.hpp"

namespace punie::training {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

/// No test may take longer; what they wait for comes in milliseconds.
constexpr auto deadline = 30s;

/// The command lines of running processes that contain `words`, from /proc or, where there is none,
/// from ps.
std::vector<std::string> running_with(const std::string& words) {
    namespace fs = std::filesystem;
    std::vector<std::string> found;
    const auto look = [&](std::string line) {
        std::ranges::replace(line, '\0', ' ');
        if (line.find(words) != std::string::npos && line.find("ps -axww") == std::string::npos)
            found.push_back(line);
    };
    if (!fs::exists("/proc/self/cmdline")) {
        const auto listed =
            process::run_to_end_blocking({.argv = {"ps", "-axww", "-o", "args="}}, 10s);
        for (const auto& line : split_lines(listed.value().output)) look(line);
        return found;
    }
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        if (auto line = read_text(entry.path() / "cmdline")) look(std::move(*line));
    }
    return found;
}

class TrainerRunTest : public testing::Test {
protected:
    /// Arguments are separated by spaces; "_" within one stands for a space.
    TrainerRun run_of(const std::string& arguments) {
        TrainerRun run;
        run.spawn.argv = {
            std::string(PUNIE_FAKES_DIR) + "/fake-trainer", "--pid-file", pid_file().native()
        };
        std::istringstream words(arguments);
        for (std::string word; words >> word;) {
            std::ranges::replace(word, '_', ' ');
            run.spawn.argv.push_back(word);
        }
        run.model_path = "models/fake";
        run.iterations = 3;
        run.validation = false;
        run.stop_grace = 200ms;
        run.on_progress = [this](const BenchmarkProgress& progress) { on_progress(progress); };
        return run;
    }

    Result<TrainerOutcome> execute(TrainerRun run) {
        std::optional<Result<TrainerOutcome>> result;
        asio::io_context context;
        const auto done = [&](const std::exception_ptr& error, Result<TrainerOutcome> outcome) {
            if (error) std::rethrow_exception(error);
            result.emplace(std::move(outcome));
        };
        asio::co_spawn(
            context, run_trainer(std::move(run)), asio::bind_cancellation_slot(cancel_.slot(), done)
        );
        context.run_for(deadline);
        if (!result) return fail(ErrorCode::timeout, "the test's own deadline passed");
        return std::move(*result);
    }

    virtual void on_progress(const BenchmarkProgress& progress) {
        phases_.push_back(progress.phase);
        reports_ += progress.report ? 1 : 0;
        if (progress.iteration >= cancel_at_) cancel_.emit(asio::cancellation_type::terminal);
    }

    std::filesystem::path pid_file() const { return folder_.path() / "pids"; }

    /// Command lines of what still runs of this test's trainer: its pids are those of its own
    /// namespace and no use here.
    std::vector<std::string> survivors() const { return running_with(pid_file().native()); }

    bool started() const { return std::filesystem::exists(pid_file()); }

    TemporaryFolder folder_ = TemporaryFolder::make("punie-test").value();
    asio::cancellation_signal cancel_;
    int cancel_at_ = 1'000'000;
    std::vector<std::string> phases_;
    int reports_ = 0;
};

TEST_F(TrainerRunTest, MeasuresAWellBehavedTrainer) {
    auto run = run_of(
        "--iters 8 --iteration-ms 20 --first-ms 60 --load-ms 30 --validation-ms 40 --checkpoint-ms "
        "10"
    );
    run.iterations = 8;
    run.validation = true;
    const auto outcome = execute(std::move(run));
    ASSERT_TRUE(outcome) << outcome.error().describe();
    BenchmarkResult result;
    outcome->measurement.fill(result, outcome->seconds);
    EXPECT_EQ(result.num_iters, 8);
    EXPECT_EQ(result.event_source, "callback");
    EXPECT_GE(result.seconds_per_iter, 0.020);
    EXPECT_GE(result.first_iteration_seconds, 0.060);
    EXPECT_GE(result.load_seconds, 0.030);
    EXPECT_DOUBLE_EQ(result.validation_seconds, 0.040);
    EXPECT_DOUBLE_EQ(result.checkpoint_seconds, 0.010);
    EXPECT_DOUBLE_EQ(result.peak_memory_gb, 0.25);
    EXPECT_GT(outcome->tree_peak_gb, 0);
    EXPECT_GE(result.other_seconds, -0.05);  // no part is counted twice; a busy machine reads late
    EXPECT_TRUE(result.ci_low);
    EXPECT_FALSE(outcome->stopped_early);
    EXPECT_EQ(reports_, 8);
    EXPECT_THAT(phases_, testing::Contains("validating"));
    EXPECT_THAT(phases_, testing::Contains("compiling"));
    EXPECT_EQ(phases_.back(), "training");
}

TEST_F(TrainerRunTest, CountsUnreadableEventsAndGoesOn) {
    const auto outcome = execute(run_of("--events bad"));
    ASSERT_TRUE(outcome) << outcome.error().describe();
    EXPECT_EQ(outcome->bad_event_lines, 3U);
    EXPECT_EQ(outcome->measurement.iterations().size(), 3U);
}

class PrintedOnlyTest : public TrainerRunTest, public testing::WithParamInterface<const char*> {};

TEST_P(PrintedOnlyTest, IsReadWithoutACallback) {
    auto run =
        run_of(std::string("--events none --iters 4 --iteration-ms 150 --text ") + GetParam());
    run.iterations = 4;
    const auto outcome = execute(std::move(run));
    ASSERT_TRUE(outcome) << outcome.error().describe();
    BenchmarkResult result;
    outcome->measurement.fill(result, outcome->seconds);
    EXPECT_EQ(result.num_iters, 4);
    EXPECT_EQ(result.event_source, "printed text");
    // A row is seen when the output is looked at, so two may seem to come together; not all of
    // them.
    EXPECT_GT(result.first_iteration_seconds + result.training_seconds, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Generations, PrintedOnlyTest, testing::Values("old", "new"));

TEST_F(TrainerRunTest, AFloodOfOutputDelaysNothing) {
    const auto outcome = execute(run_of("--flood-mb 50"));
    ASSERT_TRUE(outcome) << outcome.error().describe();
    EXPECT_EQ(outcome->measurement.iterations().size(), 3U);
}

TEST_F(TrainerRunTest, ASurvivorWouldBeSeen) {
    auto run = run_of("--iters 1000000");
    run.iterations = 1'000'000;
    cancel_at_ = 3;
    bool seen = false;
    run.on_progress = [&](const BenchmarkProgress& progress) {
        if (progress.iteration == 2) seen = !survivors().empty();
        on_progress(progress);
    };
    EXPECT_EQ(execute(std::move(run)).error().code(), ErrorCode::cancelled);
    EXPECT_TRUE(seen);
    EXPECT_THAT(survivors(), testing::IsEmpty());
}

struct DeathRow {
    const char* name;
    const char* arguments;
    ErrorCode code;
    const char* words;

    friend void PrintTo(const DeathRow& row, std::ostream* out) { *out << row.arguments; }
};

class TrainerDeathTest : public TrainerRunTest, public testing::WithParamInterface<DeathRow> {};

TEST_P(TrainerDeathTest, SaysWhy) {
    const auto outcome = execute(run_of(GetParam().arguments));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), GetParam().code) << outcome.error().describe();
    EXPECT_THAT(outcome.error().message(), HasSubstr(GetParam().words));
    EXPECT_THAT(outcome.error().message(), HasSubstr("models/fake"));
    EXPECT_THAT(outcome.error().log_tail(), testing::Contains("Loading pretrained model"));
    EXPECT_THAT(survivors(), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    TrainerDeathTest,
    testing::Values(
        DeathRow{
            "exit_while_loading",
            "--fail-after 0 --failure exit:3",
            ErrorCode::exited,
            "exit code 3 before its first iteration"
        },
        DeathRow{
            "exit_in_training",
            "--fail-after 2 --failure exit:3",
            ErrorCode::exited,
            "after 2 iterations"
        },
        DeathRow{
            "killed",
            "--fail-after 1 --failure signal:9",
            ErrorCode::out_of_memory,
            "memory ran out"
        },
        DeathRow{"crashed", "--fail-after 1 --failure signal:11", ErrorCode::exited, "crashed"},
        DeathRow{
            "out_of_memory",
            "--fail-after 1 --failure memory",
            ErrorCode::out_of_memory,
            "out of memory"
        },
        DeathRow{
            "disk_full", "--fail-after 3 --failure disk", ErrorCode::disk_full, "disk is full"
        },
        DeathRow{
            "missing_module",
            "--fail-after 0 --failure module",
            ErrorCode::program_missing,
            "module is missing"
        },
        DeathRow{
            "error_event",
            "--fail-after 0 --failure error:no_such_thing",
            ErrorCode::exited,
            "ValueError: no such thing"
        },
        DeathRow{
            "disk_by_text_only",
            "--events none --fail-after 1 --failure disk",
            ErrorCode::disk_full,
            "disk is full"
        },
        DeathRow{
            "with_a_grandchild",
            "--grandchild --fail-after 1 --failure exit:3",
            ErrorCode::exited,
            "exit code 3"
        },
        DeathRow{
            "nothing_done", "--fail-after 0 --failure quiet", ErrorCode::protocol, "no iteration"
        },
        DeathRow{"nothing_said", "--events none", ErrorCode::protocol, "no iteration"}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST_F(TrainerRunTest, AProgramThatIsMissingIsNamed) {
    auto run = run_of("");
    run.spawn.argv[0] = "/nonexistent/python";
    const auto outcome = execute(std::move(run));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), ErrorCode::program_missing);
    EXPECT_THAT(outcome.error().message(), HasSubstr("/nonexistent/python"));
}

TEST_F(TrainerRunTest, AHungTrainerIsNoticedAndEnded) {
    auto run = run_of("--fail-after 1 --failure hang --ignore term --grandchild");
    run.silence_limit = 300ms;
    const auto outcome = execute(std::move(run));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), ErrorCode::timeout) << outcome.error().describe();
    EXPECT_THAT(outcome.error().message(), HasSubstr("hangs"));
    EXPECT_TRUE(started());
    EXPECT_THAT(survivors(), testing::IsEmpty());
}

class CancelTest : public TrainerRunTest,
                   public testing::WithParamInterface<std::pair<const char*, int>> {};

TEST_P(CancelTest, LeavesNothingBehind) {
    auto run = run_of(std::string("--grandchild --iters 1000000 ") + GetParam().first);
    run.iterations = 1'000'000;
    cancel_at_ = GetParam().second;
    const auto outcome = execute(std::move(run));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), ErrorCode::cancelled) << outcome.error().describe();
    EXPECT_THAT(survivors(), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    States,
    CancelTest,
    testing::Values(
        std::pair{"--load-ms 60000", 0},
        std::pair{"", 1},
        std::pair{"", 5},
        std::pair{"--ignore int,term", 2}
    )
);

TEST_F(TrainerRunTest, StopsWhenItIsPlainlyTooSlow) {
    // The seconds are the trainer's word: nobody waits a minute here.
    auto run = run_of("--iters 1000000 --claim-seconds 91 --grandchild");
    run.iterations = 1'000'000;
    const auto outcome = execute(std::move(run));
    ASSERT_TRUE(outcome) << outcome.error().describe();
    EXPECT_TRUE(outcome->stopped_early);
    EXPECT_GE(outcome->measurement.iterations().size(), 2U);
    EXPECT_THAT(phases_, testing::Contains("stopping"));
    EXPECT_THAT(survivors(), testing::IsEmpty());
}

TEST_F(TrainerRunTest, GoesOnWhenAskedToThoughItIsTooSlow) {
    auto run = run_of("--iters 6 --claim-seconds 91");
    run.iterations = 6;
    run.stop_when_too_slow = false;
    const auto outcome = execute(std::move(run));
    ASSERT_TRUE(outcome) << outcome.error().describe();
    EXPECT_FALSE(outcome->stopped_early);
    EXPECT_EQ(outcome->measurement.iterations().size(), 6U);
}

}  // namespace
}  // namespace punie::training
