// Servers that misbehave behind the gateway, a row a fault: docs/gateway-faults.md lists them.

#include "gateway_fixture.hpp"

namespace punie::cli {
namespace {

bool is_proper(End end) {
    return end == End::proper;
}

struct FaultRow {
    const char* name;
    std::string flags;  ///< of the fake
    bool stream;
    int status;
    End end;
    std::string words;      ///< in the body
    std::string not_words;  ///< not in the body; "" none
    std::vector<std::string> model_lines{};
};

void PrintTo(const FaultRow& row, std::ostream* out) {
    *out << row.name;
}  // NOLINT: gtest's name

class Faults : public GatewayFixture, public testing::WithParamInterface<FaultRow> {};

TEST_P(Faults, ReachTheClientAsTheyAre) {
    const auto& row = GetParam();
    add_model("m", row.flags, row.model_lines);
    start();
    const auto answer = chat("m", row.stream);
    EXPECT_EQ(answer.status, row.status) << answer.body;
    EXPECT_EQ(is_proper(answer.end), is_proper(row.end)) << answer.body;
    EXPECT_THAT(answer.body, testing::HasSubstr(row.words));
    if (!row.not_words.empty()) {
        EXPECT_THAT(answer.body, testing::Not(testing::HasSubstr(row.not_words)));
    }
    EXPECT_FALSE(answer.header("x-request-id").empty());
}

const std::vector<std::string> quick{"start_timeout: 1500ms"};

INSTANTIATE_TEST_SUITE_P(
    Rows,
    Faults,
    testing::Values(
        // Nothing wrong: the controls.
        FaultRow{"Fine", "", false, 200, End::proper, "capital of France", ""},
        FaultRow{"FineStream", "", true, 200, End::proper, "data: [DONE]", "error"},
        FaultRow{"FineChunkedStream", "--chunked", true, 200, End::proper, "data: [DONE]", "error"},
        // Starts.
        FaultRow{"ExitsAtStart", "--exit-code 3", false, 503, End::proper, "exit code 3", ""},
        FaultRow{"ExitsAtStartStream", "--exit-code 3", true, 503, End::proper, "exit code 3", ""},
        FaultRow{
            "SaysWhy",
            "--print no%20such%20tensor --exit-code 1",
            false,
            503,
            End::proper,
            "no such tensor",
            ""
        },
        FaultRow{"DiesBySignal", "--die-by-signal 6", false, 503, End::proper, "signal 6", ""},
        FaultRow{
            "DiesBeforeListening",
            "--die-before-listen",
            false,
            503,
            End::proper,
            "model_failed_to_start",
            ""
        },
        FaultRow{
            "NeverReady", "--never-ready", false, 503, End::proper, "within 1.50 s", "", quick
        },
        FaultRow{
            "WrongPort",
            "--wrong-port 0",
            false,
            503,
            End::proper,
            "model_failed_to_start",
            "",
            quick
        },
        FaultRow{"OutOfMemory", "--die-by-signal 9", false, 503, End::proper, "memory", ""},
        FaultRow{"LoadsSlowly", "--load-ms 300", false, 200, End::proper, "Paris", ""},
        FaultRow{"Says503WhileLoading", "--load-503-ms 300", false, 200, End::proper, "Paris", ""},
        FaultRow{"ListensLate", "--listen-after-ms 300", false, 200, End::proper, "Paris", ""},
        FaultRow{
            "HealthyBeforeLoaded",
            "--load-503-ms 300 --health-before-load",
            false,
            200,
            End::proper,
            "Paris",
            ""
        },
        FaultRow{"HealthHangs", "--hang-health", false, 200, End::proper, "Paris", ""},
        FaultRow{"FloodsItsLog", "--flood-bytes 20000000", false, 200, End::proper, "Paris", ""},
        FaultRow{
            "LogWithoutLines",
            "--flood-bytes 5000000 --no-newline",
            false,
            200,
            End::proper,
            "Paris",
            ""
        },
        FaultRow{
            "LogIsNoText",
            "--flood-bytes 100000 --invalid-utf8",
            false,
            200,
            End::proper,
            "Paris",
            ""
        },
        FaultRow{"ClosesItsOutput", "--close-output", false, 200, End::proper, "Paris", ""},
        FaultRow{"WrapperWaits", "--fork-real-server", false, 200, End::proper, "Paris", ""},
        FaultRow{
            "WrapperExits",
            "--exec-wrapper-exits",
            false,
            200,
            End::proper,
            "Paris",
            "",
            {"start_timeout: 5s"}
        },
        // Answers.
        FaultRow{
            "Status500", "--status 500", false, 503, End::proper, "model_failed_to_start", "", quick
        },
        FaultRow{
            "NoJson", "--bad-json", false, 503, End::proper, "model_failed_to_start", "", quick
        },
        FaultRow{
            "CrashesEachTime", "--crash-on-request 2", false, 502, End::proper, "server_failed", ""
        },
        FaultRow{
            "CrashesEachTimeStream",
            "--crash-on-request 2",
            true,
            502,
            End::proper,
            "server_failed",
            "[DONE]"
        },
        // Streams that break: a torn answer never looks whole.
        FaultRow{"Torn", "--torn-stream", true, 200, End::torn, "stream_torn", "[DONE]"},
        FaultRow{
            "TornInChunks", "--torn-stream --chunked", true, 200, End::torn, "stream_torn", "[DONE]"
        },
        FaultRow{"Reset", "--reset-stream", true, 200, End::torn, "stream_torn", "[DONE]"},
        FaultRow{
            "DiesInTheMiddle", "--die-mid-stream", true, 200, End::torn, "stream_torn", "[DONE]"
        },
        FaultRow{
            "DiesInTheMiddleOfAChunk",
            "--die-mid-stream --chunked",
            true,
            200,
            End::torn,
            "stream_torn",
            "[DONE]"
        },
        FaultRow{"EndsWithoutDone", "--no-done", true, 200, End::torn, "stream_torn", "[DONE]"},
        FaultRow{"SaysAnError", "--stream-error", true, 200, End::proper, "error", "[DONE]"},
        FaultRow{
            "Comments",
            "--keepalive-comments --slow-tokens 50",
            true,
            200,
            End::proper,
            "[DONE]",
            "stream_torn"
        }
    ),
    [](const auto& info) { return info.param.name; }
);

class Gateway : public GatewayFixture {};

TEST_F(Gateway, AServerWhoseAnswersAreShorterThanDeclaredIsNeverReady) {
    add_model("m", "--short-body", quick);
    start();
    const auto answer = chat("m");
    EXPECT_EQ(answer.status, 503) << answer.body;
    EXPECT_EQ(answer.end, End::proper);
}

TEST_F(Gateway, ACrashBeforeTheFirstByteIsTriedOnceMoreOnAFreshServer) {
    add_model("m", "--crash-on-request 3");  // the probe is the first, the second is answered
    start();
    EXPECT_EQ(chat("m").status, 200);
    const auto pid = pid_of("m");
    const auto again = chat("m");
    EXPECT_EQ(again.status, 200) << again.body;
    EXPECT_NE(pid_of("m"), pid);
    EXPECT_EQ(status("m").at("loads").to_number<int>(), 2);
}

TEST_F(Gateway, ACrashLoopBacksOffAndSaysWhyAtOnce) {
    add_model("m", "--print bad%20weights --exit-code 4");
    start();
    EXPECT_EQ(chat("m").status, 503);
    const auto begun = std::chrono::steady_clock::now();
    RawAnswer last;
    for (int i = 0; i < 20; ++i) last = chat("m");
    EXPECT_EQ(last.status, 503);
    EXPECT_FALSE(last.header("retry-after").empty()) << last.head;
    EXPECT_THAT(last.body, testing::HasSubstr("bad weights"));
    const auto took = std::chrono::steady_clock::now() - begun;
    EXPECT_LT(took, std::chrono::seconds(10));
    EXPECT_LE(status("m").at("crashes").to_number<int>(), 6);
}

TEST_F(Gateway, AClientThatLeavesCancelsTheServersWork) {
    add_model("m", "--hang-mid-stream");
    start();
    RawConnection client(port());
    client.ask("POST", "/v1/chat/completions", chat_body("m", true));
    EXPECT_EQ(client.read("data: ").status, 200);
    client.reset();
    const auto gone = [&] { return control("GET", "/models/m/logs").body.contains("client-gone"); };
    const auto end = std::chrono::steady_clock::now() + test_limit;
    while (!gone() && std::chrono::steady_clock::now() < end) ::poll(nullptr, 0, 10);
    EXPECT_TRUE(gone());
    EXPECT_EQ(state("m"), "ready");
}

TEST_F(Gateway, AClientThatLeavesBeforeTheFirstTokenCancelsToo) {
    add_model("m", "--hang-first-token");
    start();
    ASSERT_EQ(control("POST", "/models/m/load").status, 200);
    RawConnection client(port());
    client.ask("POST", "/v1/chat/completions", chat_body("m", true));
    const auto logs = [&](const char* words) {
        return control("GET", "/models/m/logs").body.contains(words);
    };
    const auto wait = [&](const char* words) {
        const auto end = std::chrono::steady_clock::now() + test_limit;
        while (!logs(words) && std::chrono::steady_clock::now() < end) ::poll(nullptr, 0, 10);
        return logs(words);
    };
    ASSERT_TRUE(wait("request 2"));
    client.reset();
    EXPECT_TRUE(wait("client-gone"));
}

TEST_F(Gateway, AClientThatEndsItsSendingIsServedOn) {
    add_model("m", "--load-ms 300");
    start();
    RawConnection client(port());
    client.ask("POST", "/v1/chat/completions", chat_body("m", true));
    client.half_close();
    const auto answer = client.read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.end, End::proper);
    EXPECT_THAT(answer.body, testing::HasSubstr("[DONE]"));
}

TEST_F(Gateway, AStreamsClientSeesSignsOfLifeWhileTheModelLoads) {
    add_model("m", "--load-503-ms 4000");
    start();
    RawConnection client(port());
    const auto begun = std::chrono::steady_clock::now();
    client.ask("POST", "/v1/chat/completions", chat_body("m", true));
    const auto early = client.read("\n");
    EXPECT_EQ(early.status, 200);
    EXPECT_TRUE(early.body.starts_with(": ")) << early.body;
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(3500));
    const auto whole = client.read();
    EXPECT_EQ(whole.end, End::proper);
    EXPECT_THAT(whole.body, testing::HasSubstr("[DONE]"));
}

