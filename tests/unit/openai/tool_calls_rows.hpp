#pragma once
// A table of answers and what becomes of them: one row, one case.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "openai/tool_calls/answer.hpp"

namespace punie::openai {

struct CallRow {
    std::string_view about;
    std::string_view text;
    /// "name {arguments}" joined by "; "; "name !problem" for a call that is no whole one (a part
    /// of the problem is enough); "" for none.
    std::string_view calls;
    std::string_view visible{};
    std::string_view thinking{};
};

inline std::string calls_of(const Answer& answer) {
    std::string text;
    for (const auto& call : answer.calls) {
        if (!text.empty()) text += "; ";
        text += call.problem.empty()
                    ? fmt::format("{} {}", call.name, json::serialize(call.arguments))
                    : fmt::format("{} !{}", call.name, call.problem);
    }
    return text;
}

/// Whether `found` is as the row says; of problems the row's words must stand in it.
inline bool same_calls(std::string_view found, std::string_view wanted) {
    const auto mark = wanted.find('!');
    if (mark == std::string_view::npos) return found == wanted;
    return found.starts_with(wanted.substr(0, mark + 1)) &&
           found.substr(mark).contains(wanted.substr(mark + 1));
}

inline void check_rows(std::span<const CallRow> rows, std::string_view path) {
    EXPECT_GE(rows.size(), 12U) << path;
    for (const auto& row : rows) {
        const auto answer = read_text_answer(row.text);
        const auto found = calls_of(answer);
        EXPECT_TRUE(same_calls(found, row.calls))
            << path << ", " << row.about << ": " << row.text << "\n  found    " << found
            << "\n  expected " << row.calls;
        EXPECT_EQ(answer.text, row.visible) << path << ", " << row.about << ": " << row.text;
        EXPECT_EQ(answer.thinking, row.thinking) << path << ", " << row.about << ": " << row.text;
        EXPECT_EQ(answer.calls_path, row.calls.empty() ? "" : path)
            << row.about << ": " << row.text;
        if (row.calls.empty()) continue;
        // Asked for alone, the format finds the same.
        EXPECT_EQ(calls_of(read_text_answer(row.text, path)), found) << path << ", " << row.about;
    }
}

}  // namespace punie::openai
