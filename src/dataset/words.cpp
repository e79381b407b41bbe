#include "dataset/words.hpp"

#include <algorithm>
#include <limits>

#include "dataset/bytes.hpp"

namespace punie::dataset {

namespace {

constexpr std::size_t fewest_words = 10;
constexpr std::size_t code_like = 16;
constexpr std::uint32_t empty_bin = std::numeric_limits<std::uint32_t>::max();

/// High bit set in each byte that belongs to a word: ASCII letters, digits, everything above ASCII.
std::uint64_t word_bytes(std::uint64_t word) {
    const auto above = word & high_bits;
    const auto low = word & ~high_bits;
    const auto lower = low | (every_byte * 0x20);
    // x + (128 - a) has its high bit set where x >= a, as x is below 128.
    const auto letters = (lower + every_byte * (128 - 'a')) & ~(lower + every_byte * (127 - 'z'));
    const auto digits = (low + every_byte * (128 - '0')) & ~(low + every_byte * (127 - '9'));
    return (letters | digits | above) & high_bits;
}

/// The eight high bits side by side.
std::uint64_t gather(std::uint64_t marks) {
    return ((marks >> 7U) * 0x0102040810204080ULL) >> 56U;
}

std::uint64_t lower_case(std::uint64_t word) {
    return word | ((~word & high_bits) >> 2U);
}

/// `end` is where the text ends: up to there may be read.
std::uint64_t hash_word(const char* at, std::size_t bytes, const char* end) {
    std::uint64_t hash = bytes * 0x9e3779b97f4a7c15ULL;
    for (; bytes > 8; at += 8, bytes -= 8) hash = mix64(hash ^ lower_case(load8(at)));
    // Eight bytes at once and what is too much cut off: a copy of `bytes` bytes would be a call.
    const auto last =
        end - at >= 8 ? load8(at) & (~0ULL >> (64 - 8 * bytes)) : load_part(at, bytes);
    return (hash ^ lower_case(last)) * 0xd6e8feb86659fd93ULL;
}

bool is_cjk(char first) {
    const auto byte = static_cast<unsigned char>(first);
    return byte >= 0xE3 && byte <= 0xE9;
}

std::uint64_t triple_hash(std::uint64_t first, std::uint64_t second, std::uint64_t third) {
    return mix64(std::rotl(first, 17) + std::rotl(second, 7) * 3 + third);
}

/// Calls `take(begin, bytes)` for each run of set bits.
template <typename Take>
void each_run(const std::vector<std::uint64_t>& marks, std::size_t blocks, const Take& take) {
    std::size_t begin = std::string_view::npos;
    for (std::size_t block = 0; block < blocks; ++block) {
        // A set bit here is a border: a word begins or ends.
        const auto bits = marks[block];
        const std::uint64_t carry = begin != std::string_view::npos ? 1 : 0;
        auto borders = bits ^ ((bits << 1U) | carry);
        while (borders != 0) {
            const auto at = block * 64 + static_cast<std::size_t>(std::countr_zero(borders));
            borders &= borders - 1;
            if (begin == std::string_view::npos) {
                begin = at;
            } else {
                take(begin, at - begin);
                begin = std::string_view::npos;
            }
        }
    }
    if (begin != std::string_view::npos) take(begin, blocks * 64 - begin);
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

void WordHasher::mark(std::string_view text) {
    const auto blocks = text.size() / 64 + 1;
    if (marks_.size() < blocks) marks_.resize(blocks + blocks / 2);
    const char* at = text.data();
    std::size_t left = text.size();
    std::size_t block = 0;
    for (; left >= 64; ++block, at += 64, left -= 64) {
        std::uint64_t bits = 0;
        for (unsigned part = 0; part < 8; ++part)
            bits |= gather(word_bytes(load8(at + std::size_t{part} * 8))) << (part * 8);
        marks_[block] = bits;
    }
    for (; block < blocks; ++block) {
        std::uint64_t bits = 0;
        for (unsigned part = 0; part < 8 && left > 0; ++part) {
            const auto count = std::min<std::size_t>(left, 8);
            const auto word = count == 8 ? load8(at) : load_part(at, count);
            bits |= gather(word_bytes(word)) << (part * 8);
            at += count;
            left -= count;
        }
        marks_[block] = bits;
    }
}

void WordHasher::take_hash(std::uint64_t word) {
    hash_ = (std::rotl(hash_, 5) ^ word) * 0x9e3779b97f4a7c15ULL;
    ++words_;
    if (sketching_) {
        const auto triple = triple_hash(before_that_, before_, word);
        auto& least = least_[triple >> 59U];
        least = std::min(least, static_cast<std::uint32_t>(triple >> 8U));
        before_that_ = before_;
        before_ = word;
    }
}

void WordHasher::take_cjk(const char* word, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes;) {
        std::size_t end = at;
        if (is_cjk(word[at])) {
            end = std::min(at + 3, bytes);
        } else {
            while (end < bytes && !is_cjk(word[end])) ++end;
        }
        take_hash(hash_word(word + at, end - at, word + bytes));
        at = end;
    }
}

void WordHasher::take(const char* word, std::size_t bytes, const char* end) {
    if (bytes >= code_like) long_word_ = true;
    if (static_cast<unsigned char>(*word) >= 0x80) return take_cjk(word, bytes);
    take_hash(hash_word(word, bytes, end));
}

void WordHasher::take_runs(std::string_view text) {
    each_run(marks_, text.size() / 64 + 1, [&](std::size_t begin, std::size_t bytes) {
        take(text.data() + begin, bytes, text.data() + text.size());
    });
}

void WordHasher::add(std::string_view text) {
    mark(text);
    take_runs(text);
    // Texts must not run into each other: "ab" + "c" is not "a" + "bc".
    hash_ = std::rotl(hash_, 9) + 1;
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
    const auto in_word = [&](std::size_t place) {
        return word_bytes(static_cast<unsigned char>(text[place])) != 0;
    };
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
