// Starts that fail, nothing leaked, many at once, and what idling costs.
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/files.hpp"
#include "integration/process/support.hpp"

namespace punie::process::testing {

using ::testing::AllOf;
using ::testing::HasSubstr;

Task<std::optional<Error>> spawn_error(SpawnOptions options) {
    auto child = co_await ManagedChild::spawn(std::move(options));
    if (child) co_return std::nullopt;
    co_return child.error();
}

class StartFailures : public EachLevel {
protected:
    Error start(std::vector<std::string> argv, std::filesystem::path working_folder = {}) {
        SpawnOptions options;
        options.argv = std::move(argv);
        options.working_folder = std::move(working_folder);
        options.containment = GetParam();
        return run(spawn_error(options)).value();
    }

    std::string file(const std::string& name, const std::string& text, int mode) {
        auto path = (folder_.path() / name).native();
        std::ofstream(path) << text;
        ::chmod(path.c_str(), static_cast<mode_t>(mode));
        return path;
    }

private:
    TemporaryFolder folder_ = TemporaryFolder::make().value();
};

PUNIE_TEST_EACH_LEVEL(StartFailures);

TEST_P(StartFailures, NoSuchProgramInPath) {
    const auto error = start({"no-such-program-anywhere"});
    EXPECT_EQ(error.code(), ErrorCode::program_missing);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("no-such-program-anywhere"), HasSubstr("PATH")));
}

TEST_P(StartFailures, NoSuchFile) {
    const auto error = start({"/no/such/program"});
    EXPECT_EQ(error.code(), ErrorCode::program_missing);
    EXPECT_THAT(error.message(), HasSubstr("/no/such/program"));
}

TEST_P(StartFailures, NotExecutable) {
    const auto error = start({file("plain", "#!/bin/sh\n", 0644)});
    EXPECT_EQ(error.code(), ErrorCode::program_missing);
    EXPECT_THAT(error.message(), HasSubstr("not executable"));
    EXPECT_THAT(error.hint(), HasSubstr("chmod +x"));
}

TEST_P(StartFailures, AFolder) {
    EXPECT_THAT(start({"/usr"}).message(), HasSubstr("is a folder"));
}

TEST_P(StartFailures, InterpreterMissing) {
    const auto error = start({file("script", "#!/gone/venv/bin/python3 -u\nprint(1)\n", 0755)});
    EXPECT_EQ(error.code(), ErrorCode::program_missing);
    EXPECT_THAT(error.message(), HasSubstr("its interpreter /gone/venv/bin/python3 is missing"));
    EXPECT_THAT(error.hint(), HasSubstr("virtual environment"));
}

TEST_P(StartFailures, NoProgramAtAll) {
    const auto error = start({file("data", "neither script nor binary", 0755)});
    EXPECT_EQ(error.code(), ErrorCode::program_missing);
    EXPECT_THAT(error.message(), HasSubstr("not a program"));
}

TEST_P(StartFailures, WorkingFolderMissing) {
    const auto error = start({"true"}, "/no/such/folder");
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.message(), HasSubstr("/no/such/folder"));
}

TEST_P(StartFailures, EmptyCommand) {
    EXPECT_EQ(start({}).code(), ErrorCode::invalid_argument);
}

TEST_P(StartFailures, NulInAnArgument) {
    EXPECT_EQ(start({"true", std::string("a\0b", 3)}).code(), ErrorCode::invalid_argument);
}

TEST_P(StartFailures, LeaveNoDescriptorAndNoProcess) {
    const auto before = open_descriptors();
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(start({"true"}, "/no/such/folder").code(), ErrorCode::not_found);
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_TRUE(descendants(::getpid()).empty());
}

/// Runs `body` in a fork (limits are set for a whole process, for good); its result.
template <typename Body>
int in_fork(Body body) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(body());
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

