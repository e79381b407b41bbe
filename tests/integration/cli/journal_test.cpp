// `punie journal` as a person uses it.

#include <sqlite3.h>

#include <cmath>
#include <fstream>

#include "base/text.hpp"
#include "cli_fixture.hpp"
#include "journal/journal.hpp"

namespace punie::cli {
namespace {

using journal::Journal;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Record = journal::Run;

constexpr const char* base_results =
    R"({"accuracy":{"mean":0.1,"low":0.05,"high":0.2,"n":60,"method":"wilson"},"answered":60})";
constexpr const char* tuned_results =
    R"({"accuracy":{"mean":0.7,"low":0.57,"high":0.8,"n":60,"method":"wilson"},"answered":60})";

class JournalCliTest : public CliFixture {
protected:
    void SetUp() override {
        CliFixture::SetUp();
        fs::create_directory(path() / "work");
        environment_["PUNIE_JOURNAL"] = folder().native();
        environment_["TZ"] = "UTC";
    }

    fs::path folder() const { return path() / "project" / ".punie"; }

    Journal open() const {
        auto journal = Journal::open(folder());
        EXPECT_TRUE(journal) << journal.error().describe();
        return *std::move(journal);
    }

    Record record(
        const std::string& kind,
        const std::string& name,
        const std::string& results = "{}",
        journal::RunState state = journal::RunState::done
    ) const {
        auto journal = open();
        Record run;
        run.kind = kind;
        run.name = name;
        run.command = fmt::format("/bin/echo 'ran {}'", name);
        run.folder = (path() / "work").native();
        run.punie_version = "0.1.0";
        run.config_json =
            fmt::format(R"({{"model":"models/{}","sampling":{{"temperature":0}}}})", name);
        run.hashes_json = R"({"suite":"5ca1ab1e"})";
        run.environment_json = R"({"cores":8})";
        auto begun = journal.begin(run);
        EXPECT_TRUE(begun) << begun.error().describe();
        begun->results_json = results;
        begun->state = state;
        if (state == journal::RunState::failed) begun->error = "the server went away\nlog line";
        EXPECT_TRUE(journal.update(*begun));
        return *begun;
    }

    /// What `punie journal ...` prints; it must succeed.
    std::string out_of(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "journal");
        auto program = punie(std::move(arguments));
        EXPECT_EQ(program.wait(), 0) << program.err();
        return program.out();
    }

    json::value json_of(std::vector<std::string> arguments) const {
        arguments.emplace_back("--json");
        auto value = parse_json(out_of(std::move(arguments)));
        EXPECT_TRUE(value);
        return value ? *value : json::value();
    }
};

TEST_F(JournalCliTest, ListShowsTheNewestFirstWithTheirFigures) {
    const auto base = record("eval", "base", base_results);
    const auto train = record(
        "train", "lora", R"({"iterations":600,"best_valid_loss":1.25,"best_iteration":200})"
    );
    const auto broken = record("eval", "broken", "{}", journal::RunState::failed);
    EXPECT_TRUE(open().set_baseline(base.id));
    const auto lines = split_lines(out_of({"list"}));
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_THAT(lines[0], AllOf(HasSubstr("id"), HasSubstr("state"), HasSubstr("when")));
    EXPECT_THAT(
        lines[1],
        AllOf(HasSubstr(broken.id), HasSubstr("failed"), HasSubstr("the server went away"))
    );
    EXPECT_THAT(lines[2], AllOf(HasSubstr(train.id), HasSubstr("valid loss 1.25 at 200 of 600")));
    EXPECT_THAT(
        lines[3],
        AllOf(
            HasSubstr(base.id),
            HasSubstr("base @baseline"),
            HasSubstr("accuracy 10.0 % (5.0 to 20.0, n 60)")
        )
    );
    EXPECT_THAT(lines[3], Not(HasSubstr("log line")));
}

TEST_F(JournalCliTest, ListFiltersAndSaysThatThereIsMore) {
    for (const auto* name : {"a", "b", "c"}) record("eval", name);
    record("train", "t");
    EXPECT_EQ(split_lines(out_of({"list", "--kind", "eval"})).size(), 4U);
    auto program = punie({"journal", "list", "--limit", "2"});
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(split_lines(program.out()).size(), 3U);
    EXPECT_THAT(program.err(), HasSubstr("--limit 0"));
    EXPECT_EQ(split_lines(out_of({"list", "--limit", "0"})).size(), 5U);
    auto none = punie({"journal", "list", "--kind", "fuse"});
    EXPECT_EQ(none.wait(), 0);
    EXPECT_EQ(none.out(), "");
    EXPECT_THAT(none.err(), HasSubstr("no runs of kind fuse"));
}

TEST_F(JournalCliTest, ListAsJson) {
    const auto run = record("eval", "base", base_results);
    const auto value = json_of({"list"});
    const auto& runs = value.at("runs").as_array();
    ASSERT_EQ(runs.size(), 1U);
    EXPECT_EQ(string_member(runs[0], "id"), run.id);
    EXPECT_EQ(string_member(runs[0], "state"), "done");
    EXPECT_THAT(
        string_member(runs[0], "started").value_or(""),
        testing::MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9:]+Z")
    );
    EXPECT_EQ(runs[0].at("results").at("accuracy").at("n").as_int64(), 60);
    EXPECT_EQ(bool_member(value, "more"), false);
}

