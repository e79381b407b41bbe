#include "dataset/words.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "dataset/bytes.hpp"

namespace punie::dataset {

namespace {

constexpr std::size_t fewest_words = 10;
constexpr std::size_t code_like = 16;
constexpr std::uint32_t empty_bin = std::numeric_limits<std::uint32_t>::max();

bool is_word_byte(char byte) {
    const auto value = static_cast<unsigned char>(byte);
    const auto lower = value | 0x20U;
    return value >= 0x80 || (lower >= 'a' && lower <= 'z') || (value >= '0' && value <= '9');
}

/// 0xFF in each byte that belongs to a word: ASCII letters, digits, everything above ASCII.
auto word_mask(Bytes16 bytes) {
    constexpr unsigned char letters = 26;
    constexpr unsigned char digits = 10;
    return (((bytes | 0x20) - 'a') < letters) | ((bytes - '0') < digits) | (bytes >= 0x80);
}

std::uint64_t lower_case(std::uint64_t word) {
    return word | ((~word & high_bits) >> 2U);
}

constexpr std::array<std::uint64_t, 9> low_bytes = {
    0,
    0xFF,
    0xFFFF,
    0xFFFFFF,
    0xFFFFFFFF,
    0xFFFFFFFFFF,
    0xFFFFFFFFFFFF,
    0xFFFFFFFFFFFFFF,
    0xFFFFFFFFFFFFFFFF,
};

/// `end` is where the text ends: up to there may be read.
std::uint64_t hash_word(const char* at, std::size_t bytes, const char* end) {
    constexpr std::uint64_t k0 = 0x9e3779b97f4a7c15ULL;
    constexpr std::uint64_t k1 = 0xd6e8feb86659fd93ULL;
    std::uint64_t hash = bytes * k0;
    for (; bytes > 16; at += 8, bytes -= 8) hash = mix64(hash ^ lower_case(load8(at)));
    // Two loads and what is too much cut off, without a branch on the length: it cannot be
    // foreseen.
    const auto head = std::min<std::size_t>(bytes, 8);
    const auto tail = bytes - head;
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    if (end - at >= 16) {
        first = load8(at) & low_bytes[head];
        second = load8(at + 8) & low_bytes[tail];
    } else {
        first = load_part(at, head);
        second = load_part(at + head, tail);
    }
    return (hash ^ (lower_case(first) + lower_case(second) * k0)) * k1;
}

bool is_cjk(char first) {
    const auto byte = static_cast<unsigned char>(first);
    return byte >= 0xE3 && byte <= 0xE9;
}

/// Eight bytes at a time: continuing bytes are below 0xC0, so a byte in the range leads.
bool has_cjk(std::string_view run) {
    constexpr std::uint64_t low7 = ~high_bits;
    constexpr unsigned char to_carry = 0x80 - (0xE3 - 0x80);  // from 0xE3 on the sum carries
    for (std::size_t at = 0; at < run.size(); at += 8) {
        const auto left = run.size() - at;
        const auto word = left >= 8 ? load8(run.data() + at) : load_part(run.data() + at, left);
        // Above E9 are rarer characters: then the bytes decide.
        if ((((word & low7) + every_byte * to_carry) & word & high_bits) != 0)
            return std::ranges::any_of(run, is_cjk);
    }
    return false;
}

std::uint64_t triple_hash(std::uint64_t first, std::uint64_t second, std::uint64_t third) {
    // Hashes of words are products already: one more spreads their sum into the high bits.
    return ((std::rotl(first, 17) + std::rotl(second, 7)) ^ third) * 0x9e3779b97f4a7c15ULL;
}

/// Calls `take(begin, bytes)` for each word of the text.
template <typename Take>
void each_word(std::string_view text, const Take& take) {
    std::size_t begin = 0;
    bool inside = false;
    for (std::size_t base = 0; base < text.size(); base += 64) {
        const auto bits = match_bits(text.data() + base, text.size() - base, word_mask);
        // A set bit here is a border: a word begins or ends.
        auto borders = bits ^ ((bits << 1U) | (inside ? 1U : 0U));
        while (borders != 0) {
            const auto at = base + static_cast<std::size_t>(std::countr_zero(borders));
            borders &= borders - 1;
            if (inside) take(begin, at - begin);
            begin = at;
            inside = !inside;
        }
    }
    if (inside) take(begin, text.size() - begin);
}

}  // namespace

void WordHasher::start(bool sketching) {
    hash_ = 0;
    before_ = 0;
    before_that_ = 0;
    words_ = 0;
    sketching_ = sketching;
    long_word_ = false;
    if (sketching) least_.fill(empty_bin);
}

namespace {

/// What changes with each word, in registers as long as a text lasts.
template <bool sketching>
struct Rolling {
    std::uint64_t hash;
    std::uint64_t before;
    std::uint64_t before_that;
    std::size_t words;
    bool long_word;
    std::uint32_t* least;

