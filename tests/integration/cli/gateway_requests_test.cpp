// What clients send to the gateway, right and wrong, and who may.

#include "gateway_fixture.hpp"

namespace punie::cli {
namespace {

struct RequestRow {
    const char* name;
    std::string method;
    std::string target;
    std::string body;
    std::vector<std::string> headers;  ///< beside "Host: localhost", unless one is given
    int status;
    std::string words;
};

std::string repeated(std::string_view text, int times) {
    std::string result;
    for (int i = 0; i < times; ++i) result += text;
    return result;
}

void PrintTo(const RequestRow& row, std::ostream* out) {  // NOLINT: gtest's name
    *out << row.name;
}

class Requests : public GatewayFixture, public testing::WithParamInterface<RequestRow> {};

TEST_P(Requests, GetTheirStatusAndNoModelIsLoaded) {
    const auto& row = GetParam();
    add_model("m", "", {"aliases: [other-name]"});
    start();
    auto headers = row.headers;
    if (std::ranges::none_of(headers, [](const auto& h) { return h.starts_with("Host"); })) {
        headers.emplace_back("Host: localhost");
    }
    RawConnection connection(port());
    ASSERT_TRUE(connection.ask(row.method, row.target, row.body, headers));
    const auto answer = connection.read();
    EXPECT_EQ(answer.status, row.status) << answer.body;
    EXPECT_EQ(answer.end, End::proper);
    EXPECT_THAT(answer.body, testing::HasSubstr(row.words));
    EXPECT_EQ(status("m").at("loads").to_number<int>(), 0) << "nobody asked for the model";
}

INSTANTIATE_TEST_SUITE_P(
    Rows,
    Requests,
    testing::Values(
        RequestRow{"Health", "GET", "/health", "", {}, 200, "ok"},
        RequestRow{"Models", "GET", "/v1/models", "", {}, 200, "\"id\":\"m\""},
        RequestRow{"ModelsHaveAliases", "GET", "/v1/models", "", {}, 200, "other-name"},
        RequestRow{"OneModel", "GET", "/v1/models/m", "", {}, 200, "\"state\":\"stopped\""},
        RequestRow{"OneModelByAlias", "GET", "/v1/models/other-name", "", {}, 200, "parent"},
        RequestRow{"NoSuchModel", "GET", "/v1/models/x", "", {}, 404, "model_not_found"},
        RequestRow{
            "NoSuchModelEscaped", "GET", "/v1/models/%1b%5b31m", "", {}, 404, "there is no model"
        },
        RequestRow{"PostToModels", "POST", "/v1/models", "{}", {}, 405, "GET, HEAD"},
        RequestRow{"NoJson", "POST", "/v1/chat/completions", "{\"model\": ", {}, 400, "not JSON"},
        RequestRow{"EmptyBody", "POST", "/v1/chat/completions", "", {}, 400, "not JSON"},
        RequestRow{"Array", "POST", "/v1/chat/completions", "[]", {}, 400, "no object"},
        RequestRow{
            "NoModel", "POST", "/v1/chat/completions", "{\"messages\": []}", {}, 400, "names none"
        },
        RequestRow{
            "ModelIsANumber", "POST", "/v1/chat/completions", "{\"model\": 5}", {}, 400, "no text"
        },
        RequestRow{
            "EmptyModel",
            "POST",
            "/v1/chat/completions",
            "{\"model\": \"\"}",
            {},
            400,
            "missing_model"
        },
        RequestRow{
            "TwoModels",
            "POST",
            "/v1/chat/completions",
            R"({"model": "x", "model": "m"})",
            {},
            400,
            "twice"
        },
        RequestRow{
            "UnknownModel",
            "POST",
            "/v1/chat/completions",
            R"({"model": "m2"})",
            {},
            404,
            "model_not_found"
        },
        RequestRow{
            "ModelIsAPath",
            "POST",
            "/v1/chat/completions",
            R"({"model": "../../etc/passwd"})",
            {},
            404,
            "model_not_found"
        },
        RequestRow{
            "TooManyValuesToTranslate",
            "POST",
            "/api/chat",
            R"({"model":"m","messages":[],"x":[1)" + repeated(",1", 600'000) + "]}",
            {},
            413,
            "/v1/chat/completions takes larger ones"
        },
        RequestRow{"GetChat", "GET", "/v1/chat/completions", "", {}, 405, "POST"},
        RequestRow{"DeleteChat", "DELETE", "/v1/chat/completions", "", {}, 405, "POST"},
        RequestRow{"NoSuchRoute", "GET", "/nowhere", "", {}, 404, "nothing at /nowhere"},
        RequestRow{"GetUnload", "GET", "/unload", "", {}, 404, "not_found"},
        RequestRow{
            "ForeignHost", "GET", "/v1/models", "", {"Host: evil.example"}, 421, "foreign_host"
        },
        RequestRow{
            "ForeignOrigin",
            "GET",
            "/v1/models",
            "",
            {"Origin: https://evil.example"},
            403,
            "foreign_origin"
        },
        RequestRow{
            "Preflight",
            "OPTIONS",
            "/v1/chat/completions",
            "",
            {"Origin: https://evil.example", "Access-Control-Request-Method: POST"},
            403,
            "foreign_origin"
        },
        RequestRow{
            "ControlOnTheModelPort", "GET", "/control/ps", "", {}, 401, "control_not_allowed"
        },
        RequestRow{
            "ControlPostOnTheModelPort",
            "POST",
            "/control/models/m/load",
            "{}",
            {},
            401,
            "control_not_allowed"
        },
        RequestRow{
            "ControlWithAWrongToken",
            "GET",
            "/control/ps",
            "",
            {"x-api-key: guess"},
            401,
            "control_not_allowed"
        },
        RequestRow{
            "UpstreamOfNoModel", "GET", "/upstream/x/v1/models", "", {}, 404, "model_not_found"
        },
        RequestRow{"Page", "GET", "/", "", {"Accept: text/html"}, 200, "<html"},
        RequestRow{"PageForPrograms", "GET", "/", "", {}, 200, "Punie is running"},
        RequestRow{"Metrics", "GET", "/metrics", "", {}, 200, "punie_requests_total"},
        RequestRow{"OllamaTags", "GET", "/api/tags", "", {}, 200, "m:latest"},
        RequestRow{"OllamaPs", "GET", "/api/ps", "", {}, 200, "\"models\":[]"},
        RequestRow{
            "OllamaShow", "POST", "/api/show", R"({"model": "m:latest"})", {}, 200, "capabilities"
        },
        RequestRow{
            "OllamaShowNothing", "POST", "/api/show", R"({"model": "x"})", {}, 404, "not found"
        },
        RequestRow{"OllamaVersion", "GET", "/api/version", "", {}, 200, "version"},
        RequestRow{"OllamaNoModel", "POST", "/api/chat", R"({"messages": []})", {}, 400, "model"},
        RequestRow{
            "OllamaUnknown",
            "POST",
            "/api/chat",
            R"({"model": "x", "messages": [{"role": "user", "content": "Hi"}]})",
            {},
            404,
            "error"
        },
        RequestRow{
            "AnthropicUnknown",
            "POST",
            "/v1/messages",
            R"({"model": "x", "max_tokens": 5,
                       "messages": [{"role": "user", "content": "Hi"}]})",
            {},
            404,
            "not_found_error"
        },
        RequestRow{
            "AnthropicNoTokens",
            "POST",
            "/v1/messages",
            R"({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})",
            {},
            400,
            "max_tokens"
        },
        RequestRow{
            "ResponsesUnknown",
            "POST",
            "/v1/responses",
            R"({"model": "x", "input": "Hi"})",
            {},
            404,
            "x"
        }
    ),
    [](const auto& info) { return info.param.name; }
);

class GatewayAnswers : public GatewayFixture {
protected:
    /// A key file with two keys: one for everything, one for model m alone.
    std::string keys() const {
        std::ofstream(path() / "keys") << "alice sk-alice-123456\n";
        std::ofstream(path() / "bob") << "sk-bob-654321\n";
        fs::permissions(path() / "keys", fs::perms::owner_read | fs::perms::owner_write);
        fs::permissions(path() / "bob", fs::perms::owner_read | fs::perms::owner_write);
        return fmt::format(
            "keys:\n  - name: alice\n    key_file: {}\n    control: true\n"
            "  - name: bob\n    key_file: {}\n    models: [m]\n",
            (path() / "keys").native(),
            (path() / "bob").native()
        );
    }

