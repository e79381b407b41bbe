// Reading /proc and cgroup files, on texts that tests bring along. Linux only, as the code is.
#ifdef __linux__

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.hpp"
#include "process/proc_linux.hpp"

namespace punie::process {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Proc, NumbersAfterKeys) {
    const std::string status = "Name:\tx\nVmRSS:\t    1234 kB\nRssAnon:\t 12 kB\n";
    EXPECT_EQ(number_after(status, "VmRSS:"), 1234U);
    EXPECT_EQ(number_after(status, "RssAnon:"), 12U);
    EXPECT_EQ(number_after(status, "RSS:"), std::nullopt) << "only at the start of a line";
    EXPECT_EQ(number_after(status, "VmSwap:"), std::nullopt);
    EXPECT_EQ(number_after("inactive_file 77\n", "inactive_file"), 77U);
    EXPECT_EQ(number_after("", "x"), std::nullopt);
}

TEST(Proc, ListeningSocketsOfAPort) {
    const std::string table =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
        "timeout inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        "
        "0 111 1 0 100\n"
        "   1: 0100007F:1F90 0100007F:A000 01 00000000:00000000 00:00000000 00000000  1000        "
        "0 222 1 0 100\n"
        "   2: 0100007F:A000 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        "
        "0 333 1 0 100\n"
        "   3: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        "
        "0 444 1 0 100\n"
        "   4: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        "
        "0 555 1 0 100\n";
    EXPECT_THAT(listening_inodes(table, 8080), ElementsAre(111, 444));
    EXPECT_THAT(listening_inodes(table, 8081), ElementsAre(555));
    EXPECT_THAT(listening_inodes(table, 0xA000), IsEmpty()) << "connected, not listening";
    EXPECT_THAT(listening_inodes("", 8080), IsEmpty());
    EXPECT_THAT(listening_inodes("garbage :1F90 0A\n", 8080), IsEmpty());
}

TEST(Proc, StatOfOurselves) {
    const auto stat = read_stat(::getpid());
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->parent, ::getppid());
    EXPECT_EQ(stat->state, 'R');
    EXPECT_FALSE(read_stat(0));
    EXPECT_FALSE(process_alive(0));
}

class Memory : public ::testing::Test {
protected:
    void SetUp() override {
        write("proc/meminfo", "MemTotal: 16000000 kB\nMemFree: 1 kB\nMemAvailable: 8000000 kB\n");
    }

    void write(const std::string& file, const std::string& text) const {
        ASSERT_TRUE(write_atomic(folder_.path() / file, text));
    }

    MachineMemory memory() const { return machine_memory_under(folder_.path()); }

    static constexpr std::uint64_t total = 16'000'000ULL * 1024;
    static constexpr std::uint64_t available = 8'000'000ULL * 1024;

private:
    TemporaryFolder folder_ = TemporaryFolder::make().value();
};

TEST_F(Memory, WithoutAContainer) {
    EXPECT_EQ(memory().total, total);
    EXPECT_EQ(memory().available, available);
    EXPECT_EQ(memory().working_set, total);
    EXPECT_FALSE(memory().limited_by_container);
}

TEST_F(Memory, CgroupTwo) {
    write("proc/self/cgroup", "0::/\n");
    write("sys/fs/cgroup/memory.max", "4000000000\n");
    write("sys/fs/cgroup/memory.current", "1500000000\n");
    write("sys/fs/cgroup/memory.stat", "anon 1\ninactive_file 500000000\n");
    EXPECT_EQ(memory().total, 4'000'000'000U);
    EXPECT_EQ(memory().available, 3'000'000'000U) << "file pages are given back when needed";
    EXPECT_TRUE(memory().limited_by_container);
}

TEST_F(Memory, CgroupTwoWithoutALimit) {
    write("proc/self/cgroup", "0::/user.slice\n");
    write("sys/fs/cgroup/user.slice/memory.max", "max\n");
    EXPECT_EQ(memory().total, total);
    EXPECT_FALSE(memory().limited_by_container);
}

TEST_F(Memory, TheTightestOfTheParentsCounts) {
    write("proc/self/cgroup", "0::/a/b/c\n");
    write("sys/fs/cgroup/a/memory.max", "2000000000\n");
    write("sys/fs/cgroup/a/memory.current", "0\n");
    write("sys/fs/cgroup/a/b/memory.max", "max\n");
    write("sys/fs/cgroup/a/b/c/memory.max", "3000000000\n");
    EXPECT_EQ(memory().total, 2'000'000'000U);
}

TEST_F(Memory, CgroupOne) {
    write("proc/self/cgroup", "5:cpu:/x\n4:hugetlb,memory:/docker/abc\n0::/\n");
    write(
        "sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000000\n"
    );  // seen from inside: the path leads nowhere
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", "400000000\n");
    write("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 100000000\n");
    EXPECT_EQ(memory().total, 1'000'000'000U);
    EXPECT_EQ(memory().available, 700'000'000U);
}

TEST_F(Memory, CgroupOneUnlimited) {
    write("proc/self/cgroup", "4:memory:/\n");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    EXPECT_FALSE(memory().limited_by_container);
}

TEST_F(Memory, UsedUpMeansNothingLeft) {
    write("proc/self/cgroup", "0::/\n");
    write("sys/fs/cgroup/memory.max", "1000\n");
    write("sys/fs/cgroup/memory.current", "5000\n");
    EXPECT_EQ(memory().available, 0U);
}

TEST_F(Memory, WithoutProcAtAll) {
    write("proc/meminfo", "");
    EXPECT_EQ(memory().total, 0U);
    EXPECT_FALSE(memory().limited_by_container);
}

}  // namespace punie::process

#endif
