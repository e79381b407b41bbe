#include "eval/score_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "eval/sampling_seen.hpp"

namespace punie::eval {

namespace {

bool is_judged(SampleState state) {
    return state == SampleState::answered || state == SampleState::cut;
}

void judge_all(const Prompt& prompt, const openai::Answer& answer, ScoredSample& scored) {
    double weights = 0;
    double sum = 0;
    scored.passed = true;
    scored.expectations.reserve(prompt.expect.size());
    for (const auto& expectation : prompt.expect) {
        auto judgement = expectation.judge->judge(answer);
        weights += expectation.weight;
        sum += expectation.weight * judgement.score;
        const bool first = scored.expectations.empty();
        if (first || (scored.passed && !judgement.passed)) scored.reason = judgement.reason;
        scored.passed = scored.passed && judgement.passed;
        scored.unparsed = scored.unparsed || judgement.unparsed;
        scored.expectations.push_back({expectation.scorer, expectation.weight, std::move(judgement)}
        );
    }
    scored.score = weights > 0 ? sum / weights : 0;
}

/// One line of a file, in the order of prompts and samples.
struct Slots {
    std::map<std::pair<std::size_t, int>, ScoredSample> samples;

    void put(ScoredSample sample) {
        const auto key = std::pair(sample.prompt, sample.sample);
        const auto [at, fresh] = samples.try_emplace(key);
        const bool keeps = !fresh && is_judged(at->second.state) && !is_judged(sample.state);
        if (!keeps) at->second = std::move(sample);
    }
};

std::string plural(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// What does not quite fit in the file.
void add_notes(ScoredRun& run, bool torn) {
    if (torn) run.notes.emplace_back("the last line was cut off and is left out");
    if (run.unknown_prompts > 0) {
        run.notes.push_back(fmt::format(
            "{} for prompts that the suite does not have", plural(run.unknown_prompts, "record")
        ));
    }
    if (run.other_suite) {
        run.notes.emplace_back(
            "the answers were asked for with another version of the suite: prompts, tools or "
            "sampling differ"
        );
    }
}

}  // namespace

ScoredSample score_sample(const Suite& suite, std::size_t prompt, const ResponseRecord& record) {
    ScoredSample scored{
        .prompt = prompt,
        .sample = record.sample,
        .state = record.state,
        .seconds = record.seconds,
        .error = record.error
    };
    if (const auto* usage = member(record.response, "usage")) {
        scored.prompt_tokens = integer_member(*usage, "prompt_tokens").value_or(0);
        scored.completion_tokens = integer_member(*usage, "completion_tokens").value_or(0);
    }
    if (!is_judged(record.state)) {
        scored.reason = record.error.empty() ? std::string(name_of(record.state)) : record.error;
        return scored;
    }
    const auto answer = openai::read_response(record.response);
    scored.calls_path = answer.calls_path;
    if (answer.cut || answer.thinking_cut) scored.state = SampleState::cut;
    judge_all(suite.prompts[prompt], answer, scored);
    return scored;
}

Result<ScoredRun> score_responses(const Suite& suite, const std::filesystem::path& file) {
    std::unordered_map<std::string, std::size_t> prompts;
    for (std::size_t i = 0; i < suite.prompts.size(); ++i) prompts[suite.prompts[i].id] = i;
    ScoredRun run;
    Slots slots;
    SamplingSeen sampling;
    std::size_t records = 0;
    bool torn = false;
    const auto take = [&](ResponseRecord&& record, std::size_t) -> Result<void> {
        ++records;
        if (!record.suite_hash.empty() && record.suite_hash != suite.asked_hash)
            run.other_suite = true;
        const auto found = prompts.find(record.prompt_id);
        if (found == prompts.end()) {
            ++run.unknown_prompts;
            return {};
        }
        sampling.add(record);
        slots.put(score_sample(suite, found->second, record));
        return {};
    };
    if (auto read = read_records(file, take, &torn); !read)
        return std::unexpected(std::move(read).error());
    if (records == 0) {
        return fail(
            ErrorCode::state,
            fmt::format("{}: no record in it", file.string()),
            "`punie eval` writes one a line; docs/responses.md describes them"
        );
    }
    if (slots.samples.empty()) {
        return fail(
            ErrorCode::state,
            fmt::format(
                "{}: none of its {} is for a prompt of {}",
                file.string(),
                plural(records, "record"),
                suite.file.string()
            ),
            "records name their prompt by its id in the suite"
        );
    }
    for (auto& [key, sample] : slots.samples) run.samples.push_back(std::move(sample));
    run.sampling_hash = sampling.hash();
    add_notes(run, torn);
    for (auto& note : sampling.notes()) run.notes.push_back(std::move(note));
    return run;
}

SampleCounts count(const std::vector<ScoredSample>& samples) {
    SampleCounts counts;
    for (const auto& sample : samples) {
        switch (sample.state) {
            case SampleState::answered:
                ++counts.answered;
                break;
            case SampleState::cut:
                ++counts.cut;
                break;
            case SampleState::refused:
                ++counts.refused;
                break;
            case SampleState::failed:
                ++counts.failed;
                break;
            case SampleState::not_asked:
                ++counts.not_asked;
                break;
        }
        if (sample.unparsed) ++counts.unparsed;
        if (sample.passed) ++counts.passed;
    }
    return counts;
}

}  // namespace punie::eval