    static std::vector<std::string> with_key(const std::string& key) {
        return {"Host: localhost", "Authorization: Bearer " + key};
    }

    RawAnswer chat_with_key(const std::string& model, const std::string& key) const {
        RawConnection connection(port());
        connection.ask("POST", "/v1/chat/completions", chat_body(model, false), with_key(key));
        return connection.read();
    }
};

TEST_F(GatewayAnswers, KeysOpenWhatTheyMayOpen) {
    add_model("m", "");
    add_model("n", "");
    start(keys());
    EXPECT_EQ(get("/health").status, 200);
    EXPECT_EQ(get("/v1/models").status, 401);
    EXPECT_EQ(get("/metrics").status, 401);
    EXPECT_EQ(get("/api/tags").status, 401);
    EXPECT_EQ(chat("m").status, 401);
    EXPECT_EQ(chat_with_key("m", "sk-alice-12345").status, 401);
    EXPECT_EQ(chat_with_key("m", "sk-alice-123456").status, 200);
    EXPECT_EQ(chat_with_key("m", "sk-bob-654321").status, 200);
    const auto barred = chat_with_key("n", "sk-bob-654321");
    EXPECT_EQ(barred.status, 403) << barred.body;
    EXPECT_EQ(get("/control/ps", with_key("sk-bob-654321")).status, 403);
    EXPECT_EQ(get("/control/ps", with_key("sk-alice-123456")).status, 200);
    const auto list = get("/v1/models", with_key("sk-bob-654321")).body;
    EXPECT_THAT(list, testing::HasSubstr("\"id\":\"m\""));
    EXPECT_THAT(list, testing::Not(testing::HasSubstr("\"id\":\"n\"")));
}

TEST_F(GatewayAnswers, AModelThatAKeyMayNotUseIsNotLoadedForIt) {
    add_model("m", "");
    add_model("n", "");
    start(keys());
    EXPECT_EQ(chat_with_key("n", "sk-bob-654321").status, 403);
    EXPECT_EQ(status("n").at("loads").to_number<int>(), 0);
}

TEST_F(GatewayAnswers, NoSecretReachesTheServerTheLogsOrTheStates) {
    add_model("m", "--require-key sk-alice-123456", {"start_timeout: 2s"});
    environment_["SECRET_OF_THE_SHELL"] = "hush-hush";
    start(keys());
    // The probe is asked without a key too: the server answers 401, and is never ready.
    const auto answer = chat_with_key("m", "sk-alice-123456");
    EXPECT_EQ(answer.status, 503) << "a server that got the client's key would have answered";
    const auto everything = control("GET", "/ps").body + control("GET", "/models/m/logs").body +
                            control("GET", "/events").body + control("GET", "/requests").body;
    EXPECT_THAT(everything, testing::Not(testing::HasSubstr("sk-alice")));
    EXPECT_THAT(everything, testing::Not(testing::HasSubstr("hush-hush")));
}

TEST_F(GatewayAnswers, RequestIdsAreKeptWhenTheyAreSane) {
    add_model("m", "");
    start();
    EXPECT_EQ(get("/health", {"x-request-id: my-id.1"}).header("x-request-id"), "my-id.1");
    EXPECT_NE(get("/health", {"x-request-id: a b"}).header("x-request-id"), "a b");
    EXPECT_NE(
        get("/health", {"x-request-id: " + std::string(500, 'a')}).header("x-request-id").size(),
        500U
    );
}

TEST_F(GatewayAnswers, BodiesArePassedOnByteForByteButForTheModel) {
    add_model("m", "--echo-request");
    start();
    RawConnection connection(port());
    const std::string body =
        "{ \"messages\" : [ {\"role\":\"user\",\"content\":\"\\u00e9 \\/ x\"} ],\n"
        " \"model\":\"m\", \"seed\" : 12345678901234567890, \"temperature\": 0.10 }";
    connection.ask("POST", "/v1/chat/completions", body);
    const auto answer = connection.read();
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto parsed = parse_json(answer.body);
    ASSERT_TRUE(parsed);
    const auto content =
        std::string(parsed->at("choices").at(0).at("message").at("content").as_string());
    EXPECT_THAT(
        content,
        testing::HasSubstr(
            "{ \"messages\" : [ {\"role\":\"user\",\"content\":\"\\u00e9 \\/ x\"} ],\n"
        )
    );
    EXPECT_THAT(content, testing::HasSubstr("\"seed\" : 12345678901234567890"));
    EXPECT_THAT(content, testing::HasSubstr("\"temperature\": 0.10"));
}

TEST_F(GatewayAnswers, SamplingDefaultsAreFilledInOrForced) {
    add_model("free", "--echo-request", {"sampling:", "  temperature: 0.25"});
    add_model(
        "forced",
        "--echo-request",
        {"sampling:", "  temperature: 0.25", "sampling_overridable: false"}
    );
    start();
    const auto ask = [&](const std::string& model, const std::string& more) {
        RawConnection connection(port());
        connection.ask(
            "POST",
            "/v1/chat/completions",
            fmt::format(R"({{"model":"{}","messages":[]{}}})", model, more)
        );
        return connection.read().body;
    };
    EXPECT_THAT(ask("free", ""), testing::Not(testing::HasSubstr("temperature")))
        << "llama-server has a flag for it";
    EXPECT_THAT(ask("free", R"(,"temperature":0.5)"), testing::HasSubstr("temperature\\\":0.5"));
    EXPECT_THAT(ask("forced", R"(,"temperature":0.5)"), testing::HasSubstr("temperature\\\":0.25"));
}

TEST_F(GatewayAnswers, OtherProtocolsAreSpokenToTheSameModel) {
    add_model("m", "");
    start();
    const auto post = [&](const std::string& target, const std::string& body) {
        RawConnection connection(port());
        connection.ask("POST", target, body);
        return connection.read();
    };
    const auto anthropic = post(
        "/v1/messages",
        R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]})"
    );
    EXPECT_EQ(anthropic.status, 200);
    EXPECT_THAT(anthropic.body, testing::HasSubstr("\"type\":\"message\""));
    EXPECT_THAT(anthropic.body, testing::HasSubstr("Paris"));
    const auto stream = post(
        "/v1/messages",
        R"({"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hi"}]})"
    );
    EXPECT_THAT(stream.body, testing::HasSubstr("event: message_start"));
    EXPECT_THAT(stream.body, testing::HasSubstr("event: message_stop"));
    EXPECT_EQ(stream.end, End::proper);
    const auto ollama =
        post("/api/chat", R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})");
    EXPECT_EQ(ollama.header("content-type"), "application/x-ndjson");
    EXPECT_THAT(ollama.body, testing::HasSubstr("\"done\":true"));
    const auto generate =
        post("/api/generate", R"({"model":"m:latest","prompt":"Hi","stream":false})");
    EXPECT_THAT(generate.body, testing::HasSubstr("\"response\""));
    const auto responses = post("/v1/responses", R"({"model":"m","input":"Hi"})");
    EXPECT_THAT(responses.body, testing::HasSubstr("\"output_text\""));
}

