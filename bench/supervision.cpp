// What supervision costs: start-up, delay until ready, idle, draining. See README.md beside this
// file.

#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/text.hpp"
#include "process/child.hpp"
#include "process/system.hpp"
#include "server/managed_server.hpp"

extern char** environ;  // NOLINT: POSIX names it so

namespace punie {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

double quantile(std::vector<double> values, double q) {
    std::ranges::sort(values);
    return values.at(std::min(
        values.size() - 1, static_cast<std::size_t>(q * static_cast<double>(values.size()))
    ));
}

struct Finished {
    double wall_ms = 0;
    double peak_mb = 0;
    int status = 0;
};

pid_t spawn(std::vector<std::string> argv, bool quiet) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (quiet) posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
    if (quiet) posix_spawn_file_actions_adddup2(&actions, 1, 2);
    std::vector<char*> raw;
    for (auto& word : argv) raw.push_back(word.data());
    raw.push_back(nullptr);
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid, raw[0], &actions, nullptr, raw.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    return error == 0 ? pid : -1;
}

Finished run_program(const std::vector<std::string>& argv) {
    const auto before = Clock::now();
    const auto pid = spawn(argv, true);
    rusage usage{};
    int status = 0;
    ::wait4(pid, &status, 0, &usage);
    return {
        .wall_ms = Seconds(Clock::now() - before).count() * 1e3,
        .peak_mb = static_cast<double>(usage.ru_maxrss) / 1e3,
        .status = status
    };
}

void bench_start() {
    const std::vector<std::pair<std::string, std::vector<std::string>>> programs = {
        {"punie --version", {PUNIE_BINARY, "--version"}},
        {"punie serve --help", {PUNIE_BINARY, "serve", "--help"}},
        {"true", {"true"}},
        {"python3 -c pass", {"python3", "-c", "pass"}},
    };
    std::vector<std::vector<double>> wall(programs.size());
    std::vector<double> memory(programs.size());
    for (int round = 0; round < 40; ++round) {
        for (std::size_t i = 0; i < programs.size(); ++i) {
            const auto run = run_program(programs[i].second);
            wall[i].push_back(run.wall_ms);
            memory[i] = std::max(memory[i], run.peak_mb);
        }
    }
    for (std::size_t i = 0; i < programs.size(); ++i) {
        fmt::print(
            "start  {:<20} median {:7.2f} ms  p99 {:7.2f} ms  peak {:6.1f} MB  {:5.2f} x true\n",
            programs[i].first,
            quantile(wall[i], 0.5),
            quantile(wall[i], 0.99),
            memory[i],
            quantile(wall[i], 0.5) / quantile(wall[2], 0.5)
        );
    }
}

ServerCapabilities fake_capabilities() {
    ServerCapabilities capabilities;
    capabilities.program = {PUNIE_FAKES_DIR "/fake-model-server"};
    capabilities.flags = {"--model", "--host", "--port"};
    return capabilities;
}

/// The CLOCK_MONOTONIC time in seconds that the fake printed, 0 if it did not.
double ready_at(const std::vector<std::string>& lines) {
    for (const auto& line : lines) {
        if (line.starts_with("ready-at ")) return std::stod(line.substr(9)) / 1e9;
    }
    return 0;
}

/// One cold start; the delay in milliseconds, negative if it failed.
double one_start(const std::string& fake) {
    asio::io_context context{1};
    ServerOptions options{.model_path = "a-model", .port = 0};
    options.environment["FAKE_SERVER_ARGS"] = fake;
    server::ManagedServerOptions managed;
    managed.capabilities = fake_capabilities();
    managed.check_files = false;
    double ready = 0;
    managed.on_event = [&](const ServerEvent& event) {
        if (event.state == ServerState::ready)
            ready = Seconds(Clock::now().time_since_epoch()).count();
    };
    auto server = server::ManagedServer::make(
        context.get_executor(), *make_server_config(options), std::move(managed)
    );
    double could = 0;
    const auto work = [&]() -> Task<void> {
        const auto started = co_await server->start();
        could = ready_at(server->log_tail(50));
        if (!started) fmt::print("{}\n", started.error().describe());
        (void)co_await server->stop(Milliseconds{0});
    };
    asio::co_spawn(context, work(), [](const std::exception_ptr&) {});
    context.run();
    return could > 0 && ready > 0 ? (ready - could) * 1e3 : -1;
}

void bench_ready() {
    std::mt19937 random(1);
    std::uniform_int_distribution<int> load(0, 800);
    for (const auto* flag : {"--load-ms", "--load-503-ms", "--listen-after-ms"}) {
        std::vector<double> delays;
        std::vector<double> polled;
        for (int i = 0; i < 60; ++i) {
            const int milliseconds = load(random);
            const double delay = one_start(fmt::format("{} {}", flag, milliseconds));
            if (delay < 0) continue;
            delays.push_back(delay);
            polled.push_back(1000 - milliseconds % 1000);
        }
        fmt::print(
            "ready  {:<20} median {:7.2f} ms  p99 {:7.2f} ms  of {} starts; a one-second poll: "
            "median {:.0f} ms, {:.0f} x\n",
            flag,
            quantile(delays, 0.5),
            quantile(delays, 0.99),
            delays.size(),
            quantile(polled, 0.5),
            quantile(polled, 0.5) / quantile(delays, 0.5)
        );
    }
}

