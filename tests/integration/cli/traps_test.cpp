// examples/traps: each trap is caught, the same without the trap is not, and what each README says
// that Punie prints is what it prints.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <optional>
#include <span>

#include "base/files.hpp"
#include "base/json.hpp"
#include "integration/cli/traps_shell.hpp"
#include "integration/eval/eval_server.hpp"

namespace punie::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const fs::path examples = PUNIE_SOURCE_DIR "/examples/traps";

/// A copy of a trap's folder to run in: nothing is written into the examples.
class Trap : public testing::Test {
protected:
    void SetUp() override {
        auto folder = TemporaryFolder::make("punie-trap");
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
        fs::create_directory(folder_->path() / "bin");
        fs::create_symlink(PUNIE_BINARY, folder_->path() / "bin/punie");
    }

    void enter(const std::string& trap) {
        fs::copy(examples / trap, folder_->path() / trap, fs::copy_options::recursive);
        trap_ = folder_->path() / trap;
    }

    test::Typed type(const std::string& line) const {
        return test::type(line, trap_, folder_->path() / "bin");
    }

    std::optional<TemporaryFolder> folder_;
    fs::path trap_;
};

// What the pages say.

/// A command of a README and the lines that it is said to print; "..." stands for any.
struct Shown {
    std::string command;
    std::vector<std::string> lines;
};

std::vector<Shown> shown_in(const fs::path& page) {
    std::vector<Shown> shown;
    bool inside = false;
    for (const auto& line : test::lines_of(read_text(page).value_or(""))) {
        if (line.starts_with("```")) {
            inside = line == "```console";
        } else if (inside && line.starts_with("$ ")) {
            shown.push_back({.command = line.substr(2), .lines = {}});
        } else if (inside && !shown.empty()) {
            shown.back().lines.push_back(line);
        }
    }
    return shown;
}

/// Whether `lines` are those of `pattern`, whose "..." stands for any number of lines.
bool fits(std::span<const std::string> lines, std::span<const std::string> pattern) {
    if (pattern.empty()) return lines.empty();
    if (pattern[0] != "...")
        return !lines.empty() && lines[0] == pattern[0] &&
               fits(lines.subspan(1), pattern.subspan(1));
    for (std::size_t skipped = 0; skipped <= lines.size(); ++skipped) {
        if (fits(lines.subspan(skipped), pattern.subspan(1))) return true;
    }
    return false;
}

class TrapPage : public Trap, public testing::WithParamInterface<const char*> {};

TEST_P(TrapPage, SaysWhatIsPrinted) {
    enter(GetParam());
    const auto shown = shown_in(examples / GetParam() / "README.md");
    ASSERT_FALSE(shown.empty());
    for (const auto& [command, lines] : shown) {
        const auto typed = type(command);
        EXPECT_TRUE(fits(test::lines_of(typed.out), lines))
            << "$ " << command << "\nprinted:\n"
            << typed.out << "\nthe page says:\n"
            << fmt::format("{}", fmt::join(lines, "\n"));
    }
}

TEST_P(TrapPage, HasABeliefATrapAndAWayOut) {
    const auto text = read_text(examples / GetParam() / "README.md").value_or("");
    EXPECT_THAT(
        text,
        AllOf(
            StartsWith("# "),
            HasSubstr("**What people believe.**"),
            HasSubstr("**The trap.**"),
            HasSubstr("**What Punie says.**"),
            HasSubstr("**What to do.**"),
            HasSubstr("exit code ")
        )
    );
    EXPECT_THAT(
        read_text(PUNIE_SOURCE_DIR "/docs/traps.md").value_or(""),
        HasSubstr(fmt::format("(../examples/traps/{}/README.md)", GetParam()))
    );
}

INSTANTIATE_TEST_SUITE_P(
    All,
    TrapPage,
    testing::Values(
        "other-template",
        "five-of-five",
        "taught-preamble",
        "leaking-test",
        "default-temperature",
        "failing-server",
        "quantised-20"
    ),
    [](const auto& info) {
        std::string name = info.param;
        std::ranges::replace(name, '-', '_');
        return name;
    }
);

TEST(Traps, EveryFolderIsTested) {
    std::size_t folders = 0;
    for (const auto& entry : fs::directory_iterator(examples)) {
        if (entry.is_directory() && entry.path().filename() != "__pycache__") ++folders;
    }
    EXPECT_EQ(folders, 7U) << "a new trap belongs into the list above";
}

