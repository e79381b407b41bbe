// Reports of a training that a killed punie did not record.

#include "pipeline/attempt.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"

namespace punie::pipeline {
namespace {

TEST(MissingPoints, AreAddedAndTheOthersStayAsTheyAre) {
    const auto folder = TemporaryFolder::make();
    ASSERT_TRUE(folder);
    auto journal = journal::Journal::open(folder->path());
    ASSERT_TRUE(journal) << journal.error().describe();
    journal::Run run;
    run.kind = "train";
    const auto begun = journal->begin(run);
    ASSERT_TRUE(begun) << begun.error().describe();
    ASSERT_TRUE(journal->add_point(begun->id, {.iteration = 1, .train_loss = 3, .seconds = 7}));
    const std::vector<training::TrainReport> reports = {
        {.iteration = 1, .train_loss = 99},
        {.iteration = 1, .valid_loss = 2.5, .is_validation = true},
        {.iteration = 2, .train_loss = 2, .peak_memory_gb = 0.5},
    };
    const auto added = add_missing_points(*journal, begun->id, reports);
    ASSERT_TRUE(added) << added.error().describe();
    const auto points = journal->points(begun->id);
    ASSERT_TRUE(points) << points.error().describe();
    ASSERT_EQ(points->size(), 2U);
    EXPECT_EQ(points->at(0).train_loss, 3);
    EXPECT_EQ(points->at(0).valid_loss, 2.5);
    EXPECT_EQ(points->at(0).seconds, 7);
    EXPECT_EQ(points->at(1).train_loss, 2);
    EXPECT_EQ(points->at(1).peak_memory_gb, 0.5);
    EXPECT_EQ(points->at(1).seconds, 0);
}

}  // namespace
}  // namespace punie::pipeline
