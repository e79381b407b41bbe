#include "dataset/utf8.hpp"

#include <algorithm>

#include "dataset/bytes.hpp"

namespace punie::dataset {

namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

/// Where the first byte from `at` on is that is not ASCII.
std::size_t skip_ascii(std::string_view text, std::size_t at) {
    for (; at + 8 <= text.size(); at += 8) {
        const auto marks = load8(text.data() + at) & high_bits;
        if (marks != 0) return at + first_byte(marks);
    }
    while (at < text.size() && byte_at(text, at) < 0x80) ++at;
    return at;
}

/// Bytes of the well-formed character at `at`, 0 if there is none.
std::size_t character_bytes(std::string_view text, std::size_t at) {
    const auto first = byte_at(text, at);
    const auto left = text.size() - at;
    const auto tail = [&](std::size_t place) {
        return (byte_at(text, at + place) & 0xC0U) == 0x80;
    };
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;
    if (first < 0xE0) return left >= 2 && tail(1) ? 2 : 0;
    if (first < 0xF0) {
        if (left < 3 || !tail(1) || !tail(2)) return 0;
        const auto second = byte_at(text, at + 1);
        if (first == 0xE0 && second < 0xA0) return 0;
        if (first == 0xED && second > 0x9F) return 0;
        return 3;
    }
    if (first > 0xF4 || left < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
    const auto second = byte_at(text, at + 1);
    if (first == 0xF0 && second < 0x90) return 0;
    if (first == 0xF4 && second > 0x8F) return 0;
    return 4;
}

}  // namespace

bool is_ascii(std::string_view text) {
    std::uint64_t seen = 0;
    std::size_t at = 0;
    for (; at + 32 <= text.size(); at += 32) {
        const char* place = text.data() + at;
        seen |= load8(place) | load8(place + 8) | load8(place + 16) | load8(place + 24);
        if ((seen & high_bits) != 0) return false;
    }
    return skip_ascii(text, at) == text.size();
}

namespace {

/// The first byte from `at` to `end` (where a character may reach beyond) that belongs to none;
/// moves `at` behind the last character that began before `end`.
std::optional<std::size_t> slowly(std::string_view text, std::size_t& at, std::size_t end) {
    while (at < end) {
        const auto bytes = character_bytes(text, at);
        if (bytes == 0) return at;
        at += bytes;
    }
    return std::nullopt;
}

auto continuing(Bytes16 bytes) {
    return (bytes >= 0x80) & (bytes < 0xC0);
}

auto leads_two(Bytes16 bytes) {
    return (bytes >= 0xC2) & (bytes < 0xE0);
}

/// E0 and ED limit what may follow; the others do not.
auto leads_three(Bytes16 bytes) {
    return (bytes > 0xE0) & (bytes < 0xF0) & (bytes != 0xED);
}

auto is_odd(Bytes16 bytes) {
    return (bytes >= 0xF0) | (bytes == 0xE0) | (bytes == 0xED) | (bytes == 0xC0) | (bytes == 0xC1);
}

/// Whether 64 bytes that begin with a character are well formed for certain. `used` is where the
/// last whole character ends.
bool plainly_fine(const char* at, std::size_t& used) {
    if (match_bits(at, 64, is_odd) != 0) return false;
    const auto two = match_bits(at, 64, leads_two);
    const auto three = match_bits(at, 64, leads_three);
    const auto wanted = (two << 1U) | (three << 1U) | (three << 2U);
    if (match_bits(at, 64, continuing) != wanted) return false;
    // A character that is cut by the end is looked at again with the next block.
    used = 64;
    if (((two | three) >> 63U) != 0) used = 63;
    if (((three >> 62U) & 1U) != 0) used = 62;
    return true;
}

}  // namespace

std::optional<std::size_t> invalid_utf8(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        at = skip_ascii(text, at);
        if (at + 64 > text.size()) return slowly(text, at, text.size());
        std::size_t used = 0;
        if (plainly_fine(text.data() + at, used)) {
            at += used;
        } else if (const auto fault = slowly(text, at, at + 64)) {
            return fault;
        }
    }
    return std::nullopt;
}

CodePoint code_point_at(std::string_view text, std::size_t at) {
    const auto bytes = character_bytes(text, at);
    const auto tail = [&](std::size_t place) {
        return static_cast<char32_t>(byte_at(text, at + place) & 0x3FU);
    };
    const auto first = static_cast<char32_t>(byte_at(text, at));
    switch (bytes) {
        case 1:
            return {first, 1};
        case 2:
            return {((first & 0x1FU) << 6U) | tail(1), 2};
        case 3:
            return {((first & 0x0FU) << 12U) | (tail(1) << 6U) | tail(2), 3};
        case 4:
            return {((first & 0x07U) << 18U) | (tail(1) << 12U) | (tail(2) << 6U) | tail(3), 4};
        default:
            return {U'\uFFFD', 1};
    }
}

void append_utf8(std::string& text, char32_t value) {
    const auto put = [&](char32_t bits) { text += static_cast<char>(bits); };
    if (value < 0x80) return put(value);
    if (value < 0x800) {
        put(0xC0U | (value >> 6U));
    } else {
        if (value < 0x10000) {
            put(0xE0U | (value >> 12U));
        } else {
            put(0xF0U | (value >> 18U));
            put(0x80U | ((value >> 12U) & 0x3FU));
        }
        put(0x80U | ((value >> 6U) & 0x3FU));
    }
    put(0x80U | (value & 0x3FU));
}

std::size_t count_characters(std::string_view text) {
    std::size_t count = 0;
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        const auto word = load8(text.data() + at);
        // A byte that continues a character is 10xxxxxx.
        const auto continues = (word & ~(word << 1U)) & high_bits;
        count += 8 - static_cast<std::size_t>(std::popcount(continues));
    }
    for (; at < text.size(); ++at) count += (byte_at(text, at) & 0xC0U) != 0x80;
    return count;
}

}  // namespace punie::dataset
