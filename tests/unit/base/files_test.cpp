#include "base/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace punie {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A folder for one test.
class Files : public testing::Test {
protected:
    fs::path in(const char* name) const { return folder_.path() / name; }

    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator(folder_.path()))
            all.push_back(entry.path().filename());
        return all;
    }

private:
    TemporaryFolder folder_ = TemporaryFolder::make().value();
};

TEST_F(Files, WhatIsWrittenIsRead) {
    for (const auto& bytes :
         {std::string(), std::string("a\0b\r\n\xff", 6), std::string(1'000'000, 'x')}) {
        ASSERT_TRUE(write_atomic(in("f"), bytes));
        EXPECT_EQ(read_text(in("f")).value(), bytes);
    }
    EXPECT_THAT(names(), testing::ElementsAre("f")) << "no temporary file stays";
}

TEST_F(Files, WritingMakesTheFolders) {
    ASSERT_TRUE(write_atomic(in("a/b/c"), "x"));
    EXPECT_EQ(read_text(in("a/b/c")).value(), "x");
}

TEST_F(Files, WritingIntoTheWorkingFolderNeedsNoPath) {
    const auto before = fs::current_path();
    fs::current_path(in(""));
    EXPECT_TRUE(write_atomic("plain", "x"));
    fs::current_path(before);
    EXPECT_EQ(read_text(in("plain")).value(), "x");
}

TEST_F(Files, ThreadsThatWriteTheSameFileLeaveOneWholeVersion) {
    std::vector<std::thread> writers;
    std::atomic<int> failures = 0;
    for (const char letter : {'a', 'b', 'c', 'd'}) {
        writers.emplace_back([&, letter] {
            const std::string bytes(200'000, letter);
            for (int i = 0; i < 20; ++i) {
                if (!write_atomic(in("f"), bytes)) ++failures;
            }
        });
    }
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(failures, 0);
    const auto text = read_text(in("f")).value();
    EXPECT_EQ(text, std::string(200'000, text.front()));
    EXPECT_THAT(names(), testing::ElementsAre("f"));
}

TEST_F(Files, AMissingFileIsNotFoundAndNamed) {
    const auto text = read_text(in("none"));
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code(), ErrorCode::not_found);
    EXPECT_THAT(text.error().message(), HasSubstr(in("none").native()));
}

TEST_F(Files, AFolderIsNoFile) {
    const auto text = read_text(in(""));
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code(), ErrorCode::io);
}

TEST_F(Files, TheLimitIsKept) {
    ASSERT_TRUE(write_atomic(in("f"), "12345"));
    EXPECT_EQ(read_text(in("f"), 5).value(), "12345");
    const auto text = read_text(in("f"), 4);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code(), ErrorCode::io);
    EXPECT_THAT(text.error().message(), HasSubstr(in("f").native()));
}

TEST_F(Files, AFailedWriteLeavesTheOldFileAndNothingElse) {
    fs::create_directory(in("target"));
    std::ofstream(in("target") / "inside") << "x";
    const auto written = write_atomic(in("target"), "new");
    ASSERT_FALSE(written) << "a folder that is not empty cannot be replaced by a file";
    EXPECT_THAT(written.error().message(), HasSubstr(in("target").native()));
    EXPECT_THAT(names(), testing::ElementsAre("target"));
}

TEST_F(Files, AParentThatIsAFileIsAnError) {
    std::ofstream(in("file")) << "x";
    const auto written = write_atomic(in("file") / "below", "new");
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().message(), HasSubstr("file"));
}

TEST_F(Files, AFileThatGrowsTooLargeIsAnErrorNotASignal) {
    const auto* const before = std::signal(SIGXFSZ, SIG_IGN) == SIG_ERR ? "failed" : nullptr;
    ASSERT_EQ(before, nullptr);
    rlimit old{};
    ::getrlimit(RLIMIT_FSIZE, &old);
    const rlimit small{.rlim_cur = 1000, .rlim_max = old.rlim_max};
    ASSERT_TRUE(write_atomic(in("f"), "old"));
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto written = write_atomic(in("f"), std::string(5000, 'x'));
    ::setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, SIG_DFL);
    ASSERT_FALSE(written);
    EXPECT_EQ(read_text(in("f")).value(), "old");
    EXPECT_THAT(names(), testing::ElementsAre("f"));
}

