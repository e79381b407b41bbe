// A child's life: start, what it sees, how it ends, who waits.
#include "integration/process/support.hpp"

namespace punie::process::testing {

using asio::experimental::awaitable_operators::operator||;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Child : public EachLevel {};

PUNIE_TEST_EACH_LEVEL(Child);

/// Runs the fake to its end; its output.
Task<std::string> output_of(SpawnOptions options) {
    auto child = co_await ManagedChild::spawn(std::move(options));
    if (!child) throw std::runtime_error(child.error().describe());
    co_await child->wait_gone();
    co_return child->output().contents();
}

TEST_P(Child, ExitCodeIsReported) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"print", "hello", "exit", "3"}, level));
        EXPECT_TRUE(child) << child.error().describe();
        EXPECT_GT(child->pid(), 0);
        EXPECT_EQ(child->containment(), level);
        const auto status = co_await child->wait_exit();
        EXPECT_EQ(status, (ExitStatus{.code = 3, .signal = {}}));
        EXPECT_EQ(child->output().contents(), "hello\n")
            << "output is there as soon as the end is known";
        co_await child->wait_gone();
        EXPECT_FALSE(child->tree_alive());
        EXPECT_EQ(child->exit_status(), status);
    }(GetParam()));
}

TEST_P(Child, SignalIsReported) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"signal", "11"}, level));
        EXPECT_EQ((co_await child->wait_exit()).describe(), "signal 11 (Segmentation fault)");
    }(GetParam()));
}

TEST_P(Child, PidIsTheProgramsAsSeenFromHere) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"ready", "hang"}, level));
        EXPECT_TRUE(co_await printed(*child, "ready"));
        EXPECT_THAT(
            slurp(fmt::format("/proc/{}/cmdline", child->pid())), HasSubstr("misbehaving-child")
        );
        EXPECT_THAT(descendants(child->guard_pid()), ::testing::Contains(child->pid()));
        EXPECT_THAT(descendants(::getpid()), ::testing::Contains(child->guard_pid()));
    }(GetParam()));
}

TEST_P(Child, HasOnlyItsOwnDescriptors) {
    const int inheritable = ::dup(0);  // not closed on exec
    EXPECT_EQ(run(output_of(fake({"fds"}, GetParam()))), "fds 0 1 2\n");
    auto options = fake({"fds"}, GetParam());
    options.events = true;
    EXPECT_EQ(run(output_of(options)), "fds 0 1 2 3\n");
    ::close(inheritable);
}

TEST_P(Child, HasASessionOfItsOwnAndTheSameUser) {
    const auto text = run(output_of(fake({"ids"}, GetParam())));
    int pid = 0;
    int group = 0;
    int session = 0;
    int user = -1;
    ASSERT_EQ(
        std::sscanf(
            text.c_str(), "ids pid %d group %d session %d user %d", &pid, &group, &session, &user
        ),
        4
    );
    EXPECT_EQ(group, pid);
    EXPECT_EQ(session, pid);
    EXPECT_EQ(user, static_cast<int>(::getuid()));
}

TEST_P(Child, ProcAgreesWithItsPid) {
    EXPECT_EQ(run(output_of(fake({"proc-self"}, GetParam()))), "proc agrees\n");
}

TEST_P(Child, SeesTheEnvironmentThatWasAsked) {
    ::setenv("PUNIE_TEST_SECRET", "s", 1);
    ::setenv("PUNIE_TEST_KEPT", "kept", 1);
    ::setenv("PUNIE_TEST_CHANGED", "old", 1);
    auto options = fake(
        {"env",
         "PUNIE_TEST_SECRET",
         "env",
         "PUNIE_TEST_KEPT",
         "env",
         "PUNIE_TEST_CHANGED",
         "env",
         "PUNIE_EVENTS_FD"},
        GetParam()
    );
    options.environment["PUNIE_TEST_CHANGED"] = "new";
    options.drop_environment = {"PUNIE_TEST_SECRET"};
    EXPECT_EQ(run(output_of(options)), "(unset)\nkept\nnew\n(unset)\n");
}

TEST_P(Child, WorksInTheFolderThatWasAsked) {
    auto options = fake({"folder"}, GetParam());
    options.working_folder = "/usr/lib";
    EXPECT_EQ(run(output_of(options)), "/usr/lib\n");
}

TEST_P(Child, AnyNumberMayWait) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"ready", "hang"}, level));
        EXPECT_TRUE(co_await printed(*child, "ready"));
        const auto executor = co_await asio::this_coro::executor;
        int woken = 0;
        const auto count = [&](const std::exception_ptr&, auto...) { ++woken; };
        asio::co_spawn(executor, child->wait_exit(), count);
        asio::co_spawn(executor, child->wait_exit(), count);
        asio::co_spawn(executor, child->wait_gone(), count);
        asio::co_spawn(executor, child->wait_gone(), count);
        asio::post(executor, [&] { child->kill(); });
        EXPECT_EQ((co_await child->wait_exit()).signal, SIGKILL);
        EXPECT_TRUE(co_await soon([&] { return woken == 4; }));
    }(GetParam()));
}

