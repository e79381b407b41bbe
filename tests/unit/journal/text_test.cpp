// Runs as text: times, headlines, differences, the Markdown page, what may be pruned, recorded
// commands.

#include <cmath>
#include <cstdlib>

#include "base/text.hpp"
#include "journal/headline.hpp"
#include "journal/prune_plan.hpp"
#include "journal/run_diff.hpp"
#include "journal/shell_words.hpp"
#include "journal/training_journal.hpp"
#include "journal/when.hpp"
#include "journal_fixture.hpp"

namespace punie::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Age {
    const char* text;
    double seconds;
};

class AgeTest : public testing::TestWithParam<Age> {};

TEST_P(AgeTest, IsUnderstood) {
    EXPECT_DOUBLE_EQ(must(parse_age(GetParam().text)), GetParam().seconds);
}

INSTANTIATE_TEST_SUITE_P(
    Units,
    AgeTest,
    testing::Values(
        Age{"45s", 45},
        Age{"90min", 5400},
        Age{"5m", 300},
        Age{"12h", 43200},
        Age{"30d", 2592000},
        Age{"2w", 1209600},
        Age{"1.5h", 5400},
        Age{"0d", 0}
    )
);

struct BadAge {
    const char* text;
    const char* words;
};

class BadAgeTest : public testing::TestWithParam<BadAge> {};

