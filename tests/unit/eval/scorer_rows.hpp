#pragma once
// A table of judgements: one row, one case.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "eval/scorer.hpp"

namespace punie::eval {

inline std::shared_ptr<const Scorer> scorer(
    std::string_view name, std::string_view parameters, const json::array* tools = nullptr
) {
    auto made = make_scorer(name, json::parse(parameters), ScorerContext{tools});
    EXPECT_TRUE(made) << name << " " << parameters << ": " << (made ? "" : made.error().message());
    return made ? *made : nullptr;
}

/// What the maker says of bad parameters.
inline std::string refusal(
    std::string_view name, std::string_view parameters, const json::array* tools = nullptr
) {
    const auto made = make_scorer(name, json::parse(parameters), ScorerContext{tools});
    if (made) return "made";
    return made.error().hint().empty()
               ? made.error().message()
               : fmt::format("{} ({})", made.error().message(), made.error().hint());
}

struct TextRow {
    std::string_view parameters;
    std::string_view answer;
    std::string_view verdict;   ///< "passed", "failed", "unparsed"
    std::string_view reason{};  ///< a part of it
    std::string_view extracted{};
};

inline std::string_view verdict_of(const Judgement& judgement) {
    if (judgement.unparsed) return "unparsed";
    return judgement.passed ? "passed" : "failed";
}

inline void check_texts(std::string_view name, std::span<const TextRow> rows) {
    for (const auto& row : rows) {
        const auto judge = scorer(name, row.parameters);
        ASSERT_NE(judge, nullptr);
        const auto judgement = judge->judge(openai::read_text_answer(row.answer));
        EXPECT_EQ(verdict_of(judgement), row.verdict)
            << name << " " << row.parameters << ": " << row.answer << "\n  " << judgement.reason;
        EXPECT_NE(judgement.reason.find(row.reason), std::string::npos)
            << name << " " << row.parameters << ": " << row.answer << "\n  " << judgement.reason;
        if (!row.extracted.empty())
            EXPECT_EQ(judgement.extracted, row.extracted)
                << name << " " << row.parameters << ": " << row.answer;
        EXPECT_EQ(judgement.score == 1, judgement.passed) << row.answer;
        EXPECT_FALSE(judgement.reason.empty()) << row.answer;
    }
}

struct RefusalRow {
    std::string_view parameters;
    std::string_view message;  ///< its beginning
};

inline void check_refusals(
    std::string_view name, std::span<const RefusalRow> rows, const json::array* tools = nullptr
) {
    for (const auto& row : rows) {
        const auto message = refusal(name, row.parameters, tools);
        EXPECT_TRUE(message.starts_with(row.message))
            << name << " " << row.parameters << "\n  found    " << message << "\n  expected "
            << row.message;
    }
}

}  // namespace punie::eval