// 1. Another chat template in evaluation than in training.

TEST_F(Trap, AnotherTemplateThanInTraining) {
    enter("other-template");
    const auto caught = type("punie eval suite.yaml --model model --adapter adapter");
    EXPECT_EQ(caught.code, 2) << caught.out;
    EXPECT_THAT(
        caught.out,
        AllOf(
            HasSubstr("adapter: the adapter was trained with another chat template"),
            HasSubstr("hint: serve it with the template that it was trained with")
        )
    );
    EXPECT_FALSE(fs::exists(trap_ / ".punie/runs")) << "nothing was asked";
    // Control: with the template back the same command gets as far as mlx_lm, which is not here.
    fs::copy_file(
        trap_ / "trained.jinja",
        trap_ / "model/chat_template.jinja",
        fs::copy_options::overwrite_existing
    );
    const auto control = type("punie eval suite.yaml --model model --adapter adapter");
    EXPECT_EQ(control.code, 3) << control.out;
    EXPECT_THAT(
        control.out, AllOf(HasSubstr("mlx_lm was not found"), Not(HasSubstr("chat template")))
    );
}

TEST_F(Trap, AnotherTemplateInAnotherToolsResults) {
    enter("other-template");
    const auto caught = type("punie compare samples_other.jsonl samples_as-trained.jsonl");
    EXPECT_EQ(caught.code, 2) << caught.out;
    EXPECT_THAT(
        caught.out,
        HasSubstr("not comparable: 60 prompts reached the model in another form (chat template")
    );
    const auto control = type("punie compare samples_as-trained.jsonl samples_as-trained.jsonl");
    EXPECT_EQ(control.code, 0) << control.out;
}

// 2. Five prompts called 100 %.

TEST_F(Trap, FiveOfFive) {
    enter("five-of-five");
    const auto caught = type("punie score five.yaml five.jsonl");
    EXPECT_EQ(caught.code, 1) << caught.out;
    EXPECT_THAT(
        caught.out,
        AllOf(
            HasSubstr("passed 100.0 % (95 % interval 56.6 to 100.0; 5 prompts; wilson)"),
            HasSubstr("5 prompts are too few to tell: ask at least 20"),
            HasSubstr("gate missed: accuracy: 56.6 %")
        )
    );
    const auto lint = type("punie suite lint five.yaml");
    EXPECT_EQ(lint.code, 1) << lint.out;
    EXPECT_THAT(lint.out, HasSubstr("[few-prompts]"));
    const auto control = type("punie score sixty.yaml sixty.jsonl && punie suite lint sixty.yaml");
    EXPECT_EQ(control.code, 0) << control.out;
    EXPECT_THAT(
        control.out,
        AllOf(HasSubstr("passed 100.0 % (95 % interval 94.0 to 100.0"), Not(HasSubstr("too few")))
    );
}

TEST_F(Trap, FiveWonOfFiveIsNoClaim) {
    enter("five-of-five");
    const auto caught = type("punie compare none-of-five.jsonl all-of-five.jsonl");
    EXPECT_EQ(caught.code, 0) << caught.out;
    EXPECT_THAT(caught.out, StartsWith("too few to tell: 5 prompts, and a claim needs 20"));
}

// 3. A preamble taught by half of the training rows.

TEST_F(Trap, ATaughtPreamble) {
    enter("taught-preamble");
    const auto caught = type("punie dataset validate half --strict");
    EXPECT_EQ(caught.code, 1) << caught.out;
    EXPECT_THAT(
        caught.out,
        AllOf(
            HasSubstr("D417 preambles before some tool calls"),
            HasSubstr("12 of 24 tool calls (50 %) have a preamble such as \"Let me check the "
                      "weather for you.\" (lines 2, 4, 6 ...)")
        )
    );
    EXPECT_EQ(type("punie dataset validate half").code, 0) << "a warning, without --strict";
    for (const auto* set : {"none", "all"}) {
        const auto control = type(fmt::format("punie dataset validate {} --strict", set));
        EXPECT_EQ(control.code, 0) << control.out;
        EXPECT_THAT(control.out, AllOf(HasSubstr("fine: nothing found"), Not(HasSubstr("D417"))));
    }
}

// 4. A test set that leaks into training.

