#include "cli/usage_words.hpp"

#include <fmt/format.h>

#include <regex>
#include <sstream>

#include "base/text.hpp"

namespace punie::cli {

namespace {

/// 1.000000 -> 1, 0.001000 -> 0.001.
std::string plain_number(std::string text) {
    if (text.find('.') == std::string::npos) return text;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

/// "a,b,c" -> "a, b or c".
std::string choices(const std::string& list) {
    std::vector<std::string> names;
    std::istringstream parts(list);
    for (std::string name; std::getline(parts, name, ',');) names.push_back(name);
    return join_or(names);
}

std::string expected(const std::string& type) {
    if (type.starts_with("UINT")) return "a whole number from 0";
    if (type.starts_with("INT")) return "a whole number";
    return "a number";
}

bool is_number(const std::string& type) {
    return type.starts_with("UINT") || type.starts_with("INT") || type.starts_with("FLOAT");
}

/// Whether CLI11 will read all of it, and as what it means.
bool reads_as(const std::string& text, const std::string& type) {
    static const std::regex whole("[+-]?[0-9]+");
    static const std::regex any("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?");
    if (type.starts_with("FLOAT")) return std::regex_match(text, any);
    return std::regex_match(text, whole) && !(type.starts_with("UINT") && text.starts_with('-'));
}

}  // namespace

std::string usage_words(const std::string& message) {
    static const std::regex range("^(.*): Value (.*) not in range (\\S+) to (\\S+)$");
    static const std::regex choice("^(.*): (.*) not in \\{(.*)\\}$");
    static const std::regex conversion("^Could not convert: (\\S+) = (.*)$");
    static const std::regex required("^(\\S+) is required$");
    std::smatch found;
    if (std::regex_match(message, found, range))
        return fmt::format(
            "{}: '{}' was given; allowed is {} to {}",
            found.str(1),
            found.str(2),
            plain_number(found.str(3)),
            plain_number(found.str(4))
        );
    if (std::regex_match(message, found, choice))
        return fmt::format(
            "{}: '{}' was given; allowed is {}", found.str(1), found.str(2), choices(found.str(3))
        );
    if (std::regex_match(message, found, conversion))
        return fmt::format(
            "{}: '{}' was given, which is too large or of another kind", found.str(1), found.str(2)
        );
    if (std::regex_match(message, found, required)) return found.str(1) + " is missing";
    return message;
}

void check_numbers(CLI::App& app) {
    for (auto* option : app.get_options()) {
        const auto type = option->get_type_name();
        if (!is_number(type)) continue;
        option->check(
            [type](const std::string& text) {
                return reads_as(text, type)
                           ? std::string()
                           : fmt::format("'{}' was given; expected {}", text, expected(type));
            },
            ""
        );
    }
    for (auto* sub : app.get_subcommands({})) check_numbers(*sub);
}

}  // namespace punie::cli
