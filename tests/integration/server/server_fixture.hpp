#pragma once
// A ManagedServer whose program is fake-model-server, on an event loop that the test runs itself.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "process/system.hpp"
#include "server/managed_server.hpp"

namespace punie::server {

inline constexpr std::chrono::seconds test_limit{30};  // only a hang reaches it

/// What a server that knows every flag would say of itself, with the fake as its program.
inline ServerCapabilities fake_capabilities() {
    ServerCapabilities capabilities;
    capabilities.backend = BackendKind::mlx;
    capabilities.program = {PUNIE_FAKES_DIR "/fake-model-server"};
    capabilities.version = "fake";
    capabilities.flags = {
        "--model",
        "--host",
        "--port",
        "--adapter-path",
        "--temp",
        "--top-p",
        "--top-k",
        "--min-p",
        "--max-tokens"
    };
    return capabilities;
}

class ServerFixture : public testing::Test {
protected:
    /// `fake` is what FAKE_SERVER_ARGS says: how the fake misbehaves.
    std::shared_ptr<ManagedServer> make(
        const std::string& fake, std::chrono::milliseconds start_limit = test_limit, int port = 0
    ) {
        ServerOptions options;
        options.model_path = "a-model";
        options.port = port;
        options.environment["FAKE_SERVER_ARGS"] = fake;
        return make(std::move(options), start_limit, fake_capabilities());
    }

    std::shared_ptr<ManagedServer> make(
        ServerOptions options,
        std::chrono::milliseconds start_limit,
        std::optional<ServerCapabilities> capabilities
    ) {
        auto config = make_server_config(std::move(options));
        EXPECT_TRUE(config) << (config ? "" : config.error().describe());
        ManagedServerOptions managed;
        managed.limits.start = start_limit;
        managed.capabilities = std::move(capabilities);
        managed.check_files = false;
        managed.on_event = [this](const ServerEvent& event) { on_event(event); };
        auto server =
            ManagedServer::make(context_.get_executor(), *std::move(config), std::move(managed));
        servers_.push_back(server);
        return server;
    }

    virtual void on_event(const ServerEvent& event) { states_.push_back(event.state); }

    /// Runs the event loop until `work` is done; a hang fails the test.
    template <typename T>
    T run(Task<T> work) {
        std::optional<T> result;
        asio::co_spawn(context_, std::move(work), [&](const std::exception_ptr& thrown, T value) {
            if (thrown) std::rethrow_exception(thrown);
            result.emplace(std::move(value));
        });
        run_until([&] { return result.has_value(); });
        return *std::move(result);
    }

    template <typename Condition>
    void run_until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + test_limit;
        context_.restart();
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end) << "hangs";
            context_.run_one_for(std::chrono::milliseconds(100));
            if (context_.stopped()) context_.restart();
        }
    }

    void TearDown() override {
        std::vector<pid_t> guards;
        for (const auto& server : servers_) {
            if (server->guard_pid() != 0) guards.push_back(server->guard_pid());
            EXPECT_TRUE(run(server->stop(Milliseconds{0})));
        }
        for (const auto guard : guards) {
            run_until([guard] { return !process::process_alive(guard); });
        }
    }

    asio::io_context context_{1};
    std::vector<std::shared_ptr<ManagedServer>> servers_;
    std::vector<ServerState> states_;
};

}  // namespace punie::server