/// A folder whose `llama-server` is the fake, so that the real `punie serve` can be measured.
struct FakeInstallation {
    TemporaryFolder folder;

    static FakeInstallation make() {
        FakeInstallation installation{.folder = *TemporaryFolder::make("punie-bench")};
        const auto& path = installation.folder.path();
        std::filesystem::create_symlink(
            PUNIE_FAKES_DIR "/fake-model-server", path / "llama-server"
        );
        std::ofstream(path / "model.gguf")
            << std::string("GGUF\x03\0\0\0", 8) << std::string(64, '\0');
        ::setenv(
            "PATH", fmt::format("{}:{}", path.native(), std::getenv("PATH")).c_str(), 1
        );  // NOLINT(concurrency-mt-unsafe)
        ::setenv(
            "FAKE_SERVER_ARGS",
            "--help-file " PUNIE_SOURCE_DIR "/tests/unit/backend/recorded/llama_server_0.3.36.txt",
            1
        );  // NOLINT
        return installation;
    }
};

void bench_idle() {
    const auto installation = FakeInstallation::make();
    const auto model = (installation.folder.path() / "model.gguf").native();
    const auto punie =
        spawn({PUNIE_BINARY, "serve", "--backend", "llama", "--port", "0", "--model", model}, true);
    const auto pause = [](int milliseconds) { ::poll(nullptr, 0, milliseconds); };
    pause(3000);  // long past ready: idle is what is to be measured
    const auto server_cpu = [&] {
        double cpu = 0;
        for (const auto pid : process::descendants(punie)) {
            if (process::descendants(pid).empty())
                cpu += process::tree_usage(pid).cpu.count();  // the leaf: the server itself
        }
        return cpu;
    };
    const auto before = process::tree_usage(punie);
    const double server_before = server_cpu();
    constexpr int seconds = 60;
    pause(seconds * 1000);
    const auto after = process::tree_usage(punie);
    const double spent = (after.cpu - before.cpu).count() - (server_cpu() - server_before);
    std::uint64_t leaf = 0;
    for (const auto pid : process::descendants(punie)) {
        if (process::descendants(pid).empty())
            leaf = std::max(leaf, process::tree_usage(pid).resident);
    }
    fmt::print(
        "idle   punie and guards      {:.1f} ms of processor time in {} s; resident {:.1f} MB with "
        "guards (server left out), {} processes\n",
        spent * 1e3,
        seconds,
        static_cast<double>(after.resident - leaf) / 1e6,
        after.processes
    );
    ::kill(punie, SIGINT);
    ::waitpid(punie, nullptr, 0);
}

double resident_mb() {
    return static_cast<double>(process::tree_usage(::getpid()).resident) / 1e6;
}

void bench_drain() {
    const auto folder = *TemporaryFolder::make("punie-bench");
    constexpr double gigabyte = 1e9;
    for (const auto* shape : {"", "--no-newline"}) {
        asio::io_context context{1};
        process::SpawnOptions options;
        options.argv = {
            PUNIE_FAKES_DIR "/fake-model-server", "--flood-bytes", "1000000000", "--exit-code", "0"
        };
        if (*shape != '\0') options.argv.emplace_back(shape);
        options.log_file = folder.path() / "log";
        const double before = resident_mb();
        double peak = 0;
        const auto start = Clock::now();
        std::uint64_t drained = 0;
        const auto work = [&]() -> Task<void> {
            auto child = co_await process::ManagedChild::spawn(options);
            (void)co_await child->wait_exit();
            co_await child->wait_gone();
            drained = child->output().total();
            peak = resident_mb();
        };
        asio::co_spawn(context, work(), [](const std::exception_ptr&) {});
        context.run();
        const double ours = Seconds(Clock::now() - start).count();
        const auto peer = run_program(
            {"sh",
             "-c",
             fmt::format(
                 "{} --flood-bytes 1000000000 {} --exit-code 0 | cat > /dev/null",
                 PUNIE_FAKES_DIR "/fake-model-server",
                 shape
             )}
        );
        fmt::print(
            "drain  {:<20} {:7.0f} MB/s with ring and log file ({} bytes), memory +{:.1f} MB; cat "
            "> /dev/null {:.0f} MB/s, ratio {:.2f}\n",
            *shape == '\0' ? "lines" : "no line ends",
            gigabyte / 1e6 / ours,
            drained,
            peak - before,
            gigabyte / 1e3 / peer.wall_ms,
            peer.wall_ms / 1e3 / ours
        );
    }
}

}  // namespace
}  // namespace punie

int main(int argc, char** argv) {
    const std::vector<std::string> wanted(argv + 1, argv + argc);
    const std::vector<std::pair<std::string, std::function<void()>>> benches = {
        {"start", punie::bench_start},
        {"ready", punie::bench_ready},
        {"drain", punie::bench_drain},
        {"idle", punie::bench_idle}
    };
    for (const auto& [name, bench] : benches) {
        if (wanted.empty() || std::ranges::find(wanted, name) != wanted.end()) bench();
        std::fflush(stdout);
    }
    return 0;
}
