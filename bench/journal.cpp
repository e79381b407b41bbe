// What the journal costs: an answer recorded, 100,000 of them read, runs listed, two writers.

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "journal/journal.hpp"
#include "journal/training_journal.hpp"

namespace punie::journal {
namespace {

constexpr int many = 100'000;

template <typename T>
T must(Result<T> result) {
    if (!result) {
        fmt::print(stderr, "{}\n", result.error().describe());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// Of this process and of those it waited for.
double cpu_seconds() {
    double sum = 0;
    for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage usage{};
        ::getrusage(who, &usage);
        for (const auto& time : {usage.ru_utime, usage.ru_stime})
            sum += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    }
    return sum;
}

double wall_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

struct Cost {
    double cpu = 0;
    double wall = 0;
};

Cost cost_of(const std::function<void()>& work) {
    const double cpu = cpu_seconds();
    const double wall = wall_seconds();
    work();
    return {.cpu = cpu_seconds() - cpu, .wall = wall_seconds() - wall};
}

AnswerRow answer_of(int number) {
    AnswerRow answer;
    answer.prompt = fmt::format("prompt-{:05}-{:08x}", number, number * 2654435761U);
    answer.group = fmt::format("group-{}", number % 100);
    answer.category = "single-call";
    answer.state = "answered";
    answer.score = number % 3 == 0 ? 0 : 1;
    answer.passed = number % 3 != 0;
    answer.reason = "set_light: room is \"attic\", expected \"kitchen\"; every other argument fits";
    answer.seconds = 0.25;
    answer.prompt_tokens = 412;
    answer.completion_tokens = 37;
    return answer;
}

Run run_of(const std::string& name) {
    Run run;
    run.kind = "eval";
    run.name = name;
    run.command = "punie eval suites/tools.yaml --model models/tuned";
    run.folder = "/tmp";
    run.config_json = R"({"model":"models/tuned","sampling":{"temperature":0,"max_tokens":400}})";
    return run;
}

void print(std::string_view what, const Cost& cost, int count) {
    fmt::print(
        "{:<46}{:>9.2f} us CPU {:>9.2f} us wall each ({} in {:.3f} s)\n",
        what,
        cost.cpu / count * 1e6,
        cost.wall / count * 1e6,
        count,
        cost.wall
    );
}

void measure_answers(Journal& journal) {
    const auto run = must(journal.begin(run_of("one by one"))).id;
    print(
        "add_answer, each its own transaction",
        cost_of([&] {
            for (int at = 0; at < many; ++at) must(journal.add_answer(run, answer_of(at)));
        }),
        many
    );
    const auto bulk = must(journal.begin(run_of("at once"))).id;
    std::vector<AnswerRow> all;
    all.reserve(many);
    for (int at = 0; at < many; ++at) all.push_back(answer_of(at));
    print(
        "add_answers, one transaction", cost_of([&] { must(journal.add_answers(bulk, all)); }), many
    );
    print(
        "answers of one run",
        cost_of([&] {
            if (must(journal.answers(run)).size() != many) std::abort();
        }),
        many
    );
}

void measure_runs(Journal& journal) {
    constexpr int runs = 1000;
    const auto results =
        R"({"accuracy":{"mean":0.6,"low":0.5,"high":0.7,"n":60,"method":"wilson"}})";
    print(
        "begin and update of a run",
        cost_of([&] {
            for (int at = 0; at < runs; ++at) {
                auto run = must(journal.begin(run_of(fmt::format("run {}", at))));
                run.state = RunState::done;
                run.results_json = results;
                must(journal.update(run));
            }
        }),
        runs
    );
    print("list of all runs", cost_of([&] { must(journal.list()); }), 1);
    print(
        "export of all runs",
        cost_of([&] {
            if (training_journal(must(journal.list()), "").empty()) std::abort();
        }),
        1
    );
    print(
        "find @last",
        cost_of([&] {
            for (int at = 0; at < runs; ++at) must(journal.find("@last"));
        }),
        runs
    );
}

void measure_opening(const std::filesystem::path& folder) {
    constexpr int times = 200;
    print(
        "open and list 20",
        cost_of([&] {
            for (int at = 0; at < times; ++at)
                must(must(Journal::open(folder)).list({.limit = 20}));
        }),
        times
    );
}

void measure_two_writers(const std::filesystem::path& folder) {
    constexpr int each = 10'000;
    const auto work = [&] {
        auto journal = must(Journal::open(folder));
        const auto run = must(journal.begin(run_of("beside another"))).id;
        for (int at = 0; at < each; ++at) must(journal.add_answer(run, answer_of(at)));
    };
    print(
        "add_answer of two processes at once",
        cost_of([&] {
            const auto child = ::fork();
            if (child == 0) {
                work();
                ::_exit(0);
            }
            work();
            int status = 0;
            ::waitpid(child, &status, 0);
            if (status != 0) std::abort();
        }),
        2 * each
    );
}

}  // namespace
}  // namespace punie::journal

int main(int argc, char** argv) {
    using namespace punie;
    if (argc > 1) ::setenv("TMPDIR", argv[1], 1);  // NOLINT(concurrency-mt-unsafe): one thread
    const auto temporary = journal::must(TemporaryFolder::make("punie-bench-journal"));
    const auto folder = temporary.path() / ".punie";
    {
        auto opened = journal::must(journal::Journal::open(folder));
        journal::measure_answers(opened);
        journal::measure_runs(opened);
    }
    fmt::print(
        "journal.db: {:.1f} MB\n",
        static_cast<double>(std::filesystem::file_size(folder / "journal.db")) / 1e6
    );
    journal::measure_opening(folder);
    journal::measure_two_writers(folder);
    return 0;
}
