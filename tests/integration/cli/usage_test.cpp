// Bad input: the exit code, the words that name what was wrong, and what to do.

#include "cli_fixture.hpp"

namespace punie::cli {
namespace {

using testing::HasSubstr;

struct Usage {
    const char* name;
    std::vector<std::string> arguments;
    int exit_code;
    std::vector<const char*> words;
};

class UsageTest : public CliFixture, public testing::WithParamInterface<Usage> {};

TEST_P(UsageTest, SaysWhatIsWrong) {
    auto program = punie(GetParam().arguments);
    EXPECT_EQ(program.wait(), GetParam().exit_code) << program.err();
    for (const auto* word : GetParam().words)
        EXPECT_THAT(program.err() + program.out(), HasSubstr(word));
    EXPECT_THAT(program.err(), testing::Not(HasSubstr("\x1b["))) << "colours without a terminal";
}

INSTANTIATE_TEST_SUITE_P(
    BadInput,
    UsageTest,
    testing::Values(
        Usage{"nothing", {}, 2, {"serve", "bench", "Examples"}},
        Usage{"unknown_command", {"sevre"}, 2, {"sevre", "did you mean serve"}},
        Usage{"unknown_option", {"serve", "--modle", "x"}, 2, {"--modle", "did you mean --model"}},
        Usage{"no_model", {"serve"}, 2, {"--model", "hint"}},
        Usage{
            "port_too_big",
            {"serve", "--model", "x", "--port", "70000"},
            2,
            {"port", "70000", "65535"}
        },
        Usage{
            "port_no_number", {"serve", "--model", "x", "--port", "eighty"}, 2, {"--port", "eighty"}
        },
        Usage{"negative_port", {"serve", "--model", "x", "--port=-1"}, 2, {"port", "-1"}},
        Usage{"unknown_backend", {"serve", "--model", "x", "--backend", "mxl"}, 2, {"mxl", "mlx"}},
        Usage{
            "bad_environment",
            {"serve", "--model", "x", "--env", "NOVALUE"},
            2,
            {"--env", "NOVALUE", "NAME=VALUE"}
        },
        Usage{"temperature", {"serve", "--model", "x", "--temp", "9"}, 2, {"temperature", "9"}},
        Usage{
            "penalty",
            {"serve", "--model", "x", "--repetition-penalty", "0"},
            2,
            {"repetition_penalty", "0"}
        },
        Usage{"kv_size", {"serve", "--model", "x", "--max-kv-size", "0"}, 2, {"max_kv_size", "0"}},
        Usage{
            "serving_what_is_not_ours",
            {"serve", "--model", "x", "--backend", "openai"},
            2,
            {"openai"}
        },
        Usage{"chat_without_a_model", {"chat"}, 2, {"--model", "--url"}},
        Usage{"chat_with_a_bad_url", {"chat", "--url", "ftp://x", "--once", "hi"}, 2, {"ftp://x"}},
        Usage{
            "chat_with_nobody",
            {"chat", "--url", "http://127.0.0.1:1/v1", "--model", "m", "--once", "hi"},
            3,
            {"127.0.0.1"}
        },
        Usage{
            "model_not_there",
            {"serve", "--backend", "llama", "--model", "/nowhere/model.gguf"},
            2,
            {"/nowhere/model.gguf"}
        },
        Usage{"bench_without_a_model", {"bench", "train"}, 2, {"--model"}},
        Usage{
            "bench_zero_iterations",
            {"bench", "train", "--model", "x", "--iters", "0"},
            2,
            {"--iters"}
        },
        Usage{
            "bench_unknown_requirement",
            {"bench", "train", "--model", "x", "--require", "quick"},
            2,
            {"quick"}
        },
        Usage{"bench_alone", {"bench"}, 2, {"train"}},
        Usage{"unknown_shell", {"completions", "tcsh"}, 2, {"tcsh"}}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST_F(CliFixture, AMissingProgramIsExitCodeThree) {
    fs::remove(path() / "bin/llama-server");
    auto program = punie(serve());
    EXPECT_EQ(program.wait(), 3);
    EXPECT_THAT(program.err(), HasSubstr("llama-server"));
    EXPECT_THAT(program.err(), HasSubstr("hint"));
}

TEST_F(CliFixture, VersionIsOneLine) {
    auto program = punie({"--version"});
    EXPECT_EQ(program.wait(), 0);
    EXPECT_THAT(program.out(), testing::MatchesRegex("punie [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(CliFixture, EveryCommandHasHelpWithExamples) {
    for (const auto& command : std::vector<std::vector<std::string>>{
             {}, {"serve"}, {"chat"}, {"bench", "train"}, {"doctor"}, {"completions"}
         }) {
        auto arguments = command;
        arguments.emplace_back("--help");
        auto program = punie(arguments);
        EXPECT_EQ(program.wait(), 0);
        EXPECT_THAT(program.out(), HasSubstr("Examples:"));
    }
}

TEST_F(CliFixture, CompletionsNameTheCommandsAndTheirOptions) {
    for (const auto* shell : {"bash", "zsh", "fish"}) {
        auto program = punie({"completions", shell});
        EXPECT_EQ(program.wait(), 0);
        EXPECT_THAT(program.out(), HasSubstr("serve"));
        EXPECT_THAT(program.out(), HasSubstr("max-seq-length"));
    }
}

/// What bash prints when it runs `script`.
std::string bash_output(const fs::path& script) {
    auto* pipe =
        ::popen(fmt::format("bash {}", script.native()).c_str(), "r");  // NOLINT(cert-env33-c)
    if (pipe == nullptr) throw std::runtime_error("no shell");
    std::string text(4096, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), pipe));
    ::pclose(pipe);
    return text;
}

TEST_F(CliFixture, BashCompletesASubcommandsOptions) {
    auto script = punie({"completions", "bash"});
    ASSERT_EQ(script.wait(), 0);
    std::ofstream(path() / "try.sh") << script.out()
                                     << "COMP_WORDS=(punie bench train --grad); COMP_CWORD=3; "
                                        "_punie; echo \"got:${COMPREPLY[*]}\"\n";
    const auto text = bash_output(path() / "try.sh");
    EXPECT_THAT(text, HasSubstr("got:--grad-checkpoint"));
}

TEST_F(CliFixture, AClosedStdoutIsNoCrash) {
    std::ofstream(path() / "pipe.sh")
        << PUNIE_BINARY " --help | head -c 1 > /dev/null; echo \"ended:${PIPESTATUS[0]}\"\n";
    const auto text = bash_output(path() / "pipe.sh");
    EXPECT_EQ(text, "ended:0\n") << "neither SIGPIPE (141) nor an abort (134)";
}

}  // namespace
}  // namespace punie::cli
