#pragma once
// UTF-8 as Unicode 15, table 3-7 has it: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace punie::dataset {

bool is_ascii(std::string_view text);

/// Where the first byte is that belongs to no character; nothing when all is well.
std::optional<std::size_t> invalid_utf8(std::string_view text);

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 1;
};

/// The character at `at` of valid UTF-8. A byte that starts none counts as U+FFFD of one byte.
CodePoint code_point_at(std::string_view text, std::size_t at);

void append_utf8(std::string& text, char32_t value);

/// Characters of valid UTF-8.
std::size_t count_characters(std::string_view text);

}  // namespace punie::dataset
