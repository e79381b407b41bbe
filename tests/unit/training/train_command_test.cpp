#include "training/train_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "base/text.hpp"

namespace punie::training {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const TrainPlaces places{
    .launcher = "/cache/training_callback.py",
    .data = "/t/data",
    .adapter = "/t/adapter",
    .config = "/t/lora.yaml"
};

backend::MlxInstallation installation() {
    backend::MlxInstallation mlx;
    mlx.python = "/venv/bin/python";
    mlx.mlx_lm_version = "0.32.2";
    return mlx;
}

Result<TrainCommand> command_for(
    const TrainingBenchmarkOptions& options, const backend::MlxInstallation& mlx = installation()
) {
    return build_train_command(options, settings_of(options, 30), mlx, places);
}

TEST(TrainCommand, OfTheDefaults) {
    const auto command = command_for({.model_path = "models/smollm2"});
    ASSERT_TRUE(command);
    EXPECT_THAT(
        command->argv,
        ElementsAre(
            "/venv/bin/python",
            "/cache/training_callback.py",
            "--model",
            "models/smollm2",
            "--train",
            "--data",
            "/t/data",
            "--fine-tune-type",
            "lora",
            "--num-layers",
            "16",
            "--batch-size",
            "4",
            "--iters",
            "10",
            "--learning-rate",
            "1e-05",
            "--max-seq-length",
            "2048",
            "--steps-per-report",
            "1",
            "--steps-per-eval",
            "1000010",
            "--val-batches",
            "1",
            "--save-every",
            "1000010",
            "--adapter-path",
            "/t/adapter"
        )
    );
    EXPECT_FALSE(command->config_text);
    EXPECT_EQ(command->environment.at("PYTHONUNBUFFERED"), "1");
    EXPECT_EQ(command->environment.at("PUNIE_LONGEST_FIRST"), "1");
}

TEST(TrainCommand, OfEverythingElse) {
    const auto command = command_for({
        .model_path = "m",
        .iterations = 3,
        .batch_size = 1,
        .num_layers = -1,
        .max_seq_length = 512,
        .grad_checkpoint = true,
        .fine_tune_type = "dora",
        .mask_prompt = true,
        .learning_rate = 0.003,
        .lora_rank = 64,
    });
    ASSERT_TRUE(command);
    const auto line = shell_quoted(command->argv);
    EXPECT_THAT(line, HasSubstr("--num-layers -1"));
    EXPECT_THAT(line, HasSubstr("--fine-tune-type dora"));
    EXPECT_THAT(line, HasSubstr("--learning-rate 0.003"));
    EXPECT_THAT(line, HasSubstr("--grad-checkpoint"));
    EXPECT_THAT(line, HasSubstr("--mask-prompt"));
    EXPECT_THAT(line, HasSubstr("--config /t/lora.yaml"));
    const auto config = parse_json(command->config_text.value()).value();
    EXPECT_EQ(integer_member(config.at("lora_parameters"), "rank"), 64);
    EXPECT_EQ(number_member(config.at("lora_parameters"), "scale"), 20.0);
    EXPECT_EQ(number_member(config.at("lora_parameters"), "dropout"), 0.0);
}

TEST(TrainCommand, FullFineTuningHasNoRank) {
    const auto command =
        command_for({.model_path = "m", .fine_tune_type = "full", .lora_rank = 64});
    EXPECT_FALSE(command->config_text);
}

TEST(TrainCommand, WithoutALauncherItIsMlxLmsOwn) {
    auto bare = places;
    bare.launcher.clear();
    const TrainingBenchmarkOptions options{.model_path = "m"};
    const auto command =
        build_train_command(options, settings_of(options, 30), installation(), bare).value();
    const std::vector<std::string> start(command.argv.begin(), command.argv.begin() + 5);
    EXPECT_THAT(start, ElementsAre("/venv/bin/python", "-m", "mlx_lm", "lora", "--model"));
}

TEST(TrainCommand, AnOptionThatTheInstalledOneLacksIsNamed) {
    auto mlx = installation();
    mlx.mlx_lm_version = "0.10.0";
    for (const auto& argument : command_for({.model_path = "m"})->argv) {
        if (argument.starts_with("--")) mlx.lora_flags.insert(argument);
    }
    EXPECT_TRUE(command_for({.model_path = "m"}, mlx));
    const auto refused = command_for({.model_path = "m", .mask_prompt = true}, mlx);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(refused.error().message(), HasSubstr("--mask-prompt"));
    EXPECT_THAT(refused.error().message(), HasSubstr("0.10.0"));
}

}  // namespace
}  // namespace punie::training