TEST(ErrnoError, TellsAFullDiskAndAMissingFileApart) {
    EXPECT_EQ(errno_error(ENOSPC, "x").code(), ErrorCode::disk_full);
    EXPECT_EQ(errno_error(EDQUOT, "x").code(), ErrorCode::disk_full);
    EXPECT_EQ(errno_error(ENOENT, "x").code(), ErrorCode::not_found);
    EXPECT_EQ(errno_error(EACCES, "x").code(), ErrorCode::io);
    EXPECT_EQ(errno_error(EACCES, "cannot read f").message(), "cannot read f: Permission denied");
    EXPECT_FALSE(errno_error(ENOSPC, "x").hint().empty());
}

TEST(TemporaryFolders, VanishWithTheirContentAndMove) {
    fs::path path;
    {
        auto folder = TemporaryFolder::make("punie-test").value();
        path = folder.path();
        EXPECT_TRUE(fs::is_directory(path));
        EXPECT_THAT(path.filename().native(), testing::StartsWith("punie-test-"));
        fs::create_directories(path / "a/b");
        std::ofstream(path / "a/b/c") << "x";
        const TemporaryFolder moved = std::move(folder);
        EXPECT_EQ(moved.path(), path);
        EXPECT_TRUE(fs::exists(path));
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST(TemporaryFolders, AnAssignedOneDropsItsOwn) {
    auto first = TemporaryFolder::make().value();
    const auto old = first.path();
    auto second = TemporaryFolder::make().value();
    const auto kept = second.path();
    {
        auto taken = std::move(second);
        first = std::move(taken);
    }
    EXPECT_EQ(first.path(), kept);
    EXPECT_TRUE(fs::exists(kept));
    EXPECT_FALSE(fs::exists(old));
}

// NOLINTBEGIN(concurrency-mt-unsafe): these tests have one thread

/// Sets variables and puts them back.
class Variables {
public:
    Variables() = default;
    Variables(const Variables&) = delete;
    Variables& operator=(const Variables&) = delete;

    void set(const char* name, const char* value) {
        const char* old = std::getenv(name);
        saved_.emplace_back(name, old == nullptr ? std::optional<std::string>() : old);
        if (value == nullptr) {
            ::unsetenv(name);
        } else {
            ::setenv(name, value, 1);
        }
    }

    ~Variables() {
        for (const auto& [name, value] : saved_) {
            if (value) {
                ::setenv(name.c_str(), value->c_str(), 1);
            } else {
                ::unsetenv(name.c_str());
            }
        }
    }

private:
    std::vector<std::pair<std::string, std::optional<std::string>>> saved_;
};

// NOLINTEND(concurrency-mt-unsafe)

TEST(UserFolders, FollowTheVariables) {
    Variables variables;
    variables.set("HOME", "/home/me");
    variables.set("XDG_CACHE_HOME", "/c");
    variables.set("XDG_CONFIG_HOME", "/d");
    variables.set("XDG_STATE_HOME", "/e");
    EXPECT_EQ(cache_folder(), "/c/punie");
    EXPECT_EQ(config_folder(), "/d/punie");
    EXPECT_EQ(state_folder(), "/e/punie");
    for (const char* unset : {static_cast<const char*>(nullptr), "", "relative/path"}) {
        variables.set("XDG_CONFIG_HOME", unset);
        EXPECT_EQ(config_folder(), "/home/me/.config/punie")
            << "the XDG specification ignores relative ones";
    }
}

TEST(UserFolders, NeedNoHome) {
    Variables variables;
    variables.set("HOME", nullptr);
    variables.set("XDG_STATE_HOME", nullptr);
    EXPECT_THAT(state_folder().native(), testing::StartsWith("/tmp/punie-"));
    EXPECT_NE(state_folder(), cache_folder()) << "logs and cached answers do not share a folder";
}

}  // namespace
}  // namespace punie
