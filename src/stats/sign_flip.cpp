// The paired permutation test: exact where it can be, drawn where it cannot.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>

#include "stats/tests.hpp"

namespace punie::stats {

namespace {

constexpr std::size_t draws = 100'000;
constexpr std::size_t most_enumerated = 20;     // 2^19 patterns: 2 ms
constexpr double most_convolution_steps = 4e8;  // about a quarter of a second
constexpr int largest_denominator = 1000;
constexpr std::uint64_t seed = 0x70756e6965;  // any; fixed, so that a p-value can be had again
constexpr double negligible = 1e-300;         // below it doubles lose digits and time
constexpr double smallest_p = std::numeric_limits<double>::min();

/// The non-zero values without their signs, in order, and how far from 0 their signed sum lies.
struct Magnitudes {
    std::vector<double> sizes;
    double observed = 0;

    double total() const { return std::accumulate(sizes.begin(), sizes.end(), 0.0); }

    /// Sums within this distance are the same sum, differently rounded.
    double slack() const { return 1e-9 * total(); }
};

Magnitudes magnitudes_of(std::span<const double> values) {
    std::vector<double> ordered(values.begin(), values.end());
    std::ranges::sort(ordered);
    Magnitudes result;
    result.observed = std::abs(std::accumulate(ordered.begin(), ordered.end(), 0.0));
    result.sizes.reserve(ordered.size());
    for (const double value : ordered) {
        if (std::abs(value) > 1e-12) result.sizes.push_back(std::abs(value));
    }
    std::ranges::sort(result.sizes);
    return result;
}

bool are_multiples(const std::vector<double>& sizes, int denominator) {
    return std::ranges::all_of(sizes, [denominator](double size) {
        const double scaled = size * denominator;
        return std::abs(scaled - std::round(scaled)) < 1e-7;
    });
}

/// The sizes as whole numbers of 1/q for the smallest q that makes them whole; empty if none does.
std::vector<std::size_t> on_lattice(const std::vector<double>& sizes, int& denominator) {
    for (denominator = 1; denominator <= largest_denominator; ++denominator) {
        if (!are_multiples(sizes, denominator)) continue;
        std::vector<std::size_t> whole;
        whole.reserve(sizes.size());
        for (const double size : sizes)
            whole.push_back(static_cast<std::size_t>(std::llround(size * denominator)));
        return whole;
    }
    return {};
}

/// Where nearly all of the probability lies: the whole range, or 75 standard deviations of it.
double convolution_steps(const std::vector<std::size_t>& sizes) {
    double total = 0;
    double squares = 0;
    for (const auto size : sizes) {
        total += static_cast<double>(size);
        squares += static_cast<double>(size) * static_cast<double>(size);
    }
    const double width = std::min(total, 75 * std::sqrt(squares) / 2);
    return width * static_cast<double>(sizes.size());
}

/// The distribution of T, the sum of the sizes whose sign came out positive: P(T = first + i).
struct Distribution {
    std::size_t first = 0;
    std::vector<double> p{1.0};
};

void add_toss(Distribution& sum, std::size_t size, std::vector<double>& scratch) {
    const auto count = sum.p.size();
    scratch.assign(count + size, 0.0);
    for (std::size_t at = 0; at < count; ++at) scratch[at] = 0.5 * sum.p[at];
    for (std::size_t at = 0; at < count; ++at) scratch[at + size] += 0.5 * sum.p[at];
    const auto is_some = [](double p) { return p > negligible; };
    const auto begin = std::ranges::find_if(scratch, is_some);
    const auto end = std::find_if(scratch.rbegin(), scratch.rend(), is_some).base();
    sum.first += static_cast<std::size_t>(begin - scratch.begin());
    sum.p.assign(begin, end);
}

double by_convolution(const std::vector<std::size_t>& sizes, std::int64_t observed) {
    Distribution sum;
    std::vector<double> scratch;
    for (const auto size : sizes) add_toss(sum, size, scratch);
    const auto total = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
    double p = 0;
    for (std::size_t at = 0; at < sum.p.size(); ++at) {
        const auto signed_sum = 2 * static_cast<std::int64_t>(sum.first + at) - total;
        if (std::abs(signed_sum) >= observed) p += sum.p[at];
    }
    return p;
}

/// All sign patterns but for the mirrored half, each one flip from the last (Gray code).
double by_enumeration(const Magnitudes& magnitudes) {
    const auto& sizes = magnitudes.sizes;
    const double limit = magnitudes.observed - magnitudes.slack();
    const std::uint64_t patterns = std::uint64_t{1} << (sizes.size() - 1);
    std::vector<double> signs(sizes.size(), 1);
    double sum = magnitudes.total();
    std::uint64_t hits = std::abs(sum) >= limit ? 1 : 0;
    for (std::uint64_t pattern = 1; pattern < patterns; ++pattern) {
        const auto flip = static_cast<std::size_t>(std::countr_zero(pattern));
        signs[flip] = -signs[flip];
        sum += 2 * signs[flip] * sizes[flip];
        if (std::abs(sum) >= limit) ++hits;
    }
    return static_cast<double>(hits) / static_cast<double>(patterns);
}

constexpr std::size_t byte_bits = 8;
constexpr std::size_t word_bits = 64;
using SignedSums = std::array<double, 256>;

/// The sums of up to eight sizes under each pattern of their signs.
SignedSums signed_sums(std::span<const double> sizes) {
    SignedSums sums{};
    for (std::size_t signs = 0; signs < sums.size(); ++signs) {
        for (std::size_t at = 0; at < sizes.size(); ++at)
            sums.at(signs) += ((signs >> at) & 1U) != 0 ? sizes[at] : -sizes[at];
    }
    return sums;
}

/// 64 sizes at a time: a random word a draw, whose bytes look up the sums of eight sizes each
/// (100,000 values: 0.8 s).
double by_draws(const Magnitudes& magnitudes) {
    std::mt19937_64 random(seed);
    std::vector<double> sums(draws, 0.0);
    std::array<SignedSums, word_bits / byte_bits> tables{};
    const std::span<const double> sizes(magnitudes.sizes);
    for (std::size_t from = 0; from < sizes.size(); from += word_bits) {
        for (std::size_t table = 0; table < tables.size(); ++table) {
            const auto begin = std::min(from + table * byte_bits, sizes.size());
            tables.at(table) =
                signed_sums(sizes.subspan(begin, std::min(byte_bits, sizes.size() - begin)));
        }
        for (auto& sum : sums) {
            const std::uint64_t bits = random();
            for (std::size_t table = 0; table < tables.size(); ++table)
                sum += tables[table][(bits >> (table * byte_bits)) & 0xffU];
        }
    }
    const double limit = magnitudes.observed - magnitudes.slack();
    const auto hits =
        std::ranges::count_if(sums, [limit](double sum) { return std::abs(sum) >= limit; });
    return (1 + static_cast<double>(hits)) / (1 + static_cast<double>(draws));
}

}  // namespace

PermutationResult sign_flip(std::span<const double> values) {
    const auto magnitudes = magnitudes_of(values);
    const auto units = magnitudes.sizes.size();
    PermutationResult result{.computed = "convolution", .units = units};
    if (units == 0) return result;
    int denominator = 1;
    const auto whole = on_lattice(magnitudes.sizes, denominator);
    if (!whole.empty() && convolution_steps(whole) <= most_convolution_steps) {
        result.p = by_convolution(whole, std::llround(magnitudes.observed * denominator));
    } else if (units <= most_enumerated) {
        result.computed = "enumeration";
        result.p = by_enumeration(magnitudes);
    } else {
        result.computed = "draws";
        result.draws = draws;
        result.p = by_draws(magnitudes);
    }
    result.p = std::clamp(result.p, smallest_p, 1.0);
    return result;
}

}  // namespace punie::stats
