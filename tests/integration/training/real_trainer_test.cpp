// run_training_benchmark with the real mlx_lm; skipped unless PUNIE_E2E_MLX_LM (a virtual
// environment) and PUNIE_E2E_MODEL (a model folder, best the tiny one of python/make_tiny_model.py)
// are set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <punie/dataset.hpp>
#include <punie/training_benchmark.hpp>

#include <cstdlib>
#include <numeric>
#include <set>

#include "base/files.hpp"
#include "base/json.hpp"
#include "stats/order.hpp"

namespace punie {
namespace {

using testing::HasSubstr;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

class RealTrainerTest : public testing::Test {
protected:
    void SetUp() override {
        options_.mlx_lm = variable("PUNIE_E2E_MLX_LM");
        options_.model_path = variable("PUNIE_E2E_MODEL");
        if (options_.mlx_lm.empty() || options_.model_path.empty()) {
            GTEST_SKIP() << "PUNIE_E2E_MLX_LM and PUNIE_E2E_MODEL are not set";
        }
        options_.max_seq_length = 128;
        options_.num_layers = 2;
    }

    TrainingBenchmarkOptions options_;
};

TEST_F(RealTrainerTest, AgreesWithMlxLmsOwnFigure) {
    options_.iterations = 12;
    const auto result = run_training_benchmark(options_);
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->event_source, "callback");
    ASSERT_EQ(result->num_iters, 12);
    std::vector<double> own;
    for (const auto& report : result->iterations) {
        if (report.iteration > 1) own.push_back(report.trainer_seconds);
    }
    const double trainer = stats::median(own).value();
    EXPECT_NEAR(result->seconds_per_iter, trainer, 0.1 * trainer);
}

TEST_F(RealTrainerTest, ThePartsAddUpToTheTotal) {
    const auto result = run_training_benchmark(options_);
    ASSERT_TRUE(result) << result.error().describe();
    const double parts = result->load_seconds + result->first_iteration_seconds +
                         result->training_seconds + result->validation_seconds +
                         result->checkpoint_seconds;
    EXPECT_NEAR(parts + result->other_seconds, result->total_seconds, 1e-6);
    // What is in no part: the interpreter's end and, between the parts, printing.
    EXPECT_GT(result->other_seconds, -0.05);
    EXPECT_LT(result->other_seconds, 0.1 * result->total_seconds + 0.5);
    EXPECT_GT(result->validation_seconds, 0);
    EXPECT_GT(result->checkpoint_seconds, 0);
    EXPECT_GT(result->load_seconds, 0);
    EXPECT_GT(result->peak_memory_gb, 0);
    EXPECT_GT(result->tree_peak_gb, result->peak_memory_gb);
    EXPECT_TRUE(result->corrected_peak_gb);
    EXPECT_TRUE(result->ci_low);
    EXPECT_TRUE(parse_json(to_json(*result)));
}

TEST_F(RealTrainerTest, TrainsOnGivenRowsWithoutValidation) {
    const auto folder = TemporaryFolder::make("punie-test").value();
    ASSERT_TRUE(create_dummy_dataset(folder.path(), 9, 20));
    options_.data = folder.path();
    options_.iterations = 3;
    options_.validation = false;
    options_.mask_prompt = true;
    options_.lora_rank = 4;
    options_.grad_checkpoint = true;
    const auto result = run_training_benchmark(options_);
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->num_iters, 3);
    EXPECT_EQ(result->validation_seconds, 0);
    EXPECT_THAT(result->command, testing::Contains("--config"));
}

TEST_F(RealTrainerTest, AnErrorOfThePythonSideIsTold) {
    const auto folder = TemporaryFolder::make("punie-test").value();
    ASSERT_TRUE(write_atomic(folder.path() / "train.jsonl", "{\"a\": 1}\n{\"a\": 2}\n"));
    options_.data = folder.path();
    options_.batch_size = 1;
    const auto result = run_training_benchmark(options_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument) << result.error().describe();
    EXPECT_THAT(result.error().message(), HasSubstr("Unsupported data format"));
    EXPECT_FALSE(result.error().log_tail().empty());
}

TEST_F(RealTrainerTest, FewerRowsThanABatchAreRefusedBeforeTheStart) {
    const auto folder = TemporaryFolder::make("punie-test").value();
    ASSERT_TRUE(create_dummy_dataset(folder.path(), 40));
    ASSERT_TRUE(write_atomic(folder.path() / "valid.jsonl", "{\"text\": \"a\"}\n"));
    options_.data = folder.path();
    const auto result = run_training_benchmark(options_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(
        result.error().message(), HasSubstr("valid.jsonl has 1 rows, fewer than a batch of 4")
    );
}

TEST_F(RealTrainerTest, WhatCannotFitIsRefusedWithTheNumbers) {
    options_.batch_size = 100'000;
    options_.max_seq_length = 100'000;
    const auto result = run_training_benchmark(options_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::out_of_memory);
    EXPECT_THAT(result.error().hint(), HasSubstr("--force"));
}

TEST_F(RealTrainerTest, AStopRequestEndsIt) {
    options_.iterations = 1'000'000;
    std::stop_source stop;
    std::set<std::string> phases;
    const auto result = run_training_benchmark(
        options_,
        [&](const BenchmarkProgress& progress) {
            phases.insert(progress.phase);
            if (progress.iteration >= 2) stop.request_stop();
        },
        stop.get_token()
    );
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::cancelled) << result.error().describe();
    EXPECT_TRUE(phases.contains("loading"));
    EXPECT_TRUE(phases.contains("compiling"));
    EXPECT_TRUE(phases.contains("stopping"));
}

TEST_F(RealTrainerTest, AModelThatIsNotThereIsNamed) {
    options_.model_path = "/nonexistent/model";
    const auto result = run_training_benchmark(options_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::not_found);
    EXPECT_THAT(result.error().message(), HasSubstr("/nonexistent/model"));
}

}  // namespace
}  // namespace punie
