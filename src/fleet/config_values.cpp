#include "fleet/config_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.hpp"

namespace punie::fleet {

namespace {

struct Unit {
    std::string_view name;
    double factor;
};

constexpr std::array sizes = {
    Unit{"B", 1},
    Unit{"KB", 1e3},
    Unit{"MB", 1e6},
    Unit{"GB", 1e9},
    Unit{"TB", 1e12},
    Unit{"KIB", 1024.0},
    Unit{"MIB", 1024.0 * 1024},
    Unit{"GIB", 1024.0 * 1024 * 1024},
    Unit{"TIB", 1024.0 * 1024 * 1024 * 1024},
};

constexpr std::array times = {
    Unit{"ms", 1},
    Unit{"s", 1e3},
    Unit{"m", 60e3},
    Unit{"min", 60e3},
    Unit{"h", 3600e3},
    Unit{"d", 86'400e3},
};

constexpr double largest_size = 1e15;
constexpr double longest_time = 365.0 * 86'400e3;

/// A number without sign or exponent at the start of `text`, which is moved behind it.
std::optional<double> take_number(std::string_view& text) {
    const auto digits =
        text.substr(0, std::min(text.find_first_not_of("0123456789."), text.size()));
    const auto* last = digits.data() + digits.size();
    double number = 0;
    const auto [stop, error] = std::from_chars(digits.data(), last, number);
    if (digits.empty() || error != std::errc() || stop != last) return std::nullopt;
    text.remove_prefix(digits.size());
    return number;
}

std::string_view take_word(std::string_view& text) {
    const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
    const auto end = std::ranges::find_if_not(text, is_letter);
    const auto word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(word.size());
    return word;
}

void skip_blanks(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

template <std::size_t N>
const Unit* unit_of(std::string_view name, const std::array<Unit, N>& units) {
    const auto found = std::ranges::find(units, name, &Unit::name);
    return found == units.end() ? nullptr : &*found;
}

std::unexpected<Error> no_size() {
    return fail(
        ErrorCode::invalid_argument, "expected a size with its unit, such as 8 GB, 512 MB or 4 GiB"
    );
}

std::unexpected<Error> no_time() {
    return fail(
        ErrorCode::invalid_argument,
        "expected a time with its unit, such as 30s, 10m, 1h30m or 500ms"
    );
}

bool is_name(std::string_view text) {
    const auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    return !text.empty() && std::ranges::all_of(text, allowed) &&
           std::isdigit(static_cast<unsigned char>(text.front())) == 0;
}

/// The text with every ${NAME} put in; nothing after a fault.
std::optional<std::string> put_in(
    const tree::Node& node,
    const std::map<std::string, std::string>& environment,
    tree::Faults& faults
) {
    std::string result;
    std::string_view rest = node.text;
    while (!rest.empty()) {
        const auto at = rest.find('$');
        result += rest.substr(0, at);
        if (at == std::string_view::npos) break;
        rest.remove_prefix(at);
        if (rest.starts_with("$$")) {
            result += '$';
            rest.remove_prefix(2);
            continue;
        }
        const auto end = rest.find('}');
        const auto name =
            rest.starts_with("${") && end != std::string_view::npos ? rest.substr(2, end - 2) : "";
        if (!is_name(name)) {
            faults.add(
                node.place,
                "",
                "a $ begins the name of an environment variable, ${NAME}; $$ is a $ itself"
            );
            return std::nullopt;
        }
        const auto value = environment.find(std::string(name));
        if (value == environment.end()) {
            faults.add(node.place, "", fmt::format("the environment variable {} is not set", name));
            return std::nullopt;
        }
        result += value->second;
        rest.remove_prefix(end + 1);
    }
    return result;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
    text = trim(text);
    const auto number = take_number(text);
    skip_blanks(text);
    std::string word(take_word(text));
    std::ranges::transform(word, word.begin(), [](unsigned char c) {
        return static_cast<char>(std::toupper(c));
    });
    if (word.size() == 1 && word != "B") word += 'B';  // 8G
    const auto* unit = unit_of(word, sizes);
    if (!number || unit == nullptr || !text.empty()) return no_size();
    const auto bytes = std::round(*number * unit->factor);
    if (bytes > largest_size) return no_size();
    return static_cast<std::uint64_t>(bytes);
}

Result<Milliseconds> parse_time(std::string_view text) {
    text = trim(text);
    if (text.empty()) return no_time();
    double total = 0;
    while (!text.empty()) {
        const auto number = take_number(text);
        skip_blanks(text);
        const auto* unit = unit_of(take_word(text), times);
        if (!number || unit == nullptr) return no_time();
        total += *number * unit->factor;
        skip_blanks(text);
    }
    if (total > longest_time) return no_time();
    return Milliseconds(static_cast<Milliseconds::rep>(std::round(total)));
}

std::string time_text(Milliseconds time) {
    auto left = time.count();
    std::string text;
    constexpr std::array<std::pair<std::int64_t, std::string_view>, 5> parts = {
        {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1000, "s"}, {1, "ms"}}
    };
    for (const auto& [size, name] : parts) {
        if (left < size) continue;
        fmt::format_to(
            std::back_inserter(text), "{}{}{}", text.empty() ? "" : " ", left / size, name
        );
        left %= size;
    }
    return text.empty() ? "0s" : text;
}

void put_in_environment(
    tree::Node& node, const std::map<std::string, std::string>& environment, tree::Faults& faults
) {
    for (auto& item : node.items) put_in_environment(item, environment, faults);
    for (auto& member : node.members) put_in_environment(member.value, environment, faults);
    if (node.kind != tree::Node::Kind::text || node.text.find('$') == std::string::npos) return;
    auto text = put_in(node, environment, faults);
    if (!text) return;
    node = node.quoted ? tree::text_node(*std::move(text), node.place)
                       : tree::plain_scalar(*std::move(text), node.place);
}

}  // namespace punie::fleet
