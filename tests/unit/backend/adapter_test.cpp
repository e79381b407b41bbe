#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/model_files.hpp"
#include "base/files.hpp"
#include "model_folder.hpp"

namespace punie::backend {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Pair;

constexpr const char* lora_config =
    R"({"fine_tune_type": "lora", "model": "models/base", "num_layers": 1,
        "lora_parameters": {"rank": 8, "scale": 20.0, "dropout": 0.0}})";

std::vector<FakeTensor> lora_of(
    const std::string& base, std::int64_t inputs, std::int64_t outputs, std::int64_t rank = 8
) {
    return {{base + ".lora_a", {inputs, rank}}, {base + ".lora_b", {rank, outputs}}};
}

std::vector<FakeTensor> operator+(std::vector<FakeTensor> a, const std::vector<FakeTensor>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

std::vector<FakeTensor> good_lora() {
    return lora_of("model.layers.1.self_attn.q_proj", 64, 64) +
           lora_of("model.layers.1.self_attn.k_proj", 64, 32) +
           lora_of("model.layers.1.mlp.down_proj", 128, 64);
}

class Adapter : public testing::Test {
protected:
    Adapter() { write_tiny_model(folder_.path() / "model"); }

    Result<void> check(const std::string& config, const std::vector<FakeTensor>& tensors) {
        write_file(adapter_ / "adapter_config.json", config);
        write_safetensors(adapter_ / "adapters.safetensors", tensors);
        return check_adapter(model(), adapter_);
    }

    ModelInfo model() {
        auto model = read_model((folder_.path() / "model").native());
        EXPECT_TRUE(model) << model.error().message();
        return *model;
    }

    TemporaryFolder folder_ = *TemporaryFolder::make();
    std::filesystem::path adapter_ = folder_.path() / "adapter";
};

TEST_F(Adapter, ThatFitsIsAccepted) {
    const auto result = check(lora_config, good_lora());
    EXPECT_TRUE(result) << result.error().message();
}

TEST_F(Adapter, OfAnotherPrefixIsAccepted) {
    const auto result =
        check(lora_config, lora_of("language_model.model.layers.1.self_attn.q_proj", 64, 64));
    EXPECT_TRUE(result) << result.error().message();
}

TEST_F(Adapter, OfTheEmbeddingIsTheOtherWayRound) {
    EXPECT_TRUE(check(lora_config, lora_of("model.embed_tokens", 334, 64)));
    EXPECT_FALSE(check(lora_config, lora_of("model.embed_tokens", 64, 334)));
}

TEST_F(Adapter, LinearsAreListedInputsFirst) {
    const auto found = linears(model());
    EXPECT_THAT(found, testing::Contains(Pair("model.layers.0.mlp.down_proj", Pair(128, 64))));
    EXPECT_THAT(found, testing::Contains(Pair("model.embed_tokens", Pair(334, 64))));
    EXPECT_FALSE(found.contains("model.norm"));
}

TEST_F(Adapter, QuantisedWeightsAreUnpacked) {
    write_file(
        folder_.path() / "model" / "config.json",
        R"({"model_type": "qwen3", "num_hidden_layers": 2, "quantization": {"bits": 4, "group_size": 32,
            "model.layers.1.mlp.down_proj": {"bits": 8, "group_size": 32}}})"
    );
    write_safetensors(
        folder_.path() / "model" / "model.safetensors",
        {{"model.layers.1.self_attn.q_proj.weight", {64, 8}, "U32"},
         {"model.layers.1.self_attn.q_proj.scales", {64, 2}},
         {"model.layers.1.mlp.down_proj.weight", {64, 32}, "U32"},
         {"model.layers.1.mlp.down_proj.scales", {64, 4}}}
    );
    const auto found = linears(model());
    EXPECT_EQ(
        found.at("model.layers.1.self_attn.q_proj"), std::pair(std::int64_t{64}, std::int64_t{64})
    );
    EXPECT_EQ(
        found.at("model.layers.1.mlp.down_proj"), std::pair(std::int64_t{128}, std::int64_t{64})
    );
    const auto result = check(
        lora_config,
        lora_of("model.layers.1.self_attn.q_proj", 64, 64) +
            lora_of("model.layers.1.mlp.down_proj", 128, 64)
    );
    EXPECT_TRUE(result) << result.error().message();
}

