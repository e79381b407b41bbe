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

/// Sixteen bytes as one value: the compiler makes SSE2 or NEON of it.
using Bytes16 = unsigned char __attribute__((vector_size(16)));

inline Bytes16 load16(const char* at) {
    Bytes16 bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

/// Whether any byte of a comparison's result is set.
template <typename Mask>
bool any_of(Mask mask) {
    std::uint64_t halves[2];
    static_assert(sizeof halves == sizeof mask);
    std::memcpy(halves, &mask, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

/// A bit for each of 8 bytes that are 0 or 0xFF.
inline std::uint64_t gather8(std::uint64_t mask) {
    return ((mask & 0x8040201008040201ULL) * every_byte) >> 56U;
}

/// A bit for each of the 64 bytes at `at` for which `match` (from 16 bytes to a mask) holds; behind
/// the `left` bytes that are there stand zeros.
template <typename Match>
std::uint64_t match_bits(const char* at, std::size_t left, const Match& match) {
    char padded[64] = {};
    if (left < sizeof padded) {
        std::memcpy(padded, at, left);
        at = padded;
    }
    std::uint64_t bits = 0;
    for (unsigned part = 0; part < 4; ++part) {
        const auto mask = match(load16(at + std::size_t{part} * 16));
        std::uint64_t halves[2];
        static_assert(sizeof halves == sizeof mask);
        std::memcpy(halves, &mask, sizeof halves);
        bits |= (gather8(halves[0]) | (gather8(halves[1]) << 8U)) << (part * 16);
    }
    return bits;
}

/// A hash of bytes for tables in memory and fingerprints; not against an attacker.
inline std::uint64_t hash_bytes(const char* data, std::size_t size, std::uint64_t seed = 0) {
    constexpr std::uint64_t k0 = 0x9e3779b97f4a7c15ULL;
    constexpr std::uint64_t k1 = 0xc2b2ae3d27d4eb4fULL;
    auto a = seed ^ (size * k0);
    auto b = ~seed;
    auto c = seed + k1;
    auto d = seed ^ k0;
    const char* const end = data + size;
    const auto turn = [](std::uint64_t lane, const char* at, std::uint64_t by) {
        return std::rotl((lane ^ load8(at)) * by, 29);
    };
    for (; end - data >= 32; data += 32) {  // four chains: none waits for its product
        a = turn(a, data, k0);
        b = turn(b, data + 8, k1);
        c = turn(c, data + 16, k0);
        d = turn(d, data + 24, k1);
    }
    a = mix64(a + std::rotl(c, 17));
    b = mix64(b + std::rotl(d, 41));
    for (; end - data >= 8; data += 8) a = turn(a, data, k0);
    b = std::rotl((b ^ load_part(data, static_cast<std::size_t>(end - data))) * k1, 31);
    return mix64(mix64(a) + b);
}

}  // namespace punie::dataset
