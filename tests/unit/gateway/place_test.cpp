// Where the control socket is, and whether its folder may be trusted.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <map>

#include "base/files.hpp"
#include "gateway/control_place.hpp"
#include "gateway/notify.hpp"

namespace punie::gateway {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::string place(std::map<std::string, std::string> variables) {
    return control_place(
               [&variables](const char* name) -> std::optional<std::string> {
                   const auto found = variables.find(name);
                   if (found == variables.end()) return std::nullopt;
                   return found->second;
               }
    ).native();
}

TEST(ControlPlace, FollowsTheEnvironment) {
    EXPECT_EQ(place({{"PUNIE_CONTROL_SOCKET", "/a/b"}, {"XDG_RUNTIME_DIR", "/run/me"}}), "/a/b");
    EXPECT_EQ(place({{"XDG_RUNTIME_DIR", "/run/me"}}), "/run/me/punie/control.sock");
    EXPECT_THAT(place({}), EndsWith("punie/control.sock"));
    EXPECT_THAT(place({{"XDG_RUNTIME_DIR", "relative"}}), EndsWith("punie/control.sock"));
    EXPECT_THAT(
        place({{"PUNIE_CONTROL_SOCKET", ""}, {"XDG_RUNTIME_DIR", ""}}),
        EndsWith("punie/control.sock")
    );
}

class FolderTest : public testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryFolder::make("punie-place");
        ASSERT_TRUE(made);
        folder_.emplace(*std::move(made));
    }

    std::optional<TemporaryFolder> folder_;
};

TEST_F(FolderTest, IsMadeForUsOnly) {
    const auto socket = folder_->path() / "deep" / "punie" / "control.sock";
    ASSERT_TRUE(prepare_control_folder(socket));
    struct stat found{};
    ASSERT_EQ(::stat(socket.parent_path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0700U);
    EXPECT_TRUE(prepare_control_folder(socket)) << "a second time";
}

TEST_F(FolderTest, OpenForOthersIsRefused) {
    const auto folder = folder_->path() / "open";
    ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
    ASSERT_EQ(::chmod(folder.c_str(), 0777), 0);
    const auto made = prepare_control_folder(folder / "control.sock");
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message(), HasSubstr("open for others to write"));
    ASSERT_EQ(::chmod(folder.c_str(), 01777), 0);
    EXPECT_TRUE(prepare_control_folder(folder / "control.sock")) << "as /tmp is";
}

TEST_F(FolderTest, AFileInItsPlaceIsNamed) {
    const auto file = folder_->path() / "file";
    ASSERT_TRUE(write_atomic(file, "x"));
    const auto made = prepare_control_folder(file / "control.sock");
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message(), HasSubstr("file"));
}

TEST_F(FolderTest, APathTooLongForASocketIsRefusedWithItsLength) {
    const auto made = prepare_control_folder(folder_->path() / std::string(120, 'x'));
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message(), HasSubstr("a Unix socket's path may have"));
}

/// A service manager's end of the socket.
class NotifyTest : public FolderTest {
protected:
    void SetUp() override {
        FolderTest::SetUp();
        path_ = (folder_->path() / "notify").native();
        descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_.copy(address.sun_path, path_.size());
        ASSERT_EQ(
            ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0
        );
    }

    void TearDown() override {
        ::unsetenv("NOTIFY_SOCKET");
        ::unsetenv("WATCHDOG_USEC");
        ::close(descriptor_);
    }

    std::string path_;
    int descriptor_ = -1;
};

TEST_F(NotifyTest, IsToldWhereItAsksForIt) {
    EXPECT_FALSE(notify_service("READY=1"));
    ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
    EXPECT_TRUE(notify_service("READY=1\nSTATUS=listening"));
    std::array<char, 100> heard{};
    const auto count = ::recv(descriptor_, heard.data(), heard.size(), 0);
    EXPECT_EQ(
        std::string_view(heard.data(), static_cast<std::size_t>(count)), "READY=1\nSTATUS=listening"
    );
}

TEST_F(NotifyTest, NobodyThereIsNoFault) {
    ::setenv("NOTIFY_SOCKET", (path_ + "-not").c_str(), 1);
    EXPECT_FALSE(notify_service("READY=1"));
    ::setenv("NOTIFY_SOCKET", "relative", 1);
    EXPECT_FALSE(notify_service("READY=1"));
    ::setenv("NOTIFY_SOCKET", std::string(200, '/').c_str(), 1);
    EXPECT_FALSE(notify_service("READY=1"));
}

TEST_F(NotifyTest, TheWatchdogIsFedTwiceInItsTime) {
    EXPECT_FALSE(watchdog_interval());
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    EXPECT_EQ(watchdog_interval(), std::chrono::seconds(15));
    ::setenv("WATCHDOG_USEC", "soon", 1);
    EXPECT_FALSE(watchdog_interval());
}

}  // namespace
}  // namespace punie::gateway
