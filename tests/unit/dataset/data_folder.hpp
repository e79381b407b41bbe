#pragma once
// Small training sets in a folder that vanishes.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "dataset/validate.hpp"

namespace punie::dataset {

class TestFolder {
public:
    TestFolder() : folder_(*TemporaryFolder::make("punie-data-test")) {}

    const std::filesystem::path& path() const { return folder_.path(); }

    void write(std::string_view name, std::string_view text) const {
        std::ofstream(path() / name, std::ios::binary) << text;
    }

    std::string read(std::string_view name) const { return *read_text(path() / name); }

private:
    TemporaryFolder folder_;
};

/// Questions and answers that have nothing in common.
inline const std::vector<std::pair<std::string, std::string>>& plain_talk() {
    static const std::vector<std::pair<std::string, std::string>> talk = {
        {"Why do cats purr when somebody strokes them?",
         "Mostly because they are content; some purr when they are in pain as well."},
        {"How long should I boil an egg?", "Seven minutes for a yolk that is still a little soft."},
        {"Name the largest lake in Africa.",
         "Lake Victoria, which Kenya, Uganda and Tanzania share."},
        {"What does a compiler do?",
         "It turns the text of a program into instructions for a processor."},
        {"Can you recommend a book about gardens?",
         "The Morville Hours by Katherine Swift is a lovely one."},
        {"Who wrote the opera Carmen?", "Georges Bizet; it was first given in Paris in 1875."},
        {"Explain photosynthesis to a child.",
         "Plants catch sunlight and make their food from air and water with it."},
        {"Is a tomato a fruit?", "To a botanist yes, to a cook no."},
        {"Which planet has the most moons?", "Saturn, as far as anybody has counted until now."},
        {"How do I remove red wine from a carpet?",
         "Dab it with cold water and salt at once, and do not rub."},
        {"What is the plural of index?", "Both indexes and indices are right."},
        {"Why is the sky blue?", "Air scatters short waves of light more than long ones."},
    };
    return talk;
}

inline std::string chat_row(std::string_view question, std::string_view answer) {
    return fmt::format(
        R"({{"messages": [{{"role": "user", "content": "{}"}}, {{"role": "assistant", "content": "{}"}}]}})",
        question,
        answer
    );
}

inline std::string chat_row(std::size_t index) {
    const auto& [question, answer] = plain_talk().at(index);
    return chat_row(question, answer);
}

/// `count` rows from `first` on, a line each.
inline std::string chat_rows(std::size_t count, std::size_t first = 0) {
    std::string text;
    for (std::size_t index = first; index < first + count; ++index) text += chat_row(index) + "\n";
    return text;
}

}  // namespace punie::dataset
