// The comparison as Markdown, for a pull request's comment or a CI summary.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "compare/render.hpp"
#include "compare/words.hpp"

namespace punie::compare {

namespace {

constexpr std::size_t most_changed = 50;  // GitHub cuts comments at 65,536 characters

/// Text from outside, safe inside a table's cell.
std::string cell(std::string_view text) {
    std::string safe;
    for (const char letter : printable(text)) {
        if (letter == '<') {
            safe += "&lt;";
            continue;
        }
        if (std::string_view("|*_`[]\\#~").find(letter) != std::string_view::npos) safe += '\\';
        safe += letter == '\n' || letter == '\r' ? ' ' : letter;
    }
    return safe;
}

using Out = std::back_insert_iterator<std::string>;

void variants(Out out, const Comparison& comparison) {
    fmt::format_to(
        out,
        "\n| variant | mean | {:.3g} % interval | method | prompts | samples | groups | no answer "
        "|\n|---|---:|---|---|---:|---:|---:|---:|\n",
        100 * (1 - comparison.alpha)
    );
    for (const auto& variant : comparison.variants)
        fmt::format_to(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
            cell(variant.name),
            percent(variant.mean.value),
            variant.mean.interval ? interval_text(variant.mean) : "none",
            cell(variant.mean.interval ? variant.mean.method : variant.mean.reason),
            variant.prompts,
            variant.samples,
            variant.grouped ? std::to_string(variant.groups) : "-",
            variant.unanswered
        );
}

void difference_row(Out out, std::string_view name, const Difference& result) {
    fmt::format_to(
        out,
        "| {} | {} | {} | {} | {} | {} | {} / {} / {} | {} |\n",
        name,
        percent(result.baseline_mean),
        percent(result.other_mean),
        points(result.difference.value),
        result.difference.interval ? points_interval(result.difference) : "none",
        result.p ? fmt::format("{} ({})", p_text(*result.p), cell(result.p_method)) : "none",
        result.won,
        result.lost,
        result.same,
        result.detectable ? fmt::format("{:.1f}", 100 * *result.detectable) : "none"
    );
}

void pair_section(Out out, const Comparison& comparison, const PairResult& pair) {
    fmt::format_to(
        out,
        "\n### {} against {}\n\n| | before | after | points | interval | p | won / lost / same | "
        "smallest visible |\n|---|---:|---:|---:|---|---|---|---:|\n",
        cell(comparison.variants[pair.other].name),
        cell(comparison.variants[pair.baseline].name)
    );
    difference_row(out, "**all**", pair.overall);
    for (const auto& category : pair.categories)
        difference_row(
            out, cell(category.category) + (category.named ? "" : " (exploratory)"), category.result
        );
    for (const auto& note : pair.notes) fmt::format_to(out, "\nNote: {}\n", cell(note));
    if (pair.changed.empty()) return;
    fmt::format_to(
        out,
        "\n<details><summary>{} changed prompts</summary>\n\n| | prompt | before | after |\n"
        "|---|---|---:|---:|\n",
        pair.changed.size()
    );
    const auto shown = std::min(pair.changed.size(), most_changed);
    for (std::size_t at = 0; at < shown; ++at) {
        const auto& prompt = pair.changed[at];
        fmt::format_to(
            out,
            "| {} | {} | {:.3g} | {:.3g} |\n",
            prompt.after < prompt.before ? "lost" : "won",
            cell(prompt.prompt),
            prompt.before,
            prompt.after
        );
    }
    if (shown < pair.changed.size())
        fmt::format_to(out, "\nAnd {} more.\n", pair.changed.size() - shown);
    fmt::format_to(out, "\n</details>\n");
}

}  // namespace

std::string to_markdown(const Comparison& comparison, const std::vector<GateResult>& gates) {
    std::string text = "## Comparison\n\n";
    const Out out(text);
    for (const auto& variant : comparison.variants) {
        if (variant.unanswered > 0)
            fmt::format_to(
                out,
                "**{}: {} of {} prompts or samples have no answer to judge**\n\n",
                cell(variant.name),
                variant.unanswered,
                variant.unanswered + variant.samples
            );
    }
    for (const auto& pair : comparison.pairs)
        fmt::format_to(
            out,
            "- {} against {}: **{}**\n",
            cell(comparison.variants[pair.other].name),
            cell(comparison.variants[pair.baseline].name),
            cell(pair.overall.words)
        );
    for (const auto& gate : gates)
        fmt::format_to(
            out, "- {} {}: {}\n", name_of(gate.state), cell(gate.name), cell(gate.message)
        );
    variants(out, comparison);
    for (const auto& pair : comparison.pairs) pair_section(out, comparison, pair);
    return text;
}

}  // namespace punie::compare