TEST_P(Child, AWaitCanBeCancelled) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"hang"}, level));
        asio::steady_timer timer(co_await asio::this_coro::executor, 5ms);
        const auto first = co_await (child->wait_exit() || timer.async_wait(asio::use_awaitable));
        EXPECT_EQ(first.index(), 1U);
        timer.expires_after(5ms);
        const auto second = co_await (child->wait_gone() || timer.async_wait(asio::use_awaitable));
        EXPECT_EQ(second.index(), 1U);
        EXPECT_TRUE(child->tree_alive());
        EXPECT_FALSE(child->exit_status());
    }(GetParam()));
}

TEST_P(Child, DroppingItEndsTheTree) {
    const auto mark = test_mark();
    run([](Containment level, std::string mark_value) -> Task<void> {
        auto options = fake({"daemon", "grandchild", "ready", "hang"}, level);
        options.environment["PUNIE_TEST_MARK"] = mark_value;
        {
            auto child = co_await ManagedChild::spawn(options);
            EXPECT_TRUE(co_await printed(*child, "ready"));
            EXPECT_GE(marked(mark_value).size(), 5U) << "two guards, the program, two more";
        }
    }(GetParam(), mark));
    EXPECT_TRUE(eventually([&] { return marked(mark).empty(); }, 1s));
}

TEST_P(Child, DroppingItWakesWhoWaits) {
    run([](Containment level) -> Task<void> {
        auto spawned = co_await ManagedChild::spawn(fake({"hang"}, level));
        std::optional<ManagedChild> child(std::move(*spawned));
        asio::post(co_await asio::this_coro::executor, [&] { child.reset(); });
        const auto status = co_await child->wait_exit();
        EXPECT_EQ(status.signal, SIGKILL);
    }(GetParam()));
}

TEST_P(Child, DestroyingTheLoopEndsTheTree) {
    const auto mark = test_mark();
    {
        asio::io_context context;
        const auto start = [](Containment level, std::string mark_value) -> Task<void> {
            auto options = fake({"ready", "hang"}, level);
            options.environment["PUNIE_TEST_MARK"] = mark_value;
            auto child = co_await ManagedChild::spawn(options);
            co_await child->wait_gone();
        };
        asio::co_spawn(context, start(GetParam(), mark), [](const std::exception_ptr&) {});
        while (marked(mark).size() < 3) context.run_one_for(10ms);
    }
    EXPECT_TRUE(eventually([&] { return marked(mark).empty(); }, 1s));
}

TEST_P(Child, CancellingTheStartLeavesNothing) {
    const auto mark = test_mark();
    run([](Containment level, std::string mark_value) -> Task<void> {
        auto options = fake({"hang"}, level);
        options.environment["PUNIE_TEST_MARK"] = mark_value;
        asio::steady_timer now(co_await asio::this_coro::executor, 0ms);
        const auto start = [](SpawnOptions given) -> Task<void> {
            auto child = co_await ManagedChild::spawn(std::move(given));
            ADD_FAILURE() << "it was to be cancelled";
        };
        const auto result = co_await (start(options) || now.async_wait(asio::use_awaitable));
        EXPECT_EQ(result.index(), 1U);
    }(GetParam(), mark));
    EXPECT_TRUE(eventually([&] { return marked(mark).empty(); }, 1s));
}

TEST_P(Child, ADescendantOutlivesItsProgramUntilItIsKilled) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"daemon", "exit", "0"}, level));
        EXPECT_TRUE((co_await child->wait_exit()).success());
        EXPECT_TRUE(child->tree_alive());
        asio::steady_timer timer(co_await asio::this_coro::executor, 50ms);
        const auto still = co_await (child->wait_gone() || timer.async_wait(asio::use_awaitable));
        EXPECT_EQ(still.index(), 1U) << "the guard leaves it to us";
        child->kill();
        co_await child->wait_gone();
        EXPECT_FALSE(child->tree_alive());
        EXPECT_TRUE(child->exit_status()->success()) << "how the program ended does not change";
    }(GetParam()));
}

TEST_P(Child, InterruptIsSigint) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"ready", "hang"}, level));
        EXPECT_TRUE(co_await printed(*child, "ready"));
        child->interrupt();
        EXPECT_EQ((co_await child->wait_exit()).signal, SIGINT);
    }(GetParam()));
}

TEST(Containment, IsNamed) {
    EXPECT_EQ(name_of(Containment::pid_namespace), "pid_namespace");
    EXPECT_EQ(name_of(available_containment()), name_of(levels().front()));
}

}  // namespace punie::process::testing
