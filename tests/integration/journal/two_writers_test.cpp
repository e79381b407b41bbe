// Several punies at one journal: nobody is refused, nothing is lost.

#include <thread>

#include "children.hpp"

namespace punie::journal {
namespace {

constexpr int writers = 4;
constexpr int runs_each = 5;
constexpr int answers_each = 100;

int record(const fs::path& folder, const Say& say) {
    auto journal = Journal::open(folder);
    if (!journal) {
        say(journal.error().describe());
        return 1;
    }
    for (int round = 0; round < runs_each; ++round) {
        Record run;
        run.kind = "eval";
        auto begun = journal->begin(run);
        if (!begun) {
            say(begun.error().describe());
            return 2;
        }
        for (int prompt = 0; prompt < answers_each; ++prompt) {
            auto added = journal->add_answer(begun->id, answer_of(fmt::format("p{}", prompt)));
            if (!added) {
                say(added.error().describe());
                return 3;
            }
        }
        begun->state = RunState::done;
        auto updated = journal->update(*begun);
        if (!updated) {
            say(updated.error().describe());
            return 4;
        }
    }
    return 0;
}

void expect_complete(const fs::path& folder, std::size_t expected_runs) {
    auto journal = Journal::open(folder);
    ASSERT_TRUE(journal) << journal.error().describe();
    const auto runs = journal->list({.state = RunState::done});
    ASSERT_TRUE(runs);
    EXPECT_EQ(runs->size(), expected_runs);
    for (const auto& run : *runs)
        EXPECT_EQ(journal->answers(run.id)->size(), static_cast<std::size_t>(answers_each));
    EXPECT_EQ(integrity(folder / "journal.db"), "ok");
}

TEST(TwoWritersTest, ProcessesThatMakeAndFillOneJournalAtOnce) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    const auto folder = temporary->path() / ".punie";
    {
        std::vector<std::unique_ptr<Child>> children;
        for (int writer = 0; writer < writers; ++writer)
            children.push_back(std::make_unique<Child>([&](const Say& say) {
                return record(folder, say);
            }));
        for (auto& child : children)
            EXPECT_EQ(child->wait(), 0) << fmt::format("{}", fmt::join(child->lines(), "\n"));
    }
    expect_complete(folder, std::size_t{writers} * runs_each);
}

TEST(TwoWritersTest, ManyOpenAFreshJournalAtTheSameMoment) {
    for (int round = 0; round < 10; ++round) {
        const auto temporary = TemporaryFolder::make("punie-journal-test");
        ASSERT_TRUE(temporary);
        std::vector<std::unique_ptr<Child>> children;
        for (int opener = 0; opener < 8; ++opener) {
            children.push_back(std::make_unique<Child>([&](const Say& say) {
                auto journal = Journal::open(temporary->path() / ".punie");
                if (!journal) say(journal.error().describe());
                return journal ? 0 : 1;
            }));
        }
        for (auto& child : children)
            EXPECT_EQ(child->wait(), 0) << fmt::format("{}", fmt::join(child->lines(), "\n"));
    }
}

TEST(TwoWritersTest, ThreadsEachWithTheirOwnConnection) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    const auto folder = temporary->path() / ".punie";
    std::vector<int> codes(writers, -1);
    {
        std::vector<std::jthread> threads;
        for (auto& code : codes)
            threads.emplace_back([&] { code = record(folder, [](const std::string&) {}); });
    }
    EXPECT_EQ(codes, std::vector<int>(writers, 0));
    expect_complete(folder, std::size_t{writers} * runs_each);
}

TEST(TwoWritersTest, AReaderSeesAConsistentJournalWhileOthersWrite) {
    const auto temporary = TemporaryFolder::make("punie-journal-test");
    ASSERT_TRUE(temporary);
    const auto folder = temporary->path() / ".punie";
    Child child([&](const Say& say) {
        for (;;) {
            if (const int code = record(folder, say); code != 0) return code;
            say("round");
        }
    });
    ASSERT_TRUE(child.read_until("round", child_limit));
    auto journal = Journal::open(folder);
    ASSERT_TRUE(journal) << journal.error().describe();
    std::size_t seen = 0;
    for (int look = 0; look < 200; ++look) {
        const auto done = journal->list({.state = RunState::done});
        ASSERT_TRUE(done) << done.error().describe();
        EXPECT_GE(done->size(), seen);
        seen = done->size();
        EXPECT_EQ(journal->answers(done->front().id)->size(), std::size_t{answers_each});
    }
    child.kill();
    EXPECT_EQ(child.wait(), -SIGKILL);
}

}  // namespace
}  // namespace punie::journal
