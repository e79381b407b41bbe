// `punie compare` as a person runs it: files, the journal, limits, exit codes.

#include <boost/json.hpp>
#include "cli_fixture.hpp"
#include "journal/journal.hpp"

namespace punie::cli {
namespace {

using testing::HasSubstr;

constexpr auto* recorded = PUNIE_SOURCE_DIR "/tests/data/compare/";

struct Finished {
    int code = 0;
    std::string out;
    std::string err;

    json::value object() const {
        auto value = parse_json(out);
        EXPECT_TRUE(value) << out << err;
        return value ? *value : json::value(json::object());
    }
};

class CompareCommandTest : public CliFixture {
protected:
    void SetUp() override {
        CliFixture::SetUp();
        environment_["PUNIE_JOURNAL"] = journal_folder().native();
    }

    fs::path journal_folder() const { return path() / "journal"; }

    Finished compare(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "compare");
        auto program = punie(std::move(arguments));
        Finished finished{.code = program.wait()};
        finished.out = program.out();
        finished.err = program.err();
        return finished;
    }

    /// One yes/no row a prompt; the first `passes` of `count` pass.
    std::string scores(const std::string& name, int count, int passes) const {
        const auto file = path() / name;
        std::ofstream out(file);
        for (int prompt = 0; prompt < count; ++prompt)
            out << fmt::format(
                "{{\"prompt\":\"p{:03}\",\"score\":{},\"category\":\"{}\"}}\n",
                prompt,
                prompt < passes ? 1 : 0,
                prompt % 2 == 0 ? "even" : "odd"
            );
        return file.native();
    }

    /// An eval run in the journal; `hashes` as `punie eval` writes them.
    std::string run(
        const std::string& name, int count, int passes, const std::string& hashes, int failed = 0
    ) const {
        auto journal = journal::Journal::open(journal_folder());
        EXPECT_TRUE(journal);
        auto begun = journal->begin({.kind = "eval", .name = name, .hashes_json = hashes});
        EXPECT_TRUE(begun);
        std::vector<journal::AnswerRow> answers;
        for (int prompt = 0; prompt < count; ++prompt) {
            const bool passed = prompt < passes;
            answers.push_back(
                {.prompt = fmt::format("p{:03}", prompt),
                 .state = prompt < count - failed ? "answered" : "failed",
                 .score = passed ? 1.0 : 0.0,
                 .passed = passed}
            );
        }
        EXPECT_TRUE(journal->add_answers(begun->id, answers));
        begun->state = journal::RunState::done;
        EXPECT_TRUE(journal->update(*begun));
        return begun->id;
    }
};

TEST_F(CompareCommandTest, SaysWhoIsBetterFirst) {
    const auto done = compare({scores("base.jsonl", 60, 20), scores("tuned.jsonl", 60, 40)});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_TRUE(done.out.starts_with("tuned is better than base by 33.3 points")) << done.out;
    EXPECT_THAT(done.out, HasSubstr("exact McNemar test"));
    EXPECT_THAT(done.out, HasSubstr("won  p020  0 -> 1"));
}

TEST_F(CompareCommandTest, SaysThatFivePromptsAreTooFew) {
    const auto done = compare({scores("base.jsonl", 5, 0), scores("tuned.jsonl", 5, 5)});
    EXPECT_EQ(done.code, 0);
    EXPECT_THAT(done.out, HasSubstr("too few to tell: 5 prompts, and a claim needs 20"));
}

TEST_F(CompareCommandTest, JsonNamesTheMethods) {
    const auto done =
        compare({scores("base.jsonl", 60, 20), scores("tuned.jsonl", 60, 40), "--json"});
    EXPECT_EQ(done.code, 0) << done.err;
    const auto object = done.object();
    const auto& pair = object.at("pairs").at(0);
    EXPECT_EQ(pair.at("p").at("method"), "mcnemar_exact");
    EXPECT_EQ(pair.at("difference").at("method"), "newcombe_paired");
    EXPECT_EQ(object.at("gates").as_array().size(), 0);
}

struct LimitRow {
    std::vector<std::string> options;
    int code;
    std::string words;
};

class CompareLimits : public CompareCommandTest, public testing::WithParamInterface<LimitRow> {};

TEST_P(CompareLimits, DecideTheExitCode) {  // 33.3 % against 66.7 %
    std::vector<std::string> arguments = {
        scores("base.jsonl", 60, 20), scores("tuned.jsonl", 60, 40)
    };
    const auto& row = GetParam();
    arguments.insert(arguments.end(), row.options.begin(), row.options.end());
    const auto done = compare(arguments);
    EXPECT_EQ(done.code, row.code) << done.out << done.err;
    EXPECT_THAT(done.out + done.err, HasSubstr(row.words));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    CompareLimits,
    testing::Values(
        LimitRow{{"--threshold", "0.6"}, 0, "passed    threshold"},
        LimitRow{{"--threshold", "0.7"}, 1, "failed    threshold"},
        LimitRow{{"--threshold", "0.6", "--at", "lower"}, 1, "lower bound 54.1 %"},
        LimitRow{{"--min-gain", "0.3"}, 0, "passed    min_gain"},
        LimitRow{{"--min-gain", "0.4"}, 1, "failed    min_gain"},
        LimitRow{{"--no-regression", "even"}, 0, "passed    no_regression even (tuned)"},
        LimitRow{
            {"--no-regression", "even", "--no-regression", "odd", "--baseline", "tuned"},
            1,
            "failed    no_regression odd (base)"
        },
        LimitRow{{"--no-regression", "evn"}, 2, "did you mean \"even\"?"},
        LimitRow{{"--threshold", "60"}, 2, "'60' was given; allowed is 0 to 1"},
        LimitRow{{"--at", "upper"}, 2, "--at"},
        LimitRow{{"--baseline", "third"}, 2, "no variant is named \"third\""},
        LimitRow{{"--name", "a", "--name", "b", "--name", "c"}, 2, "3 names for 2 variants"},
        LimitRow{{"--name", "a", "--name", "a"}, 2, "two variants named \"a\""},
        LimitRow{{"--allow-different", "suite"}, 2, "'suite' was given; allowed is"}
    )
);

TEST_F(CompareCommandTest, NamesVariantsAsAsked) {
    const auto done = compare(
        {scores("base.jsonl", 60, 20),
         "--name",
         "before",
         "--name",
         "after",
         scores("tuned.jsonl", 60, 40)}
    );
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("after is better than before"));
}