TEST_F(Adapter, DoraHasMagnitudes) {
    const std::string config =
        R"({"fine_tune_type": "dora", "num_layers": 1, "lora_parameters": {"rank": 8, "scale": 1}})";
    const auto base = lora_of("model.layers.1.self_attn.k_proj", 64, 32);
    EXPECT_TRUE(
        check(config, base + std::vector<FakeTensor>{{"model.layers.1.self_attn.k_proj.m", {32}}})
    );
    EXPECT_FALSE(
        check(config, base + std::vector<FakeTensor>{{"model.layers.1.self_attn.k_proj.m", {64}}})
    );
    EXPECT_FALSE(check(
        lora_config, base + std::vector<FakeTensor>{{"model.layers.1.self_attn.k_proj.m", {32}}}
    ));
}

TEST_F(Adapter, AFullFineTuneHoldsWholeWeights) {
    const std::string config = R"({"fine_tune_type": "full", "num_layers": 1})";
    EXPECT_TRUE(check(
        config,
        {{"model.layers.1.self_attn.q_proj.weight", {64, 64}},
         {"model.layers.1.input_layernorm.weight", {64}}}
    ));
    const auto shape = check(config, {{"model.layers.1.self_attn.q_proj.weight", {64, 32}}});
    ASSERT_FALSE(shape);
    EXPECT_THAT(shape.error().message(), HasSubstr("shape [64, 32], the model's is [64, 64]"));
    EXPECT_FALSE(check(config, {{"model.layers.7.self_attn.q_proj.weight", {64, 64}}}));
}

TEST_F(Adapter, OfStackedExperts) {
    write_safetensors(
        folder_.path() / "model" / "model.safetensors",
        tiny_tensors() +
            std::vector<FakeTensor>{{"model.layers.1.mlp.switch_mlp.up_proj.weight", {4, 32, 64}}}
    );
    const std::string base = "model.layers.1.mlp.switch_mlp.up_proj";
    EXPECT_TRUE(check(lora_config, {{base + ".lora_a", {4, 8, 64}}, {base + ".lora_b", {4, 32, 8}}})
    );
    EXPECT_FALSE(
        check(lora_config, {{base + ".lora_a", {5, 8, 64}}, {base + ".lora_b", {5, 32, 8}}})
    );
}

struct Misfit {
    const char* name;
    const char* config;
    std::vector<FakeTensor> tensors;
    const char* says;
};

void PrintTo(const Misfit& row, std::ostream* out) {
    *out << row.name;
}

class Misfits : public testing::TestWithParam<Misfit> {};

TEST_P(Misfits, AreRefused) {
    const auto folder = *TemporaryFolder::make();
    write_tiny_model(folder.path() / "model");
    write_file(folder.path() / "adapter" / "adapter_config.json", GetParam().config);
    write_safetensors(folder.path() / "adapter" / "adapters.safetensors", GetParam().tensors);
    const auto model = read_model((folder.path() / "model").native());
    ASSERT_TRUE(model);
    const auto result = check_adapter(*model, folder.path() / "adapter");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::adapter_mismatch);
    EXPECT_THAT(result.error().message(), HasSubstr(GetParam().says));
}

