#include "compare/words.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace punie::compare {

namespace {

/// "8 of 10 tries" for 0.8, "85 of 100 tries" for 0.85.
std::string tries(double power) {
    const double tenths = power * 10;
    if (std::abs(tenths - std::round(tenths)) < 1e-9)
        return fmt::format("{:.0f} of 10 tries", tenths);
    return fmt::format("{:.0f} of 100 tries", power * 100);
}

std::string plural(std::size_t count, std::string_view thing) {
    return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

/// "95 % interval +4.1 to +19.9, p = 0.003 by the exact McNemar test".
std::string evidence(const Difference& difference, const Comparison& frame) {
    std::string text;
    if (difference.difference.interval)
        text = fmt::format(
            "{:.3g} % interval {}", 100 * (1 - frame.alpha), points_interval(difference.difference)
        );
    if (!difference.p) return text;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} by the {}", p_text(*difference.p), spelled(difference.p_method));
    if (difference.p_adjusted && frame.family > 1)
        text += fmt::format(
            ", {} corrected for {} comparisons", p_text(*difference.p_adjusted), frame.family
        );
    return text;
}

std::string too_few(const Difference& difference) {
    const auto what =
        difference.prompts < fewest_prompts
            ? fmt::format(
                  "{}, and a claim needs {}", plural(difference.prompts, "prompt"), fewest_prompts
              )
            : fmt::format(
                  "{} of related prompts, and a claim needs {}",
                  plural(difference.groups, "group"),
                  fewest_groups
              );
    return fmt::format(
        "too few to tell: {} (seen: {} points)", what, points(difference.difference.value)
    );
}

/// Corrected where there is a family.
double p_for_claim(const Difference& difference) {
    return difference.p_adjusted.value_or(difference.p.value_or(1));
}

bool leaves_out_zero(const Figure& figure) {
    return figure.interval && (figure.interval->low > 0 || figure.interval->high < 0);
}

std::string nothing_shown(const Difference& difference, const Comparison& frame) {
    auto text = fmt::format(
        "no difference that this suite could show: {} points seen",
        points(difference.difference.value)
    );
    if (const auto proof = evidence(difference, frame); !proof.empty())
        text += fmt::format(" ({})", proof);
    if (difference.detectable)
        text += fmt::format(
            "; with {} it shows {:.1f} points or more in {}",
            plural(difference.prompts, "prompt"),
            100 * *difference.detectable,
            tries(frame.power)
        );
    else
        text += "; with so few prompts or groups none could show";
    if (difference.prompts_needed.value_or(0) > difference.prompts)
        text += fmt::format("; what was seen needs about {} prompts", *difference.prompts_needed);
    const bool outside = leaves_out_zero(difference.difference);
    if (outside) text += "; the interval leaves out 0, but the test does not reach its level";
    if (!outside && p_for_claim(difference) < frame.alpha)
        text += "; the test speaks of one, but the interval does not leave out 0";
    return text;
}

}  // namespace

std::string_view name_of(Claim claim) {
    switch (claim) {
        case Claim::better:
            return "better";
        case Claim::worse:
            return "worse";
        case Claim::no_visible_difference:
            return "no_visible_difference";
        case Claim::too_few:
            break;
    }
    return "too_few";
}

std::string percent(double share) {
    return fmt::format("{:.1f} %", 100 * share);
}

std::string points(double difference) {
    const double rounded = std::round(difference * 1000) / 10;
    return rounded == 0 ? std::string("0.0") : fmt::format("{:+.1f}", rounded);
}

std::string interval_text(const Figure& figure) {
    if (!figure.interval) return {};
    return fmt::format(
        "{:.1f} to {:.1f} %", 100 * figure.interval->low, 100 * figure.interval->high
    );
}

std::string points_interval(const Figure& figure) {
    if (!figure.interval) return {};
    return fmt::format("{} to {}", points(figure.interval->low), points(figure.interval->high));
}

std::string p_text(double p) {
    return p < 0.0001 ? std::string("p < 0.0001") : fmt::format("p = {:.3g}", p);
}

std::string_view spelled(std::string_view method) {
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"mcnemar_exact", "exact McNemar test"},
        {"sign_flip_groups", "sign-flip test on groups"},
        {"sign_flip_prompts", "sign-flip test on prompts"},
    };
    for (const auto& [key, name] : names) {
        if (key == method) return name;
    }
    return method;
}

Claim claim_of(const Difference& difference, double alpha) {
    if (difference.prompts < fewest_prompts || difference.groups < fewest_groups || !difference.p)
        return Claim::too_few;
    if (p_for_claim(difference) >= alpha || !leaves_out_zero(difference.difference))
        return Claim::no_visible_difference;
    return difference.difference.value > 0 ? Claim::better : Claim::worse;
}

std::string words_for(const Difference& difference, Naming names, const Comparison& frame) {
    switch (difference.claim) {
        case Claim::too_few:
            return too_few(difference);
        case Claim::no_visible_difference:
            return nothing_shown(difference, frame);
        case Claim::better:
        case Claim::worse:
            break;
    }
    return fmt::format(
        "{} is {} than {} by {:.1f} points ({})",
        names.other,
        name_of(difference.claim),
        names.baseline,
        100 * std::abs(difference.difference.value),
        evidence(difference, frame)
    );
}

}  // namespace punie::compare
