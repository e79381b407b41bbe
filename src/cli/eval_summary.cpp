#include "cli/eval_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "base/text.hpp"
#include "compare/compare.hpp"
#include "stats/intervals.hpp"

namespace punie::cli {

namespace {

std::string seconds(double value) {
    return human_duration(std::chrono::duration<double>(value));
}

std::string plural_prompts(std::size_t count) {
    return fmt::format("{} prompt{}", count, count == 1 ? "" : "s");
}

/// "failed 12 of 60 ..." - what a reader must know before any score.
std::string shortfall(const pipeline::EvalOutcome& outcome) {
    const auto& counts = outcome.counts;
    std::vector<std::string> parts;
    if (counts.failed > 0) parts.push_back(fmt::format("{} failed", counts.failed));
    if (counts.refused > 0)
        parts.push_back(fmt::format("{} refused by the server", counts.refused));
    if (counts.not_asked > 0) parts.push_back(fmt::format("{} not asked", counts.not_asked));
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
    return fmt::format(
        "incomplete: {} of {} have no answer ({}){}",
        counts.unanswered(),
        outcome.scored.samples.size(),
        text,
        outcome.ended_by.empty() ? "" : "; ended by " + outcome.ended_by
    );
}

struct Category {
    std::size_t judged = 0;
    std::size_t passed = 0;
};

std::map<std::string, Category> categories_of(const pipeline::EvalOutcome& outcome) {
    std::map<std::string, Category> categories;
    for (const auto& score : outcome.table.scores) {
        auto& category = categories[score.category];
        ++category.judged;
        if (score.passed) ++category.passed;
    }
    return categories;
}

void show_categories(Terminal& terminal, const pipeline::EvalOutcome& outcome) {
    const auto categories = categories_of(outcome);
    if (categories.size() < 2) return;
    for (const auto& [name, category] : categories) {
        terminal.print(fmt::format(
            "  {:<24} {:>5.1f} %  {} of {}",
            name.empty() ? "(no category)" : name,
            100.0 * static_cast<double>(category.passed) / static_cast<double>(category.judged),
            category.passed,
            category.judged
        ));
    }
}

/// What the samples of a list came to, and how many of them are shown.
struct Listing {
    std::string_view word;
    Colour colour;
    std::size_t most;
};

/// "and 12 more: ..." - where the rest can be seen.
std::string where_more(const pipeline::EvalOutcome& outcome, std::size_t hidden) {
    return outcome.run.id.empty()
               ? fmt::format("and {} more (--show-wrong N, or --json --samples)", hidden)
               : fmt::format("and {} more: punie journal show {}", hidden, outcome.run.id);
}

void show_listing(
    Terminal& terminal,
    const pipeline::EvalOutcome& outcome,
    const std::vector<const eval::ScoredSample*>& samples,
    const Listing& listing
) {
    if (samples.empty() || listing.most == 0) return;
    terminal.print("");
    const auto shown = std::min(samples.size(), listing.most);
    for (const auto* sample : std::span(samples).first(shown))
        terminal.print(fmt::format(
            "  {} {}  {}",
            terminal.paint(listing.colour, listing.word),
            outcome.suite.prompts[sample->prompt].id,
            terminal.paint(Colour::dim, printable(sample->reason))
        ));
    if (samples.size() > shown)
        terminal.print(fmt::format(
            "  {}", terminal.paint(Colour::dim, where_more(outcome, samples.size() - shown))
        ));
}

/// Wrong answers, and apart from them what has no answer: that is nobody's mistake but the
/// server's.
void show_wrong(Terminal& terminal, const pipeline::EvalOutcome& outcome, std::size_t most) {
    std::vector<const eval::ScoredSample*> wrong;
    std::vector<const eval::ScoredSample*> unanswered;
    for (const auto& sample : outcome.scored.samples) {
        const bool judged =
            sample.state == eval::SampleState::answered || sample.state == eval::SampleState::cut;
        if (judged && !sample.passed) wrong.push_back(&sample);
        if (!judged && sample.state != eval::SampleState::not_asked) unanswered.push_back(&sample);
    }
    show_listing(terminal, outcome, wrong, {"wrong", Colour::red, most});
    show_listing(terminal, outcome, unanswered, {"no answer", Colour::yellow, most});
}

/// Several samples of a prompt that do not agree: how much of the score is chance.
void show_flicker(Terminal& terminal, const pipeline::EvalOutcome& outcome) {
    struct Seen {
        std::size_t samples = 0;
        std::size_t passed = 0;
    };

    std::map<std::string, Seen> prompts;
    for (const auto& score : outcome.table.scores) {
        auto& prompt = prompts[score.prompt];
        ++prompt.samples;
        prompt.passed += score.passed ? 1 : 0;
    }
    const auto repeated = std::ranges::count_if(prompts, [](const auto& prompt) {
        return prompt.second.samples > 1;
    });
    if (repeated == 0) return;
    const auto flickering = std::ranges::count_if(prompts, [](const auto& prompt) {
        return prompt.second.passed > 0 && prompt.second.passed < prompt.second.samples;
    });
    terminal.print(fmt::format(
        "{} of {} prompts that were asked several times were answered now right, now wrong",
        flickering,
        repeated
    ));
}

json::array samples_json(const pipeline::EvalOutcome& outcome) {
    json::array samples;
    for (const auto& sample : outcome.scored.samples) {
        json::array judged;
        for (const auto& one : sample.expectations) {
            judged.push_back(json::object{
                {"scorer", one.scorer},
                {"weight", one.weight},
                {"score", one.judgement.score},
                {"passed", one.judgement.passed},
                {"reason", one.judgement.reason},
                {"extracted", one.judgement.extracted},
                {"unparsed", one.judgement.unparsed}
            });
        }
        const auto& prompt = outcome.suite.prompts[sample.prompt];
        samples.push_back(json::object{
            {"prompt", prompt.id},
            {"group", prompt.group},
            {"category", prompt.category},
            {"sample", sample.sample},
            {"state", name_of(sample.state)},
            {"score", sample.score},
            {"passed", sample.passed},
            {"reason", sample.reason},
            {"calls_path", sample.calls_path},
            {"seconds", sample.seconds},
            {"expectations", std::move(judged)}
        });
    }
    return samples;
}

}  // namespace

std::string estimate_text(std::string_view what, const pipeline::Estimate& estimate) {
    if (estimate.prompts == 0) return fmt::format("{}: nothing was judged", what);
    return fmt::format(
        "{} {:.1f} % (95 % interval {:.1f} to {:.1f}; {}{}; {})",
        what,
        100 * estimate.mean,
        100 * estimate.low,
        100 * estimate.high,
        plural_prompts(estimate.prompts),
        estimate.groups < estimate.prompts ? fmt::format(" in {} groups", estimate.groups) : "",
        estimate.method
    );
}

std::string progress_text(const pipeline::EvalProgress& progress) {
    const auto& runner = progress.runner;
    if (progress.phase != "asking") return progress.phase;
    auto line = fmt::format("{}/{}", runner.done, runner.total);
    if (progress.judged > 0) {
        const auto interval = stats::wilson(progress.passed, progress.judged);
        line += fmt::format(
            "  passed {:.0f} % ({:.0f} to {:.0f})",
            100.0 * static_cast<double>(progress.passed) / static_cast<double>(progress.judged),
            100 * interval.low,
            100 * interval.high
        );
    }
    if (runner.unanswered > 0) line += fmt::format("  {} without answer", runner.unanswered);
    line += fmt::format("  {} at once", runner.at_once);
    if (runner.retrying > 0) line += fmt::format(", {} to be retried", runner.retrying);
    if (progress.seconds_left && runner.done < runner.total)
        line += fmt::format("  {} left", seconds(*progress.seconds_left));
    if (runner.unanswered > 0 && !runner.last_failure.empty())
        line += "  " + printable(runner.last_failure);
    return line;
}

void show_evaluation(Terminal& terminal, const pipeline::EvalOutcome& outcome, std::size_t wrong) {
    if (outcome.counts.unanswered() > 0)
        terminal.print(terminal.paint(Colour::red, shortfall(outcome)));
    terminal.print(terminal.paint(Colour::bold, estimate_text("passed", outcome.accuracy)));
    const bool partial =
        outcome.score.prompts > 0 && std::abs(outcome.score.mean - outcome.accuracy.mean) > 1e-9;
    if (partial) terminal.print(estimate_text("score", outcome.score));
    if (outcome.accuracy.prompts > 0 && outcome.accuracy.prompts < compare::fewest_prompts) {
        terminal.print(terminal.paint(
            Colour::yellow,
            fmt::format(
                "{} {} too few to tell: ask at least {}",
                plural_prompts(outcome.accuracy.prompts),
                outcome.accuracy.prompts == 1 ? "is" : "are",
                compare::fewest_prompts
            )
        ));
    }
    if (outcome.counts.cut > 0)
        terminal.print(fmt::format(
            "{} answers were cut at the token limit (--max-tokens); they are judged as they stand",
            outcome.counts.cut
        ));
    if (outcome.counts.unparsed > 0)
        terminal.print(fmt::format(
            "{} answers had nothing of the expected form to judge", outcome.counts.unparsed
        ));
    show_flicker(terminal, outcome);
    show_categories(terminal, outcome);
    show_wrong(terminal, outcome, wrong);
    for (const auto& note : outcome.scored.notes) terminal.note("note: " + note);
}

ExitCode judge_limits(
    Terminal& terminal, const pipeline::EvalOutcome& outcome, std::optional<double> threshold
) {
    auto code = outcome.counts.unanswered() > 0 ? ExitCode::failed : ExitCode::done;
    for (const auto& missed : pipeline::missed_gates(outcome.suite, outcome)) {
        terminal.note("gate missed: " + missed);
        code = ExitCode::failed;
    }
    if (threshold && outcome.accuracy.mean < *threshold) {
        terminal.note(fmt::format(
            "threshold missed: {:.1f} % passed, at least {:.1f} % was asked for",
            100 * outcome.accuracy.mean,
            100 * *threshold
        ));
        code = ExitCode::failed;
    }
    return code;
}

json::object evaluation_json(const pipeline::EvalOutcome& outcome, bool with_samples) {
    const auto& counts = outcome.counts;
    json::object object{
        {"event", "result"},
        {"run", outcome.run.id},
        {"name", outcome.run.name},
        {"suite", outcome.suite.name},
        {"complete", counts.unanswered() == 0},
        {"unanswered", counts.unanswered()},
        {"accuracy", pipeline::to_json(outcome.accuracy)},
        {"score", pipeline::to_json(outcome.score)},
        {"samples", outcome.scored.samples.size()},
        {"passed", counts.passed},
        {"answered", counts.answered},
        {"cut", counts.cut},
        {"refused", counts.refused},
        {"failed", counts.failed},
        {"not_asked", counts.not_asked},
        {"unparsed", counts.unparsed},
        {"resumed", outcome.resumed},
        {"ended_by", outcome.ended_by},
        {"concurrency", outcome.concurrency},
        {"seconds", outcome.seconds},
        {"responses", outcome.responses.string()}
    };
    if (auto hashes = parse_json(outcome.run.hashes_json)) object["hashes"] = *hashes;
    json::array notes;
    for (const auto& note : outcome.scored.notes) notes.emplace_back(note);
    object["notes"] = std::move(notes);
    if (with_samples) object["results"] = samples_json(outcome);
    return object;
}

}  // namespace punie::cli