TEST_F(JournalCliTest, ARunWhoseProcessWasKilledIsShownAsDied) {
    record("eval", "killed", "{}", journal::RunState::running);
    EXPECT_THAT(out_of({"list"}), HasSubstr("running")) << "this process lives";
    // the same pid, another start: a killed process whose pid is used again
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open((folder() / "journal.db").c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(
        sqlite3_exec(handle, "UPDATE runs SET pid_started = 1", nullptr, nullptr, nullptr),
        SQLITE_OK
    );
    sqlite3_close(handle);
    EXPECT_THAT(out_of({"list"}), AllOf(HasSubstr("died"), Not(HasSubstr("running"))));
    EXPECT_THAT(out_of({"show", "@last"}), HasSubstr("its process is gone"));
}

TEST_F(JournalCliTest, ShowTellsAllThatIsNeededToExplainAndRepeat) {
    const auto run = record("eval", "base", base_results);
    {
        auto journal = open();
        for (int prompt = 0; prompt < 9; ++prompt) {
            journal::AnswerRow answer;
            answer.prompt = fmt::format("light-{}", prompt);
            answer.state = prompt == 8 ? "failed" : "answered";
            answer.passed = prompt == 0;
            answer.category = "single-call";
            answer.reason = fmt::format("room is \"attic\", expected \"kitchen\" ({})", prompt);
            ASSERT_TRUE(journal.add_answer(run.id, answer));
        }
        ASSERT_TRUE(journal.set_note(run.id, "before the new template"));
        auto files = journal.run_folder(run.id);
        ASSERT_TRUE(files);
        std::ofstream(*files / "responses.jsonl") << "{}\n";
    }
    const auto text = out_of({"show", run.id, "--wrong", "2"});
    for (const auto* words :
         {"/bin/echo 'ran base'",
          "models/base",
          "sampling.temperature",
          "5ca1ab1e",
          "cores",
          "0.1.0",
          "before the new template",
          "responses.jsonl",
          "0.1 (0.05 to 0.2, n 60, wilson)",
          "wrong answers (2 of 7)",
          "light-1 (single-call)",
          "expected \"kitchen\" (2)"})
        EXPECT_THAT(text, HasSubstr(words));
    EXPECT_THAT(text, Not(HasSubstr("light-3")));
    EXPECT_THAT(text, Not(HasSubstr("light-8"))) << "failed is no answer";
    const auto value = json_of({"show", "@last"});
    EXPECT_EQ(value.at("wrong_answers").as_array().size(), 5U);
    EXPECT_EQ(value.at("wrong_in_all").as_int64(), 7);
    EXPECT_EQ(string_member(value, "command"), run.command);
    EXPECT_EQ(value.at("config").at("sampling").at("temperature").as_int64(), 0);
    EXPECT_EQ(value.at("files").as_array().size(), 1U);
}

TEST_F(JournalCliTest, ShowOfATrainingHasItsCurve) {
    const auto run = record("train", "lora");
    {
        auto journal = open();
        for (int at = 1; at <= 40; ++at)
            ASSERT_TRUE(journal.add_point(run.id, {.iteration = at * 10, .train_loss = 3.0 / at}));
        ASSERT_TRUE(journal.add_point(run.id, {.iteration = 400, .valid_loss = std::nan("")}));
    }
    const auto text = out_of({"show", "@last-train"});
    EXPECT_THAT(
        text, AllOf(HasSubstr("training (40 reports)"), HasSubstr("400"), HasSubstr("nan"))
    );
    const auto value = json_of({"show", "@last-train"});
    EXPECT_EQ(value.at("points").as_array().size(), 40U);
    EXPECT_EQ(value.at("points").as_array().back().at("valid_loss").as_string(), "nan");
}

TEST_F(JournalCliTest, DiffShowsOnlyWhatDiffers) {
    const auto base = record("eval", "base", base_results);
    const auto tuned = record("eval", "tuned", tuned_results);
    const auto text = out_of({"diff", "@~1", "@last"});
    EXPECT_THAT(text, AllOf(HasSubstr(base.id), HasSubstr(tuned.id)));
    EXPECT_THAT(text, HasSubstr("models/base -> models/tuned"));
    EXPECT_THAT(
        text, HasSubstr("0.1 (0.05 to 0.2, n 60, wilson) -> 0.7 (0.57 to 0.8, n 60, wilson)")
    );
    EXPECT_THAT(text, HasSubstr("the same: versions, hashes, environment"));
    EXPECT_THAT(text, Not(HasSubstr("temperature")));
    const auto value = json_of({"diff", base.id, tuned.id});
    EXPECT_EQ(string_member(value, "a"), base.id);
    bool found = false;
    for (const auto& row : value.at("differences").as_array())
        found = found || (string_member(row, "path") == "model" &&
                          string_member(row, "b") == "models/tuned");
    EXPECT_TRUE(found);
}

TEST_F(JournalCliTest, NotesAndTheBaseline) {
    const auto run = record("eval", "base");
    out_of({"note", "@last", "with", "the new template"});
    EXPECT_EQ(open().find(run.id)->note, "with the new template");
    out_of({"note", "@last", ""});
    EXPECT_EQ(open().find(run.id)->note, "");
    EXPECT_THAT(out_of({"bless", "@last"}), HasSubstr(run.id + " is @baseline now"));
    EXPECT_THAT(out_of({"show", "@baseline"}), HasSubstr("@baseline"));
    record("eval", "broken", "{}", journal::RunState::failed);
    auto program = punie({"journal", "bless", "@last"});
    EXPECT_EQ(program.wait(), 0);
    EXPECT_THAT(program.err(), HasSubstr("did not end well"));
}

TEST_F(JournalCliTest, RerunRunsTheRecordedCommandInItsFolder) {
    const auto run = record("eval", "base");
    auto program = punie({"journal", "rerun", run.id});
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_EQ(program.out(), "ran base\n");
    EXPECT_THAT(
        out_of({"rerun", run.id, "--print"}),
        HasSubstr(fmt::format("cd {} && /bin/echo 'ran base'", (path() / "work").native()))
    );
    {
        auto journal = open();
        auto changed = *journal.find(run.id);
        changed.command = "/bin/sh -c 'pwd; exit 7'";
        ASSERT_TRUE(journal.update(changed));
    }
    auto failing = punie({"journal", "rerun", run.id});
    EXPECT_EQ(failing.wait(), 7) << "the command's own exit code";
    EXPECT_EQ(failing.out(), fs::canonical(path() / "work").native() + "\n");
    fs::remove(path() / "work");
    auto gone = punie({"journal", "rerun", run.id});
    EXPECT_EQ(gone.wait(), 2);
    EXPECT_THAT(gone.err(), AllOf(HasSubstr("is gone"), HasSubstr((path() / "work").native())));
    EXPECT_THAT(out_of({"rerun", run.id, "--print"}), HasSubstr("pwd"));
}

TEST_F(JournalCliTest, RerunOfPunieIsThisPunie) {
    const auto run = record("eval", "base");
    {
        auto journal = open();
        auto changed = *journal.find(run.id);
        changed.command = "punie --version";
        ASSERT_TRUE(journal.update(changed));
    }
    EXPECT_THAT(out_of({"rerun", run.id}), HasSubstr("punie 0."));
}

TEST_F(JournalCliTest, ExportIsTheSameEveryTimeAndWhereverItIsMade) {
    record("eval", "base", base_results);
    record("eval", "tuned", tuned_results);
    const auto text = out_of({"export"});
    EXPECT_THAT(text, AllOf(HasSubstr("# Training journal"), HasSubstr("2 runs")));
    EXPECT_LT(text.find("eval: base"), text.find("eval: tuned"));
    const auto file = path() / "docs" / "journal.md";
    environment_["TZ"] = "Asia/Tokyo";
    out_of({"export", "--out", file.native()});
    EXPECT_EQ(*read_text(file), text);
}

TEST_F(JournalCliTest, PruneShowsBeforeItRemoves) {
    const auto old = record("eval", "old", "{}", journal::RunState::failed);
    const auto noted = record("eval", "noted", "{}", journal::RunState::failed);
    const auto good = record("eval", "good");
    {
        auto journal = open();
        ASSERT_TRUE(journal.set_note(noted.id, "odd"));
        auto files = journal.run_folder(old.id);
        ASSERT_TRUE(files);
        std::ofstream(*files / "responses.jsonl") << std::string(3'000'000, 'x');
    }
    const auto rehearsed = out_of({"prune", "--failed", "--dry-run"});
    EXPECT_THAT(
        rehearsed,
        AllOf(HasSubstr("would remove " + old.id), HasSubstr("would remove 1 of 3 runs, 3.00 MB"))
    );
    EXPECT_THAT(rehearsed, HasSubstr("kept " + noted.id + ": it has a note"));
    EXPECT_EQ(open().list()->size(), 3U);
    EXPECT_THAT(out_of({"prune", "--failed"}), HasSubstr("removed 1 of 3 runs"));
    EXPECT_EQ(open().list()->size(), 2U);
    EXPECT_FALSE(fs::exists(folder() / "runs" / old.id));
    const auto forced = json_of({"prune", "--keep", "1", "--force"});
    ASSERT_EQ(forced.at("removed").as_array().size(), 1U);
    EXPECT_EQ(string_member(forced.at("removed").as_array()[0], "id"), noted.id);
    EXPECT_EQ(open().list()->front().id, good.id);
}

struct Bad {
    const char* name;
    std::vector<std::string> arguments;
    int exit_code;
    std::vector<const char*> words;
};

class BadJournalTest : public JournalCliTest, public testing::WithParamInterface<Bad> {};

TEST_P(BadJournalTest, SaysWhatIsWrong) {
    record("eval", "base");
    record("eval", "other");
    auto arguments = GetParam().arguments;
    arguments.insert(arguments.begin(), "journal");
    auto program = punie(arguments);
    EXPECT_EQ(program.wait(), GetParam().exit_code) << program.err();
    for (const auto* word : GetParam().words)
        EXPECT_THAT(program.err() + program.out(), HasSubstr(word));
}

INSTANTIATE_TEST_SUITE_P(
    Input,
    BadJournalTest,
    testing::Values(
        Bad{"nothing", {}, 2, {"list", "show", "Examples"}},
        Bad{"unknown_command", {"lsit"}, 2, {"lsit", "did you mean list"}},
        Bad{"unknown_option", {"list", "--knid", "eval"}, 2, {"--knid", "did you mean --kind"}},
        Bad{"no_run", {"show"}, 2, {"run"}},
        Bad{"unknown_id", {"show", "eval-zzzzzzzz"}, 2, {"no run 'eval-zzzzzzzz'", "hint"}},
        Bad{"ambiguous_prefix", {"show", "eval-"}, 2, {"ambiguous", "2 runs"}},
        Bad{"empty_id", {"show", ""}, 2, {"is empty", "@last"}},
        Bad{"unknown_reference", {"show", "@latest"}, 2, {"@latest", "@last"}},
        Bad{"no_baseline", {"show", "@baseline"}, 2, {"@baseline", "punie journal bless"}},
        Bad{"too_far_back", {"diff", "@~5", "@last"}, 2, {"@~5", "only 2 runs of kind eval"}},
        Bad{"no_such_kind", {"show", "@last-train"}, 2, {"no run of kind train"}},
        Bad{"diff_with_one", {"diff", "@last"}, 2, {"b"}},
        Bad{"negative_limit", {"list", "--limit", "-1"}, 2, {"--limit", "-1"}},
        Bad{"note_without_text", {"note", "@last"}, 2, {"text"}},
        Bad{"prune_without_rules", {"prune"}, 2, {"--keep", "--older-than", "--dry-run"}},
        Bad{"bad_age",
            {"prune", "--older-than", "30"},
            2,
            {"--older-than", "'30'", "unit is missing"}},
        Bad{"bad_age_unit", {"prune", "--older-than", "3y"}, 2, {"unknown unit 'y'", "30d"}},
        Bad{"bad_keep", {"prune", "--keep", "some"}, 2, {"--keep", "some"}},
        Bad{"export_into_nowhere",
            {"export", "--out", "/proc/nowhere/x.md"},
            2,
            {"/proc/nowhere/x.md"}},
        Bad{"as_json", {"show", "nope", "--json"}, 2, {"\"event\":\"error\"", "not_found"}}
    ),
    [](const auto& row) { return row.param.name; }
);

TEST_F(JournalCliTest, WithoutAJournalNothingIsMade) {
    auto program = punie({"journal", "list"});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(
        program.err(),
        AllOf(HasSubstr("no journal yet"), HasSubstr(folder().native()), HasSubstr("hint"))
    );
    EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(JournalCliTest, ADamagedJournalIsToldWithAWayOut) {
    fs::create_directories(folder());
    std::ofstream(folder() / "journal.db") << std::string(5000, 'x');
    auto program = punie({"journal", "list"});
    EXPECT_EQ(program.wait(), 1);
    EXPECT_THAT(
        program.err(),
        AllOf(
            HasSubstr((folder() / "journal.db").native()),
            HasSubstr("damaged"),
            HasSubstr(".recover")
        )
    );
    EXPECT_EQ(fs::file_size(folder() / "journal.db"), 5000U);
}

}  // namespace
}  // namespace punie::cli
