// run_python against a real process that hangs, ignores signals or floods.
#include "training/python_child.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/run_here.hpp"

namespace punie::training {
namespace {

using namespace std::chrono_literals;

class PythonChildTest : public testing::Test {
protected:
    PythonRun run_of(const std::string& arguments) {
        PythonRun run;
        run.spawn.argv = {std::string(PUNIE_FAKES_DIR) + "/fake-trainer"};
        std::istringstream words(arguments);
        for (std::string word; words >> word;) run.spawn.argv.push_back(word);
        run.stop_grace = [] { return Milliseconds(200); };
        run.on_event = [this](std::string_view line) {
            events_.emplace_back(line);
            if (line.find(stop_at_) != std::string_view::npos) stop_.request_stop();
        };
        run.on_stopping = [this] { ++stopping_; };
        return run;
    }

    Result<PythonEnd> execute(const PythonRun& run) {
        return run_here(run_python(run), stop_.get_token(), "the test");
    }

    std::vector<std::string> events_;
    std::string stop_at_ = "nothing like this";
    std::stop_source stop_;
    int stopping_ = 0;
};

TEST_F(PythonChildTest, EndsByItself) {
    const auto end = execute(run_of("--iters 3"));
    ASSERT_TRUE(end) << end.error().describe();
    EXPECT_EQ(end->why, PythonEnd::Why::exited);
    EXPECT_TRUE(end->status.success());
    EXPECT_EQ(events_.size(), 7U);  // hello, begin, three iterations, trained, end
    EXPECT_EQ(stopping_, 0);
    EXPECT_GT(end->tree_peak_gb, 0);
}

TEST_F(PythonChildTest, OneThatDoesNothingHangs) {
    auto run = run_of("--iters 3 --fail-after 2 --failure hang");
    run.silence_limit = 400ms;
    const auto end = execute(run);
    ASSERT_TRUE(end) << end.error().describe();
    EXPECT_EQ(end->why, PythonEnd::Why::hung);
    EXPECT_EQ(stopping_, 1);
}

TEST_F(PythonChildTest, OneThatIgnoresSigtermIsKilledAfterTheGrace) {
    stop_at_ = "\"iteration\": 2";
    const auto end =
        execute(run_of("--iters 3 --fail-after 2 --failure hang --ignore term --grandchild"));
    ASSERT_TRUE(end) << end.error().describe();
    EXPECT_EQ(end->why, PythonEnd::Why::stopped);
    EXPECT_TRUE(end->killed);
}

TEST_F(PythonChildTest, AFloodOfOutputStopsNothing) {
    const auto end = execute(run_of("--iters 3 --flood-mb 50"));
    ASSERT_TRUE(end) << end.error().describe();
    EXPECT_EQ(end->why, PythonEnd::Why::exited);
    EXPECT_EQ(events_.size(), 7U);
}

TEST_F(PythonChildTest, AMissingProgramIsAnError) {
    auto run = run_of("");
    run.spawn.argv = {"/nowhere/python"};
    const auto end = execute(run);
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().code(), ErrorCode::program_missing);
}

TEST_F(PythonChildTest, StoppedBeforeItBegan) {
    stop_.request_stop();
    const auto end = execute(run_of("--iters 3"));
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().code(), ErrorCode::cancelled);
}

}  // namespace
}  // namespace punie::training
