#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <set>

#include "base/json_schema.hpp"
#include "base/text.hpp"
#include "eval/suite_parts.hpp"

namespace punie::eval {

namespace {

std::string name_of(const json::value& tool) {
    const auto* function = member(tool, "function");
    return function == nullptr ? std::string{} : string_member(*function, "name").value_or("");
}

/// Reads one list of tools.
class ToolReader {
public:
    ToolReader(const json::array& known, Faults& faults) : known_(known), faults_(faults) {}

    void add(const Node& item, const std::string& path) {
        if (item.kind == Node::Kind::text) {
            pick(item, path);
            return;
        }
        if (item.kind != Node::Kind::map) {
            faults_.add(
                item.place,
                path,
                fmt::format(
                    "expected a tool (a mapping) or the name of one, found {}", describe(item)
                )
            );
            return;
        }
        const auto* function = item.find("function");
        if (function == nullptr)
            add_function(item, path);
        else if (whole_form(item, path))
            add_function(*function, path + ".function");
    }

    json::array take() { return std::move(tools_); }

private:
    bool whole_form(const Node& item, const std::string& path) {
        const Fields fields(item, path, faults_);
        constexpr std::array<std::string_view, 2> names = {"type", "function"};
        fields.allow_only(names);
        const auto* type = item.find("type");
        if (type == nullptr || type->text == "function") return true;
        fields.fault(*type, "type", fmt::format("expected function, found {}", describe(*type)));
        return false;
    }

    void add_function(const Node& function, const std::string& path) {
        const Fields fields(function, path, faults_);
        if (function.kind != Node::Kind::map) {
            fields.fault(
                function,
                "",
                fmt::format(
                    "expected a mapping with name and parameters, found {}", describe(function)
                )
            );
            return;
        }
        constexpr std::array<std::string_view, 4> names = {
            "name", "description", "parameters", "strict"
        };
        fields.allow_only(names);
        const auto name = fields.text("name");
        if (!valid_name(fields, name)) return;
        const auto* parameters = fields.find("parameters");
        if (parameters != nullptr && parameters->kind != Node::Kind::map) {
            fields.fault(
                *parameters,
                "parameters",
                fmt::format("expected a JSON Schema (a mapping), found {}", describe(*parameters))
            );
            return;
        }
        auto object = to_json(function).as_object();
        if (parameters != nullptr && !valid_schema(fields, *parameters)) return;
        if (parameters == nullptr)
            object["parameters"] = {{"type", "object"}, {"properties", json::object{}}};
        tools_.push_back(json::object{{"type", "function"}, {"function", std::move(object)}});
    }

    static bool valid_schema(const Fields& fields, const Node& parameters) {
        const auto schema = JsonSchema::compile(to_json(parameters));
        if (schema) return true;
        fields.fault(
            parameters,
            "parameters",
            fmt::format("not a JSON Schema of draft 7: {}", schema.error().message())
        );
        return false;
    }

    bool valid_name(const Fields& fields, const std::optional<std::string>& name) {
        if (!name) {
            if (fields.find("name") == nullptr)
                fields.fault(fields.node(), "", "a tool needs a `name`");
            return false;
        }
        const bool letters = std::ranges::all_of(*name, [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ||
                   c == '.';
        });
        if (!letters || name->empty() || name->size() > 64) {
            fields.fault(
                *fields.find("name"),
                "name",
                fmt::format(
                    "\"{}\" is no name of a function: letters, digits, _, - and ., at most 64",
                    printable(*name)
                )
            );
            return false;
        }
        if (names_.insert(*name).second) return true;
        fields.fault(*fields.find("name"), "name", fmt::format("a second tool {}", *name));
        return false;
    }

    void pick(const Node& item, const std::string& path) {
        std::vector<std::string> names;
        names.reserve(known_.size());
        for (const auto& tool : known_) names.push_back(name_of(tool));
        const auto found = std::ranges::find(names, item.text);
        if (found != names.end()) {
            if (names_.insert(item.text).second)
                tools_.push_back(known_.at(static_cast<std::size_t>(found - names.begin())));
            return;
        }
        faults_.add(
            item.place,
            path,
            names.empty()
                ? fmt::format(
                      "\"{}\" names a tool, but `defaults` has no tools", printable(item.text)
                  )
                : fmt::format(
                      "no tool {} among the suite's; {}",
                      printable(item.text),
                      suggestion(item.text, names)
                  )
        );
    }

    const json::array& known_;
    Faults& faults_;
    json::array tools_;
    std::set<std::string> names_;
};

}  // namespace

json::array read_tools(
    const Node& node,
    const std::string& path,
    const json::array& known,
    SuiteFiles& files,
    Faults& faults
) {
    const auto* list = &node;
    if (SuiteFiles::is_reference(node)) {
        list = files.read_list(node, path, faults);
        if (list == nullptr) return {};
    }
    if (list->kind != Node::Kind::list) {
        faults.add(
            list->place,
            path,
            fmt::format("expected a list of tools or file://NAME.json, found {}", describe(*list))
        );
        return {};
    }
    ToolReader reader(known, faults);
    for (std::size_t i = 0; i < list->items.size(); ++i)
        reader.add(list->items[i], fmt::format("{}[{}]", path, i));
    return reader.take();
}

}  // namespace punie::eval
