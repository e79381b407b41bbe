#include "stats/repeats.hpp"

#include "base/assert.hpp"

namespace punie::stats {

namespace {

/// C(part, k) / C(whole, k) as a product: no factorial overflows.
double share_of_choices(std::size_t part, std::size_t whole, std::size_t k) {
    if (part < k) return 0;
    double share = 1;
    for (std::size_t at = 0; at < k; ++at)
        share *= static_cast<double>(part - at) / static_cast<double>(whole - at);
    return share;
}

}  // namespace

double pass_at_k(std::size_t samples, std::size_t passes, std::size_t k) {
    PUNIE_ASSERT(passes <= samples && k >= 1 && k <= samples, "k of the samples that there are");
    return 1 - share_of_choices(samples - passes, samples, k);
}

double pass_all_k(std::size_t samples, std::size_t passes, std::size_t k) {
    PUNIE_ASSERT(passes <= samples && k >= 1 && k <= samples, "k of the samples that there are");
    return share_of_choices(passes, samples, k);
}

double agreement(std::size_t samples, std::size_t passes) {
    PUNIE_ASSERT(passes <= samples && samples >= 2, "two samples can agree");
    return share_of_choices(passes, samples, 2) + share_of_choices(samples - passes, samples, 2);
}

}  // namespace punie::stats
