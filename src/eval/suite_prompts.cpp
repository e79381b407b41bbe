#include "eval/suite_prompts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>

#include "base/hash.hpp"
#include "base/text.hpp"

namespace punie::eval {

namespace {

constexpr std::size_t max_prompts = 1'000'000;
constexpr Range repeat_counts = {1, 10'000, "1 to 10000"};

std::vector<std::string_view> with_sampling(std::initializer_list<std::string_view> names) {
    std::vector<std::string_view> all(names);
    all.insert(all.end(), sampling_names().begin(), sampling_names().end());
    return all;
}

const std::vector<std::string_view>& prompt_names() {
    static const auto names = with_sampling(
        {"id",
         "group",
         "category",
         "description",
         "metadata",
         "system",
         "prompt",
         "messages",
         "input",
         "target",
         "tools",
         "vars",
         "expect",
         "assert",
         "repeats"}
    );
    return names;
}

const std::vector<std::string_view>& default_names() {
    static const auto names = with_sampling(
        {"group", "category", "system", "prompt", "tools", "vars", "expect", "assert", "repeats"}
    );
    return names;
}

/// "Turn on the light in the kitchen." as "turn-on-the-light-in".
std::string slug(std::string_view text) {
    std::string words;
    int count = 0;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            words += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        } else if (!words.empty() && words.back() != '-') {
            if (++count == 5 || words.size() > 32) break;
            words += '-';
        }
    }
    while (words.ends_with('-')) words.pop_back();
    return words.empty() ? "prompt" : words;
}

void inherit(Node& node, const Node& defaults, std::string_view name) {
    const auto found = std::ranges::find(defaults.members, name, &NodeMember::name);
    if (found != defaults.members.end() && node.find(name) == nullptr)
        node.members.push_back(*found);
}

/// Where a row stands, for messages: "rooms.jsonl:3".
std::string row_name(const Node& row) {
    return row.place.file ? fmt::format(
                                " (with the row of {}:{})",
                                std::filesystem::path(*row.place.file).filename().native(),
                                row.place.line
                            )
                          : std::string{};
}

}  // namespace

void PromptReader::set_defaults(const Node& node) {
    const Fields fields(node, "defaults", faults_);
    if (node.kind != Node::Kind::map) {
        fields.fault(node, "", fmt::format("expected a mapping, found {}", describe(node)));
        return;
    }
    fields.allow_only(default_names());
    defaults_.sampling = read_sampling(fields, {});
    defaults_.repeats = static_cast<int>(fields.integer("repeats", repeat_counts).value_or(1));
    if (const auto* tools = fields.find("tools"))
        defaults_.tools = read_tools(*tools, "defaults.tools", {}, files_, faults_);
    if (const auto* variables = fields.find("vars")) {
        if (variables->kind == Node::Kind::map)
            defaults_.variables = *variables;
        else
            fields.fault(
                *variables,
                "vars",
                fmt::format(
                    "expected a mapping of name to value, found {} (rows of variables belong to a "
                    "prompt)",
                    describe(*variables)
                )
            );
    }
    for (const auto* name : {"group", "category", "system", "prompt", "expect", "assert"})
        inherit(defaults_.node, node, name);
    defaults_.node.kind = Node::Kind::map;
}

void PromptReader::add(const Node& node, const std::string& path) {
    if (faults_.full()) return;
    const Fields fields(node, path, faults_);
    if (node.kind != Node::Kind::map) {
        fields.fault(
            node, "", fmt::format("expected a prompt (a mapping), found {}", describe(node))
        );
        return;
    }
    fields.allow_only(prompt_names());
    const auto* rows = fields.find("vars");
    if (rows == nullptr)
        add_one(node, nullptr, path);
    else
        add_rows(node, *rows, path);
}

bool PromptReader::check_row(const Node& row, const std::string& path) {
    if (row.kind == Node::Kind::map) return true;
    faults_.add(
        row.place,
        joined(path, "vars"),
        fmt::format("expected a row (a mapping of name to value), found {}", describe(row))
    );
    return false;
}

void PromptReader::add_rows(const Node& node, const Node& rows, const std::string& path) {
    const auto at = joined(path, "vars");
    if (rows.kind == Node::Kind::map) {
        for (const auto& variable : rows.members) {
            if (variable.value.kind == Node::Kind::list)
                faults_.add(
                    variable.value.place,
                    joined(at, variable.name),
                    "a list of values; for several prompts write a list of rows: [{name: value}, "
                    "{name: value}]"
                );
        }
        add_one(node, &rows, path);
        return;
    }
    const auto* list = &rows;
    if (SuiteFiles::is_reference(rows)) {
        list = files_.read_list(rows, at, faults_);
        if (list == nullptr) return;
    }
    if (list->kind != Node::Kind::list || list->items.empty()) {
        faults_.add(
            rows.place,
            at,
            fmt::format(
                "expected rows (a list, or file://NAME.jsonl, .json or .csv), found {}",
                list->kind == Node::Kind::list ? "none" : describe(rows)
            )
        );
        return;
    }
    for (const auto& row : list->items) {
        if (faults_.full()) return;
        if (!check_row(row, path)) continue;
        faults_.set_row(row_name(row));
        add_one(node, &row, path);
        faults_.set_row("");
    }
}

