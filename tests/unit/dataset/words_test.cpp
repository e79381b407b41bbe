// Sketches against the exact similarity, hashes against case and punctuation.
#include "dataset/words.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dataset/seen.hpp"

namespace punie::dataset {
namespace {

std::uint64_t hash_of(std::string_view text) {
    WordHasher words;
    words.start(false);
    words.add(text);
    return words.hash();
}

Sketch sketch_of(std::string_view text) {
    WordHasher words;
    words.start(true);
    words.add(text);
    return words.sketch().value();
}

std::vector<std::string> some_words(std::mt19937_64& random, std::size_t count) {
    std::vector<std::string> words;
    words.reserve(count);
    for (std::size_t place = 0; place < count; ++place)
        words.push_back(fmt::format("w{}", random() % 5000));
    return words;
}

std::string text_of(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, " "));
}

TEST(Words, EqualButForCaseSpaceAndPunctuation) {
    EXPECT_EQ(hash_of("Hello, world!"), hash_of("hello   WORLD"));
    EXPECT_EQ(hash_of("a-b.c"), hash_of("A b\nC"));
    EXPECT_EQ(hash_of(std::string(200, ' ') + "x"), hash_of("x"));
    EXPECT_NE(hash_of("hello world"), hash_of("helloworld"));
    EXPECT_NE(hash_of("hello world"), hash_of("world hello"));
    EXPECT_NE(hash_of("Straße 5"), hash_of("Strasse 5"));
    EXPECT_NE(hash_of("王"), hash_of("箋")) << "case is ASCII's";
}

TEST(Words, LongWordsCountWhole) {
    const std::string word(70, 'a');
    EXPECT_NE(hash_of(word), hash_of(word + "a"));
    EXPECT_EQ(hash_of(word), hash_of("  " + word + "."));
    WordHasher words;
    words.start(false);
    words.add("short words only");
    EXPECT_FALSE(words.long_word());
    words.add("AbCdEfGhIjKlMnOpQr");
    EXPECT_TRUE(words.long_word());
    EXPECT_EQ(words.words(), 4U);
}

TEST(Words, TextsDoNotRunIntoEachOther) {
    const auto both = [](std::string_view one, std::string_view other) {
        WordHasher words;
        words.start(false);
        words.add(one);
        words.add(other);
        return words.hash();
    };
    EXPECT_NE(both("a", "b c"), both("a b", "c"));
}

TEST(Words, AJapaneseCharacterIsAWord) {
    WordHasher words;
    words.start(true);
    words.add("ノルウェーの首都はどこですか");
    EXPECT_EQ(words.words(), 14U);
    EXPECT_TRUE(words.sketch().has_value());
}

TEST(Words, ShortTextsHaveNoSketch) {
    WordHasher words;
    words.start(true);
    words.add("one two three");
    EXPECT_FALSE(words.sketch().has_value());
}

/// The mean error over many pairs is small, and single errors are what 32 bins allow (standard
/// error sqrt(s (1 - s) / 32), at most 0.09; five of them are 0.45).
TEST(Words, SketchesEstimateTheSimilarity) {
    std::mt19937_64 random(7);
    double bias = 0;
    constexpr int pairs = 300;
    for (int pair = 0; pair < pairs; ++pair) {
        auto words = some_words(random, 60 + random() % 200);
        const auto one = text_of(words);
        const auto changes = random() % (words.size() / 3);
        for (std::size_t change = 0; change < changes; ++change)
            words[random() % words.size()] = fmt::format("x{}", random() % 5000);
        const auto other = text_of(words);
        const auto error =
            similarity(sketch_of(one), sketch_of(other)) - exact_similarity(one, other);
        EXPECT_LT(std::abs(error), 0.45);
        bias += error / pairs;
    }
    EXPECT_LT(std::abs(bias), 0.03);
}

TEST(Words, ExactSimilarityOfKnownTexts) {
    EXPECT_DOUBLE_EQ(exact_similarity("a b c d", "A, b; c d!"), 1);
    EXPECT_DOUBLE_EQ(exact_similarity("a b c d", "e f g h"), 0);
    EXPECT_DOUBLE_EQ(exact_similarity("a b c d", "a b c e"), 1.0 / 3);  // abc of abc, bcd, bce
    EXPECT_DOUBLE_EQ(exact_similarity("", ""), 0);
}

TEST(Words, NearRowsAreFoundAmongManyOthers) {
    std::mt19937_64 random(11);
    NearIndex index;
    std::vector<std::vector<std::string>> rows;
    for (std::uint32_t line = 1; line <= 3000; ++line) {
        rows.push_back(some_words(random, 100));
        index.nearest_then_add(sketch_of(text_of(rows.back())), line, 0);
    }
    int found = 0;
    int wrong = 0;
    for (std::uint32_t line = 1; line <= 200; ++line) {
        auto words = rows[line - 1];
        words[50] = "changed";
        const auto near = index.nearest(sketch_of(text_of(words)));
        found += near && near->line == line ? 1 : 0;
        const auto other = index.nearest(sketch_of(text_of(some_words(random, 100))));
        wrong += other && other->similarity > 0.5 ? 1 : 0;
    }
    EXPECT_GE(found, 199) << "similarity 0.94";
    EXPECT_EQ(wrong, 0);
}

TEST(SeenTable, KeepsTheFirst) {
    SeenTable table(1000);
    for (std::uint32_t row = 1; row <= 1500; ++row)
        EXPECT_FALSE(table.find_or_add(row * 977ULL, {row, 0}).has_value());
    EXPECT_EQ(table.size(), 1000U);
    EXPECT_EQ(table.find_or_add(977, {9, 9})->line, 1U);
    EXPECT_EQ(table.find(1000 * 977ULL)->line, 1000U);
    EXPECT_FALSE(table.find(1001 * 977ULL).has_value()) << "beyond the limit nothing is kept";
    EXPECT_FALSE(table.find_or_add(0, {1, 1}).has_value());
    EXPECT_FALSE(table.find(0).has_value());
}

}  // namespace
}  // namespace punie::dataset
