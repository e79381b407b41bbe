#pragma once
// What the tests of the process room share: running a coroutine to its end, the misbehaving child,
// and the census of processes that carry a test's mark.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "process/child.hpp"
#include "process/proc_linux.hpp"
#include "process/system.hpp"

namespace punie::process::testing {

using namespace std::chrono_literals;

/// Far more than anything here takes: only a hang reaches it. Sanitizers and a loaded machine are
/// slow.
inline constexpr auto patience = 50s;

/// Runs a coroutine on a fresh io_context until that has no work left; fails the test if this takes
/// longer than `patience`. That run() comes back by itself is part of what is tested.
template <typename T>
T run(Task<T> task) {
    asio::io_context context;
    std::optional<T> result;
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& error, T value) {
        if (error) std::rethrow_exception(error);
        result.emplace(std::move(value));
    });
    context.run_for(patience);
    if (!context.stopped())
        ADD_FAILURE() << "work was left in the io_context after " << patience.count() << " s";
    if (!result) throw std::runtime_error("the coroutine did not end");
    return std::move(*result);
}

inline void run(Task<void> task) {
    asio::io_context context;
    bool done = false;
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
        done = true;
    });
    context.run_for(patience);
    EXPECT_TRUE(context.stopped()) << "work was left in the io_context";
    EXPECT_TRUE(done) << "the coroutine did not end";
}

/// A mark that no other test's processes have; in the environment of every process of a tree.
inline std::string test_mark() {
    static std::atomic<int> counter{0};
    return fmt::format("{}-{}", ::getpid(), ++counter);
}

inline SpawnOptions fake(std::vector<std::string> words, std::optional<Containment> level = {}) {
    SpawnOptions options;
    options.argv = {PUNIE_FAKES_DIR "/misbehaving-child"};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.containment = level;
    return options;
}

/// Living processes with this mark.
inline std::vector<pid_t> marked(const std::string& mark) {
    std::vector<pid_t> pids;
    const std::string wanted = fmt::format("PUNIE_TEST_MARK={}", mark);
    for (const auto& process : all_processes()) {
        if (process.state == 'Z' || process.state == 'X') continue;
        const auto environment = slurp(fmt::format("/proc/{}/environ", process.pid));
        const auto at = environment.find(wanted);
        if (at != std::string::npos && environment[at + wanted.size()] == '\0')
            pids.push_back(process.pid);
    }
    return pids;
}

/// The same in words, for the message of a failed test.
inline std::string survivors(const std::string& mark) {
    std::string text = "alive:";
    for (const pid_t pid : marked(mark)) {
        const auto stat = read_stat(pid).value_or(ProcessStat{});
        const auto arguments = slurp(fmt::format("/proc/{}/cmdline", pid));
        text +=
            fmt::format(" [{} {} parent {} {}]", pid, stat.state, stat.parent, arguments.c_str());
    }
    return text;
}

/// Looks again and again until `done` or the limit; whether it was done. Blocks: for tests without
/// an event loop.
template <typename Predicate>
bool eventually(Predicate done, std::chrono::milliseconds limit = patience) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        ::poll(nullptr, 0, 2);
    }
    return true;
}

/// Whether nothing with this mark lives one second from now. Those known now are watched, which
/// costs little: the census of all processes, again and again, would take from the guards the time
/// in which they are to act.
inline bool gone_within_a_second(const std::string& mark, const std::vector<pid_t>& known) {
    const auto end = std::chrono::steady_clock::now() + 1s;
    eventually([&] { return std::ranges::none_of(known, process_alive); }, 1s);
    const auto rest = end - std::chrono::steady_clock::now();
    return eventually(
        [&] { return marked(mark).empty(); },
        std::chrono::duration_cast<std::chrono::milliseconds>(rest)
    );
}

/// As `eventually`, inside a coroutine.
template <typename Predicate>
Task<bool> soon(Predicate done, std::chrono::milliseconds limit = patience) {
    const auto end = std::chrono::steady_clock::now() + limit;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) co_return false;
        timer.expires_after(2ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return true;
}

inline Task<bool> printed(const ManagedChild& child, std::string text) {
    const auto output = child.shared_output();
    co_return co_await soon([output, text] {
        return output->contents().find(text) != std::string::npos;
    });
}

inline std::size_t open_descriptors() {
    std::size_t count = 0;
    for (int fd = 0; fd < 4096; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return count;
}

/// Every level that this system has.
inline std::vector<Containment> levels() {
    if (available_containment() == Containment::pid_namespace) {
        return {Containment::pid_namespace, Containment::subreaper};
    }
    return {available_containment()};
}

inline std::string level_name(const ::testing::TestParamInfo<Containment>& info) {
    return std::string(name_of(info.param));
}

}  // namespace punie::process::testing

namespace punie::process {

inline void PrintTo(const ExitStatus& status, std::ostream* out) {
    *out << status.describe();
}

inline void PrintTo(StopReport::How how, std::ostream* out) {
    *out << std::array{"was_not_running", "on_request", "killed"}.at(static_cast<std::size_t>(how));
}

}  // namespace punie::process

namespace punie::process::testing {

/// A test for each level of containment.
class EachLevel : public ::testing::TestWithParam<Containment> {};

}  // namespace punie::process::testing

#define PUNIE_TEST_EACH_LEVEL(suite)                              \
    INSTANTIATE_TEST_SUITE_P(                                     \
        Level,                                                    \
        suite,                                                    \
        ::testing::ValuesIn(::punie::process::testing::levels()), \
        ::punie::process::testing::level_name                     \
    )
