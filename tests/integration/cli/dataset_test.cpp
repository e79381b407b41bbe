// `punie dataset` as a person runs it.
#include "cli_fixture.hpp"

namespace punie::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string row(const std::string& question, const std::string& answer) {
    return R"({"messages": [{"role": "user", "content": ")" + question +
           R"("}, {"role": "assistant", "content": ")" + answer +
           R"("}]})"
           "\n";
}

class DatasetCommand : public CliFixture {
protected:
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((path() / name).parent_path());
        std::ofstream(path() / name, std::ios::binary) << text;
    }

    std::string place(const std::string& name) const { return (path() / name).native(); }

    void good_data() const {
        write(
            "data/train.jsonl",
            row("Why is the sky blue?", "Air scatters it.") + row("Is it late?", "Not yet.") +
                row("Who is there?", "Only me.") + row("What is two and two?", "Four.")
        );
        write(
            "data/valid.jsonl",
            row("Do fish sleep?", "They do.") + row("May I come in?", "Please do.") +
                row("Is tea better?", "Often.") + row("Where is Oslo?", "In Norway.")
        );
    }

    void bad_data() const {
        good_data();
        write(
            "data/train.jsonl",
            row("Why is the sky blue?", "Air scatters it.") + "{\"messages\": [}\n" +
                row("Is it late?", "Not yet. ") + row("Do fish sleep?", "They do.") +
                row("What is two and two?", "<|im_end|>")
        );
    }

    struct Ran {
        int code;
        std::string out;
        std::string err;
    };

    Ran run(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "dataset");
        auto program = punie(std::move(arguments));
        const int code = program.wait();
        return {code, program.out(), program.err()};
    }

    json::value json_of(const Ran& ran) const {
        auto value = parse_json(ran.out.substr(0, ran.out.find('\n')));
        EXPECT_TRUE(value) << ran.out << ran.err;
        return value ? *value : json::value();
    }
};

TEST_F(DatasetCommand, CleanDataIsFine) {
    good_data();
    const auto ran = run({"validate", place("data"), "--strict"});
    EXPECT_EQ(ran.code, 0) << ran.out;
    EXPECT_THAT(ran.out, AllOf(HasSubstr("train.jsonl"), HasSubstr("fine:")));
}

TEST_F(DatasetCommand, FindingsHavePlacesReasonsAndRepairs) {
    bad_data();
    const auto ran = run({"validate", place("data")});
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(
        ran.out,
        AllOf(
            HasSubstr("D120"),
            HasSubstr("train.jsonl:2:15"),
            HasSubstr("D501"),
            HasSubstr("D601"),
            HasSubstr("valid.jsonl line 1"),
            HasSubstr("why:"),
            HasSubstr("fix:"),
            HasSubstr("not fit for training")
        )
    );
    EXPECT_EQ(ran.out.find("\x1B"), std::string::npos) << "no colours in a pipe";
}

TEST_F(DatasetCommand, WarningsFailOnlyWhenStrict) {
    good_data();
    write(
        "data/valid.jsonl",
        row("Do fish sleep?", "They do. ") + row("May I come in?", "Please do.") +
            row("Is tea better?", "Often.") + row("Where is Oslo?", "In Norway.")
    );
    EXPECT_EQ(run({"validate", place("data")}).code, 0);
    EXPECT_EQ(run({"validate", place("data"), "--strict"}).code, 1);
}

TEST_F(DatasetCommand, Json) {
    bad_data();
    const auto ran = run({"validate", place("data"), "--json"});
    EXPECT_EQ(ran.code, 1);
    const auto value = json_of(ran);
    EXPECT_EQ(string_member(value, "event"), "validated");
    EXPECT_EQ(bool_member(value, "ok"), false);
    EXPECT_GE(member(value, "findings")->as_array().size(), 4U);
    EXPECT_EQ(integer_member(*member(value, "counts"), "D601"), 1);
}

TEST_F(DatasetCommand, SarifAndBaseline) {
    bad_data();
    EXPECT_EQ(run({"validate", place("data"), "--sarif", place("out.sarif")}).code, 1);
    const auto sarif = parse_json(*read_text(path() / "out.sarif"));
    ASSERT_TRUE(sarif);
    EXPECT_FALSE(member(member(*sarif, "runs")->as_array().front(), "results")->as_array().empty());
    EXPECT_EQ(run({"validate", place("data"), "--write-baseline", place("known.json")}).code, 0);
    const auto known =
        run({"validate", place("data"), "--baseline", place("known.json"), "--strict"});
    EXPECT_EQ(known.code, 0) << known.out;
    EXPECT_THAT(known.out, HasSubstr("known ones left out"));
}

