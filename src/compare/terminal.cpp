// The comparison as lines of a terminal.

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "compare/render.hpp"
#include "compare/words.hpp"

namespace punie::compare {

namespace {

Emphasis emphasis_of(Claim claim) {
    switch (claim) {
        case Claim::better:
            return Emphasis::good;
        case Claim::worse:
            return Emphasis::bad;
        case Claim::no_visible_difference:
        case Claim::too_few:
            break;
    }
    return Emphasis::strong;
}

/// Columns as terminals count them: a character is a column.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
    }));
}

std::string padded(std::string_view text, std::size_t width) {
    const auto wide = width_of(text);
    return std::string(text) + std::string(wide < width ? width - wide : 0, ' ');
}

class Lines {
public:
    Lines(const Comparison& comparison, const Paint& paint, std::size_t changed)
        : comparison_(comparison), paint_(paint), changed_(changed) {
        for (const auto& variant : comparison.variants)
            names_ = std::max(names_, width_of(printable(variant.name)));
    }

    std::string take() && { return std::move(text_); }

    void unanswered() {
        for (const auto& variant : comparison_.variants) {
            if (variant.unanswered == 0) continue;
            line(paint_(
                Emphasis::bad,
                fmt::format(
                    "{}: {} of {} prompts or samples have no answer to judge",
                    name(variant),
                    variant.unanswered,
                    variant.unanswered + variant.samples
                )
            ));
        }
    }

    void verdicts() {
        for (const auto& pair : comparison_.pairs) {
            auto words = printable(pair.overall.words);
            if (comparison_.pairs.size() > 1 && !names_both(pair))
                words = fmt::format("{} against {}: {}", other(pair), baseline(pair), words);
            line(paint_(emphasis_of(pair.overall.claim), words));
        }
    }

    void variants() {
        line("");
        line(paint_(
            Emphasis::dim,
            fmt::format(
                "  {}  {:>8}  {:<18}{:>8}{:>8}{:>8}  method",
                padded("", names_),
                "mean",
                fmt::format("{:.3g} % interval", 100 * (1 - comparison_.alpha)),
                "prompts",
                "samples",
                "groups"
            )
        ));
        for (const auto& variant : comparison_.variants) this->variant(variant);
    }

    void pairs() {
        for (const auto& pair : comparison_.pairs) {
            line("");
            line(paint_(
                Emphasis::strong, fmt::format("  {} against {}", other(pair), baseline(pair))
            ));
            difference(pair.overall);
            categories(pair);
            changed(pair);
            for (const auto& note : pair.notes) line("    note: " + printable(note));
        }
    }

    void gates(const std::vector<GateResult>& gates) {
        if (gates.empty()) return;
        line("");
        for (const auto& gate : gates) {
            const auto emphasis = gate.state == GateState::failed   ? Emphasis::bad
                                  : gate.state == GateState::passed ? Emphasis::good
                                                                    : Emphasis::strong;
            line(fmt::format(
                "  {} {}: {}",
                paint_(emphasis, fmt::format("{:<9}", name_of(gate.state))),
                printable(gate.name),
                printable(gate.message)
            ));
        }
    }

    void notes() {
        for (const auto& note : comparison_.notes) line("  note: " + printable(note));
    }

private:
    void line(std::string_view content) {
        text_ += content;
        text_ += '\n';
    }

    static std::string name(const VariantResult& variant) { return printable(variant.name); }

    std::string baseline(const PairResult& pair) const {
        return name(comparison_.variants[pair.baseline]);
    }

    std::string other(const PairResult& pair) const {
        return name(comparison_.variants[pair.other]);
    }

    static bool names_both(const PairResult& pair) {
        return pair.overall.claim == Claim::better || pair.overall.claim == Claim::worse;
    }

    void variant(const VariantResult& variant) {
        line(fmt::format(
            "  {}  {:>8}  {:<18}{:>8}{:>8}{:>8}  {}",
            padded(name(variant), names_),
            percent(variant.mean.value),
            variant.mean.interval ? interval_text(variant.mean) : "none",
            variant.prompts,
            variant.samples,
            variant.grouped ? std::to_string(variant.groups) : "-",
            variant.mean.interval ? variant.mean.method : variant.mean.reason
        ));
        const auto indent = padded("", names_ + 4);
        if (variant.cut > 0 || variant.unparsed > 0)
            line(fmt::format(
                "{}{} cut at the length limit, {} without anything to judge",
                indent,
                variant.cut,
                variant.unparsed
            ));
        if (variant.repeats) repeats(*variant.repeats, indent);
        for (const auto& note : variant.notes)
            line(fmt::format("{}note: {}", indent, printable(note)));
    }