const Misfit misfits[] = {
    {"misnamed",
     lora_config,
     lora_of("model.layers.1.attention.q_proj", 64, 64),
     "no such linear layer"},
    {"one_of_many_misnamed",
     lora_config,
     good_lora() + lora_of("model.layers.1.self_attn.q", 64, 64),
     "3 parts fit, 1 do not"},
    {"inputs",
     lora_config,
     lora_of("model.layers.1.mlp.down_proj", 64, 64),
     "made for 64 inputs and 64 outputs, the model's has 128 and 64"},
    {"outputs",
     lora_config,
     lora_of("model.layers.1.self_attn.k_proj", 64, 64),
     "the model's has 64 and 32"},
    {"rank",
     lora_config,
     lora_of("model.layers.1.self_attn.q_proj", 64, 64, 4),
     "rank 4, adapter_config.json says 8"},
    {"ranks_differ",
     lora_config,
     {{"model.layers.1.self_attn.q_proj.lora_a", {64, 8}},
      {"model.layers.1.self_attn.q_proj.lora_b", {4, 64}}},
     "lora_a has rank 8, lora_b 4"},
    {"no_twin",
     lora_config,
     {{"model.layers.1.self_attn.q_proj.lora_a", {64, 8}}},
     "its lora_b is missing"},
    {"no_first_twin",
     lora_config,
     {{"model.layers.1.self_attn.q_proj.lora_b", {8, 64}}},
     "its lora_a is missing"},
    {"nothing", lora_config, {}, "0 parts fit, 0 do not"},
    {"other_tensor",
     lora_config,
     good_lora() + std::vector<FakeTensor>{{"model.norm.weight", {64}}},
     "no adapter tensor"},
    {"layer_out_of_reach",
     lora_config,
     lora_of("model.layers.0.self_attn.q_proj", 64, 64),
     "the last 1 of the model's 2 layers"},
    {"too_many_layers",
     lora_config,
     lora_of("model.layers.5.self_attn.q_proj", 64, 64),
     "no such linear layer"},
    {"vector",
     lora_config,
     {{"model.layers.1.self_attn.q_proj.lora_a", {64}},
      {"model.layers.1.self_attn.q_proj.lora_b", {8, 64}}},
     "no matrix"},
    {"key",
     R"({"num_layers": 2, "lora_parameters": {"rank": 8, "scale": 1, "keys": ["self_attn.q_proj"]}})",
     lora_of("model.layers.1.self_attn.k_proj", 64, 32),
     "'self_attn.k_proj' is not among the keys"},
    {"alpha",
     R"({"num_layers": 2, "lora_parameters": {"rank": 8, "alpha": 1}})",
     good_lora(),
     "has no scale"},
    {"no_parameters", R"({"num_layers": 2})", good_lora(), "has no scale"},
    {"peft", R"({"peft_type": "LORA", "r": 8})", good_lora(), "an adapter of PEFT"},
    {"bad_json", "{", good_lora(), "adapter_config.json: line 1"},
};
INSTANTIATE_TEST_SUITE_P(Table, Misfits, testing::ValuesIn(misfits), [](const auto& row) {
    return std::string(row.param.name);
});

TEST_F(Adapter, TheReportNamesThreeMisfitsTheCountsAndTheBase) {
    std::vector<FakeTensor> tensors;
    for (const auto* name : {"a", "b", "c", "d", "e"}) {
        tensors = tensors + lora_of(std::string("model.layers.1.") + name, 64, 64);
    }
    const auto result = check(lora_config, tensors);
    ASSERT_FALSE(result);
    EXPECT_THAT(
        result.error().message(),
        AllOf(
            HasSubstr("0 parts fit, 5 do not"),
            HasSubstr("model.layers.1.c:"),
            HasSubstr("and 2 more")
        )
    );
    EXPECT_THAT(result.error().hint(), HasSubstr("it was trained on models/base"));
}

TEST_F(Adapter, MissingFilesAreNamed) {
    EXPECT_EQ(
        check_adapter(model(), folder_.path() / "nothing").error().code(), ErrorCode::not_found
    );
    write_file(adapter_ / "adapter_config.json", lora_config);
    const auto result = check_adapter(model(), adapter_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::not_found);
    EXPECT_THAT(result.error().message(), HasSubstr("holds no adapters.safetensors"));
}

}  // namespace
}  // namespace punie::backend