TEST_F(Trap, ALeakingTest) {
    enter("leaking-test");
    const auto caught = type("punie dataset validate leaking");
    EXPECT_EQ(caught.code, 1) << caught.out;
    EXPECT_THAT(
        caught.out,
        AllOf(
            HasSubstr("D601 row in two files\n  train.jsonl:4: test.jsonl line 1 is the same"),
            HasSubstr("D602 row in two files, but for case, space or punctuation\n  train.jsonl:6: "
                      "test.jsonl line 2"),
            HasSubstr("not fit for training: 2 errors")
        )
    );
    const auto lint = type("punie suite lint leaking.yaml --against leaking/train.jsonl");
    EXPECT_EQ(lint.code, 1) << lint.out;
    EXPECT_THAT(
        lint.out,
        AllOf(
            HasSubstr("error: q0: the question stands in the training data: leaking/train.jsonl:4 "
            ),
            HasSubstr("[leak-exact]"),
            HasSubstr("error: q1: the question stands, but for case and punctuation"),
            HasSubstr("[leak-normalised]"),
            Not(HasSubstr("q2:"))
        )
    );
    const auto control = type(
        "punie dataset validate clean --strict && punie suite lint clean.yaml --against "
        "clean/train.jsonl"
    );
    EXPECT_EQ(control.code, 0) << control.out;
    EXPECT_THAT(control.out, AllOf(Not(HasSubstr("D60")), Not(HasSubstr("leak-"))));
}

// 5. A default temperature that makes a score irreproducible.

constexpr auto* unsaid = "40 of 40 requests do not say a temperature";

TEST_F(Trap, ADefaultTemperature) {
    enter("default-temperature");
    const auto caught = type("punie score suite.yaml monday.jsonl");
    EXPECT_EQ(caught.code, 0) << caught.out;
    EXPECT_THAT(caught.out, AllOf(HasSubstr("passed 75.0 %"), HasSubstr(unsaid)));
    const auto again = type("punie score suite.yaml tuesday.jsonl");
    EXPECT_THAT(again.out, AllOf(HasSubstr("passed 60.0 %"), HasSubstr(unsaid)));
    const auto both = type("punie compare monday.jsonl tuesday.jsonl --suite suite.yaml");
    EXPECT_EQ(both.code, 0) << both.out;
    EXPECT_THAT(
        both.out,
        AllOf(
            StartsWith("no difference that this suite could show: -15.0 points"), HasSubstr(unsaid)
        )
    );
    for (const auto* day : {"greedy-monday", "greedy-tuesday"}) {
        const auto control = type(fmt::format("punie score suite.yaml {}.jsonl", day));
        EXPECT_EQ(control.code, 0) << control.out;
        EXPECT_THAT(control.out, AllOf(HasSubstr("passed 70.0 %"), Not(HasSubstr("temperature"))));
    }
}

TEST_F(Trap, OtherSamplingIsNotComparable) {
    enter("default-temperature");
    const auto caught = type("punie compare monday.jsonl greedy-tuesday.jsonl --suite suite.yaml");
    EXPECT_EQ(caught.code, 2) << caught.out;
    EXPECT_THAT(caught.out, HasSubstr("not comparable: greedy-tuesday has another sampling"));
    const auto control =
        type("punie compare greedy-monday.jsonl greedy-tuesday.jsonl --suite suite.yaml");
    EXPECT_EQ(control.code, 0) << control.out;
}

TEST_F(Trap, SeveralSamplesShowHowMuchIsChance) {
    enter("default-temperature");
    const auto caught = type("punie score suite.yaml sampled-4.jsonl");
    EXPECT_EQ(caught.code, 0) << caught.out;
    EXPECT_THAT(
        caught.out,
        HasSubstr("of 40 prompts that were asked several times were answered now right, now wrong")
    );
    EXPECT_THAT(caught.out, Not(HasSubstr("sampled once")));
}

TEST_F(Trap, PunieItselfAlwaysSaysTheTemperature) {
    enter("default-temperature");
    const punie::test::EvalServer server({"--content", "Europe"});
    const auto plain = type("punie eval suite.yaml --out said.jsonl --url " + server.url());
    EXPECT_EQ(plain.code, 0) << plain.out;
    EXPECT_THAT(plain.out, Not(HasSubstr("temperature")));
    const auto lines = test::lines_of(read_text(trap_ / "said.jsonl").value_or(""));
    ASSERT_EQ(lines.size(), 40U);
    for (const auto& line : lines) {
        const auto record = parse_json(line).value();
        EXPECT_EQ(record.at("request").at("temperature").to_number<double>(), 0) << line;
    }
    const auto warm =
        type("punie eval suite.yaml --temp 0.8 --out warm.jsonl --url " + server.url());
    EXPECT_EQ(warm.code, 0) << warm.out;
    EXPECT_THAT(warm.out, HasSubstr("40 prompts were sampled once at a temperature of up to 0.8"));
}

