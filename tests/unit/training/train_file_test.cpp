#include "training/train_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace punie::training {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(TrainFile, ReadsMlxLmsOwnExample) {
    const auto file = parse_train_file(
        R"(# as mlx_lm/examples/lora_config.yaml
model: "mlx_model"
train: true
fine_tune_type: lora
optimizer: adamw
data: "/path/to/training/data"
seed: 0
num_layers: 16
batch_size: 4
iters: 1000
val_batches: 25
learning_rate: 1e-5
steps_per_report: 10
steps_per_eval: 200
resume_adapter_file: null
adapter_path: "adapters"
save_every: 100
test: false
test_batches: 100
max_seq_length: 2048
grad_checkpoint: false
lora_parameters:
  keys: ["self_attn.q_proj", "self_attn.v_proj"]
  rank: 8
  scale: 20.0
  dropout: 0.0
lr_schedule:
  name: cosine_decay
  warmup: 100
  warmup_init: 1e-7
  arguments: [1e-5, 1000, 1e-7]
)",
        "lora.yaml"
    );
    ASSERT_TRUE(file) << file.error().describe();
    EXPECT_EQ(file->model, "mlx_model");
    EXPECT_EQ(file->data, "/path/to/training/data");
    EXPECT_EQ(file->adapter, "adapters");
    EXPECT_EQ(file->settings.at("learning_rate").to_number<double>(), 1e-5);
    EXPECT_EQ(file->settings.at("lora_parameters").at("keys").as_array().size(), 2U);
    EXPECT_EQ(file->settings.at("lr_schedule").at("arguments").at(2).to_number<double>(), 1e-7);
    EXPECT_FALSE(file->settings.contains("model"));
    EXPECT_THAT(file->notes, ElementsAre(HasSubstr("lora.yaml:19: test_batches means nothing")));
}

TEST(TrainFile, PuniesOwnKeys) {
    const auto file = parse_train_file("keep: last\nearly_stop: 3\n", "x");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->keep_best, false);
    EXPECT_EQ(file->early_stop, 3);
}

TEST(TrainFile, NothingSaysNothing) {
    const auto file = parse_train_file("", "x");
    ASSERT_TRUE(file);
    EXPECT_FALSE(file->model);
    EXPECT_TRUE(file->settings.empty());
}

TEST(TrainFile, JsonIsYamlToo) {
    const auto file = parse_train_file(R"({"iters": 5, "mask_prompt": true})", "x");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->settings.at("iters"), 5);
    EXPECT_EQ(file->settings.at("mask_prompt"), true);
}

struct Fault {
    std::string_view text;
    std::string_view words;
};

class FaultyTrainFile : public testing::TestWithParam<Fault> {};

TEST_P(FaultyTrainFile, NamesLineAndRemedy) {
    const auto file = parse_train_file(GetParam().text, "lora.yaml");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(file.error().describe(), HasSubstr(std::string(GetParam().words)));
}

constexpr std::array faults = {
    Fault{
        "iters: 10\nlerning_rate: 1\n",
        "lora.yaml:2: lerning_rate: there is no such option; did "
        "you mean learning_rate?"
    },
    Fault{"adaptor_path: x\n", "did you mean adapter_path?"},
    Fault{"iters: 10\niters: 20\n", "lora.yaml:2: iters: given twice"},
    Fault{"iters: \"10\"\n", "lora.yaml:1: iters: expected a whole number"},
    Fault{"iters: ten\n", "iters: expected a whole number"},
    Fault{"\n\nbatch_size: 0\n", "lora.yaml:3: batch_size"},
    Fault{"mask_prompt: 1\n", "mask_prompt: expected true or false, found 1"},
    Fault{"model: 7\n", "model: expected a path or name"},
    Fault{"keep: first\n", "keep: expected best or last"},
    Fault{"early_stop: -1\n", "early_stop: expected a whole number from 0"},
    Fault{"train: false\n", "this is what `punie train` does"},
    Fault{"test: true\n", "`punie eval` does"},
    Fault{"resume_adapter_file: a.safetensors\n", "use --resume"},
    Fault{"report_to: wandb\n", "reports are kept in the journal"},
    Fault{"hf_dataset: {path: x}\n", "only folders with train.jsonl are read"},
    Fault{"trust_remote_code: true\n", "is not run"},
    Fault{"lora_parameters: {alpha: 16}\n", "lora.yaml:1: lora_parameters.alpha"},
    Fault{"lora_parameters: 8\n", "lora_parameters: expected keys and values"},
    Fault{"- iters\n", "options are expected"},
    Fault{"iters: [1\n", "lora.yaml:"},
};
INSTANTIATE_TEST_SUITE_P(Table, FaultyTrainFile, testing::ValuesIn(faults));

TEST(TrainFile, AllFaultsComeAtOnce) {
    const auto file = parse_train_file("iters: 0\nx: 1\nbatch_size: 0\n", "f");
    ASSERT_FALSE(file);
    for (const auto* place : {"f:1: ", "f:2: ", "f:3: "})
        EXPECT_THAT(file.error().message(), HasSubstr(place));
}

TEST(TrainFile, AMissingFileIsNotFound) {
    const auto file = read_train_file("/nowhere/lora.yaml");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace punie::training
