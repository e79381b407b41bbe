#pragma once
// Prompts of a suite from their nodes: defaults, rows of variables, checks.

#include <set>
#include <string>
#include <vector>

#include "eval/suite_data.hpp"
#include "eval/suite_parts.hpp"
#include "eval/suite_template.hpp"

namespace punie::eval {

/// What holds for every prompt that does not say otherwise.
struct Defaults {
    Node node{};       ///< the mapping itself; its parts are read where a prompt takes them over
    Node variables{};  ///< `vars` that every prompt knows
    json::array tools{};
    Sampling sampling{};
    int repeats = 1;
};

/// Makes prompts one after the other. `faults`, `files` must outlive it.
class PromptReader {
public:
    /// `templates`: `{{name}}` is looked for in prompts without `vars` too. In rows of JSONL, which
    /// others wrote, braces are text.
    PromptReader(SuiteFiles& files, Faults& faults, bool templates)
        : files_(files), faults_(faults), templates_(templates) {}

    void set_defaults(const Node& node);

    /// One entry of `prompts`: one prompt, or one for each row of its `vars`.
    void add(const Node& node, const std::string& path);

    std::vector<Prompt> take() { return std::move(prompts_); }

private:
    void add_rows(const Node& node, const Node& rows, const std::string& path);
    void add_one(const Node& node, const Node* row, const std::string& path);
    void build(const Node& node, const std::string& path);
    json::array messages_of(const Fields& fields);
    json::array tools_of(const Fields& fields);
    std::vector<Expectation> expectations_of(const Fields& fields, const json::array& tools);
    std::string id_of(const Fields& fields, const json::array& messages);
    bool check_row(const Node& row, const std::string& path);

    SuiteFiles& files_;
    Faults& faults_;
    bool templates_;
    Defaults defaults_;
    std::vector<Prompt> prompts_;
    std::set<std::string> ids_;
};

}  // namespace punie::eval