    void repeats(const Repeats& repeats, const std::string& indent) {
        std::string text;
        for (const auto& at : repeats.pass_at)
            text += fmt::format(
                "{}pass@{} {}, pass^{} {}",
                text.empty() ? "" : "; ",
                at.k,
                percent(at.at_least_one),
                at.k,
                percent(at.all)
            );
        line(indent + text);
        const auto flickering = repeats.flickering.size();
        text = fmt::format(
            "{} {}", flickering, flickering == 1 ? "prompt flickers" : "prompts flicker"
        );
        if (repeats.agreement)
            text += fmt::format("; two samples agree {}", percent(*repeats.agreement));
        if (repeats.variance && repeats.variance->of_means > 0)
            text += fmt::format(
                "; {} of the variance is sampling, the rest lies between prompts",
                percent(repeats.variance->sampling_share)
            );
        line(indent + text);
    }

    void difference(const Difference& result) {
        auto text = fmt::format(
            "    {} points{}  {}",
            points(result.difference.value),
            result.difference.interval ? fmt::format(" ({})", points_interval(result.difference))
                                       : std::string(),
            result.difference.interval ? result.difference.method : result.difference.reason
        );
        if (result.p) text += fmt::format("   {}  {}", p_text(*result.p), result.p_method);
        if (result.p_adjusted && comparison_.family > 1)
            text += fmt::format("   {}  holm", p_text(*result.p_adjusted));
        line(text);
        line(fmt::format(
            "    {} won, {} lost, {} the same of {} prompts",
            result.won,
            result.lost,
            result.same,
            result.prompts
        ));
        if (result.detectable)
            line(fmt::format(
                "    smallest difference that shows with power {}: {:.1f} points  {}",
                comparison_.power,
                100 * *result.detectable,
                result.power_method
            ));
        else
            line("    no difference could have shown with so few prompts or groups");
    }

    void categories(const PairResult& pair) {
        if (pair.categories.empty()) return;
        std::size_t widest = 0;
        for (const auto& category : pair.categories)
            widest = std::max(widest, width_of(printable(category.category)));
        line(paint_(Emphasis::dim, "    by category (exploratory unless named beforehand):"));
        for (const auto& [category, named, result] : pair.categories)
            line(fmt::format(
                "      {}  {} -> {}  {} points{}, {} prompts{}{}",
                padded(printable(category), widest),
                percent(result.baseline_mean),
                percent(result.other_mean),
                points(result.difference.value),
                result.difference.interval
                    ? fmt::format(" ({})", points_interval(result.difference))
                    : std::string(),
                result.prompts,
                named ? ", named" : "",
                result.claim == Claim::too_few
                    ? ", too few to tell"
                    : fmt::format(", {}", p_text(result.p_adjusted.value_or(result.p.value_or(1))))
            ));
    }

    void changed(const PairResult& pair) {
        if (pair.changed.empty()) return;
        line(paint_(Emphasis::dim, "    changed prompts:"));
        const auto shown = std::min(changed_, pair.changed.size());
        for (std::size_t at = 0; at < shown; ++at) {
            const auto& prompt = pair.changed[at];
            const bool lost = prompt.after < prompt.before;
            line(fmt::format(
                "      {} {}  {:.3g} -> {:.3g}",
                paint_(lost ? Emphasis::bad : Emphasis::good, lost ? "lost" : "won "),
                printable(prompt.prompt),
                prompt.before,
                prompt.after
            ));
        }
        if (shown < pair.changed.size())
            line(fmt::format("      and {} more (--json lists all)", pair.changed.size() - shown));
    }

    const Comparison& comparison_;
    const Paint& paint_;
    std::size_t changed_;
    std::size_t names_ = 0;
    std::string text_;
};

}  // namespace

std::string to_terminal(
    const Comparison& comparison,
    const std::vector<GateResult>& gates,
    const Paint& paint,
    std::size_t changed
) {
    Lines lines(comparison, paint, changed);
    lines.unanswered();
    lines.verdicts();
    lines.variants();
    lines.pairs();
    lines.gates(gates);
    lines.notes();
    return std::move(lines).take();
}

}  // namespace punie::compare
