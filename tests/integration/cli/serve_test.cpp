// `punie serve` and `punie chat` over the fake: states, JSON, Ctrl-C, deaths, and that nothing
// outlives punie.

#include "cli_fixture.hpp"

namespace punie::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class ServeTest : public CliFixture {
protected:
    /// Waits for ready and returns the processes that belong to this punie (guards and servers).
    std::vector<pid_t> ready_tree(Program& program) {
        if (!program.read_until([&] {
                return event_with_state(program.json_lines(), "ready") != nullptr;
            })) {
            throw std::runtime_error(
                "punie serve did not become ready: " + program.out() + program.err()
            );
        }
        auto tree = process::descendants(program.pid());
        EXPECT_GE(tree.size(), 2U) << "a guard and a server at least";
        return tree;
    }
};

TEST_F(ServeTest, ShowsStatesUrlAndACurlLine) {
    auto program = punie(serve());
    EXPECT_TRUE(program.read_until_out_has("curl http://127.0.0.1:")) << program.err();
    EXPECT_THAT(program.out(), HasSubstr("starting"));
    EXPECT_THAT(program.out(), HasSubstr("loading"));
    EXPECT_THAT(program.out(), HasSubstr("ready"));
    EXPECT_THAT(program.out(), HasSubstr("/v1"));
    program.signal(SIGINT);
    EXPECT_EQ(program.wait(), 130);
    EXPECT_THAT(program.out(), HasSubstr("stopped"));
}

TEST_F(ServeTest, PrintsJsonEvents) {
    auto program = punie(serve({"--json"}));
    const auto tree = ready_tree(program);
    program.signal(SIGTERM);
    EXPECT_EQ(program.wait(), 130);
    const auto lines = program.json_lines();
    const auto* ready = event_with_state(lines, "ready");
    ASSERT_NE(ready, nullptr);
    EXPECT_EQ(string_member(*ready, "event"), "state");
    EXPECT_THAT(*string_member(*ready, "url"), HasSubstr("http://127.0.0.1:"));
    EXPECT_GT(*integer_member(*ready, "pid"), 0);
    EXPECT_GT(*number_member(*ready, "elapsed_s"), 0);
    EXPECT_NE(event_with_state(lines, "stopped"), nullptr);
    EXPECT_TRUE(all_gone(tree, std::chrono::seconds(1)));
}

TEST_F(ServeTest, ASecondCtrlCKillsAStubbornServer) {
    set_fake("--ignore-sigterm");
    auto program = punie(serve({"--json", "--stop-grace", "25"}));
    const auto tree = ready_tree(program);
    program.signal(SIGINT);
    EXPECT_TRUE(program.read_until([&] {
        return event_with_state(program.json_lines(), "draining") != nullptr;
    }));
    program.signal(SIGINT);
    EXPECT_EQ(program.wait(), 130);
    EXPECT_TRUE(all_gone(tree, std::chrono::seconds(1)));
}

TEST_F(ServeTest, CtrlCWhileLoadingStops) {
    set_fake("--never-ready");
    auto program = punie(serve({"--json"}));
    EXPECT_TRUE(program.read_until([&] {
        return event_with_state(program.json_lines(), "loading") != nullptr;
    }));
    program.signal(SIGINT);
    EXPECT_EQ(program.wait(), 130);
}

TEST_F(ServeTest, AFailedStartIsExitCodeOneWithTheLog) {
    set_fake("--print it%20went%20wrong --exit-code 4");
    auto program = punie(serve());
    EXPECT_EQ(program.wait(), 1);
    EXPECT_THAT(program.err(), HasSubstr("exit code 4"));
    EXPECT_THAT(program.err(), HasSubstr("it went wrong"));
}

TEST_F(ServeTest, AFailedStartUnderJsonIsAnErrorEvent) {
    set_fake("--print it%20went%20wrong --exit-code 4");
    auto program = punie(serve({"--json"}));
    EXPECT_EQ(program.wait(), 1);
    const auto lines = program.json_lines();
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(string_member(lines.back(), "event"), "error");
    EXPECT_EQ(string_member(lines.back(), "code"), "exited");
}

TEST_F(ServeTest, RestartBringsADeadServerBack) {
    auto program = punie(serve({"--json", "--restart"}));
    ready_tree(program);
    const auto first = *integer_member(*event_with_state(program.json_lines(), "ready"), "pid");
    ::kill(static_cast<pid_t>(first), SIGABRT);
    EXPECT_TRUE(program.read_until([&] {
        const auto lines = program.json_lines();
        const auto* ready = event_with_state(lines, "ready");
        return ready != nullptr && integer_member(*ready, "pid") != first;
    })) << program.out();
    EXPECT_THAT(program.out(), HasSubstr("\"event\":\"restart\""));
    program.signal(SIGINT);
    EXPECT_EQ(program.wait(), 130);
}