TEST_P(StartFailures, ExhaustedDescriptors) {
    const auto level = GetParam();
    const int result = in_fork([&] {
        asio::io_context context;
        asio::steady_timer warm_up(context, 0ms);  // the loop's own descriptors exist from here on
        warm_up.async_wait([](const boost::system::error_code&) {});
        context.run();
        context.restart();
        // UBSan opens a pipe the first time that it sees a type, and calls it invalid when it
        // cannot.
        (void)std::generic_category().message(EMFILE);
        const auto before = open_descriptors();
        std::vector<int> filler;
        const rlimit limit{64, 64};
        ::setrlimit(RLIMIT_NOFILE, &limit);
        for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
            filler.push_back(fd);
        // Room for less and less of what a start needs.
        for (std::size_t room = 0; room < 6; ++room) {
            std::optional<Error> outcome;
            asio::co_spawn(
                context,
                spawn_error(fake({"hang"}, level)),
                [&](const std::exception_ptr&, std::optional<Error> error) {
                    outcome = std::move(error);
                }
            );
            context.run();
            context.restart();
            if (!outcome && room == 0) return 2;
            if (outcome &&
                (outcome->code() != ErrorCode::io || !outcome->hint().contains("ulimit -n")))
                return 4;
            if (open_descriptors() != before + filler.size()) return 3;
            ::close(filler.back());
            filler.pop_back();
        }
        return 0;
    });
    EXPECT_EQ(result, 0);
}

TEST_P(StartFailures, ExhaustedProcesses) {
    const auto level = GetParam();
    const int result = in_fork([&] {
        constexpr uid_t nobody = 65534;
        if (::geteuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) return 50;
        const rlimit limit{1, 1};
        ::setrlimit(RLIMIT_NPROC, &limit);
        const auto error = run(spawn_error(fake({"hang"}, level))).value();
        if (error.code() != ErrorCode::io) return 2;
        return error.hint().find("ulimit -u") != std::string::npos ? 0 : 3;
    });
    if (result == 50) GTEST_SKIP() << "cannot become another user here";
    EXPECT_EQ(result, 0);
}

TEST_P(StartFailures, GuardMissingNamesThePlace) {
    const auto level = GetParam();
    const int result = in_fork([&] {
        ::setenv("PUNIE_GUARD", "/no/such/guard", 1);
        const auto error = run(spawn_error(fake({"hang"}, level))).value();
        if (error.code() != ErrorCode::io) return 2;
        return error.message().find("/no/such/guard") != std::string::npos ? 0 : 3;
    });
    EXPECT_EQ(result, 0);
}

class Many : public EachLevel {};

PUNIE_TEST_EACH_LEVEL(Many);

TEST_P(Many, AHundredStartsLeakNoDescriptor) {
    const auto level = GetParam();
    run([](Containment l) -> Task<void> {
        const auto one_life = [](Containment at) -> Task<void> {
            auto options = fake({"event", "x"}, at);
            options.events = true;
            auto child = co_await ManagedChild::spawn(options);
            EXPECT_TRUE(child);
            co_await child->wait_gone();
        };
        co_await one_life(l);
        asio::steady_timer pause(
            co_await asio::this_coro::executor, 20ms
        );  // its last handlers hold the event pipe
        co_await pause.async_wait(asio::use_awaitable);
        const auto before = open_descriptors();  // with the loop's own
        for (int i = 0; i < 100; ++i) co_await one_life(l);
        EXPECT_TRUE(co_await soon([&] { return open_descriptors() <= before; }))
            << open_descriptors();
        EXPECT_TRUE(descendants(::getpid()).empty()) << "no zombies either";
    }(level));
}

TEST_P(Many, TwentyAtOnce) {
    const auto one = [](Containment level, int number) -> Task<int> {
        auto child = co_await ManagedChild::spawn(
            fake({"flood", "1000000", "daemon", "exit", std::to_string(number)}, level)
        );
        const auto status = co_await child->wait_exit();
        EXPECT_EQ(child->output().total(), 1'000'000U);
        co_await child->stop(1s);
        co_return status.code.value_or(-1);
    };
    asio::io_context context;
    std::vector<int> results(20, -2);
    for (int i = 0; i < 20; ++i) {
        asio::co_spawn(
            context,
            one(GetParam(), i),
            [&results, i](const std::exception_ptr& error, int code) {
                if (!error) results[static_cast<std::size_t>(i)] = code;
            }
        );
    }
    context.run_for(patience);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
}

