#include <gtest/gtest.h>
#include <punie/error.hpp>

#include <set>
#include <string>

namespace punie {
namespace {

TEST(ErrorCodes, HaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (int code = 0; code <= static_cast<int>(ErrorCode::state); ++code) {
        names.insert(name_of(static_cast<ErrorCode>(code)));
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::state) + 1);
    EXPECT_EQ(name_of(ErrorCode::invalid_argument), "invalid_argument");
    EXPECT_EQ(name_of(ErrorCode::port_in_use), "port_in_use");
    EXPECT_EQ(name_of(ErrorCode::timeout), "timeout");
    EXPECT_EQ(name_of(ErrorCode::http_status), "http_status");
    EXPECT_EQ(name_of(ErrorCode::state), "state");
}

TEST(Errors, KeepWhatTheyAreGiven) {
    const auto error = Error(ErrorCode::exited, "the server ended")
                           .in("mlx")
                           .in("serve")
                           .with_hint("try again")
                           .with_log({"one", "two"})
                           .with_exit_status("exit code 2")
                           .with_http_status(503);
    EXPECT_EQ(error.code(), ErrorCode::exited);
    EXPECT_EQ(error.message(), "serve: mlx: the server ended");
    EXPECT_EQ(error.hint(), "try again");
    EXPECT_EQ(error.log_tail(), (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(error.exit_status(), "exit code 2");
    EXPECT_EQ(error.http_status(), 503);
}

TEST(Errors, DescribeThemselvesWhole) {
    const Error plain(ErrorCode::io, "no");
    EXPECT_EQ(plain.describe(), "no");
    const auto full = Error(ErrorCode::exited, "ended").with_log({"a", "b"}).with_hint("do this");
    EXPECT_EQ(full.describe(), "ended\n  its last lines:\n  | a\n  | b\nhint: do this");
}

TEST(Fail, MakesAnErrorResult) {
    const Result<int> result = fail(ErrorCode::not_found, "gone", "look elsewhere");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::not_found);
    EXPECT_EQ(result.error().message(), "gone");
    EXPECT_EQ(result.error().hint(), "look elsewhere");
}

}  // namespace
}  // namespace punie
