// Nothing that Punie starts outlives it, however it ends. Each test forks a "Punie" that starts a
// tree, kills some of the processes with SIGKILL, and looks one second later for anything that
// carries the tree's mark.
#include <sys/wait.h>

#include "integration/process/support.hpp"
#include "process/launch.hpp"

namespace punie::process::testing {

namespace {

/// What the forked Punie tells about its tree.
struct Tree {
    pid_t punie = 0;
    pid_t guard = 0;
    pid_t program = 0;
    pid_t inner = 0;
};

/// A child of the test that plays Punie; killed and reaped by the destructor.
class ForkedPunie {
public:
    /// `play` runs in the fork and does not return.
    template <typename Play>
    explicit ForkedPunie(Play play) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            play(ends[1]);
            ::_exit(0);
        }
        ::close(ends[1]);
        from_ = ends[0];
    }

    ForkedPunie(const ForkedPunie&) = delete;
    ForkedPunie& operator=(const ForkedPunie&) = delete;

    ~ForkedPunie() {
        ::kill(pid_, SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
        ::close(from_);
    }

    pid_t pid() const { return pid_; }

    /// What it wrote; an empty tree when it ended or said nothing for too long.
    Tree tree() const {
        Tree tree;
        pollfd item{from_, POLLIN, 0};
        const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
        if (::poll(&item, 1, static_cast<int>(limit.count())) != 1) return {};
        return ::read(from_, &tree, sizeof(tree)) == sizeof(tree) ? tree : Tree{};
    }

private:
    pid_t pid_ = -1;
    int from_ = -1;
};

pid_t only_child_of(pid_t parent) {
    for (const auto& process : all_processes()) {
        if (process.parent == parent) return process.pid;
    }
    return 0;
}

SpawnOptions marked_fake(
    std::vector<std::string> words, Containment level, const std::string& mark
) {
    auto options = fake(std::move(words), level);
    options.environment["PUNIE_TEST_MARK"] = mark;
    return options;
}

/// Plays Punie: starts the tree, tells about it when all of it runs, serves it until killed.
void hold_tree(int tell, const SpawnOptions& options) {
    asio::io_context context;
    const auto play = [](int to, SpawnOptions given) -> Task<void> {
        auto child = co_await ManagedChild::spawn(std::move(given));
        if (!child || !co_await printed(*child, "ready")) ::_exit(1);
        const Tree tree{
            ::getpid(), child->guard_pid(), child->pid(), only_child_of(child->guard_pid())
        };
        if (::write(to, &tree, sizeof(tree)) != sizeof(tree)) ::_exit(1);
        co_await child->wait_gone();
    };
    asio::co_spawn(context, play(tell, options), [](const std::exception_ptr&) {});
    context.run();
}

struct Row {
    const char* name;
    std::vector<std::string> words;                          // before "ready hang"
    std::function<std::vector<pid_t>(const Tree&)> victims;  // in the order of their death
    bool guaranteed_without_namespace = true;
};

std::vector<Row> rows() {
    const std::vector<std::string> family = {
        "ignore", "15", "grandchild", "daemon", "stubborn-daemon"
    };
    const std::vector<std::string> alone = {};
    const auto punie = [](const Tree& t) { return std::vector{t.punie}; };
    const auto guard = [](const Tree& t) { return std::vector{t.guard}; };
    const auto inner = [](const Tree& t) { return std::vector{t.inner}; };
    const auto punie_and_guard = [](const Tree& t) { return std::vector{t.punie, t.guard}; };
    const auto guard_and_punie = [](const Tree& t) { return std::vector{t.guard, t.punie}; };
    const auto punie_and_inner = [](const Tree& t) { return std::vector{t.punie, t.inner}; };
    const auto both_guards = [](const Tree& t) { return std::vector{t.guard, t.inner}; };
    const auto all_three = [](const Tree& t) { return std::vector{t.punie, t.guard, t.inner}; };
    return {
        {"PunieAlone", alone, punie},
        {"Punie", family, punie},
        {"Guard", family, guard},
        {"InnerGuard", family, inner},
        {"PunieAndGuard", family, punie_and_guard},
        {"GuardAndPunie", family, guard_and_punie},
        {"PunieAndInnerGuard", family, punie_and_inner},
        {"BothGuardsOfASingleProgram", alone, both_guards},
        {"AllThreeOfASingleProgram", alone, all_three},
        {"BothGuards", family, both_guards},
        {"AllThree", family, all_three, false},
    };
}

}  // namespace