TEST_F(Gateway, AStreamThatWasPromisedAndFailsToLoadEndsWithItsReason) {
    add_model("m", "--never-ready --exit-after-ms 2500 --print out%20of%20luck");
    start();
    const auto answer = chat("m", true);
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(is_torn(answer.end));
    EXPECT_THAT(answer.body, testing::HasSubstr("out of luck"));
    EXPECT_THAT(answer.body, testing::Not(testing::HasSubstr("[DONE]")));
}

TEST_F(Gateway, FiveHundredClientsDuringALoadAreAllAnswered) {
    add_model("m", "--load-503-ms 1000", {"parallel: 64"});
    start();
    std::vector<std::unique_ptr<RawConnection>> clients;
    for (int i = 0; i < 500; ++i) {
        clients.push_back(std::make_unique<RawConnection>(port()));
        ASSERT_TRUE(clients.back()->ask("POST", "/v1/chat/completions", chat_body("m", i % 2)));
    }
    int whole = 0;
    for (const auto& client : clients) {
        const auto answer = client->read();
        if (answer.status == 200 && answer.end == End::proper) ++whole;
    }
    EXPECT_EQ(whole, 500);
    EXPECT_EQ(status("m").at("loads").to_number<int>(), 1);
}

TEST_F(Gateway, OfTwoModelsThatExcludeEachOtherNoRequestIsLostAndNeverBothLive) {
    add_model("a", "--answer this%20is%20a");
    add_model("b", "--answer this%20is%20b");
    start("groups:\n  one:\n    models: [a, b]\n    together: false\n");
    for (int round = 0; round < 6; ++round) {
        std::vector<std::unique_ptr<RawConnection>> clients;
        for (int i = 0; i < 10; ++i) {
            clients.push_back(std::make_unique<RawConnection>(port()));
            clients.back()->ask(
                "POST", "/v1/chat/completions", chat_body(i % 2 == 0 ? "a" : "b", false)
            );
        }
        for (int i = 0; i < 10; ++i) {
            const auto answer = clients[i]->read();
            EXPECT_EQ(answer.status, 200) << answer.body;
            EXPECT_THAT(answer.body, testing::HasSubstr(i % 2 == 0 ? "this is a" : "this is b"));
        }
        const bool both = state("a") == "ready" && state("b") == "ready";
        EXPECT_FALSE(both);
    }
}

