#include "eval/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <set>

#include "base/files.hpp"
#include "base/text.hpp"
#include "eval/suite_notes.hpp"
#include "eval/suite_prompts.hpp"
#include "eval/suite_source.hpp"

namespace punie::eval {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 7> suite_names = {
    "suite", "version", "description", "defaults", "prompts", "tests", "gates"
};
/// What people bring along from elsewhere, and where it went.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> elsewhere = {{
    {"providers", "models are named on the command line: punie eval SUITE --model M"},
    {"defaultTest", "what prompts share stands under `defaults`"},
    {"name", "the suite's name stands under `suite`"},
    {"scenarios", "prompts with rows of variables (`vars`) do that here"},
}};

/// ">= 0.8 at lower bound"
std::optional<Gate> gate_from(std::string_view text) {
    Gate gate;
    gate.metric = "accuracy";
    constexpr std::string_view bound = "at lower bound";
    text = trim(text);
    if (!text.starts_with(">=")) return std::nullopt;
    text = trim(text.substr(2));
    if (text.ends_with(bound)) {
        gate.lower_bound = true;
        text = trim(text.substr(0, text.size() - bound.size()));
    }
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), gate.at_least);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    if (!whole || !(gate.at_least >= 0 && gate.at_least <= 1)) return std::nullopt;
    return gate;
}

/// Reads one suite from its text.
class SuiteReader {
public:
    SuiteReader(const fs::path& file, Faults& faults)
        : files_(file.parent_path()), faults_(faults) {
        suite_.file = file;
        suite_.name = file.stem().native();
    }

    Suite read(std::string_view text) {
        const auto ending = suite_.file.extension();
        const auto name = std::make_shared<const std::string>(suite_.file.native());
        if (ending == ".jsonl" || ending == ".ndjson")
            read_lines(text);
        else if (ending == ".json")
            read_root(read_json(text, name, faults_));
        else
            read_root(read_yaml(text, suite_.file, faults_));
        check_whole(name);
        if (!faults_.any()) set_hashes(suite_);
        return std::move(suite_);
    }

private:
    void read_root(const std::optional<Node>& root) {
        if (!root) return;
        if (root->kind == Node::Kind::list) {
            PromptReader prompts(files_, faults_, false);
            add_all(prompts, *root, "");
            suite_.prompts = prompts.take();
            return;
        }
        if (root->kind != Node::Kind::map) {
            faults_.add(
                root->place,
                "",
                fmt::format(
                    "expected a suite (a mapping with `prompts`), found {}",
                    root->kind == Node::Kind::null ? "nothing in the file" : describe(*root)
                )
            );
            return;
        }
        read_map(*root);
    }

    void read_map(const Node& root) {
        const Fields fields(root, "", faults_);
        read_head(fields);
        PromptReader prompts(files_, faults_, true);
        if (const auto* defaults = fields.find("defaults")) prompts.set_defaults(*defaults);
        add_prompts(prompts, fields);
        suite_.prompts = prompts.take();
        if (const auto* gates = fields.find("gates")) read_gates(*gates);
    }

    void read_head(const Fields& fields) {
        for (const auto& [name, hint] : elsewhere) {
            const auto* found = fields.find(name);
            if (found != nullptr) fields.fault(*found, name, hint);
        }
        std::vector<std::string_view> known(suite_names.begin(), suite_names.end());
        for (const auto& [name, hint] : elsewhere) {
            if (fields.find(name) != nullptr) known.push_back(name);
        }
        fields.allow_only(known);
        if (auto name = fields.text("suite", true)) suite_.name = *std::move(name);
        suite_.version =
            static_cast<int>(fields.integer("version", {0, 1e9, "0 to 1000000000"}).value_or(1));
    }

    void add_prompts(PromptReader& prompts, const Fields& fields) {
        for (const auto* name : {"prompts", "tests"}) {
            const auto* list = fields.find(name);
            if (list == nullptr) continue;
            has_list_ = true;
            if (list->kind == Node::Kind::list)
                add_all(prompts, *list, name);
            else
                fields.fault(
                    *list,
                    name,
                    fmt::format("expected a list of prompts, found {}", describe(*list))
                );
        }
        if (!has_list_) fields.fault(fields.node(), "", "a suite needs `prompts`");
    }

    void add_all(PromptReader& prompts, const Node& list, std::string_view path) {
        for (std::size_t i = 0; i < list.items.size() && !faults_.full(); ++i)
            prompts.add(list.items[i], fmt::format("{}[{}]", path, i));
    }

