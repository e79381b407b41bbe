#include <unistd.h>

#include <chrono>
#include <cmath>
#include <limits>

#include "journal/process_start.hpp"
#include "journal_fixture.hpp"

namespace punie::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Record full_run() {
    Record run;
    run.kind = "eval";
    run.name = "tuned, 4 bits";
    run.command = "punie eval 'my suite.yaml' --model m";
    run.folder = "/home/somebody/project";
    run.punie_version = "0.1.0";
    run.config_json = R"({"temperature":0})";
    run.hashes_json = R"({"model":"ab"})";
    run.environment_json = R"({"cores":8})";
    run.results_json = R"({"answered":3})";
    run.note = "first try";
    run.parent = "experiment-00000001";
    run.stage = "evaluate tuned";
    run.key = "5ca1ab1e";
    return run;
}

void expect_same_texts(const Record& run, const Record& expected) {
    EXPECT_EQ(run.kind, expected.kind);
    EXPECT_EQ(run.name, expected.name);
    EXPECT_EQ(run.command, expected.command);
    EXPECT_EQ(run.folder, expected.folder);
    EXPECT_EQ(run.punie_version, expected.punie_version);
    EXPECT_EQ(run.config_json, expected.config_json);
    EXPECT_EQ(run.hashes_json, expected.hashes_json);
    EXPECT_EQ(run.environment_json, expected.environment_json);
    EXPECT_EQ(run.results_json, expected.results_json);
    EXPECT_EQ(run.note, expected.note);
    EXPECT_EQ(run.parent, expected.parent);
    EXPECT_EQ(run.stage, expected.stage);
    EXPECT_EQ(run.key, expected.key);
}

class JournalTest : public JournalFixture {};

TEST_F(JournalTest, BeginFillsIdStartAndProcess) {
    auto journal = open();
    const auto before = now();
    const auto run = must(journal.begin(full_run()));
    EXPECT_THAT(run.id, MatchesRegex("eval-[0-9a-f]{8}"));
    EXPECT_GE(run.started, before);
    EXPECT_LE(run.started, now());
    EXPECT_EQ(run.pid, ::getpid());
    EXPECT_EQ(run.state, RunState::running);
    EXPECT_TRUE(run.alive);
}

TEST_F(JournalTest, EverythingOfARunComesBackInAnotherConnection) {
    Record begun;
    {
        auto journal = open();
        begun = must(journal.begin(full_run()));
    }
    auto journal = open();
    const auto found = must(journal.find(begun.id));
    expect_same_texts(found, full_run());
    EXPECT_EQ(found.started, begun.started);
    EXPECT_EQ(found.finished, 0);
    EXPECT_TRUE(found.alive) << "this process lives";
}

TEST_F(JournalTest, UpdateWritesStateResultsAndTheEnd) {
    auto journal = open();
    auto run = must(journal.begin(run_of("train")));
    run.results_json = R"({"iterations":20})";
    must(journal.update(run));
    EXPECT_EQ(must(journal.find(run.id)).finished, 0) << "still running";
    run.state = RunState::failed;
    run.error = "loss is NaN";
    must(journal.update(run));
    const auto found = must(journal.find(run.id));
    EXPECT_EQ(found.state, RunState::failed);
    EXPECT_EQ(found.error, "loss is NaN");
    EXPECT_EQ(found.results_json, R"({"iterations":20})");
    EXPECT_GE(found.finished, run.started);
    EXPECT_FALSE(found.alive);
}

TEST_F(JournalTest, UpdateKeepsTheNoteThatAPersonWroteMeanwhile) {
    auto journal = open();
    auto run = must(journal.begin(run_of("eval")));
    auto other = open();
    must(other.set_note(run.id, "looks odd"));
    run.state = RunState::done;
    must(journal.update(run));
    EXPECT_EQ(must(journal.find(run.id)).note, "looks odd");
}

TEST_F(JournalTest, AGivenEndIsKept) {
    auto journal = open();
    auto run = must(journal.begin(run_of("eval")));
    run.state = RunState::done;
    run.finished = run.started + 5;
    must(journal.update(run));
    EXPECT_EQ(must(journal.find(run.id)).finished, run.started + 5);
}

