#include "training/advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models.hpp"
#include "training/memory_estimate.hpp"

namespace punie::training {
namespace {

// A model of about 30B parameters, 4 bit.
const test::Shape large{
    .model_type = "qwen3",
    .hidden = 5120,
    .intermediate = 25600,
    .layers = 64,
    .heads = 64,
    .kv_heads = 8,
    .vocab = 151936,
    .embedding_bits = 4,
    .dtype = "BF16",
};

const Advice* find(const std::vector<Advice>& advice, std::string_view start) {
    const auto found = std::ranges::find_if(advice, [&](const Advice& item) {
        return item.change.starts_with(start);
    });
    return found == advice.end() ? nullptr : &*found;
}

TEST(Advice, IsGivenForSlowAndTooSlowOnly) {
    const auto model = test::model_of();
    EXPECT_TRUE(advise(&model, Settings{}, {.seconds_per_iter = 5, .peak_gb = 1}).empty());
    EXPECT_TRUE(advise(&model, Settings{}, {.seconds_per_iter = 30, .peak_gb = 1}).empty());
    EXPECT_FALSE(advise(&model, Settings{}, {.seconds_per_iter = 31, .peak_gb = 1}).empty());
    EXPECT_FALSE(advise(&model, Settings{}, {.seconds_per_iter = 61, .peak_gb = 1}).empty());
}

TEST(Advice, NamesEachChangeWithAnEstimate) {
    const auto model = test::model_of(large);
    const auto advice = advise(&model, Settings{}, {.seconds_per_iter = 100, .peak_gb = 60});
    const auto* sequence = find(advice, "--max-seq-length 1024");
    const auto* batch = find(advice, "--batch-size 2");
    const auto* layers = find(advice, "--num-layers 8");
    const auto* checkpoint = find(advice, "--grad-checkpoint");
    const auto* smaller = find(advice, "a 7B model");
    ASSERT_TRUE(sequence && batch && layers && checkpoint && smaller);
    EXPECT_NEAR(sequence->estimated_seconds_per_iter, 50, 5);
    EXPECT_NEAR(batch->estimated_seconds_per_iter, 50, 0.1);
    EXPECT_LT(layers->estimated_seconds_per_iter, 100);
    EXPECT_GT(layers->estimated_seconds_per_iter, 50);
    EXPECT_GT(checkpoint->estimated_seconds_per_iter, 100);
    EXPECT_LT(checkpoint->estimated_peak_gb, 60);
    EXPECT_NEAR(smaller->estimated_seconds_per_iter, 100 * 7e9 / parameters(model), 1e-9);
    for (const auto& item : advice) {
        EXPECT_FALSE(item.explanation.empty()) << item.change;
        EXPECT_GT(item.estimated_peak_gb, 0) << item.change;
        EXPECT_LT(item.estimated_peak_gb, 60) << item.change;
    }
}

TEST(Advice, StartsWithWhatHelpsMost) {
    const auto model = test::model_of(large);
    const auto advice = advise(&model, Settings{}, {.seconds_per_iter = 100, .peak_gb = 60});
    EXPECT_TRUE(std::ranges::is_sorted(advice, {}, &Advice::estimated_seconds_per_iter));
    EXPECT_EQ(advice.front().change, "a 7B model");
}

TEST(Advice, DoesNotNameWhatCannotBeLowered) {
    const auto model = test::model_of({.layers = 1});
    const Settings lowest{.batch_size = 1, .layers = 1, .sequence = 128, .grad_checkpoint = true};
    EXPECT_TRUE(advise(&model, lowest, {.seconds_per_iter = 100, .peak_gb = 1}).empty());
}

TEST(Advice, OffersTheNextSmallerCommonSize) {
    const auto seven = test::model_of(
        {.hidden = 4096,
         .intermediate = 11008,
         .layers = 32,
         .heads = 32,
         .kv_heads = 32,
         .vocab = 32000}
    );
    EXPECT_TRUE(
        find(advise(&seven, Settings{}, {.seconds_per_iter = 100, .peak_gb = 9}), "a 3B model")
    );
    const auto smollm2 = test::model_of();
    EXPECT_FALSE(find(advise(&smollm2, Settings{}, {.seconds_per_iter = 100, .peak_gb = 1}), "a "));
}

TEST(Advice, WithoutAModelTheEstimatesAreUnknown) {
    const auto advice = advise(nullptr, Settings{}, {.seconds_per_iter = 100, .peak_gb = 0});
    EXPECT_TRUE(find(advice, "--batch-size 2"));
    EXPECT_TRUE(find(advice, "a 7B model"));
    for (const auto& item : advice) EXPECT_EQ(item.estimated_seconds_per_iter, 0) << item.change;
}

TEST(Advice, WithoutAMeasuredPeakTheFormulasIsTaken) {
    const auto model = test::model_of(large);
    const auto advice = advise(&model, Settings{}, {.seconds_per_iter = 100, .peak_gb = 0});
    EXPECT_GT(find(advice, "--batch-size 2")->estimated_peak_gb, 10);
}

TEST(Work, IsLinearInTheBatchAndGrowsWithLayers) {
    const auto model = test::model_of();
    const Settings one{.batch_size = 1, .layers = 4, .sequence = 512};
    auto two = one;
    two.batch_size = 2;
    EXPECT_DOUBLE_EQ(work_of_iteration(model, two), 2 * work_of_iteration(model, one));
    auto deeper = one;
    deeper.layers = 30;
    EXPECT_GT(work_of_iteration(model, deeper), work_of_iteration(model, one));
    auto full = one;
    full.kind = FineTune::full;
    EXPECT_GT(work_of_iteration(model, full), work_of_iteration(model, one));
}

}  // namespace
}  // namespace punie::training
