// The running gateway as the commands see it: up, ps, load, unload, logs, events, top, down. The
// servers behind it are fakes, the gateway and its control socket are real.

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/text.hpp"
#include "cli_fixture.hpp"

namespace punie::cli {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ControlCommands : public CliFixture {
protected:
    void SetUp() override {
        CliFixture::SetUp();
        fs::create_directory(path() / "run");
        environment_["XDG_RUNTIME_DIR"] = (path() / "run").native();
        write_config("");
    }

    void TearDown() override {
        if (fs::exists(socket())) (void)run({"down", "--force"});
        EXPECT_TRUE(all_gone(gateways_, std::chrono::seconds(10)));
        CliFixture::TearDown();
    }

    fs::path socket() const { return path() / "run/punie/control.sock"; }

    std::string config() const { return (path() / "punie.yaml").native(); }

    void write_config(const std::string& more) const {
        std::ofstream(config()) << "listen: {host: 127.0.0.1, port: 0}\n"
                                   "memory: 2GB\n"
                                << more
                                << "models:\n"
                                   "  tiny:\n"
                                   "    backend: llama\n"
                                   "    path: model.gguf\n"
                                   "    aliases: [small]\n"
                                   "  other:\n"
                                   "    backend: llama\n"
                                   "    path: model.gguf\n";
    }

    struct Ended {
        int code;
        std::string out;
        std::string err;
        std::vector<json::value> lines;
    };

    Ended run(std::vector<std::string> arguments) const {
        const bool json = std::ranges::find(arguments, "--json") != arguments.end();
        auto program = punie(std::move(arguments));
        const int code = program.wait();
        return {
            code,
            program.out(),
            program.err(),
            json ? program.json_lines() : std::vector<json::value>{}
        };
    }

    /// The gateway in the background; its pid.
    pid_t up() {
        const auto started = run({"up", config(), "--json"});
        EXPECT_EQ(started.code, 0) << started.out << started.err;
        if (started.code != 0 || started.lines.empty()) return 0;
        const auto pid = static_cast<pid_t>(*integer_member(started.lines.back(), "pid"));
        dashboard_ = *string_member(started.lines.back(), "dashboard");
        gateways_.push_back(pid);
        return pid;
    }

    json::value ps() const {
        const auto listed = run({"ps", "--json"});
        EXPECT_EQ(listed.code, 0) << listed.err;
        return listed.lines.empty() ? json::value{} : listed.lines.back();
    }

    json::value model(std::string_view name) const {
        const auto all = ps();
        for (const auto& one : all.at("models").as_array())
            if (string_member(one, "name") == name) return one;
        ADD_FAILURE() << "no model " << name;
        return {};
    }

    std::string base_url() const { return dashboard_.substr(0, dashboard_.find("/#")) + "/v1"; }