TEST_F(JournalTest, ReopeningKeepsStartNoteAndAnswers) {
    auto journal = open();
    auto run = must(journal.begin(full_run()));
    must(journal.add_answer(run.id, answer_of("a")));
    run.state = RunState::interrupted;
    run.error = "interrupted";
    must(journal.update(run));
    Record again = full_run();
    again.id = run.id;
    again.note = "not this one";
    const auto reopened = must(journal.begin(again));
    EXPECT_EQ(reopened.started, run.started);
    const auto found = must(journal.find(run.id));
    EXPECT_EQ(found.state, RunState::running);
    EXPECT_EQ(found.finished, 0);
    EXPECT_EQ(found.error, "");
    EXPECT_EQ(found.note, "first try");
    EXPECT_EQ(must(journal.answers(run.id)).size(), 1U);
}

TEST_F(JournalTest, ReopeningARunOfAnotherLivingProcessIsRefused) {
    auto journal = open();
    const auto run = must(journal.begin(run_of("eval")));
    sql(fmt::format(
        "UPDATE runs SET pid = {}, pid_started = {}", ::getppid(), process_start(::getppid())
    ));
    auto again = run_of("eval");
    again.id = run.id;
    const auto refused = journal.begin(again);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::state);
    EXPECT_THAT(refused.error().message(), HasSubstr(std::to_string(::getppid())));
    const auto removed = journal.remove(run.id);
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code(), ErrorCode::state);
}

TEST_F(JournalTest, ARunWhosePidNowBelongsToAnotherProcessIsNotAlive) {
    auto journal = open();
    const auto run = must(journal.begin(run_of("eval")));
    sql("UPDATE runs SET pid_started = pid_started + 1");
    EXPECT_FALSE(must(journal.find(run.id)).alive);
    sql("UPDATE runs SET pid = 999999999");
    EXPECT_FALSE(must(journal.find(run.id)).alive);
}

TEST_F(JournalTest, AnswersComeBackByPromptAndSampleWhateverTheOrderOfArrival) {
    auto journal = open();
    const auto run = must(journal.begin(run_of("eval")));
    AnswerRow full = answer_of("b", 1, 0.25);
    full.group = "g";
    full.category = "c";
    full.state = "cut";
    full.unparsed = true;
    full.reason = "no call\nin the answer";
    full.seconds = 1.5;
    full.prompt_tokens = 12;
    full.completion_tokens = 400;
    for (const auto& answer : {full, answer_of("b", 0), answer_of("a", 2), answer_of("a", 10)})
        must(journal.add_answer(run.id, answer));
    const auto answers = must(journal.answers(run.id));
    ASSERT_EQ(answers.size(), 4U);
    EXPECT_EQ(answers[0].prompt, "a");
    EXPECT_EQ(answers[0].sample, 2);
    EXPECT_TRUE(answers[0].passed);
    EXPECT_EQ(answers[1].sample, 10);
    const auto& last = answers[3];
    EXPECT_EQ(last.prompt, "b");
    EXPECT_EQ(last.sample, 1);
    EXPECT_EQ(last.group, "g");
    EXPECT_EQ(last.category, "c");
    EXPECT_EQ(last.state, "cut");
    EXPECT_EQ(last.score, 0.25);
    EXPECT_FALSE(last.passed);
    EXPECT_TRUE(last.unparsed);
    EXPECT_EQ(last.reason, "no call\nin the answer");
    EXPECT_EQ(last.seconds, 1.5);
    EXPECT_EQ(last.prompt_tokens, 12);
    EXPECT_EQ(last.completion_tokens, 400);
}

TEST_F(JournalTest, AnAnswerReplacesTheOneOfTheSamePromptAndSample) {
    auto journal = open();
    const auto run = must(journal.begin(run_of("eval")));
    const auto other = must(journal.begin(run_of("eval")));
    must(journal.add_answer(run.id, answer_of("a", 0, 0)));
    must(journal.add_answer(other.id, answer_of("a", 0, 0)));
    must(journal.add_answers(run.id, {answer_of("a", 0, 1), answer_of("b", 0, 1)}));
    const auto answers = must(journal.answers(run.id));
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_EQ(answers[0].score, 1);
    EXPECT_EQ(must(journal.answers(other.id)).at(0).score, 0) << "another run's";
}

TEST_F(JournalTest, AddAnswersIsAllOrNothing) {
    auto journal = open();
    const auto run = must(journal.begin(run_of("eval")));
    auto bad = answer_of("b");
    bad.score = std::numeric_limits<double>::quiet_NaN();
    const auto added = journal.add_answers(run.id, {answer_of("a"), bad, answer_of("c")});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(must(journal.answers(run.id)), IsEmpty());
    must(journal.add_answer(run.id, answer_of("a")));
}

