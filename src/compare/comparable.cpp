#include "compare/comparable.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace punie::compare {

namespace {

struct Part {
    std::string_view word;  ///< as --allow-different takes it; "" cannot be allowed
    std::string_view what;
    std::string Identity::* member;
    std::string_view hint;
};

constexpr Part parts[] = {
    {"",
     "suite",
     &Identity::suite_hash,
     "ask both variants with the same suite; `punie score` judges old answers by a changed one"},
    {"sampling",
     "sampling",
     &Identity::sampling_hash,
     "ask both with the same temperature, seed and limits, or name the difference with "
     "--allow-different sampling"},
    {"template",
     "chat template",
     &Identity::template_hash,
     "serve both with the same chat template, or, for models that need their own, name the "
     "difference with --allow-different template"},
};

std::string shortened(std::string_view hash) {
    return std::string(hash.substr(0, 12));
}

std::unexpected<Error> not_comparable(std::string message, std::string_view hint) {
    return fail(ErrorCode::state, "not comparable: " + std::move(message), std::string(hint));
}

/// "a", "b", "c" and 5 more.
std::string some_of(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 3;
    std::string text;
    for (std::size_t at = 0; at < std::min(names.size(), shown); ++at)
        text += fmt::format("{}\"{}\"", at == 0 ? "" : ", ", names[at]);
    if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
    return text;
}

struct Matched {
    Pairing pairing;
    std::vector<std::string> only_before;
    std::vector<std::string> only_after;
};

Matched match(const std::vector<PromptScores>& before, const std::vector<PromptScores>& after) {
    Matched matched;
    auto left = before.begin();
    auto right = after.begin();
    while (left != before.end() || right != after.end()) {
        const int order = left == before.end()   ? 1
                          : right == after.end() ? -1
                                                 : left->prompt.compare(right->prompt);
        if (order < 0) {
            matched.only_before.push_back((left++)->prompt);
        } else if (order > 0) {
            matched.only_after.push_back((right++)->prompt);
        } else {
            matched.pairing.common.push_back({.before = &*left++, .after = &*right++});
        }
    }
    matched.pairing.left_out = matched.only_before.size() + matched.only_after.size();
    return matched;
}

bool differ(const std::string& one, const std::string& other) {
    return !one.empty() && !other.empty() && one != other;
}

Result<void> check_groups(const Side& baseline, const Side& other, const Pairing& pairing) {
    for (const auto& [before, after] : pairing.common) {
        if (!differ(before->group, after->group)) continue;
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "prompt \"{}\" is in group \"{}\" in {} and in group \"{}\" in {}",
                before->prompt,
                before->group,
                baseline.name,
                after->group,
                other.name
            ),
            "a prompt's group must be the same everywhere: errors are clustered by it"
        );
    }
    return {};
}

/// What was asked under each name, as far as the sources tell.
Result<void> check_contents(Pairing& pairing, const CompareOptions& options) {
    std::vector<std::string> others;
    std::vector<std::string> rendered;
    for (const auto& [before, after] : pairing.common) {
        if (differ(before->content, after->content)) others.push_back(before->prompt);
        if (differ(before->rendered, after->rendered)) rendered.push_back(before->prompt);
    }
    if (!others.empty())
        return not_comparable(
            fmt::format(
                "{} prompts of the same name ask something else: {}", others.size(), some_of(others)
            ),
            "compare results of the same task and the same version of its data"
        );
    if (rendered.empty()) return {};
    auto message = fmt::format(
        "{} prompts reached the model in another form (chat template, system prompt or few-shot "
        "examples): {}",
        rendered.size(),
        some_of(rendered)
    );
    if (!options.allow_different.contains("template"))
        return not_comparable(message, parts[2].hint);
    pairing.notes.push_back(std::move(message));
    return {};
}

}  // namespace

Result<std::vector<std::string>> check_identity(
    const ScoreTable& baseline, const ScoreTable& other, const CompareOptions& options
) {
    std::vector<std::string> notes;
    for (const auto& part : parts) {
        const auto& before = baseline.identity.*part.member;
        const auto& after = other.identity.*part.member;
        if (before.empty() != after.empty())
            notes.push_back(fmt::format(
                "the {} of {} is not known: whether it is the same was not checked",
                part.what,
                before.empty() ? baseline.name : other.name
            ));
        if (!differ(before, after)) continue;
        auto message = fmt::format(
            "{} has another {} ({}) than {} ({})",
            other.name,
            part.what,
            shortened(after),
            baseline.name,
            shortened(before)
        );
        if (part.word.empty() || !options.allow_different.contains(std::string(part.word)))
            return not_comparable(message, part.hint);
        notes.push_back(std::move(message));
    }
    if (differ(baseline.identity.backend, other.identity.backend))
        notes.push_back(fmt::format(
            "different backends: {} was served by {}, {} by {}",
            baseline.name,
            baseline.identity.backend,
            other.name,
            other.identity.backend
        ));
    return notes;
}

Result<Pairing> pair_up(const Side& baseline, const Side& other, const CompareOptions& options) {
    auto matched = match(baseline.prompts, other.prompts);
    auto& pairing = matched.pairing;
    if (pairing.common.empty())
        return not_comparable(
            fmt::format(
                "{} and {} have no prompt in common ({} in the one, {} in the other)",
                baseline.name,
                other.name,
                some_of(matched.only_before),
                some_of(matched.only_after)
            ),
            "variants are paired by the prompt's name"
        );
    std::string missing;
    if (!matched.only_before.empty())
        missing = fmt::format(
            "{} lacks {} of {} prompts ({})",
            other.name,
            matched.only_before.size(),
            baseline.prompts.size(),
            some_of(matched.only_before)
        );
    if (!matched.only_after.empty())
        missing += fmt::format(
            "{}{} lacks {} of {} prompts ({})",
            missing.empty() ? "" : "; ",
            baseline.name,
            matched.only_after.size(),
            other.prompts.size(),
            some_of(matched.only_after)
        );
    if (!missing.empty() && !options.only_common)
        return not_comparable(
            missing, "answer the missing prompts, or compare the common ones with --only-common"
        );
    if (!missing.empty())
        pairing.notes.push_back(fmt::format(
            "only the {} common prompts are compared: {}", pairing.common.size(), missing
        ));
    if (auto good = check_groups(baseline, other, pairing); !good)
        return std::unexpected(std::move(good).error());
    if (auto good = check_contents(pairing, options); !good)
        return std::unexpected(std::move(good).error());
    return std::move(pairing);
}

}  // namespace punie::compare