struct TornRow {
    const char* name;
    const char* target;
    const char* body;
    const char* words;      ///< how this protocol says an error
    const char* end_words;  ///< what a whole answer would have had
};

class TornInOtherProtocols : public GatewayFixture, public testing::WithParamInterface<TornRow> {};

TEST_P(TornInOtherProtocols, LooksTorn) {
    add_model("m", "--torn-stream");
    start();
    RawConnection connection(port());
    connection.ask("POST", GetParam().target, GetParam().body);
    const auto answer = connection.read();
    EXPECT_TRUE(is_torn(answer.end));
    EXPECT_THAT(answer.body, testing::HasSubstr(GetParam().words));
    EXPECT_THAT(answer.body, testing::Not(testing::HasSubstr(GetParam().end_words)));
}

INSTANTIATE_TEST_SUITE_P(
    Rows,
    TornInOtherProtocols,
    testing::Values(
        TornRow{
            "Anthropic",
            "/v1/messages",
            R"({"model":"m","max_tokens":9,"stream":true,
                    "messages":[{"role":"user","content":"Hi"}]})",
            "event: error",
            "message_stop"
        },
        TornRow{
            "Ollama",
            "/api/chat",
            R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})",
            "\"error\"",
            "\"done\":true"
        },
        TornRow{
            "Responses",
            "/v1/responses",
            R"({"model":"m","input":"Hi","stream":true})",
            "error",
            "response.completed"
        }
    ),
    [](const auto& info) { return info.param.name; }
);