TEST_F(CompareCommandTest, TellsFilesOfOneNameApart) {
    fs::create_directory(path() / "other");
    const auto done = compare({scores("same.jsonl", 60, 20), scores("other/same.jsonl", 60, 40)});
    EXPECT_THAT(done.out, HasSubstr("same (2) is better than same"));
}

TEST_F(CompareCommandTest, WritesMarkdownAndJunit) {
    const auto markdown = path() / "out/compare.md";
    const auto junit = path() / "out/compare.xml";
    const auto done = compare(
        {scores("base.jsonl", 60, 40),
         scores("tuned.jsonl", 60, 20),
         "--no-regression",
         "even",
         "--markdown",
         markdown.native(),
         "--junit",
         junit.native()}
    );
    EXPECT_EQ(done.code, 1) << done.err;
    EXPECT_THAT(
        read_text(markdown).value(), HasSubstr("**tuned is worse than base by 33.3 points")
    );
    const auto xml = read_text(junit).value();
    // the gate and the ten lost prompts of its category fail; ten of the other are told only
    EXPECT_THAT(xml, HasSubstr("tests=\"21\" failures=\"11\" errors=\"0\" skipped=\"10\""));
}

TEST_F(CompareCommandTest, RefusesABadLineByItsNumber) {
    const auto good = scores("base.jsonl", 30, 10);
    const auto bad = path() / "bad.jsonl";
    std::ofstream(bad) << "{\"prompt\":\"a\",\"score\":1}\n{\"prompt\":\"b\",\"score\":7}\n";
    const auto done = compare({good, bad.native()});
    EXPECT_EQ(done.code, 2);
    EXPECT_THAT(done.err, HasSubstr("bad.jsonl:2: \"score\": found 7, expected a number from 0"));
}

TEST_F(CompareCommandTest, RefusesAMissingPrompt) {
    const auto base = scores("base.jsonl", 40, 10);
    const auto tuned = scores("tuned.jsonl", 39, 20);
    const auto refused = compare({base, tuned});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, HasSubstr("tuned lacks 1 of 40 prompts (\"p039\")"));
    EXPECT_EQ(compare({base, tuned, "--only-common"}).code, 0);
}

struct BadArguments {
    std::vector<std::string> arguments;
    std::string words;
};

class CompareBadArguments : public CompareCommandTest,
                            public testing::WithParamInterface<BadArguments> {};