TEST_F(Gateway, AStubbornServerDelaysNobodyElse) {
    add_model("stubborn", "--ignore-sigterm", {"stop_grace: 3s"});
    add_model("other", "");
    add_model("third", "");
    start("groups:\n  one:\n    models: [stubborn, third]\n    together: false\n");
    ASSERT_EQ(chat("stubborn").status, 200);
    ASSERT_EQ(chat("other").status, 200);
    RawConnection swap(port());
    swap.ask("POST", "/v1/chat/completions", chat_body("third", false));
    ASSERT_TRUE(reaches("stubborn", "draining"));
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(chat("other").status, 200);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(1000));
    EXPECT_EQ(swap.read().status, 200);
    EXPECT_EQ(state("stubborn"), "stopped");
}

TEST_F(Gateway, ASwapWaitsForARunningAnswerUpToTheDrainLimit) {
    add_model("slow", "--slow-tokens 200");
    add_model("next", "");
    start(
        "groups:\n  one:\n    models: [slow, next]\n    together: false\n"
        "queue:\n  drain: 20s\n"
    );
    RawConnection stream(port());
    stream.ask("POST", "/v1/chat/completions", chat_body("slow", true));
    ASSERT_EQ(stream.read("data: ").status, 200);
    EXPECT_EQ(chat("next").status, 200);
    const auto whole = stream.read();
    EXPECT_EQ(whole.end, End::proper);
    EXPECT_THAT(whole.body, testing::HasSubstr("[DONE]"));
}