TEST_F(GatewayAnswers, AFallbackAnswersWhenTheModelCannotBeHad) {
    add_model("broken", "--exit-code 1", {"fallbacks: [good]"});
    add_model("good", "--answer from%20the%20other");
    start();
    const auto answer = chat("broken");
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, testing::HasSubstr("from the other"));
}

TEST_F(GatewayAnswers, ATimeToLiveUnloadsAndTheNextRequestLoadsAgain) {
    add_model("m", "", {"ttl: 300ms"});
    start();
    ASSERT_EQ(chat("m").status, 200);
    EXPECT_TRUE(reaches("m", "stopped"));
    EXPECT_EQ(chat("m").status, 200);
    EXPECT_EQ(status("m").at("loads").to_number<int>(), 2);
}

TEST_F(GatewayAnswers, AModelThatCanNeverFitIsRefusedWithTheNumbers) {
    add_model("big", "", {"memory: 64GB"});
    write_file("memory: 8GB\n");
    launch();
    EXPECT_EQ(gateway().wait(), 2);
    EXPECT_THAT(gateway().out() + gateway().err(), testing::HasSubstr("64"));
    gateway_.reset();
}

TEST_F(GatewayAnswers, TheLeastRecentlyUsedMakesRoomAndPinnedOnesStay) {
    add_model("pinned", "", {"memory: 1GB", "pin: true"});
    add_model("old", "", {"memory: 1GB"});
    add_model("new", "", {"memory: 1GB"});
    start("memory: 2500MB\nqueue:\n  min_loaded: 0s\n");
    ASSERT_EQ(chat("pinned").status, 200);
    ASSERT_EQ(chat("old").status, 200);
    ASSERT_EQ(chat("new").status, 200);
    EXPECT_EQ(state("pinned"), "ready");
    EXPECT_EQ(state("old"), "stopped");
    EXPECT_EQ(state("new"), "ready");
}

