#include "training/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace punie::training {
namespace {

using testing::HasSubstr;

struct BadOption {
    const char* field;
    const char* given;
    std::function<void(TrainingBenchmarkOptions&)> spoil;
};

class CheckOptionsTest : public testing::TestWithParam<BadOption> {};

TEST_P(CheckOptionsTest, NamesFieldAndValue) {
    TrainingBenchmarkOptions options{.model_path = "models/tiny"};
    ASSERT_TRUE(check_options(options));
    GetParam().spoil(options);
    const auto checked = check_options(options);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(checked.error().message(), HasSubstr(GetParam().field));
    EXPECT_THAT(checked.error().message(), HasSubstr(GetParam().given));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    CheckOptionsTest,
    testing::Values(
        BadOption{"model_path", "empty", [](auto& o) { o.model_path.clear(); }},
        BadOption{"iterations", "0", [](auto& o) { o.iterations = 0; }},
        BadOption{"batch_size", "-2", [](auto& o) { o.batch_size = -2; }},
        BadOption{"num_layers", "0", [](auto& o) { o.num_layers = 0; }},
        BadOption{"num_layers", "-2", [](auto& o) { o.num_layers = -2; }},
        BadOption{"max_seq_length", "1", [](auto& o) { o.max_seq_length = 1; }},
        BadOption{"learning_rate", "0", [](auto& o) { o.learning_rate = 0; }},
        BadOption{"learning_rate", "nan", [](auto& o) { o.learning_rate = std::nan(""); }},
        BadOption{"lora_rank", "0", [](auto& o) { o.lora_rank = 0; }},
        BadOption{"plan_iterations", "0", [](auto& o) { o.plan_iterations = 0; }},
        BadOption{"fine_tune_type", "'qlora'", [](auto& o) { o.fine_tune_type = "qlora"; }}
    )
);

TEST(SettingsOf, TrainsNoMoreLayersThanThereAre) {
    TrainingBenchmarkOptions options{.model_path = "m", .num_layers = 16};
    EXPECT_EQ(settings_of(options, 2).layers, 2);
    EXPECT_EQ(settings_of(options, 30).layers, 16);
    EXPECT_EQ(settings_of(options, std::nullopt).layers, 16);
    options.num_layers = -1;
    EXPECT_EQ(settings_of(options, 30).layers, 30);
    EXPECT_EQ(settings_of(options, std::nullopt).layers, 1);
}

TEST(SettingsOf, TakesTheRestOver) {
    const TrainingBenchmarkOptions options{
        .model_path = "m",
        .batch_size = 3,
        .max_seq_length = 77,
        .grad_checkpoint = true,
        .fine_tune_type = "dora",
        .lora_rank = 5
    };
    const auto settings = settings_of(options, 30);
    EXPECT_EQ(settings.batch_size, 3);
    EXPECT_EQ(settings.sequence, 77);
    EXPECT_TRUE(settings.grad_checkpoint);
    EXPECT_EQ(settings.kind, FineTune::dora);
    EXPECT_EQ(settings.rank, 5);
}

}  // namespace
}  // namespace punie::training
