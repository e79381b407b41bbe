#include "pipeline/report_parts.hpp"

#include <fmt/format.h>

#include <map>
#include <ranges>
#include <unordered_map>

#include "base/json.hpp"
#include "base/text.hpp"
#include "eval/record.hpp"
#include "pipeline/identity.hpp"

namespace punie::pipeline {

namespace {

report::Estimate figure(const compare::Figure& from) {
    report::Estimate estimate{.value = from.value, .method = from.method, .reason = from.reason};
    if (from.interval) {
        estimate.low = from.interval->low;
        estimate.high = from.interval->high;
    }
    return estimate;
}

report::Estimate figure(const Estimate& from) {
    return {.value = from.mean, .low = from.low, .high = from.high, .method = from.method};
}

std::vector<report::CategoryScore> categories_of(const compare::ScoreTable& table) {
    std::map<std::string, compare::ScoreTable> parts;
    for (const auto& score : table.scores) {
        if (!score.category.empty()) parts[score.category].scores.push_back(score);
    }
    std::vector<report::CategoryScore> categories;
    categories.reserve(parts.size());
    for (const auto& [name, part] : parts) {
        const auto estimate = estimate_of(part, true);
        categories.push_back(
            {.category = name, .prompts = estimate.prompts, .mean = figure(estimate)}
        );
    }
    return categories;
}

/// Short hashes and versions, in a fixed order.
std::vector<report::Fact> identity_of(const std::string& hashes_json) {
    std::vector<report::Fact> facts;
    const auto hashes = parse_json(hashes_json);
    if (!hashes) return facts;
    for (const auto* name : {"backend", "model", "adapter", "template", "suite", "sampling"}) {
        const auto value = string_member(*hashes, name).value_or("");
        if (value.empty()) continue;
        const bool hash = value.size() == 64 && value.find(' ') == std::string::npos;
        facts.push_back(
            {std::string(name) == "template" ? "chat template" : name,
             hash ? "sha256 " + short_hash(value) : value}
        );
    }
    return facts;
}

std::vector<report::Fact> sampling_of(const std::string& config_json) {
    std::vector<report::Fact> facts;
    const auto config = parse_json(config_json);
    if (!config) return facts;
    const auto* samplings = member(*config, "samplings");
    if (samplings == nullptr || !samplings->is_array() || samplings->as_array().empty())
        return facts;
    const auto& all = samplings->as_array();
    for (const auto& [name, value] : all.front().as_object())
        facts.push_back({std::string(name), to_text(value)});
    if (all.size() > 1)
        facts.push_back({"others", fmt::format("{} more among the prompts", all.size() - 1)});
    return facts;
}

void add_speed(report::Variant& variant, const EvalOutcome& outcome) {
    double busy = 0;
    std::int64_t tokens = 0;
    for (const auto& sample : outcome.scored.samples) {
        busy += sample.seconds;
        tokens += sample.completion_tokens;
    }
    if (outcome.seconds > 0) variant.seconds = outcome.seconds;
    if (busy > 0 && tokens > 0) variant.tokens_per_second = static_cast<double>(tokens) / busy;
}

report::Difference difference(
    const compare::PairResult& pair, const compare::Difference& from, const std::string& category
) {
    return {
        .baseline = pair.baseline,
        .other = pair.other,
        .category = category,
        .difference = figure(from.difference),
        .prompts = from.prompts,
        .groups = from.groups,
        .p = from.p,
        .p_adjusted = from.p_adjusted,
        .p_method = from.p_method,
        .claim = std::string(name_of(from.claim)),
        .words = from.words,
        .smallest_visible = from.detectable,
        .prompts_needed = from.prompts_needed,
        .power_method = from.power_method,
        .won = from.won,
        .lost = from.lost,
        .same = from.same
    };
}

report::Sample sample_of(const eval::ScoredSample& scored, std::size_t variant) {
    report::Sample sample{
        .variant = variant,
        .number = scored.sample,
        .state = std::string(name_of(scored.state)),
        .score = scored.score,
        .passed = scored.passed,
        .unparsed = scored.unparsed,
        .reason = scored.reason,
        .error = scored.error,
        .seconds = scored.seconds,
        .completion_tokens = scored.completion_tokens
    };
    for (const auto& one : scored.expectations) {
        sample.judgements.push_back(
            {.scorer = one.scorer,
             .score = one.judgement.score,
             .passed = one.judgement.passed,
             .unparsed = one.judgement.unparsed,
             .reason = one.judgement.reason,
             .extracted = one.judgement.extracted}
        );
    }
    return sample;
}

/// The schema of a tool's arguments; null when the prompt declares no such tool.
const json::value* parameters_of(const json::array& tools, std::string_view name) {
    for (const auto& tool : tools) {
        const auto* own = member(tool, "function");
        if (own == nullptr) own = &tool;
        if (string_member(*own, "name") == name) return member(*own, "parameters");
    }
    return nullptr;
}

/// The arguments as they were judged: formats of bare text get their types from the tool's schema.
std::string arguments_of(const openai::AnswerCall& call, const json::array& tools) {
    if (!call.problem.empty()) return call.raw_arguments;
    return to_text(openai::typed_arguments(call, parameters_of(tools, call.name)));
}

void add_answer(report::Sample& sample, const json::value& response, const json::array& tools) {
    const auto answer = openai::read_response(response);
    sample.text = answer.text;
    sample.thinking = answer.thinking;
    sample.calls.clear();  // an earlier record of the same sample may have had some
    for (const auto& call : answer.calls) {
        sample.calls.push_back(
            {.name = call.name,
             .arguments = arguments_of(call, tools),
             .path = call.path,
             .problem = call.problem}
        );
    }
}

/// The sample of `variant`, which was added last, with that number.
report::Sample* find_sample(report::Prompt& prompt, std::size_t variant, int number) {
    for (auto& sample : std::ranges::reverse_view(prompt.samples)) {
        if (sample.variant != variant) return nullptr;
        if (sample.number == number) return &sample;
    }
    return nullptr;
}

}  // namespace

report::Variant report_variant(
    const EvalOutcome& outcome, const compare::Comparison* comparison, std::size_t index
) {
    const auto& counts = outcome.counts;
    report::Variant variant{
        .name = outcome.table.name,
        .mean = figure(outcome.accuracy),
        .prompts = outcome.accuracy.prompts,
        .samples = outcome.scored.samples.size(),
        .groups = outcome.accuracy.groups,
        .counts =
            {.answered = counts.answered,
             .cut = counts.cut,
             .refused = counts.refused,
             .failed = counts.failed,
             .not_asked = counts.not_asked,
             .unparsed = counts.unparsed,
             .passed = counts.passed},
        .categories = categories_of(outcome.table),
        .sampling = sampling_of(outcome.run.config_json),
        .identity = identity_of(outcome.run.hashes_json)
    };
    add_speed(variant, outcome);
    if (comparison == nullptr || index >= comparison->variants.size()) return variant;
    const auto& compared = comparison->variants[index];
    variant.mean = figure(compared.mean);
    if (compared.repeats && !compared.repeats->flickering.empty()) {
        variant.notes.push_back(fmt::format(
            "{} prompts both passed and failed over the repeats",
            compared.repeats->flickering.size()
        ));
    }
    return variant;
}

std::vector<report::Difference> report_differences(const compare::Comparison& comparison) {
    std::vector<report::Difference> differences;
    for (const auto& pair : comparison.pairs) {
        differences.push_back(difference(pair, pair.overall, ""));
        for (const auto& category : pair.categories) {
            differences.push_back(difference(pair, category.result, category.category));
            differences.back().exploratory = !category.named;
        }
    }
    return differences;
}

std::vector<report::Prompt> report_prompts(const eval::Suite& suite) {
    std::vector<report::Prompt> prompts;
    prompts.reserve(suite.prompts.size());
    for (const auto& prompt : suite.prompts) {
        prompts.push_back(
            {.id = prompt.id,
             .group = prompt.group,
             .category = prompt.category,
             .messages = prompt.messages,
             .tools = prompt.tools}
        );
        for (const auto& expectation : prompt.expect) {
            prompts.back().expectations.push_back(
                {.scorer = expectation.scorer,
                 .text = to_text(expectation.parameters),
                 .weight = expectation.weight}
            );
        }
    }
    return prompts;
}

Result<void> add_samples(
    std::vector<report::Prompt>& prompts, const EvalOutcome& outcome, std::size_t variant
) {
    for (const auto& scored : outcome.scored.samples)
        prompts[scored.prompt].samples.push_back(sample_of(scored, variant));
    std::error_code ignored;
    if (!std::filesystem::exists(outcome.responses, ignored)) return {};
    std::unordered_map<std::string_view, report::Prompt*> by_id;
    by_id.reserve(prompts.size());
    for (auto& prompt : prompts) by_id.emplace(prompt.id, &prompt);
    const auto take = [&](const eval::ResponseRecord& record, std::size_t) -> Result<void> {
        const bool judged =
            record.state == eval::SampleState::answered || record.state == eval::SampleState::cut;
        const auto found = by_id.find(record.prompt_id);
        if (!judged || found == by_id.end()) return {};
        auto& prompt = *found->second;
        if (auto* sample = find_sample(prompt, variant, record.sample); sample != nullptr)
            add_answer(*sample, record.response, prompt.tools);
        return {};
    };
    return eval::read_records(outcome.responses, take);
}

std::vector<report::Fact> report_environment(const std::string& environment_json) {
    std::vector<report::Fact> facts;
    const auto environment = parse_json(environment_json);
    if (!environment || !environment->is_object()) return facts;
    for (const auto& [name, value] : environment->as_object()) {
        if (name == "memory_bytes" && value.is_number()) {
            facts.push_back({"memory", human_bytes(value.to_number<std::uint64_t>())});
        } else {
            facts.push_back(
                {std::string(name),
                 value.is_string() ? std::string(value.as_string()) : to_text(value)}
            );
        }
    }
    return facts;
}

}  // namespace punie::pipeline
