#pragma once
// Eight bytes at a time: what makes a pass over text cheap without code for each processor.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace punie::dataset {

static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");

inline constexpr std::uint64_t every_byte = 0x0101010101010101ULL;
inline constexpr std::uint64_t high_bits = 0x8080808080808080ULL;

inline std::uint64_t load8(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

/// The bytes of [at, at + count), count below 8; the rest is 0.
inline std::uint64_t load_part(const char* at, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, count);
    return word;
}

/// High bit set where the byte is `wanted`; bits above the first match may be wrong.
inline std::uint64_t bytes_equal(std::uint64_t word, unsigned char wanted) {
    const auto x = word ^ (every_byte * wanted);
    return (x - every_byte) & ~x & high_bits;
}

/// High bit set where the byte is below `limit` (at most 128); bits above the first may be wrong.
inline std::uint64_t bytes_below(std::uint64_t word, unsigned char limit) {
    return (word - every_byte * limit) & ~word & high_bits;
}

inline std::size_t first_byte(std::uint64_t marks) {
    return static_cast<std::size_t>(std::countr_zero(marks)) / 8;
}

inline std::uint64_t mix64(std::uint64_t x) {
    x ^= x >> 32U;
    x *= 0xd6e8feb86659fd93ULL;
    x ^= x >> 32U;
    return x;
}

/// A hash of bytes for tables in memory and fingerprints; not against an attacker.
inline std::uint64_t hash_bytes(const char* data, std::size_t size, std::uint64_t seed = 0) {
    constexpr std::uint64_t k0 = 0x9e3779b97f4a7c15ULL;
    constexpr std::uint64_t k1 = 0xc2b2ae3d27d4eb4fULL;
    auto a = seed ^ (size * k0);
    auto b = ~seed;
    const char* const end = data + size;
    for (; end - data >= 16; data += 16) {
        a = std::rotl((a ^ load8(data)) * k0, 29);
        b = std::rotl((b ^ load8(data + 8)) * k1, 31);
    }
    if (end - data >= 8) {
        a = std::rotl((a ^ load8(data)) * k0, 29);
        data += 8;
    }
    b = std::rotl((b ^ load_part(data, static_cast<std::size_t>(end - data))) * k1, 31);
    return mix64(mix64(a) + b);
}

}  // namespace punie::dataset