void PromptReader::add_one(const Node& node, const Node* row, const std::string& path) {
    Node whole;
    whole.kind = Node::Kind::map;
    whole.place = node.place;
    Node as_is;  // tools and descriptions are no templates
    for (const auto& member : node.members) {
        const bool plain = member.name == "tools" || member.name == "vars" ||
                           member.name == "metadata" || member.name == "description";
        (plain ? as_is : whole).members.push_back(member);
    }
    const bool own_expectations = node.find("expect") != nullptr ||
                                  node.find("assert") != nullptr || node.find("target") != nullptr;
    for (const auto* name : {"group", "category", "system"}) inherit(whole, defaults_.node, name);
    if (!own_expectations) {
        inherit(whole, defaults_.node, "expect");
        inherit(whole, defaults_.node, "assert");
    }
    if (node.find("messages") == nullptr && node.find("input") == nullptr)
        inherit(whole, defaults_.node, "prompt");
    if (templates_ || row != nullptr)
        whole = substitute(whole, Variables(row, &defaults_.variables), faults_, path);
    std::ranges::move(as_is.members, std::back_inserter(whole.members));
    build(whole, path);
}

void PromptReader::build(const Node& node, const std::string& path) {
    if (prompts_.size() >= max_prompts) {
        faults_.add(node.place, path, fmt::format("more than {} prompts", max_prompts));
        return;
    }
    const Fields fields(node, path, faults_);
    Prompt prompt;
    prompt.line = node.place.line;
    prompt.messages = messages_of(fields);
    prompt.id = id_of(fields, prompt.messages);
    prompt.group = fields.text("group", true).value_or("");
    prompt.category = fields.text("category", true).value_or("");
    prompt.sampling = read_sampling(fields, defaults_.sampling);
    prompt.repeats =
        static_cast<int>(fields.integer("repeats", repeat_counts).value_or(defaults_.repeats));
    prompt.tools = tools_of(fields);
    prompt.expect = expectations_of(fields, prompt.tools);
    prompts_.push_back(std::move(prompt));
}

json::array PromptReader::messages_of(const Fields& fields) {
    const auto given = std::array{
        std::pair{"prompt", fields.find("prompt")},
        std::pair{"messages", fields.find("messages")},
        std::pair{"input", fields.find("input")}
    };
    const auto count =
        std::ranges::count_if(given, [](const auto& entry) { return entry.second != nullptr; });
    if (count != 1) {
        fields.fault(
            fields.node(),
            "",
            count == 0 ? "nothing to ask: a prompt needs `prompt` or `messages`"
                       : "`prompt`, `messages` and `input` say the same: write one of them"
        );
        return {};
    }
    const auto& [name, node] =
        *std::ranges::find_if(given, [](const auto& entry) { return entry.second != nullptr; });
    json::array messages;
    const bool conversation =
        name == std::string_view("messages") || node->kind == Node::Kind::list;
    if (conversation) {
        messages = read_messages(*node, fields.path_of(name), faults_);
    } else if (auto text = fields.text(name)) {
        if (trim(*text).empty()) fields.fault(*node, name, "the prompt is empty");
        messages.push_back(json::object{{"role", "user"}, {"content", *std::move(text)}});
    }
    const auto system = fields.text("system");
    const bool has_system =
        !messages.empty() && string_member(messages.front(), "role") == "system";
    if (system && !system->empty() && !has_system)
        messages.insert(messages.begin(), json::object{{"role", "system"}, {"content", *system}});
    return messages;
}

std::string PromptReader::id_of(const Fields& fields, const json::array& messages) {
    auto id = fields.text("id", true);
    if (id && trim(*id).empty()) fields.fault(*fields.find("id"), "id", "the id is empty");
    if (!id) {
        // stands for the content, so that it stays when prompts are moved
        const auto text = messages.empty() ? std::string{}
                                           : string_member(messages.back(), "content").value_or("");
        id = fmt::format("{}-{}", slug(text), sha256_hex(canonical_json(messages)).substr(0, 6));
    }
    if (!ids_.insert(*id).second) {
        const auto* given = fields.find("id");
        fields.fault(
            given == nullptr ? fields.node() : *given,
            given == nullptr ? "" : "id",
            given == nullptr
                ? "this prompt stands twice; give each an `id` if that is meant"
                : fmt::format(
                      "a second prompt \"{}\"; with rows of variables the id needs one of them: "
                      "id: \"name-{{{{variable}}}}\"",
                      printable(*id)
                  )
        );
    }
    return *std::move(id);
}

json::array PromptReader::tools_of(const Fields& fields) {
    const auto* own = fields.find("tools");
    if (own == nullptr) return defaults_.tools;
    return read_tools(*own, fields.path_of("tools"), defaults_.tools, files_, faults_);
}

std::vector<Expectation> PromptReader::expectations_of(
    const Fields& fields, const json::array& tools
) {
    std::vector<Expectation> all;
    for (const auto* name : {"expect", "assert"}) {
        const auto* found = fields.find(name);
        if (found == nullptr) continue;
        auto some = read_expectations(*found, fields.path_of(name), tools, faults_);
        std::ranges::move(some, std::back_inserter(all));
    }
    const auto* target = fields.find("target");
    if (target != nullptr) {
        Node expectation;
        expectation.kind = Node::Kind::map;
        expectation.place = target->place;
        expectation.members.push_back({"contains", target->place, *target});
        auto some = read_expectations(expectation, fields.path_of("target"), tools, faults_);
        std::ranges::move(some, std::back_inserter(all));
    }
    if (target == nullptr && fields.find("expect") == nullptr && fields.find("assert") == nullptr)
        fields.fault(
            fields.node(),
            "",
            "nothing is expected: a prompt needs `expect` with at least one scorer"
        );
    return all;
}

}  // namespace punie::eval
