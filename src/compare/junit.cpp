// The comparison as JUnit XML: failures (a gate missed) and errors (no answer) apart.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "compare/render.hpp"

namespace punie::compare {

namespace {

struct Case {
    std::string name;
    std::string_view outcome;  ///< "", "failure", "error" or "skipped"
    std::string message;
};

std::string escaped(std::string_view text) {
    std::string safe;
    for (const char letter : printable(text)) {
        switch (letter) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            default:
                safe += letter;
        }
    }
    return safe;
}

std::string_view outcome_of(GateState state) {
    switch (state) {
        case GateState::passed:
            return "";
        case GateState::failed:
            return "failure";
        case GateState::undecided:
            break;
    }
    return "skipped";
}

bool guarded(
    const std::vector<GateResult>& gates, const std::string& category, std::string_view variant
) {
    const auto name = fmt::format("no_regression {} ({})", category, variant);
    return std::ranges::any_of(gates, [&](const GateResult& gate) {
        return gate.state == GateState::failed && gate.name == name;
    });
}

std::vector<Case> cases_of(const Comparison& comparison, const std::vector<GateResult>& gates) {
    std::vector<Case> cases;
    for (const auto& gate : gates)
        cases.push_back(
            {.name = gate.name, .outcome = outcome_of(gate.state), .message = gate.message}
        );
    for (const auto& variant : comparison.variants) {
        if (variant.unanswered == 0) continue;
        cases.push_back(
            {.name = fmt::format("answers of {}", variant.name),
             .outcome = "error",
             .message =
                 fmt::format("{} prompts or samples have no answer to judge", variant.unanswered)}
        );
    }
    for (const auto& pair : comparison.pairs) {
        if (pair.baseline != comparison.baseline) continue;
        const auto& other = comparison.variants[pair.other].name;
        for (const auto& prompt : pair.changed) {
            if (prompt.after >= prompt.before) continue;
            const bool failed = guarded(gates, prompt.category, other);
            cases.push_back(
                {.name = fmt::format("{} ({})", prompt.prompt, other),
                 .outcome = failed ? "failure" : "skipped",
                 .message = fmt::format(
                     "lost: {:.3g} before, {:.3g} after{}",
                     prompt.before,
                     prompt.after,
                     failed ? "" : "; one prompt decides nothing"
                 )}
            );
        }
    }
    return cases;
}

}  // namespace

std::string to_junit(const Comparison& comparison, const std::vector<GateResult>& gates) {
    const auto cases = cases_of(comparison, gates);
    const auto with = [&cases](std::string_view outcome) {
        return std::ranges::count(cases, outcome, &Case::outcome);
    };
    const auto counts = fmt::format(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        cases.size(),
        with("failure"),
        with("error"),
        with("skipped")
    );
    std::string text = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {}>\n"
        "  <testsuite name=\"punie compare\" {}>\n",
        counts,
        counts
    );
    const auto out = std::back_inserter(text);
    for (const auto& test : cases) {
        fmt::format_to(
            out, "    <testcase classname=\"punie.compare\" name=\"{}\"", escaped(test.name)
        );
        if (test.outcome.empty())
            fmt::format_to(out, "/>\n");
        else
            fmt::format_to(
                out, "><{} message=\"{}\"/></testcase>\n", test.outcome, escaped(test.message)
            );
    }
    text += "    <system-out>";
    for (const auto& pair : comparison.pairs)
        fmt::format_to(
            out,
            "{} against {}: {}\n",
            escaped(comparison.variants[pair.other].name),
            escaped(comparison.variants[pair.baseline].name),
            escaped(pair.overall.words)
        );
    text += "</system-out>\n  </testsuite>\n</testsuites>\n";
    return text;
}

}  // namespace punie::compare