struct TreeRow {
    const char* name;
    const char* flags;
    std::size_t processes;  ///< at least so many, beside punie's own
};

/// Processes of servers are known by the model's path on their command line: those in a namespace
/// of their own print other numbers than they have here.
class Trees : public GatewayFixture, public testing::WithParamInterface<TreeRow> {
protected:
    std::vector<pid_t> processes() const {
        const auto mark = (path() / "model.gguf").native();
        std::vector<pid_t> pids;
        for (const auto& entry : fs::directory_iterator("/proc")) {
            const auto name = entry.path().filename().native();
            if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) continue;
            std::ifstream file(entry.path() / "cmdline", std::ios::binary);
            const std::string line{std::istreambuf_iterator<char>(file), {}};
            if (line.contains(mark) && line.contains("llama-server")) {
                pids.push_back(std::stoi(name));
            }
        }
        return pids;
    }
};

TEST_P(Trees, AreGoneAfterAnUnload) {
    add_model("m", GetParam().flags);
    start();
    ASSERT_EQ(chat("m").status, 200);
    ASSERT_GE(processes().size(), GetParam().processes);
    EXPECT_EQ(control("POST", "/models/m/unload").status, 200);
    EXPECT_THAT(processes(), testing::IsEmpty());
    EXPECT_EQ(chat("m").status, 200) << "and it can be loaded again";
}

TEST_P(Trees, AreGoneAfterTheGatewaysSuddenDeath) {
    add_model("m", GetParam().flags);
    start();
    ASSERT_EQ(chat("m").status, 200);
    const auto pids = processes();
    ASSERT_GE(pids.size(), GetParam().processes);
    gateway().signal(SIGKILL);
    EXPECT_TRUE(all_gone(pids, std::chrono::seconds(5)));
    gateway().wait();
    gateway_.reset();
    start();
    EXPECT_EQ(chat("m").status, 200) << "and the next gateway starts";
}

INSTANTIATE_TEST_SUITE_P(
    Rows,
    Trees,
    testing::Values(
        TreeRow{"Alone", "", 1},
        TreeRow{"Grandchild", "--fork-grandchild", 2},
        TreeRow{"Daemon", "--double-fork", 2},
        TreeRow{"Wrapper", "--fork-real-server", 2}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST_F(Gateway, EndsSoonWhileAModelLoads) {
    add_model("m", "--never-ready");
    start();
    RawConnection client(port());
    client.ask("POST", "/v1/chat/completions", chat_body("m", false));
    ASSERT_TRUE(reaches("m", "loading"));
    gateway().signal(SIGTERM);
    EXPECT_TRUE(ends_within(std::chrono::seconds(3)));
    EXPECT_EQ(client.read().status, 503);
}

TEST_F(Gateway, TheSecondCtrlCEndsARunningStreamAtOnce) {
    add_model("m", "--hang-mid-stream");
    start();
    RawConnection client(port());
    client.ask("POST", "/v1/chat/completions", chat_body("m", true));
    ASSERT_EQ(client.read("data: ").status, 200);
    gateway().signal(SIGINT);
    ASSERT_TRUE(gateway().read_until_out_has("\"stopping\""));
    gateway().signal(SIGINT);
    EXPECT_TRUE(ends_within(std::chrono::seconds(3)));
    const auto answer = client.read();
    EXPECT_NE(answer.end, End::proper);
}

TEST_F(Gateway, GoesOnWhenNobodyReadsItsOutput) {
    add_model("m", "");
    write_file();
    const auto shell =
        fmt::format("{} serve {} --port 0 --json 2>&1 | head -n 1", PUNIE_BINARY, file().native());
    // The reader of its output leaves after the first line.
    std::FILE* pipe = nullptr;
    {
        std::string command = "env -i";
        for (const auto& [name, value] : environment_) {
            command += fmt::format(" {}='{}'", name, value);
        }
        pipe = ::popen((command + " sh -c '" + shell + "'").c_str(), "r");
    }
    ASSERT_NE(pipe, nullptr);
    char line[4096]{};
    ASSERT_NE(std::fgets(line, sizeof line, pipe), nullptr);
    const std::string text(line);
    const auto at = text.find("127.0.0.1:");
    ASSERT_NE(at, std::string::npos) << text;
    port_ = std::stoi(text.substr(at + 10));
    EXPECT_EQ(chat("m").status, 200);
    EXPECT_EQ(chat("m").status, 200);
    EXPECT_EQ(control("POST", "/stop").status, 202);
    ::pclose(pipe);
}

}  // namespace
}  // namespace punie::cli