TEST_F(DatasetCommand, FixWritesACopy) {
    bad_data();
    const auto before = *read_text(path() / "data/train.jsonl");
    const auto ran = run({"validate", place("data"), "--fix", place("clean")});
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("1 times D504"), HasSubstr("punie dataset validate")));
    EXPECT_EQ(*read_text(path() / "data/train.jsonl"), before);
    EXPECT_THAT(*read_text(path() / "clean/train.jsonl"), HasSubstr("\"Not yet.\""));
    EXPECT_EQ(run({"validate", place("data"), "--fix", place("clean")}).code, 2)
        << "never overwrites";
}

TEST_F(DatasetCommand, CreateSplitConvertStatsShow) {
    EXPECT_EQ(run({"create", place("made"), "--rows", "60"}).code, 0);
    EXPECT_EQ(run({"create", place("made"), "--rows", "60"}).code, 2);
    EXPECT_EQ(run({"validate", place("made"), "--strict", "--mask-prompt"}).code, 0);
    const auto split = run({"split", place("made"), place("parts"), "--valid", "0.2", "--json"});
    EXPECT_EQ(split.code, 0) << split.err;
    EXPECT_EQ(integer_member(json_of(split), "rows"), 72);
    const auto stats = run({"stats", place("made")});
    EXPECT_EQ(stats.code, 0);
    EXPECT_THAT(stats.out, AllOf(HasSubstr("get_weather 15"), HasSubstr("median")));
    EXPECT_EQ(
        integer_member(
            member(json_of(run({"stats", place("made"), "--json"})), "files")->as_array()[0], "rows"
        ),
        60
    );
    write("alpaca.json", R"([{"instruction": "Say hi", "input": "", "output": "hi"}])");
    const auto converted = run({"convert", place("alpaca.json"), place("chat.jsonl")});
    EXPECT_EQ(converted.code, 0);
    EXPECT_THAT(converted.out, HasSubstr("1 Alpaca"));
    const auto shown = run({"show", place("chat.jsonl"), "1", "--mask-prompt"});
    EXPECT_EQ(shown.code, 0);
    EXPECT_THAT(shown.out, AllOf(HasSubstr("user\nSay hi"), HasSubstr("assistant (trained)\nhi")));
    EXPECT_EQ(run({"create", place("chat"), "--kind", "chat", "--rows", "20"}).code, 0);
}

TEST_F(DatasetCommand, BadUsage) {
    good_data();

    struct Bad {
        std::vector<std::string> arguments;
        int code;
        std::string words;
    };

    write("broken.jsonl", "{oops\n");
    write("no-baseline.json", "{}");
    const std::vector<Bad> table = {
        {{}, 2, "validate"},
        {{"validat"}, 2, "did you mean validate?"},
        {{"validate"}, 2, "place"},
        {{"validate", place("none")}, 2, "does not exist"},
        {{"validate", place("data"), "--batch-size", "0"}, 2, "batch-size"},
        {{"validate", place("data"), "--batch-size", "many"}, 2, "batch-size"},
        {{"validate", place("data"), "--basline", "x"}, 2, "did you mean --baseline"},
        {{"validate", place("data"), "--baseline", place("none.json")}, 2, "none.json"},
        {{"validate", place("data"), "--baseline", place("no-baseline.json")}, 2, "no baseline"},
        {{"validate", place("data"), "--serving-model", "x"}, 2, "--model"},
        {{"validate", place("data"), "--fix", place("data")}, 2, "where the data is"},
        {{"split", place("data"), place("data")}, 2, "those to write"},
        {{"split", place("broken.jsonl"), place("x")}, 2, "line 1"},
        {{"split", place("data"), place("x"), "--valid", "0.8", "--test", "0.8"},
         2,
         "nothing to train"},
        {{"convert", place("broken.jsonl"), place("x.jsonl")}, 1, "line 1"},
        {{"convert", place("data"), place("x.jsonl")}, 2, "folder"},
        {{"convert", place("broken.jsonl"), place("x.jsonl"), "--to", "parquet"}, 2, "--to"},
        {{"show", place("data"), "99"}, 2, "4 rows"},
        {{"show", place("data"), "0"}, 2, "row"},
        {{"create", place("x"), "--rows", "0"}, 2, "rows"},
        {{"create", place("x"), "--kind", "poems"}, 2, "kind"},
        {{"stats", place("bin")}, 2, "train.jsonl"},
    };
    for (const auto& bad : table) {
        const auto ran = run(bad.arguments);
        EXPECT_EQ(ran.code, bad.code) << fmt::format("{}", fmt::join(bad.arguments, " ")) << "\n"
                                      << ran.err;
        EXPECT_THAT(ran.err + ran.out, HasSubstr(bad.words))
            << fmt::format("{}", fmt::join(bad.arguments, " "));
    }
}

