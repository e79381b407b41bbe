#include "journal/run_diff.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <map>

#include "journal/headline.hpp"

namespace punie::journal {

namespace {

using Values = std::map<std::string, json::value>;

void flatten(
    const json::value& value,
    const std::string& path,
    std::vector<std::pair<std::string, json::value>>& out
) {
    const bool nested =
        value.is_object() && !value.get_object().empty() && figure_text(value).empty();
    if (!nested) {
        if (!path.empty()) out.emplace_back(path, value);
        return;
    }
    for (const auto& [name, below] : value.get_object()) {
        const std::string_view text = name;
        flatten(below, path.empty() ? std::string(text) : fmt::format("{}.{}", path, text), out);
    }
}

Values values_of(const std::string& text) {
    auto value = parse_json(text);
    if (!value || !value->is_object()) return {{"text", json::value(json::string(text))}};
    Values values;
    for (auto& [path, found] : flattened(*value)) values.insert_or_assign(path, std::move(found));
    return values;
}

Values text_values(const std::vector<std::pair<std::string, std::string>>& texts) {
    Values values;
    for (const auto& [name, text] : texts) {
        if (!text.empty()) values.emplace(name, json::string(text));
    }
    return values;
}

void compare(
    const std::string& part, const Values& left, const Values& right, std::vector<Difference>& out
) {
    auto all = left;
    all.insert(right.begin(), right.end());
    for (const auto& [path, ignored] : all) {
        const auto a = left.find(path);
        const auto b = right.find(path);
        const bool both = a != left.end() && b != right.end();
        if (both && a->second == b->second) continue;
        out.push_back(
            {.part = part,
             .path = path,
             .left = a == left.end() ? std::nullopt : std::optional(a->second),
             .right = b == right.end() ? std::nullopt : std::optional(b->second)}
        );
    }
}

}  // namespace

std::vector<std::pair<std::string, json::value>> flattened(const json::value& value) {
    std::vector<std::pair<std::string, json::value>> all;
    flatten(value, "", all);
    return all;
}

const std::vector<std::string>& diff_parts() {
    static const std::vector<std::string> parts = {
        "run", "versions", "settings", "hashes", "environment", "results"
    };
    return parts;
}

std::vector<Difference> differences(const Run& left, const Run& right) {
    std::vector<Difference> found;
    const auto run = [](const Run& of) {
        return text_values(
            {{"kind", of.kind},
             {"name", of.name},
             {"state", std::string(shown_state(of))},
             {"error", of.error},
             {"command", of.command},
             {"folder", of.folder},
             {"stage", of.stage}}
        );
    };
    compare("run", run(left), run(right), found);
    compare(
        "versions",
        text_values({{"punie", left.punie_version}}),
        text_values({{"punie", right.punie_version}}),
        found
    );
    compare("settings", values_of(left.config_json), values_of(right.config_json), found);
    compare("hashes", values_of(left.hashes_json), values_of(right.hashes_json), found);
    compare(
        "environment", values_of(left.environment_json), values_of(right.environment_json), found
    );
    compare("results", values_of(left.results_json), values_of(right.results_json), found);
    return found;
}

}  // namespace punie::journal
