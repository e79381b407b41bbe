#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/files.hpp"
#include "process/output.hpp"

namespace punie::process {

namespace fs = std::filesystem;

class Rotating : public ::testing::Test {
protected:
    std::string text(const std::string& name) const {
        std::ifstream file(folder_.path() / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    bool there(const std::string& name) const { return fs::exists(folder_.path() / name); }

    fs::path path(const std::string& name) const { return folder_.path() / name; }

private:
    TemporaryFolder folder_ = TemporaryFolder::make().value();
};

TEST_F(Rotating, MakesItsFolderAndAppends) {
    RotatingFile(path("a/b/log")).write("one\n");
    RotatingFile(path("a/b/log")).write("two\n");
    EXPECT_EQ(text("a/b/log"), "one\ntwo\n");
}

TEST_F(Rotating, RotatesAtItsLimitAndKeepsSoMany) {
    RotatingFile file(path("log"), 4, 2);
    file.write("aaaabbbbccccdddde");
    EXPECT_EQ(text("log"), "e");
    EXPECT_EQ(text("log.1"), "dddd");
    EXPECT_EQ(text("log.2"), "cccc");
    EXPECT_FALSE(there("log.3"));
    EXPECT_EQ(file.dropped(), 0U);
}

TEST_F(Rotating, ALimitReachedEarlierCounts) {
    std::ofstream(path("log")) << "old!!";
    RotatingFile file(path("log"), 5, 1);
    file.write("new");
    EXPECT_EQ(text("log"), "new");
    EXPECT_EQ(text("log.1"), "old!!");
}

TEST_F(Rotating, KeepingNoneDeletes) {
    RotatingFile file(path("log"), 4, 0);
    file.write("aaaabb");
    EXPECT_EQ(text("log"), "bb");
    EXPECT_FALSE(there("log.1"));
}

TEST_F(Rotating, AFullDiskDropsAndCounts) {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
    RotatingFile file("/dev/full");
    file.write("12345");
    file.write("678");
    EXPECT_EQ(file.dropped(), 8U);
}

TEST_F(Rotating, AFolderThatIsAFileDropsAndCounts) {
    std::ofstream(path("plain")) << "x";
    RotatingFile file(path("plain/log"));
    file.write("12345");
    EXPECT_EQ(file.dropped(), 5U);
}

TEST_F(Rotating, AVanishedFolderIsMadeAgain) {
    RotatingFile file(path("logs/log"));
    file.write("one");
    fs::remove_all(path("logs"));
    file.write("two");
    EXPECT_EQ(text("logs/log"), "two");
}

TEST_F(Rotating, AnotherProgramMayRotateIt) {
    RotatingFile file(path("log"));
    file.write("one");
    fs::rename(path("log"), path("log.old"));
    file.write("two");
    EXPECT_EQ(text("log"), "two");
    EXPECT_EQ(text("log.old"), "one");
}

TEST_F(Rotating, CanBeMoved) {
    RotatingFile first(path("log"));
    first.write("one");
    RotatingFile second(std::move(first));
    second.write("two");
    EXPECT_EQ(text("log"), "onetwo");
    EXPECT_EQ(second.path(), path("log"));
}

}  // namespace punie::process
