#pragma once
// What HTTP/1.1 allows in names, values, numbers and lists (RFC 9110, 5 and RFC 9112). Pure.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace punie::relay {

/// Characters of methods and header names.
bool is_token(std::string_view text);

/// A header's value as it may go over the wire: no control character but the tab.
bool is_field_value(std::string_view text);

/// Case-insensitive, ASCII.
bool same_name(std::string_view a, std::string_view b);

/// 1 to 19 decimal digits and nothing else.
std::optional<std::uint64_t> decimal(std::string_view text);

/// Value of a hexadecimal digit, -1 if it is none.
int hex_digit(char digit);

/// A path with its %XX decoded; nothing when one is broken or stands for a NUL.
std::optional<std::string> percent_decoded(std::string_view path);

/// Without blanks and tabs around it.
std::string_view trimmed(std::string_view text);

/// Calls `each(item)` for the items of a comma-separated list, trimmed, empty ones left out.
template <typename Each>
void for_each_item(std::string_view list, Each each) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto item = trimmed(list.substr(0, comma));
        if (!item.empty()) each(item);
        if (comma == std::string_view::npos) return;
        list.remove_prefix(comma + 1);
    }
}

/// Whether a comma-separated list has that item.
bool has_item(std::string_view list, std::string_view item);

/// Headers that belong to one connection (RFC 9110, 7.6.1), and those that the relay sets itself.
bool is_hop_by_hop(std::string_view name);

/// "OK", "Not Found"; "" for codes without a name.
std::string_view reason_phrase(int status);

}  // namespace punie::relay
