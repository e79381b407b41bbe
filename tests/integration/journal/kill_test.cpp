// SIGKILL at any moment: the journal opens, is whole, and has every row that was acknowledged.

#include <map>
#include <random>

#include "children.hpp"

namespace punie::journal {
namespace {

/// Runs with answers and points, each said after the call that recorded it came back.
int record_for_ever(const fs::path& folder, const Say& say) {
    auto journal = Journal::open(folder);
    if (!journal) return 1;
    for (int round = 0;; ++round) {
        Record run;
        run.kind = "eval";
        run.name = fmt::format("round {}", round);
        auto begun = journal->begin(run);
        if (!begun) return 2;
        say(fmt::format("run {}", begun->id));
        for (int prompt = 0; prompt < 40; ++prompt) {
            if (!journal->add_answer(begun->id, answer_of(fmt::format("p{}", prompt)))) return 3;
            say(fmt::format("answer {} p{}", begun->id, prompt));
        }
        if (!journal->add_point(begun->id, {.iteration = 1, .train_loss = 0.5})) return 4;
        begun->state = RunState::done;
        begun->results_json = R"({"answered":40})";
        if (!journal->update(*begun)) return 5;
        say(fmt::format("done {}", begun->id));
    }
}

struct Acknowledged {
    std::map<std::string, int> answers;  // by run
    std::map<std::string, bool> done;
};

void take_in(const std::vector<std::string>& lines, Acknowledged& known) {
    for (const auto& line : lines) {
        const auto id = line.substr(line.find(' ') + 1, 13);
        if (line.starts_with("run ")) known.answers.emplace(id, 0);
        if (line.starts_with("answer ")) ++known.answers[id];
        if (line.starts_with("done ")) known.done[id] = true;
    }
}

void expect_all_there(Journal& journal, const Acknowledged& known) {
    const auto runs = journal.list();
    ASSERT_TRUE(runs) << runs.error().describe();
    std::map<std::string, Record> by_id;
    for (const auto& run : *runs) by_id.emplace(run.id, run);
    for (const auto& [id, count] : known.answers) {
        ASSERT_TRUE(by_id.contains(id)) << id;
        const auto answers = journal.answers(id);
        ASSERT_TRUE(answers) << answers.error().describe();
        EXPECT_GE(static_cast<int>(answers->size()), count) << id;
    }
    for (const auto& [id, done] : known.done) {
        EXPECT_EQ(by_id[id].state, RunState::done);
        EXPECT_EQ(by_id[id].results_json, R"({"answered":40})");
    }
}

TEST(KillTest, AHundredKillsLoseNothingThatWasAcknowledged) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    const auto folder = temporary->path() / ".punie";
    std::mt19937 random(20261124
    );  // the moments are random anyway; a fixed seed only helps to debug
    std::uniform_int_distribution<int> microseconds(0, 25'000);
    std::size_t acknowledged = 0;
    for (int kill = 0; kill < 100; ++kill) {
        Acknowledged known;  // of this round: earlier ones were checked and must be there still
        {
            Child child([&](const Say& say) { return record_for_ever(folder, say); });
            // the first ones die while they make the database, the rest somewhere in the loop
            if (kill >= 10) ASSERT_TRUE(child.read_until("answer", child_limit));
            (void)child.read_until("never", std::chrono::microseconds(microseconds(random)));
            child.kill();
            EXPECT_EQ(child.wait(), -SIGKILL);
            take_in(child.lines(), known);
        }
        auto journal = Journal::open(folder);
        ASSERT_TRUE(journal) << journal.error().describe();
        expect_all_there(*journal, known);
        ASSERT_EQ(integrity(folder / "journal.db"), "ok");
        acknowledged += known.answers.size();
    }
    EXPECT_GE(acknowledged, 90U);
    auto journal = Journal::open(folder);
    ASSERT_TRUE(journal);
    const auto runs = journal->list({.state = RunState::running});
    ASSERT_TRUE(runs);
    for (const auto& run : *runs) EXPECT_FALSE(run.alive) << "all of them were killed";
}

TEST(KillTest, AddAnswersOfAKilledProcessAreAllThereOrNone) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    const auto folder = temporary->path() / ".punie";
    std::vector<AnswerRow> many;
    many.reserve(500);
    for (int prompt = 0; prompt < 500; ++prompt)
        many.push_back(answer_of(fmt::format("p{}", prompt)));
    for (int kill = 0; kill < 20; ++kill) {
        Child child([&](const Say& say) {
            auto journal = Journal::open(folder);
            if (!journal) return 1;
            for (;;) {
                Record run;
                run.kind = "eval";
                auto begun = journal->begin(run);
                if (!begun) return 2;
                say("run");
                if (!journal->add_answers(begun->id, many)) return 3;
            }
        });
        ASSERT_TRUE(child.read_until("run", child_limit));
        (void)child.read_until("never", std::chrono::microseconds(kill * 900));
        child.kill();
        EXPECT_EQ(child.wait(), -SIGKILL);
    }
    auto journal = Journal::open(folder);
    ASSERT_TRUE(journal);
    const auto runs = journal->list();
    ASSERT_TRUE(runs);
    EXPECT_GE(runs->size(), 20U);
    for (const auto& run : *runs) {
        const auto count = journal->answers(run.id)->size();
        EXPECT_TRUE(count == 0 || count == 500) << count;
    }
}

}  // namespace
}  // namespace punie::journal
