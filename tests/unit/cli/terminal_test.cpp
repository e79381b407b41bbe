#include "cli/terminal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"

namespace punie::cli {
namespace {

TEST(ExitCodes, FollowTheKindOfFailure) {
    const auto code = [](ErrorCode kind) {
        return static_cast<int>(exit_code_of(Error(kind, "x")));
    };
    EXPECT_EQ(code(ErrorCode::exited), 1);
    EXPECT_EQ(code(ErrorCode::timeout), 1);
    EXPECT_EQ(code(ErrorCode::out_of_memory), 1);
    EXPECT_EQ(code(ErrorCode::disk_full), 1);
    EXPECT_EQ(code(ErrorCode::invalid_argument), 2);
    EXPECT_EQ(code(ErrorCode::not_found), 2);
    EXPECT_EQ(code(ErrorCode::unsupported), 2);
    EXPECT_EQ(code(ErrorCode::adapter_mismatch), 2);
    EXPECT_EQ(code(ErrorCode::program_missing), 3);
    EXPECT_EQ(code(ErrorCode::connection), 3);
    EXPECT_EQ(code(ErrorCode::cancelled), 130);
}

TEST(ErrorJson, HasEverythingThatAMachineNeeds) {
    auto error = Error(ErrorCode::exited, "the server ended")
                     .with_hint("look")
                     .with_exit_status("exit code 3");
    error = std::move(error).with_log({"one", "two \"quoted\""});
    const auto value = parse_json(error_json(error));
    ASSERT_TRUE(value);
    EXPECT_EQ(string_member(*value, "event"), "error");
    EXPECT_EQ(string_member(*value, "code"), "exited");
    EXPECT_EQ(string_member(*value, "message"), "the server ended");
    EXPECT_EQ(string_member(*value, "hint"), "look");
    EXPECT_EQ(string_member(*value, "exit_status"), "exit code 3");
    ASSERT_NE(member(*value, "log_tail"), nullptr);
    EXPECT_EQ(member(*value, "log_tail")->as_array().size(), 2U);
    EXPECT_EQ(member(*value, "http_status"), nullptr);
}

TEST(Terminal, PaintsNothingWhereThereIsNoTerminal) {
    const Terminal terminal;  // a test's output is a pipe
    if (terminal.stdout_terminal()) GTEST_SKIP() << "run by hand on a terminal";
    EXPECT_EQ(terminal.paint(Colour::red, "text"), "text");
    EXPECT_FALSE(
        terminal.interactive() && !terminal.stdout_terminal() &&
        terminal.paint(Colour::red, "x") != "x"
    );
}

}  // namespace
}  // namespace punie::cli