TEST_F(GatewayAnswers, RoutesThatChangeTheServerForAllAreRefused) {
    add_model("m", "");
    start();
    for (const auto* target : {
             "/upstream/m/lora-adapters",
             "/upstream/m/lora-adapters?x=1",
             "/upstream/m/%6cora-adapters",
             "/upstream/m/slots/0?action=save",
             "/upstream/m/v1/streams/lookup",
         }) {
        RawConnection connection(port());
        connection.ask("POST", target, "[]");
        const auto answer = connection.read();
        EXPECT_EQ(answer.status, 403) << target;
        EXPECT_THAT(answer.body, testing::HasSubstr("route_not_allowed")) << target;
    }
    const auto health = get("/upstream/m/health");
    EXPECT_EQ(health.status, 200) << health.body;
    EXPECT_EQ(get("/upstream/m/slots-of-another-name").status, 404) << "the server's own answer";
}

TEST_F(GatewayAnswers, AnAnswerThatIsTooLargeToMendIsItsOwnFaultOnly) {
    add_model("m", "--echo-request");
    start();
    RawConnection connection(port());
    constexpr std::size_t more_than_the_limit = 33U << 20U;
    connection.ask(
        "POST",
        "/v1/chat/completions",
        fmt::format(
            R"({{"model":"m","messages":[],"tools":[{{"type":"function","function":{{"name":"f"}}}}],"x":"{}"}})",
            std::string(more_than_the_limit, 'a')
        )
    );
    const auto answer = connection.read();
    EXPECT_EQ(answer.status, 502);
    EXPECT_THAT(answer.body.substr(0, 1000), testing::HasSubstr("answer_too_large"));
    const auto pid = pid_of("m");
    EXPECT_EQ(chat("m").status, 200);
    EXPECT_EQ(pid_of("m"), pid);
    EXPECT_EQ(status("m").at("loads").to_number<int>(), 1);
    const auto records = control("GET", "/requests").body;
    EXPECT_THAT(records, testing::Not(testing::HasSubstr("\"attempts\":2")));
}