    std::string dashboard_;
    std::vector<pid_t> gateways_;
};

// ---------------------------------------------------------------- nobody there

struct Command {
    const char* name;
    std::vector<std::string> words;
};

class WithoutGateway : public ControlCommands, public testing::WithParamInterface<Command> {};

TEST_P(WithoutGateway, ExitsThreeAndSaysWhatToStart) {
    const auto ended = run(GetParam().words);
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, HasSubstr("no gateway answers at " + socket().native()));
    EXPECT_THAT(ended.err, HasSubstr("punie up FILE"));
    EXPECT_THAT(ended.out, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All,
    WithoutGateway,
    testing::Values(
        Command{"ps", {"ps"}},
        Command{"load", {"load", "tiny"}},
        Command{"unload", {"unload", "tiny"}},
        Command{"logs", {"logs", "tiny"}},
        Command{"logs_follow", {"logs", "tiny", "-f"}},
        Command{"events", {"events"}},
        Command{"top", {"top"}},
        Command{"down", {"down"}}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST_F(ControlCommands, AnErrorIsJsonWhereJsonIsAskedFor) {
    const auto ended = run({"ps", "--json"});
    EXPECT_EQ(ended.code, 3);
    ASSERT_EQ(ended.lines.size(), 1U);
    EXPECT_EQ(string_member(ended.lines[0], "event"), "error");
}

TEST_F(ControlCommands, ASocketThatNobodyAnswersIsNoGateway) {
    fs::create_directories(socket().parent_path());
    std::ofstream(socket()) << "";
    EXPECT_EQ(run({"ps"}).code, 3);
    EXPECT_EQ(run({"ps", "--socket", (path() / "elsewhere").native()}).code, 3);
    EXPECT_EQ(run({"ps", "--socket", std::string(200, 'x')}).code, 2);
    fs::remove(socket());
}

// ---------------------------------------------------------------- up and down

TEST_F(ControlCommands, UpReturnsWhenItAnswersAndDownWhenAllHasEnded) {
    const auto pid = up();
    ASSERT_GT(pid, 0);
    EXPECT_TRUE(process::process_alive(pid));
    EXPECT_EQ(::getsid(pid), pid) << "a session of its own";
    EXPECT_EQ(integer_member(ps(), "pid"), pid);
    EXPECT_THAT(dashboard_, testing::MatchesRegex("http://127.0.0.1:[0-9]+/#key=[0-9a-f]+"));
    EXPECT_EQ(run({"load", "tiny"}).code, 0);
    const auto server = static_cast<pid_t>(*integer_member(model("tiny"), "pid"));
    EXPECT_TRUE(process::process_alive(server));
    const auto ended = run({"down"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr(fmt::format("pid {}, has ended", pid)));
    EXPECT_FALSE(process::process_alive(pid));
    EXPECT_TRUE(all_gone({server}, std::chrono::seconds(5)));
    EXPECT_FALSE(fs::exists(path() / "run/punie/control.json"));
    EXPECT_EQ(run({"down"}).code, 3);
}

TEST_F(ControlCommands, SocketLogAndFolderAreOurs) {
    ASSERT_GT(up(), 0);
    const auto mode = [](const fs::path& file) {
        struct stat found{};
        EXPECT_EQ(::stat(file.c_str(), &found), 0) << file;
        return found.st_mode & 0777U;
    };
    EXPECT_EQ(mode(socket()), 0600U);
    EXPECT_EQ(mode(socket().parent_path()), 0700U);
    EXPECT_EQ(mode(path() / ".local/state/punie/gateway.log"), 0600U);
}

TEST_F(ControlCommands, ASecondOneIsRefusedWithThePidOfTheFirst) {
    const auto pid = up();
    const auto second = run({"up", config()});
    EXPECT_EQ(second.code, 1);
    EXPECT_THAT(second.err, HasSubstr(fmt::format("a gateway runs already, pid {}", pid)));
    EXPECT_TRUE(process::process_alive(pid));
}

TEST_F(ControlCommands, OfTwoAtOnceOneStarts) {
    auto a = punie({"up", config(), "--json"});
    auto b = punie({"up", config(), "--json"});
    const std::array codes{a.wait(), b.wait()};
    EXPECT_EQ(std::ranges::count(codes, 0), 1) << a.err() << b.err() << a.out() << b.out();
    const auto& winner = codes[0] == 0 ? a : b;
    const auto pid = *integer_member(winner.json_lines().back(), "pid");
    EXPECT_EQ(integer_member(ps(), "pid"), pid);
    gateways_.push_back(static_cast<pid_t>(pid));
}

TEST_F(ControlCommands, ASecondSocketIsASecondGateway) {
    ASSERT_GT(up(), 0);
    const auto other = (path() / "run/second.sock").native();
    const auto second = run({"up", config(), "--socket", other, "--json"});
    ASSERT_EQ(second.code, 0) << second.err << second.out;
    gateways_.push_back(static_cast<pid_t>(*integer_member(second.lines.back(), "pid")));
    EXPECT_EQ(run({"ps", "--socket", other}).code, 0);
    EXPECT_EQ(run({"down", "--socket", other}).code, 0);
    EXPECT_EQ(run({"ps"}).code, 0) << "the first still runs";
}

TEST_F(ControlCommands, UpSaysWhatIsWrongWithTheFile) {
    std::ofstream(config()) << "models:\n  tiny:\n    backend: llamma\n    path: model.gguf\n";
    const auto ended = run({"up", config()});
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.err, HasSubstr("punie.yaml:3:"));
    EXPECT_EQ(run({"up", (path() / "none.yaml").native()}).code, 2);
    EXPECT_EQ(run({"up"}).code, 2);
    EXPECT_FALSE(fs::exists(socket()));
}

TEST_F(ControlCommands, UpSaysWhyItDoesNotListen) {
    const int taken = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(taken, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(taken, 1), 0);
    ::getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size);
    const auto ended = run({"up", config(), "--port", std::to_string(ntohs(address.sin_port))});
    ::close(taken);
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("ended before it listened (exit code"));
    EXPECT_THAT(ended.err, HasSubstr(std::to_string(ntohs(address.sin_port))));
}

TEST_F(ControlCommands, UpThatIsInterruptedLeavesNothing) {
    auto program = punie({"up", config()});
    program.signal(SIGINT);  // perhaps before it starts anything, perhaps after
    const int code = program.wait();
    EXPECT_THAT(code, AnyOf(130, -SIGINT, 0));
    if (code == 0) return;
    EXPECT_EQ(run({"ps"}).code, 3);
}

TEST_F(ControlCommands, AKilledGatewayIsNotInTheWayOfTheNext) {
    const auto pid = up();
    ASSERT_EQ(run({"load", "tiny"}).code, 0);
    const auto server = static_cast<pid_t>(*integer_member(model("tiny"), "pid"));
    ::kill(pid, SIGKILL);
    EXPECT_TRUE(all_gone({pid, server}, std::chrono::seconds(10)));
    EXPECT_EQ(run({"ps"}).code, 3);
    const auto next = up();
    EXPECT_GT(next, 0);
    EXPECT_NE(next, pid);
}

TEST_F(ControlCommands, DownWaitsForARunningAnswer) {
    set_fake("--hang-mid-stream");
    const auto pid = up();
    auto chat = punie({"chat", "--url", base_url(), "--model", "tiny", "--once", "Hello"});
    ASSERT_TRUE(chat.read_until_out_has("The"));
    const auto waited = run({"down", "--limit", "1"});
    EXPECT_EQ(waited.code, 1);
    EXPECT_THAT(waited.err, HasSubstr(fmt::format("pid {}, still runs", pid)));
    EXPECT_TRUE(process::process_alive(pid)) << "the answer still runs";
    ::kill(pid, SIGTERM);  // a second wish
    EXPECT_TRUE(all_gone({pid}, std::chrono::seconds(10)));
    EXPECT_NE(chat.wait(), 0) << "a torn answer is no answer";
}

TEST_F(ControlCommands, DownByForceDoesNotWait) {
    set_fake("--hang-mid-stream");
    const auto pid = up();
    auto chat = punie({"chat", "--url", base_url(), "--model", "tiny", "--once", "Hello"});
    ASSERT_TRUE(chat.read_until_out_has("The"));
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(run({"down", "--force"}).code, 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
    EXPECT_FALSE(process::process_alive(pid));
    EXPECT_NE(chat.wait(), 0) << "a torn answer is no answer";
}

// ---------------------------------------------------------------- models

TEST_F(ControlCommands, LoadAndUnloadByNameAndAlias) {
    ASSERT_GT(up(), 0);
    const auto loaded = run({"load", "small"});
    EXPECT_EQ(loaded.code, 0) << loaded.err;
    EXPECT_THAT(loaded.out, HasSubstr("small is ready"));
    EXPECT_EQ(string_member(model("tiny"), "state"), "ready");
    EXPECT_EQ(string_member(model("other"), "state"), "stopped");
    EXPECT_THAT(run({"ps"}).out, testing::ContainsRegex("tiny +ready"));
    EXPECT_EQ(run({"load", "tiny"}).code, 0) << "loaded already";
    EXPECT_EQ(integer_member(model("tiny"), "loads"), 1);
    EXPECT_EQ(run({"unload", "small"}).code, 0);
    EXPECT_EQ(string_member(model("tiny"), "state"), "stopped");
    EXPECT_EQ(run({"unload", "tiny"}).code, 0) << "unloaded already";
}

TEST_F(ControlCommands, AnUnknownModelIsNamed) {
    ASSERT_GT(up(), 0);
    for (const auto* command : {"load", "unload", "logs"}) {
        const auto ended = run({command, "tyni"});
        EXPECT_EQ(ended.code, 2) << command;
        EXPECT_THAT(ended.err, HasSubstr("tyni")) << command;
    }
}

TEST_F(ControlCommands, AFailedLoadShowsTheServersLastWords) {
    set_fake("--exit-code 3 --print cannot%20read%20tensor");
    ASSERT_GT(up(), 0);
    const auto failed = run({"load", "tiny"});
    EXPECT_EQ(failed.code, 1);
    EXPECT_THAT(failed.err, HasSubstr("cannot read tensor"));
    const auto as_json = run({"load", "other", "--json"});
    EXPECT_EQ(as_json.code, 1);
    ASSERT_FALSE(as_json.lines.empty());
    EXPECT_NE(member(as_json.lines.back(), "error"), nullptr);
    EXPECT_EQ(string_member(model("other"), "state"), "failed");
}

TEST_F(ControlCommands, LoadAsJsonTellsItsStates) {
    ASSERT_GT(up(), 0);
    const auto loaded = run({"load", "tiny", "--json"});
    EXPECT_EQ(loaded.code, 0);
    EXPECT_NE(event_with_state(loaded.lines, "starting"), nullptr);
    EXPECT_NE(event_with_state(loaded.lines, "ready"), nullptr);
    const auto* last = member(loaded.lines.back(), "model");
    ASSERT_NE(last, nullptr);
    EXPECT_EQ(string_member(*last, "state"), "ready");
}

TEST_F(ControlCommands, ALoadGoesOnWithoutItsWatcher) {
    set_fake("--never-ready");
    ASSERT_GT(up(), 0);
    auto load = punie({"load", "tiny", "--json"});
    ASSERT_TRUE(load.read_until_out_has("\"loading\""));
    load.signal(SIGINT);
    EXPECT_EQ(load.wait(), 130);
    EXPECT_THAT(load.err(), HasSubstr("goes on loading"));
    EXPECT_EQ(string_member(model("tiny"), "state"), "loading");
    EXPECT_EQ(run({"unload", "tiny", "--force"}).code, 0);
    EXPECT_EQ(string_member(model("tiny"), "state"), "stopped");
}

// ---------------------------------------------------------------- logs, events, top

TEST_F(ControlCommands, LogsAreShownAndFollowed) {
    ASSERT_GT(up(), 0);
    ASSERT_EQ(run({"load", "tiny"}).code, 0);
    const auto shown = run({"logs", "tiny"});
    EXPECT_EQ(shown.code, 0);
    EXPECT_THAT(shown.out, HasSubstr("listening on "));
    EXPECT_EQ(split_lines(run({"logs", "tiny", "-n", "1"}).out).size(), 1U);
    auto followed = punie({"logs", "tiny", "-f", "-n", "0"});
    const auto ask = [&] {
        return run({"chat", "--url", base_url(), "--model", "tiny", "--once", "Hello"});
    };
    ASSERT_EQ(ask().code, 0);
    ASSERT_TRUE(followed.read_until([&] {
        if (followed.out().contains("request ")) return true;
        (void)ask();  // it may not have followed yet when the first one was printed
        return false;
    })) << followed.err();
    EXPECT_THAT(followed.out(), Not(HasSubstr("listening on ")));
    followed.signal(SIGINT);
    EXPECT_EQ(followed.wait(), 130);
}

TEST_F(ControlCommands, EventsAreShownFollowedAndEndWithTheGateway) {
    ASSERT_GT(up(), 0);
    auto followed = punie({"events", "-f", "--json"});
    ASSERT_EQ(run({"load", "tiny"}).code, 0);
    ASSERT_TRUE(followed.read_until_out_has("\"ready\""));
    const auto shown = run({"events"});
    EXPECT_EQ(shown.code, 0);
    EXPECT_THAT(shown.out, testing::ContainsRegex("ready +tiny: "));
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(run({"down"}).code, 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10))
        << "a follower holds nothing up";
    EXPECT_EQ(followed.wait(), 0) << followed.err();
    for (const auto& line : followed.json_lines()) EXPECT_TRUE(integer_member(line, "number"));
}

TEST_F(ControlCommands, AFollowerOfAKilledGatewaySaysSo) {
    const auto pid = up();
    ASSERT_EQ(run({"load", "tiny"}).code, 0);
    auto followed = punie({"events", "-f"});
    ASSERT_TRUE(followed.read_until_out_has("ready"));
    ::kill(pid, SIGKILL);
    EXPECT_EQ(followed.wait(), 3);
    EXPECT_THAT(followed.err(), HasSubstr("went away"));
}

TEST_F(ControlCommands, TopWithoutATerminalIsPlain) {
    ASSERT_GT(up(), 0);
    const auto once = run({"top"});
    EXPECT_EQ(once.code, 0);
    EXPECT_THAT(once.out, HasSubstr("MODEL"));
    EXPECT_THAT(once.out, HasSubstr("REQUEST"));
    EXPECT_THAT(once.out, Not(HasSubstr("\x1b")));
    const auto twice = run({"top", "-n", "2", "--interval", "0.1"});
    EXPECT_EQ(split_lines(twice.out).size(), 2 * split_lines(once.out).size() + 1);
}

TEST_F(ControlCommands, TopListsARunningRequest) {
    set_fake("--hang-mid-stream");
    ASSERT_GT(up(), 0);
    auto chat = punie({"chat", "--url", base_url(), "--model", "tiny", "--once", "Hello"});
    ASSERT_TRUE(chat.read_until_out_has("The"));
    EXPECT_THAT(run({"top"}).out, testing::ContainsRegex("tiny +answering"));
    EXPECT_EQ(integer_member(model("tiny"), "running"), 1);
}

// ---------------------------------------------------------------- captures

TEST_F(ControlCommands, CapturedChatsBecomeASuiteThatCanBeRead) {
    write_config("capture: capture.jsonl\n");
    ASSERT_GT(up(), 0);
    for (const auto* question :
         {"What is the capital of France?",
          "My key is sk-abcdEFGH1234567890",
          "What is the capital of France?"}) {
        ASSERT_EQ(
            run({"chat", "--url", base_url(), "--model", "tiny", "--once", question}).code, 0
        );
    }
    ASSERT_EQ(run({"down"}).code, 0);
    const auto capture = read_text(path() / "capture.jsonl");
    ASSERT_TRUE(capture);
    EXPECT_EQ(split_lines(*capture).size(), 3U);
    EXPECT_THAT(*capture, Not(HasSubstr("abcdEFGH")));
    const auto suite = (path() / "suite.yaml").native();
    const auto made =
        run({"suite", "from-capture", (path() / "capture.jsonl").native(), "-o", suite, "--json"});
    ASSERT_EQ(made.code, 0) << made.err << made.out;
    EXPECT_EQ(integer_member(made.lines.back(), "prompts"), 2);
    EXPECT_EQ(integer_member(made.lines.back(), "repeated"), 1);
    EXPECT_EQ(run({"suite", "show", suite}).code, 0);
}

// ---------------------------------------------------------------- service

TEST_F(ControlCommands, ServicePrintsAUnitThatSystemdTakes) {
    const auto printed = run({"service", "install", config(), "--print"});
    ASSERT_EQ(printed.code, 0) << printed.err;
    EXPECT_THAT(printed.out, HasSubstr("Type=notify"));
    EXPECT_THAT(printed.out, HasSubstr("KillMode=mixed"));
    EXPECT_THAT(printed.out, HasSubstr("WatchdogSec="));
    EXPECT_THAT(printed.out, HasSubstr(config()));
    EXPECT_FALSE(fs::exists(path() / ".config/systemd"));
    if (!fs::exists("/usr/bin/systemd-analyze")) GTEST_SKIP() << "no systemd-analyze";
    const auto unit = path() / "punie.service";
    std::ofstream(unit) << printed.out;
    const auto command = fmt::format(
        "XDG_RUNTIME_DIR={} /usr/bin/systemd-analyze --user verify {} 2>&1",
        (path() / "run").native(),
        unit.native()
    );
    EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST_F(ControlCommands, ServiceRefusesABrokenFile) {
    std::ofstream(config()) << "models: 3\n";
    EXPECT_EQ(run({"service", "install", config(), "--print"}).code, 2);
    EXPECT_EQ(run({"service", "uninstall"}).code, 2);
    EXPECT_THAT(run({"service", "status"}).out, HasSubstr("no service is installed"));
}

}  // namespace
}  // namespace punie::cli