    /// A row is a prompt; a first row with `suite` or `defaults` speaks for all.
    void read_lines(std::string_view text) {
        PromptReader prompts(files_, faults_, false);
        bool first = true;
        each_json_line(text, suite_.file, faults_, [&](Node&& row) {
            const bool head = first && row.kind == Node::Kind::map &&
                              (row.find("suite") != nullptr || row.find("defaults") != nullptr);
            first = false;
            if (!head) {
                prompts.add(row, "");
                return;
            }
            const Fields fields(row, "", faults_);
            read_head(fields);
            if (const auto* defaults = fields.find("defaults")) prompts.set_defaults(*defaults);
            if (const auto* gates = fields.find("gates")) read_gates(*gates);
        });
        suite_.prompts = prompts.take();
    }

    void read_gates(const Node& node) {
        const Fields fields(node, "gates", faults_);
        if (node.kind != Node::Kind::map) {
            fields.fault(
                node,
                "",
                fmt::format(
                    "expected a mapping such as {{accuracy: \">= 0.8\"}}, found {}", describe(node)
                )
            );
            return;
        }
        constexpr std::array<std::string_view, 2> names = {"accuracy", "no_regression"};
        fields.allow_only(names);
        suite_.no_regression = fields.texts("no_regression");
        const auto* accuracy = fields.find("accuracy");
        no_regression_ =
            fields.find("no_regression") == nullptr ? Place{} : fields.find("no_regression")->place;
        if (accuracy == nullptr) return;
        auto text = accuracy->text;
        if (accuracy->kind == Node::Kind::number) text.insert(0, ">= ");
        if (const auto gate = gate_from(text))
            suite_.gates.push_back(*gate);
        else
            fields.fault(
                *accuracy,
                "accuracy",
                fmt::format(
                    "expected \">= 0.8\" or \">= 0.8 at lower bound\" (0 to 1), found {}",
                    describe(*accuracy)
                )
            );
    }

    /// What can be judged only when all prompts are known.
    void check_whole(const std::shared_ptr<const std::string>& name) {
        if (faults_.any()) return;
        if (suite_.prompts.empty()) {
            faults_.add({name, 0, 0}, "", "the suite has no prompts");
            return;
        }
        std::set<std::string> categories;
        for (const auto& prompt : suite_.prompts) categories.insert(prompt.category);
        categories.erase("");
        for (const auto& category : suite_.no_regression) {
            if (categories.contains(category)) continue;
            const std::vector<std::string> known(categories.begin(), categories.end());
            faults_.add(
                no_regression_,
                "gates.no_regression",
                known.empty()
                    ? fmt::format("\"{}\", but no prompt has a category", printable(category))
                    : fmt::format(
                          "no prompt has the category \"{}\"; {}",
                          printable(category),
                          suggestion(category, known)
                      )
            );
        }
    }

    SuiteFiles files_;
    Faults& faults_;
    Suite suite_;
    bool has_list_ = false;
    Place no_regression_;
};

}  // namespace

Result<SuiteWithNotes> parse_suite_with_notes(std::string_view text, const fs::path& file) {
    Faults faults;
    const auto checked = checked_text(text, file, faults);
    if (!checked) return std::unexpected(faults.error());
    auto suite = SuiteReader(file, faults).read(*checked);
    if (faults.any()) return std::unexpected(faults.error());
    SuiteWithNotes result{std::move(suite), {}};
    result.notes.reserve(faults.notes().size());
    for (const auto& note : faults.notes()) result.notes.push_back({note.place.line, note.message});
    return result;
}

Result<SuiteWithNotes> read_suite_with_notes(const fs::path& file) {
    const auto ending = file.extension();
    const bool lines = ending == ".jsonl" || ending == ".ndjson" || ending == ".json";
    auto text = read_text(file, lines ? max_json_bytes : max_yaml_bytes);
    if (!text) return std::unexpected(std::move(text).error());
    return parse_suite_with_notes(*text, file);
}

Result<Suite> parse_suite(std::string_view text, const fs::path& file) {
    auto read = parse_suite_with_notes(text, file);
    if (!read) return std::unexpected(std::move(read).error());
    return std::move(read->suite);
}

Result<Suite> read_suite(const fs::path& file) {
    auto read = read_suite_with_notes(file);
    if (!read) return std::unexpected(std::move(read).error());
    return std::move(read->suite);
}

}  // namespace punie::eval