    void add(std::uint64_t word) {
        const auto triple = triple_hash(before_that, before, word);
        // A sum, and order counts all the same: triples overlap. The shift undoes that products add
        // up.
        hash += triple ^ (triple >> 29U);
        ++words;
        before_that = before;
        before = word;
        if constexpr (sketching) {
            auto& bin = least[triple >> 59U];
            bin = std::min(bin, static_cast<std::uint32_t>(triple >> 27U));
        }
    }

    /// Runs above ASCII: Chinese and Japanese characters are words each.
    void add_wide(std::string_view run, const char* text_end) {
        if (!has_cjk(run)) return add(hash_word(run.data(), run.size(), text_end));
        for (std::size_t at = 0; at < run.size();) {
            std::size_t end = at;
            if (is_cjk(run[at])) {
                end = std::min(at + 3, run.size());
            } else {
                while (end < run.size() && !is_cjk(run[end])) ++end;
            }
            add(hash_word(run.data() + at, end - at, text_end));
            at = end;
        }
    }

    void take(std::string_view text) {
        const char* const end = text.data() + text.size();
        each_word(text, [&](std::size_t begin, std::size_t bytes) __attribute__((always_inline)) {
            const char* word = text.data() + begin;
            if (static_cast<unsigned char>(*word) >= 0x80) return add_wide({word, bytes}, end);
            long_word = long_word || bytes >= code_like;
            add(hash_word(word, bytes, end));
        });
    }
};

}  // namespace

template <bool sketching>
void WordHasher::take(std::string_view text) {
    Rolling<sketching> rolling{hash_, before_, before_that_, words_, long_word_, least_.data()};
    rolling.take(text);
    // Texts must not run into each other: "ab" + "c" is not "a" + "bc".
    hash_ = mix64(rolling.hash + 1);
    before_ = rolling.before;
    before_that_ = rolling.before_that;
    words_ = rolling.words;
    long_word_ = rolling.long_word;
}

void WordHasher::add(std::string_view text) {
    sketching_ ? take<true>(text) : take<false>(text);
}

std::optional<Sketch> WordHasher::sketch() const {
    if (!sketching_ || words_ < fewest_words) return std::nullopt;
    Sketch sketch{};
    for (std::size_t bin = 0; bin < sketch_bins; ++bin) {
        std::size_t from = bin;
        while (least_[from] == empty_bin) from = (from + 1) % sketch_bins;
        const auto distance = static_cast<std::uint32_t>(from - bin);
        sketch[bin] = static_cast<std::uint16_t>(mix64(least_[from] + (distance << 20U)) >> 32U);
    }
    return sketch;
}

double similarity(const Sketch& one, const Sketch& other) {
    std::size_t equal = 0;
    for (std::size_t bin = 0; bin < sketch_bins; ++bin) equal += one[bin] == other[bin] ? 1 : 0;
    return static_cast<double>(equal) / static_cast<double>(sketch_bins);
}

std::vector<std::uint64_t> triples_of(std::string_view text) {
    std::vector<std::uint64_t> words;
    std::size_t at = 0;
    const auto in_word = [&](std::size_t place) { return is_word_byte(text[place]); };
    while (at < text.size()) {
        auto end = at;
        if (!in_word(at)) {
            ++at;
            continue;
        }
        if (is_cjk(text[at])) {
            end = std::min(at + 3, text.size());
        } else {
            while (end < text.size() && in_word(end) && !is_cjk(text[end])) ++end;
        }
        words.push_back(hash_word(text.data() + at, end - at, text.data() + text.size()));
        at = end;
    }
    std::vector<std::uint64_t> triples;
    triples.reserve(words.size());
    for (std::size_t place = 2; place < words.size(); ++place)
        triples.push_back(triple_hash(words[place - 2], words[place - 1], words[place]));
    std::ranges::sort(triples);
    triples.erase(std::ranges::unique(triples).begin(), triples.end());
    return triples;
}

double exact_similarity(std::string_view one, std::string_view other) {
    const auto first = triples_of(one);
    const auto second = triples_of(other);
    std::vector<std::uint64_t> common;
    std::ranges::set_intersection(first, second, std::back_inserter(common));
    const auto all = first.size() + second.size() - common.size();
    return all == 0 ? 0 : static_cast<double>(common.size()) / static_cast<double>(all);
}

}  // namespace punie::dataset