TEST_F(JournalTest, TextsWithQuotesZerosAndBrokenUtf8ComeBackByteForByte) {
    auto journal = open();
    static constexpr char bytes[] = "'; DROP TABLE runs; -- \0 \xff\xfe \xf0\x9f\x98\x80 \n";
    const std::string odd(bytes, sizeof bytes - 1);
    const auto run = must(journal.begin(run_of("eval", odd)));
    auto answer = answer_of(odd);
    answer.reason = odd;
    must(journal.add_answer(run.id, answer));
    EXPECT_EQ(must(journal.find(run.id)).name, odd);
    EXPECT_EQ(must(journal.answers(run.id)).at(0).prompt, odd);
    EXPECT_EQ(must(journal.answers(run.id)).at(0).reason, odd);
}

TEST_F(JournalTest, LossesOfOneIterationAreOnePointAndNanStaysNan) {
    auto journal = open();
    const auto run = must(journal.begin(run_of("train")));
    const auto nan = std::numeric_limits<double>::quiet_NaN();
    const auto endless = std::numeric_limits<double>::infinity();
    must(journal.add_point(
        run.id, {.iteration = 10, .train_loss = 2.5, .tokens_per_second = 100, .seconds = 3}
    ));
    must(journal.add_point(run.id, {.iteration = 10, .valid_loss = 2.75, .seconds = 4}));
    must(journal.add_point(run.id, {.iteration = 1, .valid_loss = endless}));
    must(journal.add_point(run.id, {.iteration = 20, .train_loss = nan, .peak_memory_gb = 1.25}));
    const auto points = must(journal.points(run.id));
    ASSERT_EQ(points.size(), 3U);
    EXPECT_EQ(points[0].iteration, 1);
    EXPECT_EQ(points[0].valid_loss, endless);
    EXPECT_EQ(points[0].train_loss, std::nullopt);
    EXPECT_EQ(points[1].train_loss, 2.5);
    EXPECT_EQ(points[1].valid_loss, 2.75);
    EXPECT_EQ(points[1].tokens_per_second, 100);
    EXPECT_EQ(points[1].seconds, 4);
    ASSERT_TRUE(points[2].train_loss);
    EXPECT_TRUE(std::isnan(*points[2].train_loss));
    EXPECT_EQ(points[2].peak_memory_gb, 1.25);
}

TEST_F(JournalTest, AResumedTrainingReplacesWhatItRepeats) {
    auto journal = open();
    const auto run = must(journal.begin(run_of("train")));
    must(journal.add_point(run.id, {.iteration = 10, .train_loss = 2.5}));
    must(journal.add_point(run.id, {.iteration = 10, .train_loss = 2.25}));
    EXPECT_EQ(must(journal.points(run.id)).at(0).train_loss, 2.25);
}

TEST_F(JournalTest, ListFilters) {
    auto journal = open();
    std::vector<Record> runs;
    for (const auto* kind : {"train", "eval", "eval", "bench"}) {
        auto run = run_of(kind);
        run.parent = runs.empty() ? "" : runs[0].id;
        run.key = std::string(kind) == "eval" ? "k" : "";
        runs.push_back(must(journal.begin(run)));
    }
    runs[1].state = RunState::done;
    must(journal.update(runs[1]));
    const auto ids = [&](const Filter& filter) {
        std::vector<std::string> found;
        for (const auto& run : must(journal.list(filter))) found.push_back(run.id);
        return found;
    };
    EXPECT_THAT(ids({}), ElementsAre(runs[3].id, runs[2].id, runs[1].id, runs[0].id));
    EXPECT_THAT(ids({.limit = 2}), ElementsAre(runs[3].id, runs[2].id));
    EXPECT_THAT(ids({.kind = "eval"}), ElementsAre(runs[2].id, runs[1].id));
    EXPECT_THAT(ids({.kind = "fuse"}), IsEmpty());
    EXPECT_THAT(ids({.parent = runs[0].id, .limit = 1}), ElementsAre(runs[3].id));
    EXPECT_THAT(ids({.key = "k"}), ElementsAre(runs[2].id, runs[1].id));
    EXPECT_THAT(ids({.key = "k", .state = RunState::done}), ElementsAre(runs[1].id));
    EXPECT_THAT(ids({.state = RunState::running, .limit = 9}).size(), 3U);
}

