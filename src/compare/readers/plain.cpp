// Plain score files: {"prompt": "a", "group": "g", "sample": 0, "score": 1} a line.

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "compare/readers/readers.hpp"

namespace punie::compare {

namespace {

constexpr std::array known = {"prompt", "group", "category", "sample", "score", "passed"};

std::unexpected<Error> wrong(
    std::string_view field, const json::value* found, std::string_view expected
) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "\"{}\": found {}, expected {}",
            field,
            found == nullptr ? std::string("nothing") : shown(*found),
            expected
        )
    );
}

/// A misspelt "grup" would silently lose the grouping: a key that is near to a missing one is a
/// mistake, any other is somebody's own.
Result<void> check_keys(const json::object& row) {
    std::vector<std::string> missing;
    for (const auto* name : known) {
        if (!row.contains(name)) missing.emplace_back(name);
    }
    for (const auto& entry : row) {
        const std::string key(entry.key());
        if (std::ranges::find(known, key) != known.end()) continue;
        const auto close = nearest(key, missing);
        if (close)
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("unknown field \"{}\"", key),
                fmt::format("did you mean \"{}\"?", *close)
            );
    }
    return {};
}

Result<std::string> optional_text(const json::value& row, std::string_view field) {
    const auto* found = member(row, field);
    if (found == nullptr || found->is_null()) return std::string();
    auto text = id_member(row, field);
    if (!text) return wrong(field, found, "a text");
    return *std::move(text);
}

Result<int> sample_of(const json::value& row) {
    const auto* found = member(row, "sample");
    if (found == nullptr) return 0;
    const auto number = integer_member(row, "sample");
    if (!number || *number < 0 || *number > 1'000'000)
        return wrong("sample", found, "a whole number from 0");
    return static_cast<int>(*number);
}

Result<void> add_score(const json::value& row, Score score, ScoreTable& table) {
    const auto* found = member(row, "score");
    if (found != nullptr && found->is_null()) {  // asked, but no answer to judge
        ++table.unanswered;
        return {};
    }
    const auto value = found == nullptr ? std::nullopt : score_from(*found);
    if (!value) return wrong("score", found, "a number from 0 to 1 (or null for no answer)");
    score.score = *value;
    const auto* passed = member(row, "passed");
    if (passed != nullptr && !passed->is_bool()) return wrong("passed", passed, "true or false");
    score.passed = passed != nullptr ? passed->get_bool() : is_full(score.score);
    table.scores.push_back(std::move(score));
    return {};
}

Result<void> read_row(const json::value& row, ScoreTable& table, Seen& seen) {
    auto prompt = id_member(row, "prompt");
    if (auto keys = check_keys(row.get_object()); !keys) return keys;
    if (!prompt || prompt->empty())
        return wrong("prompt", member(row, "prompt"), "the prompt's name, a text");
    auto group = optional_text(row, "group");
    if (!group) return std::unexpected(std::move(group).error());
    auto category = optional_text(row, "category");
    if (!category) return std::unexpected(std::move(category).error());
    const auto sample = sample_of(row);
    if (!sample) return std::unexpected(sample.error());
    if (!seen.add(*prompt, *sample))
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("prompt \"{}\" sample {} is there twice", *prompt, *sample),
            "number the samples of a prompt with \"sample\": 0, 1, 2"
        );
    return add_score(
        row,
        {.prompt = *std::move(prompt),
         .group = *std::move(group),
         .category = *std::move(category),
         .sample = *sample},
        table
    );
}

}  // namespace

Result<std::vector<ScoreTable>> read_plain(const Input& input) {
    ScoreTable table{.name = input.stem, .source = input.file, .format = "scores"};
    Seen seen;
    auto done =
        for_each_row(input, [&](const json::value& row) { return read_row(row, table, seen); });
    if (!done) return std::unexpected(std::move(done).error());
    return std::vector{std::move(table)};
}

}  // namespace punie::compare
