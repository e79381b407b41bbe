#include "stats/tests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace punie::stats {
namespace {

// statsmodels 0.15.0: mcnemar([[0, b], [c, 0]], exact=True).pvalue
struct McnemarRow {
    std::size_t gained;
    std::size_t lost;
    double p;
};

class McnemarTest : public testing::TestWithParam<McnemarRow> {};

TEST_P(McnemarTest, IsStatsmodels) {
    const auto& row = GetParam();
    EXPECT_NEAR(mcnemar_exact(row.gained, row.lost), row.p, 1e-10 * row.p);
    EXPECT_NEAR(mcnemar_exact(row.lost, row.gained), row.p, 1e-10 * row.p);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    McnemarTest,
    testing::Values(
        McnemarRow{12, 4, 0.076812744140625},  // the mid-p is 0.049: choose before looking
        McnemarRow{1, 7, 0.0703125},           // Fagerland (2013), table 1: exact p 0.0703
        McnemarRow{0, 0, 1},
        McnemarRow{60, 0, 1.734723475976807e-18},
        McnemarRow{8, 8, 1},
        McnemarRow{5, 0, 0.0625},
        McnemarRow{6, 0, 0.03125},
        McnemarRow{30, 50, 0.03299261842647619},
        McnemarRow{121, 59, 4.4344492637551645e-06}
    )
);

// scipy 1.17.1: permutation_test((v,), lambda a, axis=-1: np.sum(a, axis=axis),
//   permutation_type="samples", n_resamples=np.inf).pvalue
struct FlipRow {
    std::vector<double> values;
    double p;
    std::string_view computed;
};

class SignFlipTest : public testing::TestWithParam<FlipRow> {};

TEST_P(SignFlipTest, IsScipys) {
    const auto& row = GetParam();
    const auto result = sign_flip(row.values);
    EXPECT_NEAR(result.p, row.p, 1e-12);
    EXPECT_EQ(result.computed, row.computed);
    EXPECT_EQ(result.draws, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    SignFlipTest,
    testing::Values(
        FlipRow{{3, -1, 2, 2, 0, 1, 4, -2}, 0.21875, "convolution"},
        FlipRow{{.5, .25, -.75, 1, 1.0 / 3, .5, 2.0 / 3}, 0.15625, "convolution"},
        FlipRow{{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1}, 0.09228515625, "convolution"},
        FlipRow{{1, 1, 1, 1, 1}, 0.0625, "convolution"},
        FlipRow{{.12345, .7654, -.3141, .2718, .5772, .1618, -.0915}, 0.203125, "enumeration"}
    )
);

TEST(SignFlip, OfNoDifferenceIsOne) {
    EXPECT_EQ(sign_flip({}).p, 1);
    EXPECT_EQ(sign_flip(std::vector<double>(30, 0.0)).p, 1);
}

TEST(SignFlip, OfYesAndNoIsMcnemar) {
    for (std::size_t gained = 0; gained <= 25; ++gained) {
        for (std::size_t lost = 0; lost <= 25; lost += 3) {
            std::vector<double> values(gained, 1.0);
            values.insert(values.end(), lost, -1.0);
            values.insert(values.end(), 10, 0.0);
            EXPECT_NEAR(sign_flip(values).p, mcnemar_exact(gained, lost), 1e-12);
        }
    }
}

TEST(SignFlip, NeverSaysZero) {
    const auto result = sign_flip(std::vector<double>(5000, 1.0));
    EXPECT_GT(result.p, 0);
    EXPECT_LT(result.p, 1e-300);
}

TEST(SignFlip, OfManyIsStillExact) {
    std::vector<double> values(20'000, 1.0);
    std::fill_n(values.begin(), 9'850, -1.0);
    const auto result = sign_flip(values);
    EXPECT_EQ(result.computed, "convolution");
    EXPECT_NEAR(result.p, mcnemar_exact(10'150, 9'850), 1e-10);
}

std::vector<double> odd_values(std::size_t count, double shift) {
    std::mt19937_64 random(7);
    std::vector<double> values(count);
    for (auto& value : values)  // 53 random bits: on no lattice, and the same everywhere
        value = static_cast<double>(random() >> 11U) * 0x1.0p-53 - 0.5 + shift;
    return values;
}

TEST(SignFlip, DrawsWhereItCannotCount) {
    const auto result = sign_flip(odd_values(60, 0.05));
    EXPECT_EQ(result.computed, "draws");
    EXPECT_EQ(result.draws, 100'000);
    EXPECT_EQ(result.units, 60);
    EXPECT_EQ(result.p, sign_flip(odd_values(60, 0.05)).p);
}

// 20 values are enumerated, and with two that hardly weigh they are drawn: both must agree within
// five standard errors of 100,000 draws.
TEST(SignFlip, DrawsAgreeWithEnumeration) {
    for (const double shift : {0.0, 0.1, 0.2}) {
        auto values = odd_values(20, shift);
        const auto exact = sign_flip(values);
        ASSERT_EQ(exact.computed, "enumeration");
        values.push_back(1e-9);
        values.push_back(-1.1e-9);
        const auto drawn = sign_flip(values);
        ASSERT_EQ(drawn.computed, "draws");
        EXPECT_NEAR(drawn.p, exact.p, 5 * std::sqrt(exact.p * (1 - exact.p) / 1e5) + 1e-5);
    }
}

TEST(SignFlip, DrawsAreNeverBelowOneInAHundredThousand) {
    const auto result = sign_flip(odd_values(80, 0.6));
    EXPECT_NEAR(result.p, 1 / 100'001.0, 1e-12);
}

TEST(SignFlip, DoesNotDependOnTheOrder) {
    for (auto values : {odd_values(60, 0.05), odd_values(18, 0.1)}) {
        const auto before = sign_flip(values).p;
        std::ranges::reverse(values);
        std::ranges::rotate(values, values.begin() + 7);
        EXPECT_EQ(sign_flip(values).p, before);
    }
}

TEST(SignFlip, DoesNotDependOnWhichVariantIsFirst) {
    auto values = odd_values(18, 0.1);
    const auto before = sign_flip(values).p;
    for (auto& value : values) value = -value;
    EXPECT_EQ(sign_flip(values).p, before);
}

TEST(GroupSums, AddUpEachGroup) {
    const std::vector<double> values = {1, 2, 4, 8, 16};
    const std::vector<std::size_t> groups = {9, 3, 9, 3, 5};
    EXPECT_THAT(
        group_sums({.values = values, .groups = groups}), testing::UnorderedElementsAre(10, 16, 5)
    );
    EXPECT_EQ(group_sums({.values = values}).size(), 5);
}

// statsmodels 0.15.0: multipletests(p, method="holm")[1]
TEST(Holm, IsStatsmodels) {
    using testing::DoubleNear;
    using testing::ElementsAre;
    const std::vector<double> four = {.01, .04, .03, .005};
    EXPECT_THAT(
        holm(four),
        ElementsAre(
            DoubleNear(.03, 1e-12),
            DoubleNear(.06, 1e-12),
            DoubleNear(.06, 1e-12),
            DoubleNear(.02, 1e-12)
        )
    );
    const std::vector<double> large = {.5, .9, .6};
    EXPECT_THAT(holm(large), ElementsAre(1, 1, 1));
    const std::vector<double> tied = {.0001, .02, .02, .3};
    EXPECT_THAT(
        holm(tied),
        ElementsAre(
            DoubleNear(.0004, 1e-12),
            DoubleNear(.06, 1e-12),
            DoubleNear(.06, 1e-12),
            DoubleNear(.3, 1e-12)
        )
    );
}

TEST(Holm, LeavesOneAlone) {
    const std::vector<double> one = {.2};
    EXPECT_THAT(holm(one), testing::ElementsAre(.2));
    EXPECT_TRUE(holm({}).empty());
}

}  // namespace
}  // namespace punie::stats
