// SIGKILL at random moments of an experiment, then the same command: the report is that of an
// unbroken run but for times, and what was answered is not asked again.
//
// PUNIE_KILLS: how many (40); PUNIE_KILL_SECONDS: no new ones after so long (40); PUNIE_KILL_SEED:
// of the moments, printed at the end.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>
#include <random>
#include <regex>
#include <system_error>

#include "cli_fixture.hpp"
#include "fake_experiment.hpp"

namespace punie::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr auto longest_run = std::chrono::seconds(120);

/// `punie` with its output in a file, which ends by itself or is killed at a given moment.
class Punie {
public:
    Punie(
        const std::vector<std::string>& words,
        const std::map<std::string, std::string>& environment,
        const fs::path& folder
    ) {
        auto arguments = words;
        arguments.insert(arguments.begin(), PUNIE_BINARY);
        std::vector<std::string> pairs;
        for (const auto& [name, value] : environment)
            pairs.push_back(fmt::format("{}={}", name, value));
        auto argv = pointers(arguments);
        auto envp = pointers(pairs);
        const auto output = folder / "output";
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(
            &actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644
        );
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        const int status =
            ::posix_spawn(&pid_, PUNIE_BINARY, &actions, nullptr, argv.data(), envp.data());
        posix_spawn_file_actions_destroy(&actions);
        // Without a pid of its own nothing may be killed.
        if (status != 0) throw std::system_error(status, std::generic_category(), PUNIE_BINARY);
        // Not reaped there: the pid stays ours until it was killed or seen to have ended.
        ended_ = std::async(std::launch::async, [pid = pid_] {
            siginfo_t info{};
            while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0) {
            }
        });
    }

    Punie(const Punie&) = delete;
    Punie& operator=(const Punie&) = delete;

    ~Punie() {
        if (!reaped_) static_cast<void>(end_within(Seconds(0)));
    }

    /// The exit code, or minus the signal: -SIGKILL when it did not end in time.
    int end_within(Seconds limit) {
        if (ended_.wait_for(limit) != std::future_status::ready) ::kill(pid_, SIGKILL);
        ended_.wait();
        int status = 0;
        EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
        reaped_ = true;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

private:
    static std::vector<char*> pointers(std::vector<std::string>& words) {
        std::vector<char*> raw;
        for (auto& word : words) raw.push_back(word.data());
        raw.push_back(nullptr);
        return raw;
    }

    pid_t pid_ = 0;
    std::future<void> ended_;
    bool reaped_ = false;
};

