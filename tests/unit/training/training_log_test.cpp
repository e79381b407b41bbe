#include "training/training_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace punie::training {
namespace {

using testing::ElementsAre;
using Taken = TrainingLog::Taken;

TEST(TrainingLog, TakesATraining) {
    TrainingLog log;
    EXPECT_EQ(log.take(R"({"event": "hello", "t": 0})"), Taken::phase);
    EXPECT_EQ(log.phase(), "importing mlx_lm");
    EXPECT_EQ(
        log.take(R"({"event": "facts", "split": "train", "rows": 41, "rows_cut": 2, "longest": 99})"
        ),
        Taken::facts
    );
    EXPECT_EQ(log.take(R"({"event": "facts", "split": "valid", "rows": 8})"), Taken::facts);
    EXPECT_EQ(
        log.take(
            R"({"event": "validation", "iteration": 0, "loss": 2.5, "seconds": 3, "best": true})"
        ),
        Taken::report
    );
    EXPECT_EQ(
        log.take(R"({"event": "iteration", "iteration": 10, "loss": 2.25, "seconds": 0.5,
                     "learning_rate": 1e-5, "trained_tokens": 99, "peak_memory_gb": 0.5})"),
        Taken::report
    );
    EXPECT_EQ(log.take(R"({"event": "checkpoint", "iteration": 10})"), Taken::checkpoint);
    EXPECT_EQ(log.take(R"({"event": "kept", "iteration": 10, "which": "best"})"), Taken::phase);
    EXPECT_EQ(log.take(R"({"event": "end", "iteration": 10})"), Taken::phase);
    ASSERT_TRUE(log.facts());
    EXPECT_EQ(log.facts()->rows, 41);
    EXPECT_EQ(log.facts()->longest, 99);
    ASSERT_TRUE(log.valid_facts());
    EXPECT_EQ(log.valid_facts()->rows, 8);
    ASSERT_EQ(log.reports().size(), 2U);
    EXPECT_TRUE(log.reports()[0].is_validation);
    EXPECT_TRUE(log.reports()[0].best);
    EXPECT_EQ(log.reports()[1].train_loss, 2.25);
    EXPECT_FALSE(log.reports()[1].not_a_number);
    EXPECT_EQ(log.checkpoint(), 10);
    EXPECT_EQ(log.kept(), 10);
    EXPECT_TRUE(log.ended());
    EXPECT_EQ(log.bad_lines(), 0U);
}

TEST(TrainingLog, ALossThatIsNoNumber) {
    TrainingLog log;
    log.take(R"({"event": "validation", "iteration": 4, "loss": null})");
    log.take(R"({"event": "stopped", "reason": "not_a_number", "iteration": 7, "rows": [3, 9],
                 "message": "the loss of iteration 8 is no number"})");
    ASSERT_EQ(log.reports().size(), 1U);
    EXPECT_TRUE(log.reports()[0].not_a_number);
    ASSERT_TRUE(log.stop());
    EXPECT_EQ(log.stop()->iteration, 7);
    EXPECT_THAT(log.stop()->rows, ElementsAre(3, 9));
}

TEST(TrainingLog, Notes) {
    TrainingLog log;
    EXPECT_EQ(log.take(R"({"event": "note", "message": "another loop"})"), Taken::note);
    EXPECT_EQ(log.note(), "another loop");
}

class BadLine : public testing::TestWithParam<std::string_view> {};

TEST_P(BadLine, IsCountedAndNothingElse) {
    TrainingLog log;
    EXPECT_EQ(log.take(GetParam()), Taken::nothing);
    EXPECT_EQ(log.bad_lines(), 1U);
    EXPECT_TRUE(log.reports().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    BadLine,
    testing::Values("nonsense", "{", "[]", "7", R"({"no": "event"})", R"({"event": 3})", "\xff\xfe")
);

struct Hostile {
    std::string_view line;
    int iteration;
};

class HostileLine : public testing::TestWithParam<Hostile> {};

TEST_P(HostileLine, GivesNoAbsurdNumbers) {
    TrainingLog log;
    log.take(GetParam().line);
    ASSERT_EQ(log.reports().size(), 1U);
    EXPECT_EQ(log.reports()[0].iteration, GetParam().iteration);
    EXPECT_GE(log.reports()[0].tokens_per_second, 0);
    EXPECT_LE(log.reports()[0].peak_memory_gb, 1e15);
}

constexpr std::array hostile = {
    Hostile{R"({"event": "iteration", "iteration": -5, "tokens_per_second": -1})", 0},
    Hostile{R"({"event": "iteration", "iteration": 99999999999999, "peak_memory_gb": 1e300})", 0},
    Hostile{R"({"event": "iteration", "iteration": "7", "loss": "low"})", 0},
    Hostile{R"({"event": "iteration", "iteration": 7, "loss": 1e999})", 7},
};
INSTANTIATE_TEST_SUITE_P(Table, HostileLine, testing::ValuesIn(hostile));

TEST(TrainingLog, ControlCharactersOfMessagesAreRemoved) {
    TrainingLog log;
    log.take("{\"event\": \"error\", \"type\": \"X\", \"message\": \"a\\u001b[31mb\"}");
    EXPECT_EQ(log.error(), "ab");
}

}  // namespace
}  // namespace punie::training
