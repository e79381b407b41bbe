// Eight and sixty-four bytes at a time against a byte at a time.
#include "dataset/utf8.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "dataset/bytes.hpp"
#include "dataset/marks.hpp"
#include "dataset/words.hpp"

namespace punie::dataset {
namespace {

/// Table 3-7 of the Unicode standard, row by row.
std::optional<std::size_t> reference(std::string_view text) {
    const auto byte = [&](std::size_t at) {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const auto in = [&](std::size_t at, unsigned low, unsigned high) {
        return byte(at) >= low && byte(at) <= high;
    };
    for (std::size_t at = 0; at < text.size();) {
        const auto first = byte(at);
        std::size_t bytes = 0;
        if (first < 0x80)
            bytes = 1;
        else if (first >= 0xC2 && first <= 0xDF && in(at + 1, 0x80, 0xBF))
            bytes = 2;
        else if (first == 0xE0 && in(at + 1, 0xA0, 0xBF) && in(at + 2, 0x80, 0xBF))
            bytes = 3;
        else if (first >= 0xE1 && first <= 0xEC && in(at + 1, 0x80, 0xBF) && in(at + 2, 0x80, 0xBF))
            bytes = 3;
        else if (first == 0xED && in(at + 1, 0x80, 0x9F) && in(at + 2, 0x80, 0xBF))
            bytes = 3;
        else if (first >= 0xEE && first <= 0xEF && in(at + 1, 0x80, 0xBF) && in(at + 2, 0x80, 0xBF))
            bytes = 3;
        else if (first == 0xF0 && in(at + 1, 0x90, 0xBF) && in(at + 2, 0x80, 0xBF) &&
                 in(at + 3, 0x80, 0xBF))
            bytes = 4;
        else if (first >= 0xF1 && first <= 0xF3 && in(at + 1, 0x80, 0xBF) &&
                 in(at + 2, 0x80, 0xBF) && in(at + 3, 0x80, 0xBF))
            bytes = 4;
        else if (first == 0xF4 && in(at + 1, 0x80, 0x8F) && in(at + 2, 0x80, 0xBF) &&
                 in(at + 3, 0x80, 0xBF))
            bytes = 4;
        if (bytes == 0) return at;
        at += bytes;
    }
    return std::nullopt;
}

std::string random_text(std::mt19937_64& random, std::size_t characters) {
    static constexpr std::array<char32_t, 10> starts = {
        0x20, 0x61, 0x80, 0x400, 0x7FF, 0x800, 0x4E00, 0xD7FF, 0xFFFD, 0x1F600
    };
    std::string text;
    for (std::size_t place = 0; place < characters; ++place) {
        const auto run = random() % 3 == 0 ? 20 : 1;
        const auto start = starts.at(random() % starts.size());
        for (int again = 0; again < run; ++again) append_utf8(text, start);
    }
    return text;
}

TEST(Utf8, ValidTextsAndDamagedOnes) {
    std::mt19937_64 random(5);
    for (int round = 0; round < 3000; ++round) {
        auto text = random_text(random, 1 + random() % 60);
        ASSERT_EQ(invalid_utf8(text), reference(text));
        ASSERT_FALSE(invalid_utf8(text).has_value());
        for (int damage = 0; damage < 3; ++damage) {
            text[random() % text.size()] = static_cast<char>(random() % 256);
            ASSERT_EQ(invalid_utf8(text), reference(text)) << round;
        }
        const auto cut = text.substr(0, random() % text.size());
        ASSERT_EQ(invalid_utf8(cut), reference(cut));
    }
}

TEST(Utf8, CountsCharacters) {
    std::mt19937_64 random(6);
    for (int round = 0; round < 200; ++round) {
        const auto text = random_text(random, random() % 60);
        std::size_t count = 0;
        for (std::size_t at = 0; at < text.size(); ++count) at += code_point_at(text, at).bytes;
        EXPECT_EQ(count_characters(text), count);
        EXPECT_EQ(
            is_ascii(text), count == text.size() && text.find_first_of('\x80') == std::string::npos
        );
    }
}

TEST(Utf8, HashesDependOnEveryByteAndTheLength) {
    std::string text(100, 'a');
    for (std::size_t size = 0; size <= text.size(); ++size) {
        const auto whole = hash_bytes(text.data(), size);
        EXPECT_NE(whole, hash_bytes(text.data(), size, 1));
        if (size > 0) EXPECT_NE(whole, hash_bytes(text.data(), size - 1));
        for (std::size_t place = 0; place < size; ++place) {
            text[place] = 'b';
            EXPECT_NE(hash_bytes(text.data(), size), whole) << size << " " << place;
            text[place] = 'a';
        }
    }
}

TEST(Marks, AreFoundAtEveryPlaceOfALongText) {
    for (std::size_t before = 0; before < 140; ++before) {
        const auto text = std::string(before, 'x') + "\u200B" + std::string(before % 7, 'y');
        std::vector<TextMark> marks;
        look_at_text(text, {.signs = signs_of(text)}, marks);
        ASSERT_EQ(marks.size(), 1U) << before;
        EXPECT_EQ(marks[0].code, "D502");
        EXPECT_EQ(marks[0].at, before);
        const auto token = std::string(before, 'x') + "<|eot_id|>";
        marks.clear();
        look_at_text(token, {.signs = signs_of(token)}, marks);
        ASSERT_EQ(marks.size(), 1U) << before;
        EXPECT_EQ(marks[0].at, before);
    }
}

TEST(Words, DependOnNothingButTheirLetters) {
    std::string spaced;
    std::string other;
    for (std::size_t length = 1; length < 40; ++length) {
        std::string word;
        for (std::size_t place = 0; place < length; ++place)
            word += static_cast<char>('a' + (length * 7 + place * 3) % 26);
        spaced += word + " ";
        other += "(" + word + "), ";
        WordHasher words;
        WordHasher again;
        words.start(true);
        again.start(true);
        words.add(spaced);
        again.add(other + std::string(length % 20, '-'));
        ASSERT_EQ(words.hash(), again.hash()) << length;
        ASSERT_EQ(words.sketch(), again.sketch());
        ASSERT_EQ(words.words(), length);
    }
    EXPECT_EQ(triples_of(spaced), triples_of(other));
}

}  // namespace
}  // namespace punie::dataset
