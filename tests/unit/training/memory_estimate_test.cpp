#include "training/memory_estimate.hpp"

#include <gtest/gtest.h>

#include "models.hpp"

namespace punie::training {
namespace {

// Peaks by mx.get_peak_memory() with mlx-lm 0.32.2 and mlx 0.32.4 on a Linux CPU;
// docs/memory-model.md says how.
struct MeasuredRow {
    const char* name;
    test::Shape shape;
    Settings settings;
    double measured_mb;
    double tolerance;  ///< of the measured peak; the promise is 20 %
};

const test::Shape smollm2{};
const test::Shape synthetic{
    .hidden = 128,
    .intermediate = 384,
    .layers = 8,
    .heads = 8,
    .kv_heads = 4,
    .vocab = 334,
    .layer_bits = 0,
    .embedding_bits = 0,
};

Settings with(FineTune kind, Settings settings) {
    settings.kind = kind;
    return settings;
}

Settings with_rank(int rank, Settings settings) {
    settings.rank = rank;
    return settings;
}

Settings settings(int batch, int sequence, int layers, bool checkpoint = false) {
    return {
        .batch_size = batch, .layers = layers, .sequence = sequence, .grad_checkpoint = checkpoint
    };
}

class MemoryEstimateTest : public testing::TestWithParam<MeasuredRow> {};

TEST_P(MemoryEstimateTest, IsNearTheMeasuredPeak) {
    const auto& row = GetParam();
    const auto estimate = estimate_memory(test::model_of(row.shape), row.settings);
    const double megabytes = estimate.peak / 1e6;
    EXPECT_NEAR(megabytes, row.measured_mb, row.tolerance * row.measured_mb) << row.name;
}

INSTANTIATE_TEST_SUITE_P(
    Measured,
    MemoryEstimateTest,
    testing::Values(
        MeasuredRow{"SmolLM2 B1 S128 L4", smollm2, settings(1, 128, 4), 254.8, 0.05},
        MeasuredRow{"SmolLM2 B1 S128 L16", smollm2, settings(1, 128, 16), 342.9, 0.05},
        MeasuredRow{"SmolLM2 B2 S128 L16", smollm2, settings(2, 128, 16), 553.0, 0.05},
        MeasuredRow{"SmolLM2 B4 S128 L4", smollm2, settings(4, 128, 4), 661.0, 0.05},
        MeasuredRow{"SmolLM2 B1 S512 L4", smollm2, settings(1, 512, 4), 701.3, 0.05},
        MeasuredRow{"SmolLM2 B1 S512 L4 gc", smollm2, settings(1, 512, 4, true), 590.7, 0.05},
        MeasuredRow{"SmolLM2 B2 S256 L30", smollm2, settings(2, 256, 30), 1429.4, 0.05},
        MeasuredRow{"SmolLM2 B1 S256 L16 gc", smollm2, settings(1, 256, 16, true), 371.3, 0.05},
        MeasuredRow{
            "SmolLM2 B1 S128 L4 rank 64", smollm2, with_rank(64, settings(1, 128, 4)), 283.1, 0.05
        },
        MeasuredRow{
            "SmolLM2 B1 S128 L4 dora",
            smollm2,
            with(FineTune::dora, settings(1, 128, 4)),
            320.1,
            0.05
        },
        MeasuredRow{
            "SmolLM2 B1 S128 L8 dora",
            smollm2,
            with(FineTune::dora, settings(1, 128, 8)),
            417.8,
            0.05
        },
        MeasuredRow{
            "SmolLM2 B1 S128 L16 dora",
            smollm2,
            with(FineTune::dora, settings(1, 128, 16)),
            612.9,
            0.05
        },
        MeasuredRow{
            "SmolLM2 B1 S128 L16 dora gc",
            smollm2,
            with(FineTune::dora, settings(1, 128, 16, true)),
            481.9,
            0.05
        }
    ),
    [](const auto& info) {
        std::string name = info.param.name;
        std::ranges::replace(name, ' ', '_');
        return name;
    }
);

TEST(MemoryEstimate, WeightsAreTheTensorsOfTheFiles) {
    // model.safetensors of SmolLM2 as python/make_smollm2.py writes it holds 115,156,224 bytes of
    // tensors.
    const auto estimate = estimate_memory(test::model_of(smollm2), settings(1, 128, 4));
    EXPECT_EQ(estimate.weights, 115'156'224);
}

TEST(MemoryEstimate, AdaptersAreRankTimesInputsPlusOutputs) {
    // mlx_lm prints for SmolLM2 with 4 layers "Trainable parameters: 0.242% (0.326M/134.515M)": 4 *
    // 8 * 10,176.
    EXPECT_EQ(trained_parameters(test::model_of(smollm2), settings(1, 128, 4)), 4 * 8 * 10'176);
    auto more = settings(1, 128, 4);
    more.rank = 64;
    EXPECT_EQ(trained_parameters(test::model_of(smollm2), more), 4 * 64 * 10'176);
    more.kind =
        FineTune::dora;  // and one magnitude an output: 576 + 192 + 192 + 576 + 1536 + 1536 + 576
    EXPECT_EQ(trained_parameters(test::model_of(smollm2), more), 4 * (64 * 10'176 + 5'184));
}

TEST(MemoryEstimate, ParametersAreThoseOfTheModel) {
    // mlx_lm says 134.515M; norms (35,136) are left out here.
    EXPECT_NEAR(parameters(test::model_of(smollm2)), 134.515e6, 0.05e6);
}

TEST(MemoryEstimate, FullFineTuningOfQuantisedLayersTrainsTheirNormsOnly) {
    auto full = settings(1, 128, 4);
    full.kind = FineTune::full;
    EXPECT_EQ(trained_parameters(test::model_of(smollm2), full), 4 * 2 * 576);
}

TEST(MemoryEstimate, FullFineTuningTrainsTheLastLayers) {
    auto full = settings(1, 128, 2);
    full.kind = FineTune::full;
    const auto model = test::model_of(synthetic);
    const double a_layer = 128 * 128 * 2 + 128 * 64 * 2 + 3 * 128 * 384 + 2 * 128;
    EXPECT_EQ(trained_parameters(model, full), 2 * a_layer);
    EXPECT_EQ(
        estimate_memory(model, full).trainable, 2 * a_layer * 4 * 3
    );  // the weights are the model's own
}

TEST(MemoryEstimate, LogitsDominateASmallModelWithALargeVocabulary) {
    const auto estimate = estimate_memory(test::model_of(smollm2), settings(4, 128, 4));
    EXPECT_GT(estimate.logits, 0.6 * estimate.peak);
}

TEST(MemoryEstimate, GrowsWithEverySetting) {
    const auto model = test::model_of(smollm2);
    const auto base = estimate_memory(model, settings(2, 256, 8)).peak;
    EXPECT_GT(estimate_memory(model, settings(3, 256, 8)).peak, base);
    EXPECT_GT(estimate_memory(model, settings(2, 288, 8)).peak, base);
    EXPECT_GT(estimate_memory(model, settings(2, 256, 9)).peak, base);
    EXPECT_LT(estimate_memory(model, settings(2, 256, 8, true)).peak, base);
}

TEST(MemoryEstimate, HalvesWithHalfTheActivationBytes) {
    auto half = synthetic;
    half.dtype = "BF16";
    const auto four = estimate_memory(test::model_of(synthetic), settings(2, 512, 8));
    const auto two = estimate_memory(test::model_of(half), settings(2, 512, 8));
    EXPECT_DOUBLE_EQ(two.activations, four.activations / 2);
    EXPECT_DOUBLE_EQ(two.logits, four.logits / 2);
    EXPECT_DOUBLE_EQ(two.trainable, four.trainable);  // adapters are float32 whatever the model
}

TEST(MemoryEstimate, AModelWithoutFiguresGivesNoNonsense) {
    const backend::ModelInfo nothing;
    const auto estimate = estimate_memory(nothing, settings(1, 128, 4));
    EXPECT_EQ(estimate.peak, 0);
    EXPECT_EQ(parameters(nothing), 0);
}

struct LengthRow {
    std::int64_t longest;
    std::int64_t limit;
    std::int64_t expected;
};

class PaddedLengthTest : public testing::TestWithParam<LengthRow> {};

TEST_P(PaddedLengthTest, IsWhatMlxLmPadsTo) {
    EXPECT_EQ(padded_length(GetParam().longest, GetParam().limit), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    PaddedLengthTest,
    testing::Values(
        LengthRow{1, 2048, 32},
        LengthRow{32, 2048, 32},
        LengthRow{33, 2048, 64},
        LengthRow{2048, 2048, 2047},
        LengthRow{100'000, 2048, 2047},
        LengthRow{128, 128, 127},
        LengthRow{10, 8, 7},
        LengthRow{5, 1, 1}
    )
);

}  // namespace
}  // namespace punie::training