TEST_F(ServeTest, WithoutRestartADeadServerEndsPunieWithItsReason) {
    auto program = punie(serve({"--json"}));
    ready_tree(program);
    ::kill(
        static_cast<pid_t>(*integer_member(*event_with_state(program.json_lines(), "ready"), "pid")
        ),
        SIGABRT
    );
    EXPECT_EQ(program.wait(), 1);
    EXPECT_THAT(program.out(), HasSubstr("signal 6"));
}

struct Orphan {
    const char* name;
    const char* fake;
};

class OrphanTest : public ServeTest, public testing::WithParamInterface<Orphan> {};

TEST_P(OrphanTest, SigkillOfPunieLeavesNothing) {
    set_fake(GetParam().fake);
    auto program = punie(serve({"--json"}));
    const auto tree = ready_tree(program);
    program.signal(SIGKILL);
    EXPECT_EQ(program.wait(), -SIGKILL);
    EXPECT_TRUE(all_gone(tree, std::chrono::seconds(1)));
}

TEST_P(OrphanTest, SigkillOfEverythingButTheServerLeavesNothing) {
    set_fake(GetParam().fake);
    auto program = punie(serve({"--json"}));
    const auto tree = ready_tree(program);
    const auto server =
        static_cast<pid_t>(*integer_member(*event_with_state(program.json_lines(), "ready"), "pid")
        );
    const auto below = process::descendants(server);
    for (const auto pid : process::descendants(program.pid())) {
        const bool is_server = pid == server || std::ranges::find(below, pid) != below.end();
        if (!is_server && process::process_alive(pid)) ::kill(pid, SIGKILL);
        if (!is_server) break;  // the guard is the first below punie
    }
    program.signal(SIGKILL);
    EXPECT_EQ(program.wait(), -SIGKILL);
    EXPECT_TRUE(all_gone(tree, std::chrono::seconds(1)));
}

INSTANTIATE_TEST_SUITE_P(
    Trees,
    OrphanTest,
    testing::Values(
        Orphan{"plain", ""},
        Orphan{"ignores_sigterm", "--ignore-sigterm"},
        Orphan{"grandchild", "--fork-grandchild"},
        Orphan{"daemon", "--double-fork"},
        Orphan{"wrapper", "--fork-real-server"},
        Orphan{"left_wrapper", "--exec-wrapper-exits"}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST_F(ServeTest, SigkillWhileStartingLeavesNothing) {
    set_fake("--never-ready");
    auto program = punie(serve({"--json"}));
    EXPECT_TRUE(program.read_until([&] {
        return event_with_state(program.json_lines(), "loading") != nullptr;
    }));
    const auto tree = process::descendants(program.pid());
    program.signal(SIGKILL);
    EXPECT_EQ(program.wait(), -SIGKILL);
    EXPECT_TRUE(all_gone(tree, std::chrono::seconds(1)));
}

// ---------------------------------------------------------------- chat

class ChatTest : public CliFixture {
protected:
    std::vector<std::string> chat(std::vector<std::string> more) const {
        std::vector<std::string> arguments = {
            "chat", "--backend", "llama", "--model", (path() / "model.gguf").native()
        };
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }
};

TEST_F(ChatTest, OnceAnswersAndLeavesNothing) {
    auto program = punie(chat({"--once", "What is the capital of France?"}));
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_THAT(program.out(), HasSubstr("The capital of France is Paris."));
    EXPECT_THAT(program.err(), HasSubstr("tokens/s"));
}

TEST_F(ChatTest, JsonHasTheFigures) {
    auto program = punie(chat({"--once", "Hi", "--json"}));
    EXPECT_EQ(program.wait(), 0) << program.err();
    const auto lines = program.json_lines();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(string_member(lines[0], "content"), "The capital of France is Paris.");
    EXPECT_EQ(string_member(lines[0], "finish_reason"), "stop");
    EXPECT_GT(*number_member(lines[0], "total_s"), 0);
}

TEST_F(ChatTest, ATornStreamIsAnErrorAndNotAShortAnswer) {
    set_fake("--torn-stream");
    auto program = punie(chat({"--once", "Hi"}));
    EXPECT_EQ(program.wait(), 1);
    EXPECT_THAT(program.err(), HasSubstr("error"));
}

TEST_F(ChatTest, ControlCharactersOfAModelDoNotReachTheTerminal) {
    set_fake("--answer evil\x1b[31mred\x07");
    auto program = punie(chat({"--once", "Hi"}));
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_THAT(program.out(), Not(HasSubstr("\x1b")));
    EXPECT_THAT(program.out(), HasSubstr("evil"));
}

TEST_F(ChatTest, CtrlCStopsAnAnswer) {
    set_fake("--hang-mid-stream");
    auto program = punie(chat({"--once", "Hi"}));
    EXPECT_TRUE(program.read_until([&] { return !program.out().empty(); })) << program.err();
    program.signal(SIGINT);
    EXPECT_EQ(program.wait(), 130);
}

}  // namespace
}  // namespace punie::cli
