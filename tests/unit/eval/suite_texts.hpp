#pragma once
// Small suites for tests, written into a folder of their own where they need one.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "eval/suite.hpp"

namespace punie::eval {

/// A suite with one prompt that has these further lines (indented by four).
inline std::string one_prompt(std::string_view lines) {
    return fmt::format("prompts:\n  - id: a\n{}", lines);
}

inline Suite suite_from(std::string_view text, const std::filesystem::path& file = "s.yaml") {
    auto suite = parse_suite(text, file);
    EXPECT_TRUE(suite) << suite.error().describe();
    return suite ? *std::move(suite) : Suite{};
}

/// The message; a failure of the test when there is none.
inline std::string faults_of(std::string_view text, const std::filesystem::path& file = "s.yaml") {
    const auto suite = parse_suite(text, file);
    EXPECT_FALSE(suite) << "was accepted: " << text;
    if (suite) return {};
    EXPECT_EQ(suite.error().code(), ErrorCode::invalid_argument);
    return suite.error().message();
}

inline std::string content_of(const Prompt& prompt, std::size_t message = 0) {
    return std::string(prompt.messages.at(message).at("content").as_string());
}

class SuiteFolder : public testing::Test {
protected:
    void SetUp() override {
        auto folder = TemporaryFolder::make();
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
    }

    std::filesystem::path path(std::string_view name) const { return folder_->path() / name; }

    std::filesystem::path write(std::string_view name, std::string_view content) const {
        std::filesystem::create_directories(path(name).parent_path());
        std::ofstream(path(name), std::ios::binary) << content;
        return path(name);
    }

    std::optional<TemporaryFolder> folder_;
};

}  // namespace punie::eval