/// Without what differs between two runs of the same: times, and the id under which it is kept.
std::string without_times(std::string text) {
    static const std::vector<std::pair<std::regex, std::string>> rules = {
        {std::regex("experiment-[0-9a-f]{8}"), "experiment-ID"},
        {std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC"), "DATE"},
        {std::regex(R"x(("(seconds|tokens_per_second)": ?)(-?[0-9][0-9.eE+-]*|\[[^\]]*\]))x"), "$1T"
        },
    };
    for (const auto& [what, by] : rules) text = std::regex_replace(text, what, by);
    return text;
}

struct Reports {
    std::string html;
    std::string json;
    std::string markdown;
};

int from_environment(const char* name, int otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr ? otherwise : std::atoi(value);
}

/// The stage that the last event was about.
std::string last_stage(const std::string& events) {
    constexpr std::string_view name = "\"stage\":\"";
    const auto at = events.rfind(name);
    if (at == std::string::npos) return "before the first stage";
    const auto begin = at + name.size();
    return events.substr(begin, events.find('"', begin) - begin);
}

class ExperimentKillTest : public CliFixture {
protected:
    void SetUp() override {
        CliFixture::SetUp();
        world_ = path() / "world";
        environment_["PUNIE_JOURNAL"] = (world_ / "journal").native();
        environment_["XDG_CACHE_HOME"] = (world_ / "cache").native();
    }

    /// As if nothing had been run yet, at the same place.
    void start_anew() const {
        fs::remove_all(world_);
        test::write_experiment(world_);
    }

    Punie begin() const {
        return {{"run", "--json", (world_ / "experiment.yaml").native()}, environment_, world_};
    }

    std::string output() const { return read_text(world_ / "output").value_or("(nothing)"); }

    /// Without a kill, to its end.
    Seconds finish() const {
        const auto began = Clock::now();
        EXPECT_EQ(begin().end_within(longest_run), 0) << output();
        return Clock::now() - began;
    }

    /// The command, killed after `limit`; true if it ended before. What was stored before it must
    /// not be asked in it.
    bool attempt(Seconds limit) {
        const auto stored = test::stored(world_);
        const auto before = test::answered(world_);
        const auto code = begin().end_within(limit);
        if (code == -SIGKILL) ++kills_[last_stage(output())];
        EXPECT_TRUE(code == 0 || code == -SIGKILL) << code << "\n" << output();
        expect_none_again(stored, before, test::answered(world_));
        return code != -SIGKILL;
    }

    int killed() const {
        int sum = 0;
        for (const auto& [stage, count] : kills_) sum += count;
        return sum;
    }

    std::string where_killed() const {
        std::string text;
        for (const auto& [stage, count] : kills_)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", stage, count);
        return text;
    }

    static void expect_same(const Reports& mended, const Reports& unbroken) {
        EXPECT_EQ(mended.json, unbroken.json);
        EXPECT_EQ(mended.markdown, unbroken.markdown);
        EXPECT_TRUE(mended.html == unbroken.html) << "the pages differ";
    }

    Reports reports() const {
        Reports found{.html = without_times(read_text(world_ / "report.html").value_or(""))};
        auto markdown = punie({"report", "--markdown", "-"});
        EXPECT_EQ(markdown.wait(), 0) << markdown.err();
        found.markdown = without_times(markdown.out());
        auto json = punie({"report", "--json", "-"});
        EXPECT_EQ(json.wait(), 0) << json.err();
        found.json = without_times(json.out());
        return found;
    }

    /// What was answered since, and had been stored before.
    static void expect_none_again(
        const test::Bodies& stored, const test::Bodies& before, const test::Bodies& after
    ) {
        for (const auto& [variant, bodies] : after) {
            std::vector<std::string> fresh;
            const auto known = before.find(variant);
            static const std::multiset<std::string> none;
            std::ranges::set_difference(
                bodies, known == before.end() ? none : known->second, std::back_inserter(fresh)
            );
            const auto kept = stored.find(variant);
            for (const auto& body : fresh) {
                const bool again = kept != stored.end() && kept->second.contains(body);
                EXPECT_FALSE(again) << variant << " was asked again: " << body;
            }
        }
    }

    /// One run of the journal a stage, all of them done.
    void expect_whole_journal() const {
        auto journal = journal::Journal::open(world_ / "journal");
        ASSERT_TRUE(journal) << journal.error().describe();
        const auto runs = journal->list();
        ASSERT_TRUE(runs) << runs.error().describe();
        std::map<std::string, int> stages;
        for (const auto& run : *runs) {
            EXPECT_EQ(run.state, journal::RunState::done) << run.id << " " << run.stage;
            ++stages[run.stage];
        }
        for (const auto& [stage, count] : stages) EXPECT_EQ(count, 1) << stage;
    }

    /// Nothing half-made beside what was made.
    void expect_no_litter() const {
        for (const auto& entry : fs::recursive_directory_iterator(world_)) {
            const auto name = entry.path().filename().string();
            const bool litter = name.find(".unfinished-") != std::string::npos ||
                                name.find(".old-") != std::string::npos;
            EXPECT_FALSE(litter) << entry.path();
        }
    }

    fs::path world_;
    std::map<std::string, int> kills_;  ///< by the stage that was last heard of
};

TEST_F(ExperimentKillTest, TheReportIsThatOfAnUnbrokenRun) {
    const auto seed = from_environment("PUNIE_KILL_SEED", 20261124);
    SCOPED_TRACE(fmt::format("PUNIE_KILL_SEED={}", seed));
    const auto kills = from_environment("PUNIE_KILLS", 40);
    const auto deadline = Clock::now() + Seconds(from_environment("PUNIE_KILL_SECONDS", 40));
    start_anew();
    const auto whole = finish();
    const auto unbroken = reports();
    ASSERT_NE(unbroken.json.find("verdict"), std::string::npos) << unbroken.json;
    // What is done is not done again, so several kills walk through all stages of an experiment.
    std::mt19937 random(static_cast<unsigned>(seed));
    std::uniform_real_distribution<double> moment(0, whole.count() / 2);
    int experiments = 0;
    while (killed() < kills && Clock::now() < deadline && !HasFailure()) {
        start_anew();
        ++experiments;
        bool ended = false;
        while (!ended && killed() < kills && Clock::now() < deadline)
            ended = attempt(Seconds(moment(random)));
        EXPECT_TRUE(attempt(longest_run));
        expect_same(reports(), unbroken);
        expect_whole_journal();
        expect_no_litter();
    }
    std::cout << fmt::format(
        "{} kills in {} experiments of {:.2f} s ({}), seed {}\n",
        killed(),
        experiments,
        whole.count(),
        where_killed(),
        seed
    );
}

}  // namespace
}  // namespace punie::cli
