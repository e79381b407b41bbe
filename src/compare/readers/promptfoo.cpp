// Outputs of `promptfoo eval -o FILE.json`: one file holds several variants (provider and prompt).

#include <boost/json.hpp>
#include <map>

#include "base/hash.hpp"
#include "compare/readers/readers.hpp"

namespace punie::compare {

namespace {

constexpr std::int64_t error_reason = 2;  // ResultFailureReason.ERROR: none 0, assertion 1, error 2

const json::value* path(const json::value& value, std::string_view one, std::string_view other) {
    const auto* first = member(value, one);
    return first == nullptr ? nullptr : member(*first, other);
}

std::string text_at(const json::value& value, std::string_view one, std::string_view other) {
    const auto* found = path(value, one, other);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

std::string vars_of(const json::value& row) {
    const auto* vars = path(row, "testCase", "vars");
    if (vars == nullptr) vars = member(row, "vars");
    return vars == nullptr ? "{}" : to_text(*vars);
}

/// Tests have numbers only, and --repeat numbers them anew: a test is its description, or its
/// variables, or both where several have one description.
class TestNames {
public:
    void add(const json::value& row) { by_description_[description(row)].insert(vars_of(row)); }

    std::string name(const json::value& row) const {
        const auto text = description(row);
        const auto vars = vars_of(row);
        if (text.empty()) return vars;
        return by_description_.at(text).size() == 1 ? text : fmt::format("{} {}", text, vars);
    }

private:
    static std::string description(const json::value& row) {
        return text_at(row, "testCase", "description");
    }

    std::map<std::string, std::set<std::string>> by_description_;
};

struct Variant {
    std::string provider;
    std::string prompt;
    ScoreTable table;
    std::map<std::string, int> samples;
};

Result<void> add_row(const json::value& row, const std::string& test, Variant& variant) {
    const int sample = variant.samples[test]++;
    if (integer_member(row, "failureReason") == error_reason) {
        ++variant.table.unanswered;
        return {};
    }
    const auto* found = member(row, "score");
    const auto score = found == nullptr ? std::nullopt : score_from(*found);
    if (!score)
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "test \"{}\": \"score\": found {}, expected a number from 0 to 1",
                test,
                found == nullptr ? std::string("nothing") : shown(*found)
            )
        );
    if (text_at(row, "response", "finishReason") == "length") ++variant.table.cut;
    const auto* metadata = path(row, "testCase", "metadata");
    const auto* asserts = path(row, "testCase", "assert");
    Sha256 content;
    content.add_part(vars_of(row)).add_part(asserts == nullptr ? "" : to_text(*asserts));
    variant.table.scores.push_back(
        {.prompt = test,
         .group = metadata == nullptr ? "" : id_member(*metadata, "group").value_or(""),
         .category = metadata == nullptr ? "" : id_member(*metadata, "category").value_or(""),
         .sample = sample,
         .score = *score,
         .passed = bool_member(row, "success").value_or(is_full(*score)),
         .content = content.hex()}
    );
    return {};
}

std::string provider_of(const json::value& row) {
    const auto label = text_at(row, "provider", "label");
    return label.empty() ? text_at(row, "provider", "id") : label;
}

/// The provider tells variants apart, or the prompt, or it takes both.
void name_variants(std::map<std::int64_t, Variant>& variants, const Input& input) {
    std::set<std::string> providers;
    std::set<std::string> prompts;
    for (const auto& [index, variant] : variants) {
        providers.insert(variant.provider);
        prompts.insert(variant.prompt);
    }
    for (auto& [index, variant] : variants) {
        auto& name = variant.table.name;
        if (variants.size() == 1)
            name = input.stem;
        else if (providers.size() == variants.size())
            name = variant.provider;
        else if (prompts.size() == variants.size())
            name = variant.prompt;
        else
            name = fmt::format("{} / {}", variant.provider, variant.prompt);
    }
}

}  // namespace

Result<std::vector<ScoreTable>> read_promptfoo(const Input& input, const json::value& output) {
    const auto* rows = path(output, "results", "results");
    if (rows == nullptr || !rows->is_array() || rows->get_array().empty())
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{}: a promptfoo output without results", input.file)
        );
    TestNames names;
    for (const auto& row : rows->get_array()) names.add(row);
    std::map<std::int64_t, Variant> variants;
    for (const auto& row : rows->get_array()) {
        auto& variant = variants[integer_member(row, "promptIdx").value_or(0)];
        if (variant.table.format.empty()) {
            variant.provider = provider_of(row);
            variant.prompt = text_at(row, "prompt", "label");
            variant.table.format = "promptfoo";
            variant.table.source = input.file;
        }
        if (auto done = add_row(row, names.name(row), variant); !done)
            return std::unexpected(std::move(done).error().in(input.file));
    }
    name_variants(variants, input);
    std::vector<ScoreTable> tables;
    tables.reserve(variants.size());
    for (auto& [index, variant] : variants) tables.push_back(std::move(variant.table));
    return tables;
}

}  // namespace punie::compare
