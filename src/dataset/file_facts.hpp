#pragma once
// What only the rows of a file together show: habits that change from row to row, balance, lengths.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dataset/finding_log.hpp"
#include "dataset/row_check.hpp"

namespace punie::dataset {

/// A few examples of one habit.
struct Habit {
    std::size_t rows = 0;
    std::vector<std::size_t> lines{};  ///< the first three
    std::string example{};

    void add(std::size_t line, std::string_view text = {});
};

class FileFacts {
public:
    void add(const RowFacts& row, std::size_t line);

    /// The findings about the file as a whole.
    void judge(FindingLog& log, std::string_view file) const;

    Format first_format() const { return first_format_; }

    std::string format_name() const;

    std::size_t rows() const { return rows_; }

    struct ToolUse {
        std::size_t declared = 0;  ///< rows
        std::size_t calls = 0;
        std::uint64_t definition = 0;
        std::size_t definitions = 1;
        std::size_t other_line = 0;  ///< where the definition changed first
    };

    const std::map<std::string, ToolUse, std::less<>>& tools() const { return tools_; }

private:
    struct Prompt {
        std::size_t rows = 0;
        std::size_t line = 0;
        std::uint64_t words = 0;  ///< hash of its words
    };

    struct Answer {
        std::size_t count = 0;
        std::size_t line = 0;
        std::string text{};  ///< once it came twice
    };

    void add_tools(const RowFacts& row, std::size_t line);
    void add_calls(const RowFacts& row, std::size_t line);
    void add_system(const RowFacts& row, std::size_t line);
    void add_answer(const RowFacts& row, std::size_t line);
    void judge_system(FindingLog& log, std::string_view file) const;
    void judge_calls(FindingLog& log, std::string_view file) const;
    void judge_tools(FindingLog& log, std::string_view file) const;
    void judge_answers(FindingLog& log, std::string_view file) const;

    Format first_format_ = Format::none;
    bool mixed_ = false;
    std::size_t rows_ = 0;
    std::size_t chat_rows_ = 0;
    Habit with_system_;
    Habit without_system_;
    Habit thinking_;
    Habit not_thinking_;
    Habit preamble_;
    Habit no_preamble_;
    Habit written_calls_;
    Habit structured_calls_;
    Habit string_arguments_;
    Habit object_arguments_;
    Habit calling_;                                      ///< rows with declared tools that call one
    Habit not_calling_;                                  ///< and that do not
    std::unordered_map<std::uint64_t, Prompt> systems_;  ///< at most 256
    std::map<std::string, ToolUse, std::less<>> tools_;  ///< at most 4096
    std::uint64_t last_tools_ = 0;
    std::vector<std::uint64_t> answer_keys_;  ///< heavy hitters, at most 64
    std::vector<Answer> answers_;             ///< beside their keys
    std::size_t answered_rows_ = 0;
    std::uint64_t answer_characters_ = 0;
    std::array<std::uint64_t, 40> answers_of_length_{};  ///< by power of two: rows
    std::array<std::uint64_t, 40> characters_of_length_{};
};

}  // namespace punie::dataset
