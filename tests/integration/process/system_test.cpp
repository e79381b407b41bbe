// The operating system asked about real sockets and processes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "integration/process/support.hpp"
#ifdef __linux__
#include "process/proc_linux.hpp"
#endif

namespace punie::process::testing {

using ::testing::HasSubstr;
using ::testing::Not;

/// A listening socket of this process.
class Listener {
public:
    explicit Listener(bool listening = true, bool six = false) {
        fd_ = ::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address4{};
        address4.sin_family = AF_INET;
        address4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        sockaddr_in6 address6{};
        address6.sin6_family = AF_INET6;
        address6.sin6_addr = in6addr_loopback;
        const auto* address =
            six ? reinterpret_cast<sockaddr*>(&address6) : reinterpret_cast<sockaddr*>(&address4);
        const socklen_t size = six ? sizeof(address6) : sizeof(address4);
        ok_ = ::bind(fd_, address, size) == 0 && (!listening || ::listen(fd_, 5) == 0);
        sockaddr_in6 bound{};
        socklen_t bound_size = sizeof(bound);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&bound), &bound_size);
        port_ = ntohs(bound.sin6_port);
    }

    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    ~Listener() { ::close(fd_); }

    bool ok() const { return ok_; }

    std::uint16_t port() const { return port_; }

private:
    int fd_ = -1;
    bool ok_ = false;
    std::uint16_t port_ = 0;
};

TEST(Ports, AListenerIsFoundWithItsOwner) {
    const Listener listener;
    EXPECT_TRUE(port_listens(listener.port()));
    const auto holder = port_holder(listener.port());
    ASSERT_TRUE(holder);
    EXPECT_EQ(holder->pid, ::getpid());
    EXPECT_THAT(holder->program, HasSubstr("punie_integration_process"));
    EXPECT_LE(holder->program.size(), 120U);
    EXPECT_TRUE(tree_listens(::getpid(), listener.port()));
}

#ifdef __linux__
TEST(Ports, TheKernelsDiagnosisAgreesWithItsTable) {
    for (const bool listening : {true, false}) {
        const Listener socket(listening);
        const auto diagnosed = diagnosed_listeners(socket.port());
        if (!diagnosed) GTEST_SKIP() << "no socket diagnosis here: the table is used";
        EXPECT_EQ(diagnosed->size(), listening ? 1U : 0U);
        EXPECT_EQ(*diagnosed, listening_inodes(slurp("/proc/net/tcp"), socket.port()));
    }
}
#endif

TEST(Ports, Ipv6IsSeenToo) {
    const Listener listener(true, true);
    if (!listener.ok()) GTEST_SKIP() << "no IPv6 here";
    EXPECT_TRUE(port_listens(listener.port()));
    EXPECT_TRUE(tree_listens(::getpid(), listener.port()));
}

TEST(Ports, ABoundSocketDoesNotListen) {
    const Listener bound(false);
    EXPECT_FALSE(port_listens(bound.port()));
    EXPECT_FALSE(port_holder(bound.port()));
    EXPECT_FALSE(tree_listens(::getpid(), bound.port()));
}

TEST(Ports, AForeignListenerIsNotInTheTree) {
    const Listener listener;
    run([](std::uint16_t port) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"hang"}));
        EXPECT_FALSE(tree_listens(child->guard_pid(), port));
    }(listener.port()));
}

class TreePorts : public EachLevel {};

PUNIE_TEST_EACH_LEVEL(TreePorts);

TEST_P(TreePorts, AChildsListenerIsInItsTree) {
    run([](Containment level) -> Task<void> {
        const auto port = free_port("127.0.0.1");
        SpawnOptions options;
        options.containment = level;
        options.argv = {
            "python3",
            "-c",
            fmt::format(
                "import socket,time\ns=socket.socket()\ns.bind(('127.0.0.1',{}))\ns.listen()\n"
                "time.sleep(600)",
                port
            )
        };
        auto child = co_await ManagedChild::spawn(options);
        EXPECT_TRUE(child) << child.error().describe();
        EXPECT_TRUE(co_await soon([port] { return port_listens(port); }));
        EXPECT_TRUE(tree_listens(child->guard_pid(), port));
        EXPECT_TRUE(tree_listens(child->pid(), port));
        EXPECT_EQ(port_holder(port)->pid, child->pid());
        EXPECT_EQ(bind_error("127.0.0.1", port), EADDRINUSE);
        child->kill();
        co_await child->wait_gone();
        EXPECT_FALSE(port_listens(port));
        EXPECT_EQ(bind_error("127.0.0.1", port), 0);
    }(GetParam()));
}

TEST(Ports, AFreeOneCanBeBound) {
    const auto port = free_port("127.0.0.1");
    EXPECT_GT(port, 0);
    EXPECT_EQ(bind_error("127.0.0.1", port), 0);
    EXPECT_GT(free_port("0.0.0.0"), 0);
    EXPECT_EQ(free_port("203.0.113.1"), 0) << "not an address of this machine";
    EXPECT_EQ(bind_error("203.0.113.1", 1234), EADDRNOTAVAIL);
}

TEST(Tree, UsageGrowsWithTheTree) {
    run([]() -> Task<void> {
        auto child = co_await ManagedChild::spawn(
            fake({"grandchild", "daemon", "flood", "30000000", "ready", "hang"})
        );
        EXPECT_TRUE(co_await printed(*child, "ready"));
        const auto usage = tree_usage(child->guard_pid());
        EXPECT_EQ(usage.processes, 5U);
        EXPECT_EQ(descendants(child->guard_pid()).size(), 4U);
        EXPECT_GT(usage.resident, 1'000'000U);
        EXPECT_GT(usage.anonymous, 0U);
        EXPECT_LT(usage.anonymous, usage.resident + 1);
        child->kill();
        co_await child->wait_gone();
        EXPECT_EQ(tree_usage(child->guard_pid()).processes, 0U);
    }());
}

TEST(Tree, TimeOfEndedChildrenCounts) {
    run([]() -> Task<void> {
        SpawnOptions options;
        options.argv = {
            "sh", "-c", "i=0; (while [ $i -lt 300000 ]; do i=$((i+1)); done); echo ready; sleep 600"
        };
        auto child = co_await ManagedChild::spawn(options);
        EXPECT_TRUE(co_await printed(*child, "ready"));
        EXPECT_GT(tree_usage(child->guard_pid()).cpu.count(), 0.01);
    }());
}

TEST(Processes, AliveMeansNoZombie) {
    EXPECT_TRUE(process_alive(::getpid()));
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    EXPECT_TRUE(eventually([&] { return !process_alive(pid); }));
    ::waitpid(pid, nullptr, 0);
    EXPECT_FALSE(process_alive(pid));
}

TEST(Machine, SaysWhatItIs) {
    const auto memory = machine_memory();
    EXPECT_GT(memory.total, 100'000'000U);
    EXPECT_GT(memory.available, 0U);
    EXPECT_LE(memory.available, memory.total);
    EXPECT_EQ(memory.working_set, memory.total);
    EXPECT_THAT(platform_name(), HasSubstr("Linux"));
    EXPECT_FALSE(processor_name().empty());
    EXPECT_GE(processor_count(), 1U);
    EXPECT_THAT(executable_path(), HasSubstr("punie_integration_process"));
    EXPECT_GT(disk_free("/").value_or(0), 0U);
    EXPECT_FALSE(disk_free("/no/such/folder"));
}

}  // namespace punie::process::testing
