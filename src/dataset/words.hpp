#pragma once
// Text as a sequence of words: what makes texts equal but for case and punctuation, and nearly
// equal.
//
// Near-duplicates: MinHash (Broder 1997, "On the resemblance and containment of documents") over
// triples of words, in its one-permutation form (Li, Owen, Zhang 2012, "One permutation hashing"):
// one hash a triple falls into one of 32 bins, which keeps its least. A text whose sketch has empty
// bins borrows from the next one (Shrivastava, Li 2014, "Densifying one permutation hashing").

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace punie::dataset {

inline constexpr std::size_t sketch_bins = 32;
using Sketch = std::array<std::uint16_t, sketch_bins>;

/// Takes the texts of a row one after the other. A word is a run of ASCII letters and digits and of
/// bytes above ASCII; case is ignored in ASCII; a Chinese or Japanese character is a word.
class WordHasher {
public:
    /// `sketching`: the near ones are wanted too (about a third of the cost).
    void start(bool sketching);
    void add(std::string_view text);

    /// Of all words in their order.
    std::uint64_t hash() const { return hash_; }

    std::size_t words() const { return words_; }

    /// A run of 16 or more letters and digits was there: perhaps a key or other code.
    bool long_word() const { return long_word_; }

    /// Nothing for texts of fewer than 10 words: one word more or less says nothing there.
    std::optional<Sketch> sketch() const;

private:
    template <bool sketching>
    void take(std::string_view text);

    std::uint64_t hash_ = 0;
    std::uint64_t before_ = 0;
    std::uint64_t before_that_ = 0;
    std::size_t words_ = 0;
    bool sketching_ = false;
    bool long_word_ = false;
    std::array<std::uint32_t, sketch_bins> least_{};
};

/// Share of equal bins: an estimate of the Jaccard similarity of the two sets of triples (standard
/// error about 0.08).
double similarity(const Sketch& one, const Sketch& other);

/// The exact Jaccard similarity of the two sets of triples.
double exact_similarity(std::string_view one, std::string_view other);

/// Hashes of the text's triples of words, sorted, each once.
std::vector<std::uint64_t> triples_of(std::string_view text);

}  // namespace punie::dataset