TEST_F(GatewayAnswers, AServerThatFellSilentIsReplacedAndItsRequestAnswered) {
    add_model("m", "", {"silence: 500ms", "stop_grace: 100ms"});
    start();
    ASSERT_EQ(chat("m").status, 200);
    const auto pid = pid_of("m");
    ASSERT_GT(pid, 0);
    ASSERT_EQ(::kill(pid, SIGSTOP), 0);
    const auto answer = chat("m");
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_NE(pid_of("m"), pid);
    EXPECT_EQ(status("m").at("loads").to_number<int>(), 2);
    EXPECT_NE(::kill(pid, 0), 0) << "the stopped one is gone";
}

TEST_F(GatewayAnswers, AStreamThatFallsSilentIsTornAndAServerThatStillAnswersLives) {
    add_model("m", "--hang-mid-stream", {"silence: 500ms"});
    start();
    const auto torn = chat("m", true);
    EXPECT_EQ(torn.status, 200);
    EXPECT_TRUE(is_torn(torn.end));
    EXPECT_THAT(torn.body, testing::HasSubstr("\"code\":\"stream_torn\""));
    EXPECT_THAT(torn.body, testing::Not(testing::HasSubstr("[DONE]")));
    const auto pid = pid_of("m");
    EXPECT_EQ(chat("m").status, 200);
    EXPECT_EQ(pid_of("m"), pid);
    EXPECT_EQ(status("m").at("loads").to_number<int>(), 1);
}

TEST_F(GatewayAnswers, AReloadThatChangesNothingCutsNothing) {
    add_model("m", "--slow-tokens 150");
    start();
    RawConnection stream(port());
    stream.ask("POST", "/v1/chat/completions", chat_body("m", true));
    ASSERT_EQ(stream.read("data: ").status, 200);
    const auto pid = pid_of("m");
    gateway().signal(SIGHUP);
    ASSERT_TRUE(gateway().read_until_out_has("\"reloaded\""));
    const auto whole = stream.read();
    EXPECT_EQ(whole.end, End::proper);
    EXPECT_THAT(whole.body, testing::HasSubstr("[DONE]"));
    EXPECT_EQ(pid_of("m"), pid);
}

TEST_F(GatewayAnswers, AReloadRestartsOnlyWhatChanged) {
    add_model("same", "");
    const auto before = models_;
    add_model("other", "--answer before");
    start();
    ASSERT_EQ(chat("same").status, 200);
    ASSERT_EQ(chat("other").status, 200);
    const auto pid = pid_of("same");
    models_ = before;
    add_model("other", "--answer after");
    add_model("third", "");
    write_file();
    gateway().signal(SIGHUP);
    ASSERT_TRUE(gateway().read_until_out_has("\"reloaded\""));
    EXPECT_THAT(chat("other").body, testing::HasSubstr("after"));
    EXPECT_EQ(chat("third").status, 200);
    EXPECT_EQ(pid_of("same"), pid);
}

TEST_F(GatewayAnswers, ABrokenFileLeavesTheOldOneInForce) {
    add_model("m", "");
    start();
    ASSERT_EQ(chat("m").status, 200);
    const auto pid = pid_of("m");
    std::ofstream(file()) << "models:\n  m:\n    pat: x\n";
    gateway().signal(SIGHUP);
    ASSERT_TRUE(gateway().read_until([&] {
        return (gateway().out() + gateway().err()).contains("old one stays in force");
    }));
    EXPECT_THAT(gateway().out() + gateway().err(), testing::HasSubstr("punie.yaml:3"));
    EXPECT_EQ(chat("m").status, 200);
    EXPECT_EQ(pid_of("m"), pid);
}

TEST_F(GatewayAnswers, AnEditOfTheFileIsSeenWithoutASignal) {
    add_model("m", "");
    start();
    add_model("second", "");
    write_file();
    ASSERT_TRUE(gateway().read_until_out_has("\"reloaded\""));
    EXPECT_EQ(chat("second").status, 200);
}

TEST_F(GatewayAnswers, ASecondGatewayOnTheSameSocketNamesTheFirst) {
    add_model("m", "");
    start();
    Program second({"serve", file().native(), "--port", "0", "--json"}, environment_);
    EXPECT_NE(second.wait(), 0);
    EXPECT_THAT(second.out() + second.err(), testing::HasSubstr("control.sock"));
    EXPECT_EQ(chat("m").status, 200);
}

}  // namespace
}  // namespace punie::cli