TEST_F(JournalTest, RemoveTakesRowsFilesAndTheMark) {
    auto journal = open();
    auto run = must(journal.begin(run_of("eval")));
    const auto kept = must(journal.begin(run_of("eval")));
    for (const auto& id : {run.id, kept.id}) {
        must(journal.add_answer(id, answer_of("a")));
        must(journal.add_point(id, {.iteration = 1, .train_loss = 1}));
        must(write_atomic(must(journal.run_folder(id)) / "responses.jsonl", "{}\n"));
    }
    must(journal.set_baseline(run.id));
    run.state = RunState::done;
    must(journal.update(run));
    must(journal.remove(run.id));
    EXPECT_THAT(sql("SELECT count(*) FROM answers"), ElementsAre("1"));
    EXPECT_THAT(sql("SELECT count(*) FROM points"), ElementsAre("1"));
    EXPECT_EQ(must(journal.baseline_id()), "");
    EXPECT_FALSE(fs::exists(folder() / "runs" / run.id));
    EXPECT_TRUE(fs::exists(folder() / "runs" / kept.id / "responses.jsonl"));
    for (const auto code :
         {journal.add_answer(run.id, answer_of("b")).error().code(),
          journal.answers(run.id).error().code(),
          journal.remove(run.id).error().code(),
          journal.run_folder(run.id).error().code()})
        EXPECT_EQ(code, ErrorCode::not_found);
}

TEST_F(JournalTest, ARunRemovedByAnotherProcessIsNotFoundAndItsNumberNeverComesBack) {
    auto journal = open();
    const auto run = must(journal.begin(run_of("eval")));
    must(journal.add_answer(run.id, answer_of("a")));  // the number is remembered now
    sql("PRAGMA foreign_keys = ON; DELETE FROM runs");
    const auto next = must(open().begin(run_of("eval")));
    const auto added = journal.add_answer(run.id, answer_of("b"));
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code(), ErrorCode::not_found);
    EXPECT_THAT(must(journal.answers(next.id)), IsEmpty());
}

TEST_F(JournalTest, StoredBytesCountsRowsAndFiles) {
    auto journal = open();
    const auto run = must(journal.begin(run_of("eval")));
    const auto empty = must(journal.stored_bytes(run.id));
    must(write_atomic(must(journal.run_folder(run.id)) / "x", std::string(100'000, 'x')));
    auto answer = answer_of("a");
    answer.reason = std::string(5000, 'r');
    must(journal.add_answer(run.id, answer));
    EXPECT_GE(must(journal.stored_bytes(run.id)), empty + 105'000);
    EXPECT_LE(must(journal.stored_bytes(run.id)), empty + 106'000);
}

struct BadRun {
    const char* name;
    std::string Record::* field;
    const char* text;
    const char* words;
};

class BadRunTest : public JournalFixture, public testing::WithParamInterface<BadRun> {};

TEST_P(BadRunTest, IsRefusedByBeginAndUpdate) {
    auto journal = open();
    auto good = must(journal.begin(run_of("eval")));
    auto bad = run_of("eval");
    bad.*GetParam().field = GetParam().text;
    good.*GetParam().field = GetParam().text;
    const auto begun = journal.begin(bad);
    ASSERT_FALSE(begun);
    EXPECT_EQ(begun.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(begun.error().message(), HasSubstr(GetParam().words));
    if (GetParam().field == &Record::kind) return;
    const auto updated = journal.update(good);
    ASSERT_FALSE(updated);
    EXPECT_EQ(updated.error().code(), ErrorCode::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(
    Fields,
    BadRunTest,
    testing::Values(
        BadRun{"kind", &Record::kind, "", "needs a kind"},
        BadRun{"config", &Record::config_json, "{", "config_json"},
        BadRun{"hashes", &Record::hashes_json, "sha", "hashes_json"},
        BadRun{"environment", &Record::environment_json, "{]", "environment_json"},
        BadRun{"results", &Record::results_json, "{\"a\":nan}", "results_json"}
    ),
    [](const auto& row) { return row.param.name; }
);

TEST_F(JournalTest, EmptyJsonTextsBecomeEmptyObjects) {
    auto journal = open();
    auto run = run_of("eval");
    run.config_json.clear();
    EXPECT_EQ(must(journal.find(must(journal.begin(run)).id)).config_json, "{}");
}

}  // namespace
}  // namespace punie::journal