class Orphans : public ::testing::TestWithParam<std::tuple<Containment, Row>> {};

TEST_P(Orphans, NothingLivesOneSecondLater) {
    const auto& [level, row] = GetParam();
    if (level == Containment::subreaper && !row.guaranteed_without_namespace) {
        GTEST_SKIP() << "not promised at this level: docs/orphans.md";
    }
    const auto mark = test_mark();
    auto words = row.words;
    words.insert(words.end(), {"ready", "hang"});
    const ForkedPunie punie([&, l = level](int tell) {
        hold_tree(tell, marked_fake(words, l, mark));
    });
    const auto tree = punie.tree();
    ASSERT_NE(tree.program, 0) << "the tree did not start";
    ASSERT_NE(tree.inner, 0);
    const auto all = marked(mark);
    ASSERT_GE(all.size(), row.words.empty() ? 3U : 6U);
    for (const pid_t victim : row.victims(tree))
        ::kill(victim, SIGKILL);  // the second may be dead by then
    EXPECT_TRUE(gone_within_a_second(mark, all)) << survivors(mark);
}

INSTANTIATE_TEST_SUITE_P(
    Killed,
    Orphans,
    ::testing::Combine(::testing::ValuesIn(levels()), ::testing::ValuesIn(rows())),
    [](const auto& info) {
        return fmt::format("{}_{}", std::get<1>(info.param).name, name_of(std::get<0>(info.param)));
    }
);

class OrphanCases : public EachLevel {};

PUNIE_TEST_EACH_LEVEL(OrphanCases);

/// Plays Punie killed while it starts: the guard is running, nobody knows yet how far it is.
void launch_and_tell(int tell, const SpawnOptions& options, Containment level) {
    const auto program = resolve(options);
    if (!program) ::_exit(1);
    auto launched = launch(*program, false, level);
    if (!launched) ::_exit(1);
    const Tree tree{::getpid(), launched->guard, 0, 0};
    if (::write(tell, &tree, sizeof(tree)) != sizeof(tree)) ::_exit(1);
    while (true) ::pause();
}

TEST_P(OrphanCases, KilledInMidStart) {
    const auto level = GetParam();
    for (int round = 0; round < 30; ++round) {
        const auto mark = test_mark();
        const ForkedPunie punie([&](int tell) {
            launch_and_tell(tell, marked_fake({"hang"}, level, mark), level);
        });
        const auto tree = punie.tree();
        ASSERT_NE(tree.guard, 0);
        if (round % 3 != 1) ::kill(tree.punie, SIGKILL);
        if (round % 3 != 0) ::kill(tree.guard, SIGKILL);
        ASSERT_TRUE(eventually([&] { return marked(mark).empty(); }, 1s)) << "round " << round;
    }
}

/// The guard is killed at every stage of its own killing: what it has begun, its twin must finish.
TEST_P(OrphanCases, GuardKilledWhileItKills) {
    const auto level = GetParam();
    for (const bool outer : {true, false}) {
        for (auto delay = 0us; delay < 3ms; delay += 150us) {
            const auto mark = test_mark();
            const ForkedPunie punie([&](int tell) {
                hold_tree(
                    tell,
                    marked_fake(
                        {"ignore", "15", "daemon", "grandchild", "ready", "hang"}, level, mark
                    )
                );
            });
            const auto tree = punie.tree();
            ASSERT_NE(tree.program, 0);
            const auto all = marked(mark);
            ::kill(tree.punie, SIGKILL);
            const auto end = std::chrono::steady_clock::now() + delay;
            while (std::chrono::steady_clock::now() < end) {
            }
            ::kill(outer ? tree.guard : tree.inner, SIGKILL);
            ASSERT_TRUE(gone_within_a_second(mark, all))
                << (outer ? "outer " : "inner ") << delay.count() << " us: " << survivors(mark);
        }
    }
}

