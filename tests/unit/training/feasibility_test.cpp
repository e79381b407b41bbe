#include "training/feasibility.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models.hpp"

namespace punie::training {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t gigabyte = 1'000'000'000;

TEST(MemoryLimit, IsWhatIsAvailableOrTheWorkingSet) {
    const process::MachineMemory memory{
        .total = 16 * gigabyte, .available = 14 * gigabyte, .working_set = 16 * gigabyte
    };
    EXPECT_EQ(memory_limit(memory, 0), 14 * gigabyte);
    EXPECT_EQ(memory_limit(memory, 11 * gigabyte), 11 * gigabyte);
    EXPECT_EQ(memory_limit(memory, 20 * gigabyte), 14 * gigabyte);
}

MemoryEstimate estimate_of(double peak_gb) {
    return {
        .weights = 1e9,
        .trainable = 0.1e9,
        .activations = 0.4e9,
        .logits = 2e9,
        .attention = 1e9,
        .peak = peak_gb * 1e9
    };
}

TEST(CheckMemory, HasAMarginOf20Percent) {
    EXPECT_TRUE(check_memory(estimate_of(10), Settings{}, 12 * gigabyte));
    EXPECT_FALSE(check_memory(estimate_of(10), Settings{}, 12 * gigabyte - 1));
}

TEST(CheckMemory, TheRefusalHasTheNumbersAndAWayOut) {
    const auto refused = check_memory(estimate_of(10), Settings{}, 8 * gigabyte);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::out_of_memory);
    for (const auto* words :
         {"10.0 GB", "12.0 GB", "1.00 GB", "100.0 MB", "400.0 MB", "2.00 GB", "8.00 GB"}) {
        EXPECT_THAT(refused.error().message(), HasSubstr(words));
    }
    EXPECT_THAT(refused.error().hint(), HasSubstr("--force"));
    EXPECT_THAT(refused.error().hint(), HasSubstr("--batch-size"));
}

TEST(CheckMemory, DoesNotAdviseCheckpointingWhenTheLogitsAreTheTrouble) {
    const auto model = test::model_of();
    const Settings settings{.batch_size = 4, .layers = 4, .sequence = 2048};
    const auto refused = check_memory(estimate_memory(model, settings), settings, gigabyte);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().hint(), testing::Not(HasSubstr("checkpoint")));
}

TEST(CheckMemory, SaysWhenOnlyASmallerModelHelps) {
    const MemoryEstimate heavy{
        .weights = 18e9,
        .trainable = 0.1e9,
        .activations = 0.2e9,
        .logits = 0.5e9,
        .attention = 0,
        .peak = 18.8e9
    };
    const auto refused = check_memory(heavy, Settings{}, 16 * gigabyte);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().hint(), HasSubstr("smaller or more quantised model"));
}

}  // namespace
}  // namespace punie::training
