#include "training/train_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace punie::training {
namespace {

using testing::HasSubstr;

TEST(TrainSettings, AreMlxLmsDefaults) {
    const auto complete = complete_train_settings({});
    ASSERT_TRUE(complete);
    EXPECT_EQ(complete->at("iters"), 1000);
    EXPECT_EQ(complete->at("batch_size"), 4);
    EXPECT_EQ(complete->at("learning_rate").to_number<double>(), 1e-5);
    EXPECT_EQ(complete->at("optimizer"), "adam");
    EXPECT_EQ(complete->at("mask_prompt"), false);
}

struct Steps {
    int iters;
    int save_every;
    int steps_per_eval;
};

class DerivedSteps : public testing::TestWithParam<Steps> {};

TEST_P(DerivedSteps, FitTheLength) {
    const auto complete = complete_train_settings({{"iters", GetParam().iters}});
    ASSERT_TRUE(complete);
    EXPECT_EQ(complete->at("save_every"), GetParam().save_every);
    EXPECT_EQ(complete->at("steps_per_eval"), GetParam().steps_per_eval);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    DerivedSteps,
    testing::Values(Steps{1, 1, 10}, Steps{40, 10, 10}, Steps{300, 75, 30}, Steps{5000, 100, 200})
);

struct Fault {
    std::string_view settings;
    std::string_view words;
};

class FaultySettings : public testing::TestWithParam<Fault> {};

TEST_P(FaultySettings, AreNamed) {
    const auto given = parse_json(GetParam().settings);
    ASSERT_TRUE(given);
    const auto complete = complete_train_settings(given->as_object());
    ASSERT_FALSE(complete);
    EXPECT_EQ(complete.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(complete.error().message(), HasSubstr(std::string(GetParam().words)));
}

constexpr std::array faults = {
    Fault{R"({"learning_rat": 1})", "did you mean learning_rate?"},
    Fault{R"({"iters": 0})", "iters: expected a whole number from 1"},
    Fault{R"({"iters": 2.5})", "iters: expected a whole number"},
    Fault{R"({"iters": "many"})", "found \"many\""},
    Fault{R"({"batch_size": 0})", "batch_size"},
    Fault{R"({"learning_rate": 0})", "learning_rate: expected a number over 0"},
    Fault{R"({"mask_prompt": "yes"})", "mask_prompt: expected true or false"},
    Fault{R"({"optimizer": "adamx"})", "optimizer: expected adam, adamw, muon, sgd or adafactor"},
    Fault{R"({"fine_tune_type": "qlora"})", "fine_tune_type: expected lora, dora or full"},
    Fault{R"({"lora_parameters": {"alpha": 16}})", "its scale is alpha / rank"},
    Fault{R"({"lora_parameters": {"rnk": 16}})", "did you mean rank?"},
    Fault{R"({"lora_parameters": {"rank": 0}})", "lora_parameters.rank"},
    Fault{R"({"lora_parameters": {"dropout": 1}})", "lora_parameters.dropout"},
};
INSTANTIATE_TEST_SUITE_P(Table, FaultySettings, testing::ValuesIn(faults));

TEST(TrainSettings, AllFaultsComeAtOnce) {
    const auto complete = complete_train_settings({{"iters", 0}, {"batch_size", -1}});
    ASSERT_FALSE(complete);
    EXPECT_THAT(complete.error().message(), HasSubstr("iters"));
    EXPECT_THAT(complete.error().message(), HasSubstr("batch_size"));
}

}  // namespace
}  // namespace punie::training