/// A fork of Punie (another library's doing) keeps its end of the socket open: the guard watches
/// the process itself.
TEST_P(OrphanCases, PunieIsKilledButItsForkHoldsTheSocket) {
    const auto mark = test_mark();
    const auto level = GetParam();
    const ForkedPunie punie([&](int tell) {
        asio::io_context context;
        const auto play = [](int to, SpawnOptions given) -> Task<void> {
            auto child = co_await ManagedChild::spawn(std::move(given));
            if (!child || !co_await printed(*child, "ready")) ::_exit(1);
            const pid_t fork = ::fork();
            if (fork == 0) {
                while (true) ::pause();
            }
            const Tree tree{::getpid(), child->guard_pid(), fork, 0};
            if (::write(to, &tree, sizeof(tree)) != sizeof(tree)) ::_exit(1);
            co_await child->wait_gone();
        };
        asio::co_spawn(
            context,
            play(tell, marked_fake({"daemon", "ready", "hang"}, level, mark)),
            [](const std::exception_ptr&) {}
        );
        context.run();
    });
    const auto tree = punie.tree();
    ASSERT_NE(tree.program, 0);
    ::kill(tree.punie, SIGKILL);
    EXPECT_TRUE(eventually([&] { return marked(mark).empty(); }, 1s));
    ::kill(tree.program, SIGKILL);
}

/// Stopped by somebody, the outer guard sees nothing; its twin does. And the other way round.
TEST_P(OrphanCases, AStoppedGuardIsNoWayOut) {
    for (const bool outer : {true, false}) {
        const auto mark = test_mark();
        const auto level = GetParam();
        const ForkedPunie punie([&](int tell) {
            hold_tree(tell, marked_fake({"daemon", "ready", "hang"}, level, mark));
        });
        const auto tree = punie.tree();
        ASSERT_NE(tree.program, 0);
        const pid_t stopped = outer ? tree.guard : tree.inner;
        ::kill(stopped, SIGSTOP);
        ::kill(tree.punie, SIGKILL);
        const auto left = [&] {
            auto pids = marked(mark);
            std::erase(pids, outer ? stopped : 0);  // itself it can end only when it goes on
            return pids;
        };
        EXPECT_TRUE(eventually([&] { return left().empty(); }, 1s))
            << ::testing::PrintToString(left());
        ::kill(stopped, SIGCONT);
        EXPECT_TRUE(eventually([&] { return marked(mark).empty(); }, 1s));
    }
}

TEST_P(OrphanCases, SignalsOfATerminalDoNotEndTheGuard) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"ready", "hang"}, level));
        EXPECT_TRUE(co_await printed(*child, "ready"));
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP}) {
            ::kill(child->guard_pid(), signal);
            ::kill(only_child_of(child->guard_pid()), signal);
        }
        EXPECT_EQ((co_await child->stop(10s)).how, StopReport::How::on_request);
    }(GetParam()));
}

/// Punie lives on when the guards are killed, and hears of it.
TEST_P(OrphanCases, AKilledGuardIsNoticed) {
    for (const bool outer : {true, false}) {
        run([](Containment level, bool kill_outer) -> Task<void> {
            auto child = co_await ManagedChild::spawn(fake({"daemon", "ready", "hang"}, level));
            EXPECT_TRUE(co_await printed(*child, "ready"));
            ::kill(kill_outer ? child->guard_pid() : only_child_of(child->guard_pid()), SIGKILL);
            EXPECT_EQ((co_await child->wait_exit()).signal, SIGKILL);
            co_await child->wait_gone();
            EXPECT_FALSE(process_alive(child->pid()));
        }(GetParam(), outer));
    }
}

/// Processes that multiply are stopped before they are killed.
TEST_P(OrphanCases, AForkBombIsKilled) {
    const auto mark = test_mark();
    run([](Containment level, std::string mark_value) -> Task<void> {
        SpawnOptions options;
        options.argv = {
            "sh",
            "-c",
            "f() { i=0; while [ $i -lt 40 ]; do sleep 1000 & (g &) ; i=$((i+1)); done; }; "
            "g() { sleep 1000; }; f; echo ready; while :; do (sleep 1000 &); done"
        };
        options.environment["PUNIE_TEST_MARK"] = mark_value;
        options.containment = level;
        auto child = co_await ManagedChild::spawn(options);
        EXPECT_TRUE(child);
        EXPECT_TRUE(co_await printed(*child, "ready"));
        child->kill();
        co_await child->wait_gone();
    }(GetParam(), mark));
    EXPECT_TRUE(marked(mark).empty());
}

}  // namespace punie::process::testing
