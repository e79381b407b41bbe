// What an evaluation costs Punie itself: requests to a server that answers at once, or after
// 100 ms, with every answer judged and stored; and 100,000 stored answers judged again. The library
// without its journal; bench/eval.py measures the whole command beside other tools.

#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "eval/response_file.hpp"
#include "eval/runner.hpp"
#include "eval/score_run.hpp"
#include "openai/post.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): macOS declares it nowhere

namespace punie::eval {
namespace {

constexpr std::size_t prompts = 2000;
constexpr int stored = 100'000;

template <typename T>
T must(Result<T> result) {
    if (!result) {
        fmt::print(stderr, "{}\n", result.error().describe());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    double sum = 0;
    for (const auto& time : {usage.ru_utime, usage.ru_stime})
        sum += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    return sum;
}

double wall_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// fake-eval-server, killed at the end.
class FakeServer {
public:
    explicit FakeServer(std::vector<std::string> flags) {
        flags.insert(
            flags.begin(), {std::string(PUNIE_FAKES_DIR) + "/fake-eval-server", "--port", "0"}
        );
        std::vector<char*> argv;
        argv.reserve(flags.size() + 1);
        for (auto& flag : flags) argv.push_back(flag.data());
        argv.push_back(nullptr);
        std::array<int, 2> ends{-1, -1};
        if (::pipe(ends.data()) != 0) std::exit(1);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        if (::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0)
            std::exit(1);
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        std::array<char, 64> line{};
        if (::read(ends[0], line.data(), line.size() - 1) <= 0) std::exit(1);
        ::close(ends[0]);
        port_ = std::atoi(line.data() + std::string_view("listening on ").size());
    }

    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;

    ~FakeServer() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    std::string url() const { return fmt::format("http://127.0.0.1:{}/v1", port_); }

private:
    pid_t pid_ = 0;
    int port_ = 0;
};

Suite suite_of(std::size_t count) {
    std::string text = "suite: bench\nprompts:\n";
    for (std::size_t i = 0; i < count; ++i) {
        text += fmt::format(
            "  - id: p{0:05}\n    group: g{1}\n    prompt: Number {0}, is everything all right?\n"
            "    expect:\n      - contains: ok\n",
            i,
            i / 10
        );
    }
    return must(parse_suite(text, "bench.yaml"));
}

Task<Asked> ask_once(openai::ChatPost post, std::string body) {
    auto outcome = co_await post.send(std::move(body));
    Asked asked{.status = outcome.status, .body = std::move(outcome.body)};
    if (outcome.error) asked.failure = outcome.error->message();
    co_return asked;
}

struct Run {
    std::size_t answered = 0;
    std::size_t passed = 0;
    std::string concurrency;
};

Run run(const Suite& suite, const std::string& url, int concurrency) {
    const auto folder = must(TemporaryFolder::make("punie-bench"));
    auto file = must(ResponseFile::open(folder.path() / "responses.jsonl"));
    EndpointOptions endpoint;
    endpoint.base_url = url;
    const openai::ChatPost post(endpoint);
    Run run;
    asio::io_context context(1);
    asio::co_spawn(
        context,
        run_requests(
            must(make_plan(suite, {.model = "fake"})).requests,
            &suite,
            [&post](std::string body) { return ask_once(post, std::move(body)); },
            {.concurrency = concurrency},
            {.on_record = [&](ResponseRecord&& record, std::size_t prompt) -> Result<void> {
                ++run.answered;
                if (score_sample(suite, prompt, record).passed) ++run.passed;
                return file.append(record);
            }}
        ),
        [&run](const std::exception_ptr&, Result<RunnerOutcome> outcome) {
            run.concurrency = must(std::move(outcome)).concurrency;
        }
    );
    context.run();
    return run;
}

void show(const std::string& what, double cpu, double wall, std::size_t count) {
    fmt::print(
        "{:<44} {:6.3f} s wall {:8.1f} us CPU each\n",
        what,
        wall,
        cpu / static_cast<double>(count) * 1e6
    );
}

void measure(const std::string& what, std::vector<std::string> flags, int concurrency) {
    const FakeServer server(std::move(flags));
    const auto suite = suite_of(prompts);
    const double cpu = cpu_seconds();
    const double wall = wall_seconds();
    const auto done = run(suite, server.url(), concurrency);
    const double ran = wall_seconds() - wall;
    show(what + ", at once: " + done.concurrency, cpu_seconds() - cpu, ran, prompts);
    if (done.answered != prompts || done.passed != prompts) {
        fmt::print(stderr, "{} answered, {} passed\n", done.answered, done.passed);
        std::exit(1);
    }
}

void score_stored() {
    const auto suite = suite_of(1000);
    const auto folder = must(TemporaryFolder::make("punie-bench"));
    const auto path = folder.path() / "responses.jsonl";
    {
        auto file = must(ResponseFile::open(path));
        const auto plan = must(make_plan(suite, {.model = "fake", .repeats = stored / 1000}));
        const json::object message{{"role", "assistant"}, {"content", "All is ok."}};
        for (const auto& request : plan.requests) {
            ResponseRecord record{
                .suite_hash = suite.asked_hash,
                .prompt_id = suite.prompts[request.prompt].id,
                .sample = request.sample,
                .request = request.body
            };
            record.response = json::object{
                {"choices",
                 json::array{json::object{{"message", message}, {"finish_reason", "stop"}}}}
            };
            must(file.append(record));
        }
    }
    const double cpu = cpu_seconds();
    const double wall = wall_seconds();
    const auto scored = must(score_responses(suite, path));
    show("100,000 stored answers judged", cpu_seconds() - cpu, wall_seconds() - wall, stored);
    if (scored.samples.size() != stored) std::exit(1);
}

}  // namespace
}  // namespace punie::eval

int main() {
    using namespace punie::eval;
    measure("2,000, instant", {}, 0);
    measure("2,000, instant", {}, 32);
    measure("2,000, instant, a connection each", {"--close"}, 32);
    measure("2,000, 100 ms", {"--delay-ms", "100"}, 256);
    score_stored();
    return 0;
}
