#pragma once
// `punie serve FILE` as a person runs it, with fake-model-server in the place of llama-server.

#include <algorithm>
#include <regex>

#include "cli_fixture.hpp"
#include "support/raw_http.hpp"

namespace punie::cli {

using tests::End;
using tests::is_torn;
using tests::RawAnswer;
using tests::RawConnection;

class GatewayFixture : public CliFixture {
protected:
    void SetUp() override {
        CliFixture::SetUp();
        environment_["PUNIE_CONTROL_SOCKET"] = socket().native();
        environment_["XDG_CACHE_HOME"] = (path() / "cache").native();
    }

    fs::path socket() const { return path() / "control.sock"; }

    fs::path file() const { return path() / "punie.yaml"; }

    /// One more model, whose server misbehaves by these flags; `more` are lines of its YAML.
    void add_model(
        const std::string& name, const std::string& flags, const std::vector<std::string>& more = {}
    ) {
        models_ += fmt::format(
            "  {}:\n    backend: llama\n    path: {}\n    environment:\n"
            "      FAKE_SERVER_ARGS: \"{} --help-file " PUNIE_SOURCE_DIR
            "/tests/unit/backend/recorded/llama_server_0.3.36.txt\"\n",
            name,
            (path() / "model.gguf").native(),
            flags
        );
        for (const auto& line : more) models_ += fmt::format("    {}\n", line);
    }

    void write_file(const std::string& top = {}) const {
        // Written aside and renamed: a reader never sees half a file.
        std::ofstream(path() / "new.yaml") << top << "models:\n" << models_;
        fs::rename(path() / "new.yaml", file());
    }

    /// Starts it and waits until it listens.
    void start(const std::string& top = {}) {
        write_file(top);
        launch();
        ASSERT_TRUE(gateway_->read_until_out_has("\"listening\"")) << gateway_->err();
        const auto url = string_member(gateway_->json_lines().front().get_object(), "url");
        ASSERT_TRUE(url);
        port_ = std::stoi(url->substr(url->rfind(':') + 1));
    }

    void launch() {
        gateway_.emplace(
            std::vector<std::string>{"serve", file().native(), "--port", "0", "--json"},
            environment_
        );
    }

    Program& gateway() { return *gateway_; }

    int port() const { return port_; }

    static std::string chat_body(const std::string& model, bool stream) {
        return fmt::format(
            R"({{"model": "{}", "stream": {}, "messages": [{{"role": "user", "content": "Hi"}}]}})",
            model,
            stream
        );
    }

    /// A chat completion, waited for.
    RawAnswer chat(const std::string& model, bool stream = false) const {
        RawConnection connection(port_);
        connection.ask("POST", "/v1/chat/completions", chat_body(model, stream));
        return connection.read();
    }

    RawAnswer get(const std::string& target, const std::vector<std::string>& headers = {}) const {
        auto all = headers;
        if (std::ranges::none_of(all, [](const auto& h) { return h.starts_with("Host"); })) {
            all.emplace_back("Host: localhost");
        }
        RawConnection connection(port_);
        connection.ask("GET", target, {}, all);
        return connection.read();
    }

    /// Over the control socket.
    RawAnswer control(const std::string& method, const std::string& target) const {
        RawConnection connection(socket().native());
        connection.ask(method, "/control" + target);
        return connection.read();
    }

    /// What `punie ps` knows of a model.
    json::object status(const std::string& model) const {
        const auto answer = control("GET", "/ps");
        const auto parsed = parse_json(answer.body);
        EXPECT_TRUE(parsed) << answer.body;
        if (!parsed) return {};
        for (const auto& entry : parsed->at("models").as_array()) {
            if (entry.at("name").as_string() == model) return entry.as_object();
        }
        ADD_FAILURE() << "no model " << model << " in " << answer.body;
        return {};
    }

    std::string state(const std::string& model) const {
        return string_member(status(model), "state").value_or("");
    }

    /// Waits for a state: asks the control socket again and again, with a limit.
    bool reaches(const std::string& model, const std::string& wanted) const {
        const auto end = std::chrono::steady_clock::now() + test_limit;
        while (state(model) != wanted) {
            if (std::chrono::steady_clock::now() > end) return false;
            ::poll(nullptr, 0, 10);
        }
        return true;
    }

    pid_t pid_of(const std::string& model) const {
        const auto object = status(model);
        const auto* pid = object.if_contains("pid");
        return pid != nullptr && pid->is_int64() ? static_cast<pid_t>(pid->get_int64()) : 0;
    }

    void TearDown() override {
        if (!gateway_) return;
        gateway_->signal(SIGTERM);
        EXPECT_TRUE(ends_within(std::chrono::seconds(20)));
    }

    /// Whether the gateway's process has ended in time (it is reaped).
    bool ends_within(std::chrono::milliseconds limit) {
        const auto begun = std::chrono::steady_clock::now();
        gateway_->wait();
        gateway_.reset();
        return std::chrono::steady_clock::now() - begun < limit;
    }

    std::optional<Program> gateway_;
    std::string models_;
    int port_ = 0;
};

}  // namespace punie::cli
