#include "eval/suite_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"

namespace punie::eval {

namespace {

bool is_name(std::string_view text) {
    const auto letter = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    };
    return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
           std::ranges::all_of(text, letter);
}

/// One text with its `{{name}}`s.
class Filling {
public:
    Filling(const Node& node, const Variables& variables, Faults& faults, const std::string& path)
        : node_(node), variables_(variables), faults_(faults), path_(path) {}

    Node run() {
        const std::string_view text = node_.text;
        if (const auto* whole = whole_variable(text)) {
            auto value = *whole;
            value.place = node_.place;
            return value;
        }
        std::string filled;
        std::size_t at = 0;
        for (auto open = text.find("{{"); open != std::string_view::npos;
             open = text.find("{{", at)) {
            const bool escaped = open > at && text[open - 1] == '\\';
            filled += text.substr(at, open - at - (escaped ? 1 : 0));
            at = open + 2;
            if (escaped)
                filled += "{{";
            else
                at = put_in(text, at, filled);
        }
        filled += text.substr(std::min(at, text.size()));
        auto result = node_;
        result.text = std::move(filled);
        return result;
    }

private:
    const Node* whole_variable(std::string_view text) const {
        if (!text.starts_with("{{") || !text.ends_with("}}") || text.size() < 5) return nullptr;
        const auto name = trim(text.substr(2, text.size() - 4));
        return is_name(name) ? variables_.find(name) : nullptr;
    }

    /// Appends the variable whose name begins at `at`; where to go on.
    std::size_t put_in(std::string_view text, std::size_t at, std::string& filled) const {
        const auto close = text.find("}}", at);
        const auto name = close == std::string_view::npos ? std::string_view{}
                                                          : trim(text.substr(at, close - at));
        if (!is_name(name)) {
            fault(fmt::format(
                "`{{{{` begins a variable, but no {{{{name}}}} stands here; there is no logic, and "
                "\\{{{{ writes the two braces"
            ));
            return text.size();
        }
        const auto* value = variables_.find(name);
        if (value == nullptr)
            unknown(name);
        else if (!value->is_scalar())
            fault(fmt::format(
                "{{{{{}}}}} is {}; only a value that is nothing but \"{{{{{}}}}}\" can take it",
                name,
                describe(*value),
                name
            ));
        else
            filled += value->text;
        return close + 2;
    }

    void unknown(std::string_view name) const {
        const auto known = variables_.names();
        if (known.empty()) {
            fault(fmt::format(
                "{{{{{}}}}} is no variable: this prompt has no `vars` (\\{{{{ writes two braces)",
                name
            ));
            return;
        }
        const auto close = nearest(name, known);
        fault(fmt::format(
            "unknown variable {{{{{}}}}}; {}",
            name,
            close ? fmt::format("did you mean {{{{{}}}}}?", *close)
                  : fmt::format("there is {}", join_or(known))
        ));
    }

    void fault(const std::string& message) const { faults_.add(node_.place, path_, message); }

    const Node& node_;
    const Variables& variables_;
    Faults& faults_;
    const std::string& path_;
};

}  // namespace

const Node* Variables::find(std::string_view name) const {
    const auto* found = row_ == nullptr ? nullptr : row_->find(name);
    return found != nullptr || common_ == nullptr ? found : common_->find(name);
}

std::vector<std::string> Variables::names() const {
    std::vector<std::string> names;
    for (const auto* from : {row_, common_}) {
        if (from == nullptr) continue;
        for (const auto& variable : from->members) names.push_back(variable.name);
    }
    return names;
}

Node substitute(
    const Node& node, const Variables& variables, Faults& faults, const std::string& path
) {
    if (node.kind == Node::Kind::text) {
        if (node.text.find("{{") == std::string::npos) return node;
        return Filling(node, variables, faults, path).run();
    }
    auto result = node;
    for (std::size_t i = 0; i < node.items.size(); ++i)
        result.items[i] =
            substitute(node.items[i], variables, faults, fmt::format("{}[{}]", path, i));
    for (std::size_t i = 0; i < node.members.size(); ++i) {
        const auto& name = node.members[i].name;
        result.members[i].value = substitute(
            node.members[i].value,
            variables,
            faults,
            path.empty() ? name : fmt::format("{}.{}", path, name)
        );
    }
    return result;
}

}  // namespace punie::eval