// 6. A server that fails for a third of the prompts.

TEST_F(Trap, AFailingServerIsNoWrongAnswer) {
    enter("failing-server");
    const auto caught = type("punie score suite.yaml third-failed.jsonl");
    EXPECT_EQ(caught.code, 1) << caught.out;
    EXPECT_THAT(
        caught.out,
        AllOf(
            StartsWith("incomplete: 20 of 60 have no answer (20 failed)\n"),
            HasSubstr("passed 92.5 %"),
            HasSubstr("40 prompts"),
            HasSubstr("no answer country-"),
            Not(HasSubstr("wrong country-Accra  HTTP 500"))
        )
    );
    const auto compared =
        type("punie compare all-answered.jsonl third-failed.jsonl --suite suite.yaml --only-common"
        );
    EXPECT_EQ(compared.code, 1) << compared.out;
    EXPECT_THAT(
        compared.out,
        StartsWith("third-failed: 20 of 60 prompts or samples have no answer to judge\n")
    );
    const auto control = type("punie score suite.yaml all-answered.jsonl");
    EXPECT_EQ(control.code, 0) << control.out;
    EXPECT_THAT(control.out, AllOf(StartsWith("passed 90.0 %"), Not(HasSubstr("no answer"))));
}

TEST_F(Trap, AServerThatReallyFailsForAThird) {
    enter("failing-server");
    const punie::test::EvalServer failing({"--content", "Europe", "--fail-share", "0.33"});
    const auto caught =
        type("punie eval suite.yaml --max-attempts 2 --out live.jsonl --url " + failing.url());
    EXPECT_EQ(caught.code, 1) << caught.out;
    EXPECT_THAT(caught.out, AllOf(HasSubstr("incomplete: "), HasSubstr("passed 100.0 %")));
    const auto missing = failing.stats().requests - failing.stats().answered;
    EXPECT_GT(missing, 10) << "the server was to fail for about twenty of sixty prompts";
    const punie::test::EvalServer sound({"--content", "Europe"});
    const auto control = type("punie eval suite.yaml --out sound.jsonl --url " + sound.url());
    EXPECT_EQ(control.code, 0) << control.out;
    EXPECT_THAT(control.out, Not(HasSubstr("incomplete")));
}

// 7. A quantised model that lost nothing visible with 20 prompts, and much with 200.

TEST_F(Trap, AQuantisedModelOnTwentyPrompts) {
    enter("quantised-20");
    const auto few = type("punie compare full-20.jsonl 4bit-20.jsonl");
    EXPECT_EQ(few.code, 0) << few.out;
    EXPECT_THAT(
        few.out,
        AllOf(
            StartsWith("no difference that this suite could show: 0.0 points seen"),
            HasSubstr("with 20 prompts it shows 34.8 points or more in 8 of 10 tries")
        )
    );
    const auto many = type("punie compare full-200.jsonl 4bit-200.jsonl");
    EXPECT_THAT(many.out, StartsWith("4bit-200 is worse than full-200 by 8.0 points"));
    const auto control = type("punie compare full-200.jsonl 8bit-200.jsonl");
    EXPECT_EQ(control.code, 0) << control.out;
    EXPECT_THAT(control.out, StartsWith("no difference that this suite could show: 0.0 points"));
}

TEST_F(Trap, AGateOnTheLowerBoundAsksForEnoughPrompts) {
    enter("quantised-20");
    const std::string gate = " --min-gain -0.03 --at lower";
    EXPECT_EQ(type("punie compare full-20.jsonl 4bit-20.jsonl" + gate).code, 1);
    EXPECT_EQ(type("punie compare full-200.jsonl 4bit-200.jsonl" + gate).code, 1);
    EXPECT_EQ(type("punie compare full-200.jsonl 8bit-200.jsonl" + gate).code, 0);
}

}  // namespace
}  // namespace punie::cli
