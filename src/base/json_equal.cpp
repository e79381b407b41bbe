#include "base/json_equal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <iterator>
#include <vector>

namespace punie {

namespace {

int rank_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return 0;
        case json::kind::bool_:
            return value.get_bool() ? 2 : 1;
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_:
            return 3;
        case json::kind::string:
            return 4;
        case json::kind::array:
            return 5;
        case json::kind::object:
            return 6;
    }
    return 7;
}

std::weak_ordering weak(double left, double right) {
    if (left < right) return std::weak_ordering::less;
    return left > right ? std::weak_ordering::greater : std::weak_ordering::equivalent;
}

/// A whole number of 64 bits, whatever its sign.
struct Whole {
    bool negative;
    std::uint64_t size;
};

Whole whole_of(const json::value& value) {
    if (value.is_uint64()) return {false, value.get_uint64()};
    const auto number = value.get_int64();
    if (number >= 0) return {false, static_cast<std::uint64_t>(number)};
    return {true, ~static_cast<std::uint64_t>(number) + 1};
}

std::weak_ordering compare_wholes(Whole left, Whole right) {
    if (left.negative != right.negative)
        return left.negative ? std::weak_ordering::less : std::weak_ordering::greater;
    return left.negative ? right.size <=> left.size : left.size <=> right.size;
}

/// A whole number against a floating one, exactly: 2^53 + 1 is no 2^53.
std::weak_ordering compare_mixed(const json::value& whole, double other) {
    if (other >= 18446744073709551616.0) return std::weak_ordering::less;
    if (other < -9223372036854775808.0) return std::weak_ordering::greater;
    const double down = std::floor(other);
    const Whole floor_of = down < 0 ? Whole{true, static_cast<std::uint64_t>(-down)}
                                    : Whole{false, static_cast<std::uint64_t>(down)};
    const auto order = compare_wholes(whole_of(whole), floor_of);
    if (order != std::weak_ordering::equivalent || down == other) return order;
    return std::weak_ordering::less;
}

std::weak_ordering compare_arrays(const json::array& left, const json::array& right) {
    return std::lexicographical_compare_three_way(
        left.begin(), left.end(), right.begin(), right.end(), compare_json
    );
}

std::vector<const json::key_value_pair*> sorted_members(const json::object& object) {
    std::vector<const json::key_value_pair*> members;
    members.reserve(object.size());
    for (const auto& member : object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* member) { return member->key(); });
    return members;
}

std::weak_ordering compare_objects(const json::object& left, const json::object& right) {
    const auto a = sorted_members(left);
    const auto b = sorted_members(right);
    return std::lexicographical_compare_three_way(
        a.begin(),
        a.end(),
        b.begin(),
        b.end(),
        [](const auto* x, const auto* y) {
            const std::weak_ordering order = x->key().compare(y->key()) <=> 0;
            return order != std::weak_ordering::equivalent ? order
                                                           : compare_json(x->value(), y->value());
        }
    );
}

}  // namespace

std::weak_ordering compare_numbers(const json::value& left, const json::value& right) {
    if (left.is_double() && right.is_double()) return weak(left.get_double(), right.get_double());
    if (right.is_double()) return compare_mixed(left, right.get_double());
    if (left.is_double()) return 0 <=> compare_mixed(right, left.get_double());
    return compare_wholes(whole_of(left), whole_of(right));
}

std::weak_ordering compare_json(const json::value& left, const json::value& right) {
    const int rank = rank_of(left);
    if (rank != rank_of(right)) return rank <=> rank_of(right);
    if (rank == 3) return compare_numbers(left, right);
    if (rank == 4) return left.get_string().compare(right.get_string()) <=> 0;
    if (rank == 5) return compare_arrays(left.get_array(), right.get_array());
    if (rank == 6) return compare_objects(left.get_object(), right.get_object());
    return std::weak_ordering::equivalent;
}

bool same_json(const json::value& left, const json::value& right) {
    if (left.is_object() && right.is_object() &&
        left.get_object().size() != right.get_object().size())
        return false;
    return compare_json(left, right) == std::weak_ordering::equivalent;
}

bool is_whole_number(const json::value& value) {
    if (value.is_double()) return std::trunc(value.get_double()) == value.get_double();
    return value.is_int64() || value.is_uint64();
}

std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    auto end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
    return fmt::format("{}...", text.substr(0, end));
}

namespace {

/// Boost writes 7.5E0; a person writes 7.5. Stops when `out` is longer than `most`.
void write_readable(const json::value& value, std::size_t most, std::string& out) {
    if (out.size() > most) return;
    if (value.is_double()) {
        fmt::format_to(std::back_inserter(out), "{}", value.get_double());
    } else if (const auto* text = value.if_string()) {
        out += json::serialize(json::value(shortened(*text, most)));
    } else if (const auto* array = value.if_array()) {
        out += '[';
        for (std::size_t i = 0; i < array->size() && out.size() <= most; ++i) {
            if (i > 0) out += ", ";
            write_readable((*array)[i], most, out);
        }
        out += ']';
    } else if (const auto* object = value.if_object()) {
        out += '{';
        for (auto member = object->begin(); member != object->end() && out.size() <= most;
             ++member) {
            if (member != object->begin()) out += ", ";
            out += json::serialize(json::value(shortened(member->key(), most)));
            out += ": ";
            write_readable(member->value(), most, out);
        }
        out += '}';
    } else {
        out += json::serialize(value);
    }
}

}  // namespace

std::string short_json(const json::value& value, std::size_t most) {
    std::string out;
    write_readable(value, most, out);
    return value.is_string() ? out : shortened(out, most);
}

std::string describe_json(const json::value& value) {
    if (value.is_string()) return fmt::format("the string {}", short_json(value));
    if (value.is_number()) return fmt::format("the number {}", short_json(value));
    if (value.is_array()) return "an array";
    if (value.is_object()) return "an object";
    return short_json(value);
}

std::string pointer_token(std::string_view name) {
    std::string token;
    token.reserve(name.size());
    for (const char c : name) {
        if (c == '~')
            token += "~0";
        else if (c == '/')
            token += "~1";
        else
            token += c;
    }
    return token;
}

}  // namespace punie
