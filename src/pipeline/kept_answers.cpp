#include "pipeline/kept_answers.hpp"

#include <fmt/format.h>

#include <unordered_map>

namespace punie::pipeline {

namespace {

constexpr auto sync_every = std::chrono::seconds(2);

bool is_judged(const eval::ScoredSample& sample) {
    return sample.state == eval::SampleState::answered || sample.state == eval::SampleState::cut;
}

}  // namespace

Result<void> KeptAnswers::open(const std::filesystem::path& file) {
    std::unordered_map<std::string, std::size_t> prompts;
    for (std::size_t i = 0; i < suite_.prompts.size(); ++i) prompts[suite_.prompts[i].id] = i;
    auto opened = eval::ResponseFile::open(file, [&](const eval::ResponseRecord& record) {
        const auto found = prompts.find(record.prompt_id);
        if (found != prompts.end()) judge(record, found->second);
    });
    if (!opened) return std::unexpected(std::move(opened).error());
    if (opened->has_other_suite(suite_.asked_hash)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} has answers to another suite, or another version of this one", file.string()
            ),
            "give another --out"
        );
    }
    file_.emplace(*std::move(opened));
    return {};
}

Result<void> KeptAnswers::keep(const eval::ResponseRecord& record, std::size_t prompt) {
    if (auto kept = file_->append(record); !kept) return kept;
    if (const auto now = std::chrono::steady_clock::now(); now - synced_ > sync_every) {
        synced_ = now;
        if (auto synced = sync(); !synced) return synced;
    }
    judge(record, prompt);
    return {};
}

void KeptAnswers::judge(const eval::ResponseRecord& record, std::size_t prompt) {
    sampling_.add(record);
    newest_ = &put(eval::score_sample(suite_, prompt, record));
    pending_.push_back(row(*newest_));
}

/// A later record counts, unless it failed where an earlier one was answered.
eval::ScoredSample& KeptAnswers::put(eval::ScoredSample sample) {
    const auto [at, fresh] = samples_.try_emplace({sample.prompt, sample.sample});
    if (fresh || is_judged(sample) || !is_judged(at->second)) at->second = std::move(sample);
    return at->second;
}

Result<void> KeptAnswers::to_journal() {
    if (pending_.empty()) return {};
    auto added = journal_.add_answers(run_, pending_);
    if (added) pending_.clear();
    return added;
}

Result<eval::ScoredRun> KeptAnswers::finish(const std::vector<eval::PlannedRequest>& requests) {
    for (const auto& request : requests) {
        if (samples_.contains({request.prompt, request.sample})) continue;
        const auto& none = put(
            {.prompt = request.prompt,
             .sample = request.sample,
             .state = eval::SampleState::not_asked,
             .reason = "not asked"}
        );
        pending_.push_back(row(none));
    }
    if (auto written = to_journal(); !written) return std::unexpected(std::move(written).error());
    newest_ = nullptr;
    eval::ScoredRun scored{.notes = sampling_.notes(), .sampling_hash = sampling_.hash()};
    scored.samples.reserve(samples_.size());
    for (auto& [key, sample] : samples_) scored.samples.push_back(std::move(sample));
    samples_.clear();
    return scored;
}

journal::AnswerRow KeptAnswers::row(const eval::ScoredSample& sample) const {
    const auto& prompt = suite_.prompts[sample.prompt];
    return {
        .prompt = prompt.id,
        .sample = sample.sample,
        .group = prompt.group,
        .category = prompt.category,
        .state = std::string(name_of(sample.state)),
        .score = sample.score,
        .passed = sample.passed,
        .unparsed = sample.unparsed,
        .reason = sample.reason,
        .seconds = sample.seconds,
        .prompt_tokens = sample.prompt_tokens,
        .completion_tokens = sample.completion_tokens
    };
}

}  // namespace punie::pipeline