TEST_P(CompareBadArguments, AreRefusedWithCodeTwo) {
    const auto done = compare(GetParam().arguments);
    EXPECT_EQ(done.code, 2);
    EXPECT_THAT(done.err, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    CompareBadArguments,
    testing::Values(
        BadArguments{{}, "variants"},
        BadArguments{{"nowhere.jsonl", "x.jsonl"}, "nowhere.jsonl: no such file"},
        BadArguments{{"@last", "@baseline"}, "there is no journal here"},
        BadArguments{{"/", "/"}, "/ is a folder"},
        BadArguments{{std::string(recorded) + "lm-eval-large.jsonl"}, "found 1 variant"},
        BadArguments{{std::string(recorded) + "inspect-large.eval", "b"}, "inspect log convert"},
        BadArguments{{std::string(recorded) + "README.md", "b"}, "expected rows {\"prompt\""}
    )
);

TEST_F(CompareCommandTest, ReadsWhatLmEvalWrote) {
    const auto done = compare(
        {std::string(recorded) + "lm-eval-large.jsonl",
         std::string(recorded) + "lm-eval-small.jsonl",
         "--filter",
         "flexible"}
    );
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("0 won, 6 lost, 18 the same of 24 prompts"));
}

TEST_F(CompareCommandTest, AFailedRequestOfPromptfooIsNoWrongAnswer) {
    const auto file = std::string(recorded) + "promptfoo.json";
    EXPECT_EQ(compare({file}).code, 2);  // a prompt is missing on one side
    const auto done = compare({file, "--only-common"});
    EXPECT_EQ(done.code, 1);
    EXPECT_TRUE(done.out.starts_with("small: 1 of 24 prompts or samples have no answer"))
        << done.out;
}

TEST_F(CompareCommandTest, TakesRunsOfTheJournal) {
    const std::string hashes = R"({"suite":"s","sampling":"a","template":"t","backend":"mlx 1"})";
    const auto first = run("base", 60, 20, hashes);
    run("tuned", 60, 40, hashes);
    {
        auto journal = journal::Journal::open(journal_folder());
        ASSERT_TRUE(journal);
        ASSERT_TRUE(journal->set_baseline(first));
    }
    const auto done = compare({"@baseline", "@last"});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("tuned is better than base by 33.3 points"));
    EXPECT_EQ(compare({first, "@last"}).code, 0);
    EXPECT_EQ(compare({"@last", "eval-unknown"}).code, 2);
}

TEST_F(CompareCommandTest, ARunsFailedAnswersHaveTheirOwnExitCode) {
    const auto base = run("base", 60, 20, "{}");
    const auto tuned = run("tuned", 60, 40, "{}", 5);
    EXPECT_EQ(compare({base, tuned}).code, 2);
    const auto done = compare({base, tuned, "--only-common"});
    EXPECT_EQ(done.code, 1);
    EXPECT_TRUE(done.out.starts_with("tuned: 5 of 60")) << done.out;
}

TEST_F(CompareCommandTest, AnotherTemplateIsRefused) {
    const auto base = run("base", 60, 20, R"({"suite":"s","template":"one"})");
    const auto tuned = run("tuned", 60, 40, R"({"suite":"s","template":"two"})");
    const auto refused = compare({base, tuned});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, HasSubstr("tuned has another chat template (two) than base (one)"));
    const auto named = compare({base, tuned, "--allow-different", "template"});
    EXPECT_EQ(named.code, 0);
    EXPECT_THAT(named.out, HasSubstr("note: tuned has another chat template"));
}

TEST_F(CompareCommandTest, JudgesRecordedAnswersByTheSuite) {
    const auto suite = path() / "suite.yaml";
    std::ofstream(suite
    ) << "suite: capitals\nprompts:\n"
         "  - {id: fr, prompt: \"Capital of France?\", expect: [{contains: Paris}]}\n"
         "  - {id: it, prompt: \"Capital of Italy?\", expect: [{contains: Rome}]}\n";
    const auto answers = [this](const std::string& name, std::string_view italy) {
        const auto file = path() / name;
        std::ofstream(file) << "{\"prompt_id\":\"fr\",\"answer\":\"Paris\"}\n"
                            << fmt::format("{{\"prompt_id\":\"it\",\"answer\":\"{}\"}}\n", italy);
        return file.native();
    };
    const auto one = answers("one.jsonl", "Milan");
    const auto two = answers("two.jsonl", "Rome");
    const auto without = compare({one, two});
    EXPECT_EQ(without.code, 2);
    EXPECT_THAT(without.err, HasSubstr("--suite SUITE"));
    const auto done = compare({one, two, "--suite", suite.native(), "--json"});
    EXPECT_EQ(done.code, 0) << done.err;
    const auto object = done.object();
    EXPECT_EQ(object.at("pairs").at(0).at("won").to_number<int>(), 1);
    EXPECT_EQ(object.at("pairs").at(0).at("claim"), "too_few");
}

}  // namespace
}  // namespace punie::cli