TEST_P(BadAgeTest, SaysWhatIsWrong) {
    const auto age = parse_age(GetParam().text);
    ASSERT_FALSE(age);
    EXPECT_EQ(age.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(age.error().message(), HasSubstr(GetParam().words));
    EXPECT_THAT(age.error().hint(), HasSubstr("30d"));
}

INSTANTIATE_TEST_SUITE_P(
    Texts,
    BadAgeTest,
    testing::Values(
        BadAge{"", "no number"},
        BadAge{"d", "no number"},
        BadAge{"30", "unit is missing"},
        BadAge{"30 d", "unknown unit ' d'"},
        BadAge{"30y", "unknown unit 'y'"},
        BadAge{"-3d", "negative"},
        BadAge{"inf", "no number"},
        BadAge{"nan", "no number"},
        BadAge{"1e999d", "no number"}
    )
);

struct Past {
    double seconds;
    const char* text;
};

TEST(WhenTest, AgesAreShort) {
    constexpr double now = 1'700'000'000;
    for (const auto& [seconds, text] : {
             Past{-3600, "in the future"},
             Past{-2, "now"},
             Past{0, "now"},
             Past{12, "12 s ago"},
             Past{59.9, "59 s ago"},
             Past{60, "1 min ago"},
             Past{3599, "59 min ago"},
             Past{3600, "1 h ago"},
             Past{86400.0 * 12, "12 d ago"},
             Past{86400.0 * 800, "2 y ago"},
         })
        EXPECT_EQ(ago(now - seconds, now), text) << seconds;
}

TEST(WhenTest, TimesForProgramsAreUtc) {
    EXPECT_EQ(iso_utc(1'700'000'000.9), "2023-11-14T22:13:20Z");
    EXPECT_EQ(utc_time(1'700'000'000.9), "2023-11-14 22:13 UTC");
    EXPECT_EQ(iso_utc(std::nan("")), "1970-01-01T00:00:00Z");
    EXPECT_EQ(iso_utc(1e300), "9999-12-31T23:59:59Z");
}

Record finished(std::string kind, std::string results) {
    Record run;
    run.id = kind + "-00000001";
    run.kind = std::move(kind);
    run.results_json = std::move(results);
    run.state = RunState::done;
    run.started = 1'700'000'000;
    run.finished = 1'700'000'060;
    return run;
}

struct Told {
    const char* name;
    const char* kind;
    const char* results;
    const char* words;
};

class HeadlineTest : public testing::TestWithParam<Told> {};

TEST_P(HeadlineTest, TellsTheFigure) {
    EXPECT_EQ(headline(finished(GetParam().kind, GetParam().results)), GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds,
    HeadlineTest,
    testing::Values(
        Told{
            "eval",
            "eval",
            R"({"accuracy":{"mean":0.625,"low":0.501,"high":0.734,"n":60,"method":"wilson"},"answered":60,"refused":0})",
            "accuracy 62.5 % (50.1 to 73.4, n 60)"
        },
        Told{
            "eval_unanswered",
            "eval",
            R"({"accuracy":{"mean":1,"low":0.5,"high":1,"n":5},"refused":1,"failed":2,"not_asked":3,"cut":4})",
            "accuracy 100.0 % (50.0 to 100.0, n 5), 6 unanswered, 4 cut"
        },
        Told{"eval_only_mean", "eval", R"({"accuracy":{"mean":0.5}})", "accuracy 50.0 %"},
        Told{"eval_nothing_asked", "eval", R"({"not_asked":60})", "60 unanswered"},
        Told{
            "train",
            "train",
            R"({"iterations":600,"final_train_loss":0.5,"best_valid_loss":1.23456,"best_iteration":200})",
            "valid loss 1.235 at 200 of 600"
        },
        Told{
            "train_no_validation",
            "train",
            R"({"iterations":600,"final_train_loss":0.5})",
            "train loss 0.5 after 600"
        },
        Told{"train_begun", "train", R"({"iterations":20})", "20 iterations"},
        Told{
            "quantise",
            "quantise",
            R"({"bits_per_weight":4.501,"bytes":410000000})",
            "4.50 bits per weight, 410.0 MB"
        },
        Told{"fuse", "fuse", R"({"bytes":12300000})", "12.3 MB"},
        Told{"negative_bytes", "fuse", R"({"bytes":-1})", ""},
        Told{
            "bench",
            "bench",
            R"({"verdict":"slow","seconds_per_iter":40})",
            "slow, 40.0 s an iteration"
        },
        Told{
            "compare_words",
            "compare",
            R"({"differences":[{"words":"tuned is better"}]})",
            "tuned is better"
        },
        Told{"compare", "compare", R"({"differences":[{"a":"x"},{"a":"y"}]})", "2 differences"},
        Told{"compare_none", "compare", R"({"differences":[]})", "0 differences"},
        Told{
            "dataset",
            "dataset",
            R"({"rows":100,"errors":2,"warnings":3})",
            "100 rows, 2 errors, 3 warnings"
        },
        Told{
            "experiment",
            "experiment",
            R"({"verdict":"the training helped\nmuch"})",
            "the training helped"
        },
        Told{"empty", "eval", "{}", ""},
        Told{"no_object", "eval", "[1]", ""},
        Told{"other_types", "eval", R"({"accuracy":"high","failed":"some"})", ""},
        Told{"unknown_kind", "load", R"({"requests":5})", ""},
        Told{"no_json", "eval", "{", ""}
    ),
    [](const auto& row) { return row.param.name; }
);

TEST(HeadlineTest, OfAFailedRunItIsTheErrorsFirstLine) {
    auto run = finished("eval", R"({"accuracy":{"mean":1}})");
    run.state = RunState::failed;
    run.error = "the server \x1b[31mdied\x1b[0m\nsecond line";
    EXPECT_EQ(headline(run), "the server died");
}

TEST(ShownStateTest, ARunningRunWithoutItsProcessDied) {
    Record run;
    EXPECT_EQ(shown_state(run), "died");
    run.alive = true;
    EXPECT_EQ(shown_state(run), "running");
    run.alive = false;
    run.state = RunState::interrupted;
    EXPECT_EQ(shown_state(run), "interrupted");
}

std::vector<std::string> as_lines(const std::vector<Difference>& differences) {
    std::vector<std::string> lines;
    for (const auto& one : differences) {
        lines.push_back(fmt::format(
            "{}.{}: {} -> {}",
            one.part,
            one.path,
            one.left ? value_text(*one.left) : "(none)",
            one.right ? value_text(*one.right) : "(none)"
        ));
    }
    return lines;
}

TEST(RunDiffTest, OnlyWhatDiffers) {
    auto left = finished("eval", R"({"answered":60,"accuracy":{"mean":0.5,"low":0.4,"high":0.6}})");
    auto right = left;
    right.id = "eval-00000002";
    right.started += 100;
    EXPECT_THAT(differences(left, right), IsEmpty()) << "id and times always differ";
    left.config_json = R"({"model":"a","sampling":{"temperature":0,"seed":1},"stop":["x"]})";
    right.config_json = R"({"model":"a","sampling":{"temperature":0.7},"stop":["y"],"new":null})";
    right.name = "tuned";
    right.punie_version = "0.2.0";
    left.hashes_json = R"({"suite":"aa","model":"bb"})";
    right.hashes_json = R"({"model":"cc","suite":"aa"})";
    right.results_json = R"({"accuracy":{"mean":0.7,"low":0.4,"high":0.6},"answered":60})";
    EXPECT_THAT(
        as_lines(differences(left, right)),
        ElementsAre(
            "run.name: (none) -> tuned",
            "versions.punie: (none) -> 0.2.0",
            "settings.new: (none) -> null",
            "settings.sampling.seed: 1 -> (none)",
            "settings.sampling.temperature: 0 -> 0.7",
            R"(settings.stop: ["x"] -> ["y"])",
            "hashes.model: bb -> cc",
            R"(results.accuracy: {"mean":5E-1,"low":4E-1,"high":6E-1} -> {"mean":7E-1,"low":4E-1,"high":6E-1})"
        )
    );
}

TEST(RunDiffTest, TextsThatAreNoJsonAreComparedAsTheyAre) {
    auto left = finished("eval", "{}");
    auto right = left;
    left.config_json = "broken";
    EXPECT_THAT(as_lines(differences(left, right)), ElementsAre("settings.text: broken -> (none)"));
}

Record aged(std::string id, double age, RunState state = RunState::done) {
    Record run;
    run.id = std::move(id);
    run.kind = "eval";
    run.state = state;
    run.started = 1'700'000'000 - age;
    return run;
}

std::vector<std::string> removed_by(
    const std::vector<Record>& runs, const PruneRules& rules, std::string_view baseline = ""
) {
    std::vector<std::string> ids;
    for (const auto& run : plan_prune(runs, rules, baseline, 1'700'000'000).remove)
        ids.push_back(run.id);
    return ids;
}

TEST(PruneTest, AllGivenRulesMustHold) {
    const std::vector<Record> runs = {
        aged("a", 10),
        aged("b", 20, RunState::failed),
        aged("c", 30, RunState::interrupted),
        aged("d", 40, RunState::running),
        aged("e", 50),
    };
    EXPECT_THAT(removed_by(runs, {}), IsEmpty());
    EXPECT_THAT(removed_by(runs, {.keep = 3}), ElementsAre("d", "e"));
    EXPECT_THAT(removed_by(runs, {.keep = 0}), ElementsAre("a", "b", "c", "d", "e"));
    EXPECT_THAT(removed_by(runs, {.keep = 9}), IsEmpty());
    EXPECT_THAT(removed_by(runs, {.older_than = 30}), ElementsAre("d", "e"));
    EXPECT_THAT(removed_by(runs, {.failed = true}), ElementsAre("b", "c", "d"));
    EXPECT_THAT(removed_by(runs, {.older_than = 25, .failed = true}), ElementsAre("c", "d"));
    EXPECT_THAT(removed_by(runs, {.keep = 4, .older_than = 25}), ElementsAre("e"));
}

TEST(PruneTest, BaselineNotesAndTheLivingAreSpared) {
    std::vector<Record> runs = {
        aged("base", 10), aged("noted", 20), aged("alive", 30), aged("x", 40)
    };
    runs[1].note = "look again";
    runs[2].state = RunState::running;
    runs[2].alive = true;
    const auto plan = plan_prune(runs, {.keep = 0}, "base", 1'700'000'000);
    ASSERT_EQ(plan.remove.size(), 1U);
    EXPECT_EQ(plan.remove[0].id, "x");
    ASSERT_EQ(plan.spared.size(), 3U);
    EXPECT_EQ(plan.spared[0].why, "is the baseline");
    EXPECT_EQ(plan.spared[1].why, "has a note");
    EXPECT_EQ(plan.spared[2].why, "is running");
    EXPECT_THAT(
        removed_by(runs, {.keep = 0, .force = true}, "base"), ElementsAre("base", "noted", "x")
    );
}

TEST(PruneTest, AnExperimentGoesOrStaysWithItsStages) {
    std::vector<Record> runs = {
        aged("single", 5),
        aged("stage-2", 10, RunState::failed),
        aged("stage-1", 20),
        aged("experiment", 30, RunState::failed),
        aged("orphan", 40, RunState::failed)
    };
    runs[1].parent = runs[2].parent = "experiment";
    runs[4].parent = "gone";
    EXPECT_THAT(removed_by(runs, {.keep = 2}), ElementsAre("orphan"));
    EXPECT_THAT(
        removed_by(runs, {.failed = true}),
        ElementsAre("stage-2", "stage-1", "experiment", "orphan")
    );
    runs[2].note = "keep";
    EXPECT_THAT(removed_by(runs, {.failed = true}), ElementsAre("orphan"));
}

TEST(PruneTest, ARingOfParentsEnds) {
    std::vector<Record> runs = {aged("a", 1), aged("b", 2), aged("c", 3)};
    runs[0].parent = "b";
    runs[1].parent = "a";
    runs[2].parent = "c";
    EXPECT_EQ(removed_by(runs, {.keep = 0}).size(), 3U);
}

Record for_export(std::string id, double started) {
    auto run = finished(
        "eval",
        R"({"accuracy":{"mean":0.625,"low":0.5,"high":0.75,"n":60,"method":"wilson"},"answered":60})"
    );
    run.id = std::move(id);
    run.name = "tuned | 4 bits";
    run.started = started;
    run.finished = started + 90;
    run.command = "punie eval 'a ``` b.yaml'";
    run.punie_version = "0.1.0";
    run.config_json = R"({"sampling":{"temperature":0.7}})";
    return run;
}

TEST(TrainingJournalTest, ASectionARunInTheOrderOfTime) {
    auto late = for_export("eval-0000000b", 1'700'000'100);
    late.note = "first\nsecond";
    late.parent = "experiment-00000001";
    late.stage = "evaluate";
    auto failed = for_export("eval-0000000c", 1'700'000'200);
    failed.state = RunState::failed;
    failed.error = "no server";
    const auto early = for_export("eval-0000000a", 1'700'000'000);
    const auto text = training_journal({failed, late, early}, "eval-0000000a");
    EXPECT_EQ(text, training_journal({early, late, failed}, "eval-0000000a"));
    const auto first =
        text.find("## 2023-11-14 22:13 UTC, eval: tuned \\| 4 bits, the baseline (eval-0000000a)\n"
        );
    ASSERT_NE(first, std::string::npos) << text;
    EXPECT_LT(first, text.find("(eval-0000000b)"));
    EXPECT_LT(text.find("(eval-0000000b)"), text.find("(eval-0000000c)"));
    EXPECT_THAT(text, HasSubstr("done after 1 min 30 s. **accuracy 62.5 % (50.0 to 75.0, n 60)**"));
    EXPECT_THAT(text, HasSubstr("````\npunie eval 'a ``` b.yaml'\n````\n"));
    EXPECT_THAT(text, HasSubstr("| accuracy | 0.625 (0.5 to 0.75, n 60, wilson) |"));
    EXPECT_THAT(text, HasSubstr("| sampling.temperature | 0.7 |"));
    EXPECT_THAT(text, HasSubstr("| punie | 0.1.0 |"));
    EXPECT_THAT(text, HasSubstr("> first\n> second\n"));
    EXPECT_THAT(text, HasSubstr("Part of experiment-00000001, stage evaluate."));
    EXPECT_THAT(text, HasSubstr("It failed:\n\n```\nno server\n```"));
    EXPECT_THAT(text, Not(HasSubstr("| hashes |"))) << "nothing is said about nothing";
    EXPECT_TRUE(text.ends_with("|\n") && !text.ends_with("\n\n"));
}

TEST(TrainingJournalTest, WithoutRunsItSaysSo) {
    EXPECT_THAT(training_journal({}, ""), HasSubstr("0 runs"));
}

struct Words {
    const char* text;
    std::vector<std::string> words;
};

class ShellWordsTest : public testing::TestWithParam<Words> {};

TEST_P(ShellWordsTest, AreReadAsAShellReadsThem) {
    EXPECT_EQ(must(shell_words(GetParam().text)), GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(
    Texts,
    ShellWordsTest,
    testing::Values(
        Words{"", {}},
        Words{"  a\tb\nc ", {"a", "b", "c"}},
        Words{"'a b' c", {"a b", "c"}},
        Words{"''", {""}},
        Words{"'it'\\''s'", {"it's"}},
        Words{R"("a \"b\" \$c \d")", {R"(a "b" $c \d)"}},
        Words{R"(a\ b)", {"a b"}},
        Words{"--x='a'\"b\"c", {"--x=abc"}},
        Words{"'|;$(x)'", {"|;$(x)"}}
    )
);

TEST(ShellWordsTest, UndoesShellQuoted) {
    const std::vector<std::string> words = {
        "punie",
        "eval",
        "",
        "it's",
        "a b",
        "$HOME",
        "`x`",
        "*",
        "\\",
        "\"",
        "new\nline",
        "A=b",
        "\xff"
    };
    EXPECT_EQ(must(shell_words(shell_quoted(words))), words);
}

class NoWordsTest : public testing::TestWithParam<const char*> {};

TEST_P(NoWordsTest, AreRefused) {
    const auto words = shell_words(GetParam());
    ASSERT_FALSE(words);
    EXPECT_EQ(words.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(words.error().hint(), HasSubstr("--print"));
}

INSTANTIATE_TEST_SUITE_P(
    Texts,
    NoWordsTest,
    testing::Values(
        "a | b",
        "a; rm -rf x",
        "a > b",
        "$(x)",
        "$HOME",
        "a && b",
        "*.yaml",
        "~",
        "'a",
        "\"a",
        "a\\"
    )
);

}  // namespace
}  // namespace punie::journal