TEST_F(DatasetCommand, NoMlxLmIsSaidWithWhatToDo) {
    good_data();
    environment_["PATH"] = (path() / "bin").native();
    const auto missing =
        run({"validate", place("data"), "--model", "x", "--mlx-lm", place("nowhere")});
    EXPECT_EQ(missing.code, 2) << "the model is looked at first: " << missing.err;
    EXPECT_THAT(missing.err, HasSubstr("x does not exist"));
    const auto ran =
        run({"validate", place("data"), "--model", place("data"), "--mlx-lm", place("nowhere")});
    EXPECT_EQ(ran.code, 3) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("nowhere"));
}

/// The real tokenizer: PUNIE_E2E_MLX_LM names the virtual environment, PUNIE_E2E_MODEL a small
/// model with a chat template.
class RealTokenizer : public DatasetCommand {
protected:
    void SetUp() override {
        const char* venv = std::getenv("PUNIE_E2E_MLX_LM");
        const char* model = std::getenv("PUNIE_E2E_MODEL");
        if (venv == nullptr || model == nullptr)
            GTEST_SKIP() << "PUNIE_E2E_MLX_LM and PUNIE_E2E_MODEL are not set";
        DatasetCommand::SetUp();
        venv_ = venv;
        model_ = model;
        good_data();
    }

    std::vector<std::string> with_model(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--model", model_, "--mlx-lm", venv_});
        return arguments;
    }

    std::string venv_;
    std::string model_;
};

TEST_F(RealTokenizer, CountsAndShowsWhatIsTrained) {
    const auto ran = run(with_model({"validate", place("data"), "--mask-prompt", "--json"}));
    const auto report = json_of(ran);
    const auto& split = member(report, "splits")->as_array().at(0);
    EXPECT_EQ(bool_member(split, "exact_tokens"), true) << ran.out << ran.err;
    EXPECT_GT(integer_member(split, "trained_tokens").value(), 4);
    EXPECT_LT(
        integer_member(split, "trained_tokens").value(), integer_member(split, "tokens").value()
    );
    EXPECT_EQ(member(*member(report, "counts"), "D902"), nullptr) << ran.out;
    const auto shown =
        json_of(run(with_model({"show", place("data"), "1", "--mask-prompt", "--json"})));
    const auto& pieces = member(*member(shown, "rendered"), "pieces")->as_array();
    ASSERT_EQ(pieces.size(), 2U);
    EXPECT_EQ(bool_member(pieces[0], "trained"), false);
    EXPECT_THAT(string_member(pieces[0], "text").value(), HasSubstr("Why is the sky blue?"));
    EXPECT_THAT(string_member(pieces[1], "text").value(), HasSubstr("Air scatters it."));
}

TEST_F(RealTokenizer, AShortLimitLeavesNothing) {
    const auto ran = run(
        with_model({"validate", place("data"), "--mask-prompt", "--max-seq-length", "4", "--json"})
    );
    EXPECT_EQ(ran.code, 1);
    const auto report = json_of(ran);
    EXPECT_EQ(integer_member(*member(report, "counts"), "D702"), 8) << ran.out;
    EXPECT_EQ(integer_member(*member(report, "counts"), "D701"), 8);
}

TEST_F(RealTokenizer, AnotherServingTemplateIsAnErrorWithBothTexts) {
    write(
        "other.jinja",
        "{% for m in messages %}### {{ m.role }}: {{ m.content }}\n{% endfor %}{% if "
        "add_generation_prompt %}### assistant: {% endif %}"
    );
    const auto ran =
        run(with_model({"validate", place("data"), "--serving-template", place("other.jinja")}));
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(
        ran.out,
        AllOf(
            HasSubstr("D905"), HasSubstr("D902"), HasSubstr("### user"), HasSubstr("training sees")
        )
    );
}

TEST_F(RealTokenizer, AModelWithoutATokenizer) {
    fs::create_directories(path() / "empty");
    const auto ran = run({"validate", place("data"), "--model", place("empty"), "--mlx-lm", venv_});
    EXPECT_NE(ran.code, 0);
    EXPECT_THAT(ran.err, HasSubstr("cannot be loaded"));
}

}  // namespace
}  // namespace punie::cli