std::uint64_t context_switches(pid_t pid) {
    const auto status = slurp(fmt::format("/proc/{}/status", pid));
    return number_after(status, "voluntary_ctxt_switches:").value_or(0);
}

/// Nothing wakes up while nothing happens: no poll, no timer, neither here nor in the guards.
TEST_P(Many, AnIdleChildCostsNothing) {
    run([](Containment level) -> Task<void> {
        auto child = co_await ManagedChild::spawn(fake({"ready", "hang"}, level));
        EXPECT_TRUE(co_await printed(*child, "ready"));
        std::vector<pid_t> watched = descendants(child->guard_pid());
        watched.push_back(child->guard_pid());
        asio::steady_timer timer(
            co_await asio::this_coro::executor, 50ms
        );  // let the last of the start settle
        co_await timer.async_wait(asio::use_awaitable);
        const auto count = [&] {
            std::uint64_t sum = 0;
            for (const pid_t pid : watched) sum += context_switches(pid);
            return sum;
        };
        const auto switches = count();
        const auto own_switches = context_switches(::getpid());
        timer.expires_after(500ms);
        co_await timer.async_wait(asio::use_awaitable);
        EXPECT_EQ(count(), switches);
        EXPECT_LE(context_switches(::getpid()), own_switches + 3) << "one for the timer";
        child->kill();
        co_await child->wait_gone();
    }(GetParam()));
}

class RunToEnd : public EachLevel {};

PUNIE_TEST_EACH_LEVEL(RunToEnd);

TEST_P(RunToEnd, CollectsTheOutput) {
    const auto result = run_to_end_blocking(fake({"print", "text", "exit", "2"}, GetParam()), 10s);
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->output, "text\n");
    EXPECT_EQ(result->status.code, 2);
}

TEST_P(RunToEnd, TimesOutWithTheLastLines) {
    const auto mark = test_mark();
    auto options = fake({"daemon", "print", "so far", "hang"}, GetParam());
    options.environment["PUNIE_TEST_MARK"] = mark;
    const auto result = run_to_end_blocking(options, 300ms);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::timeout);
    EXPECT_THAT(result.error().log_tail(), ::testing::ElementsAre("so far"));
    EXPECT_TRUE(marked(mark).empty()) << "the tree is killed first";
}

TEST_P(RunToEnd, DoesNotWaitForADaemonThatIsLeftBehind) {
    const auto begin = std::chrono::steady_clock::now();
    const auto result =
        run_to_end_blocking(fake({"daemon", "print", "x", "exit", "0"}, GetParam()), 1h);
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_TRUE(result->status.success());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_P(RunToEnd, MissingProgram) {
    SpawnOptions options;
    options.argv = {"/no/such/program"};
    EXPECT_EQ(run_to_end_blocking(options, 1s).error().code(), ErrorCode::program_missing);
}

TEST_P(RunToEnd, CancelledItKillsTheTree) {
    const auto mark = test_mark();
    run([](Containment level, std::string mark_value) -> Task<void> {
        using asio::experimental::awaitable_operators::operator||;
        auto options = fake({"daemon", "hang"}, level);
        options.environment["PUNIE_TEST_MARK"] = mark_value;
        const auto until_running = [](std::string m) -> Task<bool> {
            co_return co_await soon([m] { return marked(m).size() >= 4; });
        };
        const auto result = co_await (run_to_end(options, 1h) || until_running(mark_value));
        EXPECT_EQ(result.index(), 1U);
        EXPECT_TRUE(marked(mark_value).empty());
    }(GetParam(), mark));
}

}  // namespace punie::process::testing
