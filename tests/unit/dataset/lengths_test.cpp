// The batches of mlx_lm's trainer: figures of its iterate_batches (0.32.2), run by hand.
#include "dataset/lengths.hpp"

#include <gmock/gmock.h>

namespace punie::dataset {
namespace {

TEST(RowLengths, RowsBehindTheLastFullBatchAreLeftOver) {
    RowLengths lengths;
    for (std::size_t line = 1; line <= 10; ++line) lengths.add(line, 1, 20);
    const auto picture = lengths.batches(4, 2048);
    EXPECT_EQ(picture.batches, 2U);
    EXPECT_EQ(picture.rows_left_over, 2U);
    EXPECT_THAT(picture.left_over, testing::ElementsAre(9, 10));
    // 20 tokens are padded to 1 + 32.
    EXPECT_NEAR(picture.padding_share, 1 - 20.0 / 33, 1e-12);
    EXPECT_EQ(lengths.tokens(), 200U);
}

TEST(RowLengths, KeysDecideTheOrderNotLength) {
    RowLengths lengths;
    lengths.add(1, 2, 10);  // with tools: comes last
    lengths.add(2, 1, 600);
    lengths.add(3, 1, 10);
    const auto picture = lengths.batches(2, 2048);
    EXPECT_THAT(picture.left_over, testing::ElementsAre(1));
    EXPECT_NEAR(picture.padding_share, 1 - 610.0 / (2 * 609), 1e-12);
}

TEST(RowLengths, LongRowsAreCut) {
    RowLengths lengths;
    lengths.add(1, 1, 5000);
    lengths.add(2, 1, 100);
    EXPECT_NEAR(lengths.batches(2, 512).padding_share, 1 - 612.0 / 1024, 1e-12);
    EXPECT_EQ(lengths.longest(), 5000U);
}

TEST(RowLengths, FewerRowsThanABatch) {
    RowLengths lengths;
    lengths.add(1, 1, 10);
    const auto picture = lengths.batches(4, 2048);
    EXPECT_EQ(picture.batches, 0U);
    EXPECT_EQ(picture.rows_left_over, 1U);
    EXPECT_EQ(picture.padding_share, 0);
    EXPECT_EQ(RowLengths().batches(0, 10).batches, 0U);
}

}  // namespace
}  // namespace punie::dataset
