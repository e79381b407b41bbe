// Finding programs, marks, exit statuses, the guard's place: no process is started.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/files.hpp"
#include "process/guard_location.hpp"
#include "process/launch.hpp"
#include "process/mark.hpp"

namespace punie::process {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

TEST(ExitStatusText, SaysHowItEnded) {
    EXPECT_EQ((ExitStatus{.code = 2, .signal = {}}).describe(), "exit code 2");
    EXPECT_EQ((ExitStatus{.code = {}, .signal = 9}).describe(), "signal 9 (Killed)");
    EXPECT_TRUE((ExitStatus{.code = 0, .signal = {}}).success());
    EXPECT_FALSE((ExitStatus{.code = {}, .signal = 15}).success());
    EXPECT_FALSE(ExitStatus{}.success());
}

class Programs : public ::testing::Test {
protected:
    fs::path make(const std::string& name, int mode) const {
        const auto path = folder_.path() / name;
        std::ofstream(path) << "#!/bin/sh\n";
        ::chmod(path.c_str(), static_cast<mode_t>(mode));
        return path;
    }

    const fs::path& folder() const { return folder_.path(); }

private:
    TemporaryFolder folder_ = TemporaryFolder::make().value();
};

TEST_F(Programs, AreFoundInPath) {
    EXPECT_TRUE(find_program("sh"));
    EXPECT_TRUE(find_program("sh")->is_absolute());
    EXPECT_FALSE(find_program("no-such-program-anywhere"));
    EXPECT_FALSE(find_program(""));
}

TEST_F(Programs, APathIsTakenAsItIs) {
    EXPECT_EQ(find_program("/bin/sh"), fs::path("/bin/sh"));
    EXPECT_FALSE(find_program("/bin")) << "a folder";
    EXPECT_FALSE(find_program(make("plain", 0644).native())) << "not executable";
    EXPECT_TRUE(find_program(make("tool", 0755).native()));
}

TEST_F(Programs, TheChildsPathIsSearched) {
    make("only-here", 0755);
    SpawnOptions options;
    options.argv = {"only-here"};
    EXPECT_FALSE(resolve(options));
    options.environment["PATH"] = "/nowhere:" + folder().native();
    const auto program = resolve(options);
    ASSERT_TRUE(program);
    EXPECT_EQ(program->path, folder() / "only-here");
    EXPECT_EQ(program->argv, std::vector<std::string>{"only-here"});
}

TEST_F(Programs, EnvironmentIsInheritedDroppedAndSet) {
    ::setenv("PUNIE_UNIT_KEPT", "1", 1);
    ::setenv("PUNIE_UNIT_DROPPED", "1", 1);
    ::setenv("PUNIE_UNIT_SET", "old", 1);
    SpawnOptions options;
    options.argv = {"sh"};
    options.environment["PUNIE_UNIT_SET"] = "new";
    options.drop_environment = {"PUNIE_UNIT_DROPPED"};
    options.events = true;
    const auto program = resolve(options);
    ASSERT_TRUE(program);
    EXPECT_THAT(program->environment, Contains("PUNIE_UNIT_KEPT=1"));
    EXPECT_THAT(program->environment, Contains("PUNIE_UNIT_SET=new"));
    EXPECT_THAT(program->environment, Contains("PUNIE_EVENTS_FD=3"));
    EXPECT_THAT(program->environment, Not(Contains("PUNIE_UNIT_SET=old")));
    EXPECT_THAT(program->environment, Not(Contains("PUNIE_UNIT_DROPPED=1")));
}

struct Failure {
    guard::Stage stage;
    int error_number;
    ErrorCode code;
    const char* words;
};

class StartErrors : public ::testing::TestWithParam<Failure> {};

TEST_P(StartErrors, AreInWords) {
    const Program program{
        .path = "/bin/sh", .argv = {"sh"}, .environment = {}, .folder = "/work/here"
    };
    const auto error = start_error(program, GetParam().stage, GetParam().error_number);
    EXPECT_EQ(error.code(), GetParam().code);
    EXPECT_THAT(error.message() + " " + error.hint(), HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Rows,
    StartErrors,
    ::testing::Values(
        Failure{guard::Stage::folder, ENOENT, ErrorCode::not_found, "/work/here"},
        Failure{guard::Stage::fork, EAGAIN, ErrorCode::io, "ulimit -u"},
        Failure{guard::Stage::contain, EPERM, ErrorCode::unsupported, "containment"},
        Failure{guard::Stage::exec, ENOENT, ErrorCode::program_missing, "loader"},
        Failure{guard::Stage::exec, ENOEXEC, ErrorCode::program_missing, "not a program"},
        Failure{guard::Stage::exec, E2BIG, ErrorCode::io, "too long"},
        Failure{guard::Stage::exec, EIO, ErrorCode::io, "cannot run /bin/sh"},
        Failure{guard::Stage::setup, EMFILE, ErrorCode::io, "prepare"}
    )
);

TEST(Mark, IsFoundAmongOthers) {
    const std::string mark = "1.2.3";
    EXPECT_TRUE(carries_mark(std::string("A=1\0PUNIE_TREE=1.2.3\0B=2\0", 26), mark));
    EXPECT_TRUE(carries_mark("PUNIE_TREE=1.2.3", mark));
    EXPECT_FALSE(carries_mark(std::string("PUNIE_TREE=1.2.34\0", 18), mark));
    EXPECT_FALSE(carries_mark(std::string("XPUNIE_TREE=1.2.3\0", 18), mark));
    EXPECT_FALSE(carries_mark("", mark));
    EXPECT_NE(fresh_mark(), fresh_mark());
}

TEST(Guard, IsFoundWhereItWasBuilt) {
    ::unsetenv("PUNIE_GUARD");
    const auto guard = find_guard();
    ASSERT_TRUE(guard);
    EXPECT_EQ(guard->filename(), "punie-guard");
}

TEST(Guard, TheOneThatIsNamedAndNoOther) {
    ::setenv("PUNIE_GUARD", "/no/such/guard", 1);
    const auto guard = find_guard();
    ::unsetenv("PUNIE_GUARD");
    ASSERT_FALSE(guard);
    EXPECT_EQ(guard.error().code(), ErrorCode::io);
    EXPECT_THAT(guard.error().message(), HasSubstr("/no/such/guard"));
    EXPECT_THAT(guard.error().hint(), HasSubstr("PUNIE_GUARD"));
}

}  // namespace punie::process
