#pragma once
// A Fleet whose servers are fake-model-server, on an event loop that the test runs itself. What a
// fake does is in the model's environment (FAKE_SERVER_ARGS).

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "fleet/fleet.hpp"
#include "http/client.hpp"
#include "process/system.hpp"

namespace punie::fleet {

inline constexpr std::chrono::seconds test_limit{40};  // only a hang reaches it

inline ServerCapabilities fake_capabilities() {
    ServerCapabilities capabilities;
    capabilities.backend = BackendKind::mlx;
    capabilities.program = {PUNIE_FAKES_DIR "/fake-model-server"};
    capabilities.version = "fake";
    capabilities.flags = {"--model", "--host", "--port", "--adapter-path", "--temp", "--top-p"};
    return capabilities;
}

inline ModelSpec model(const std::string& name, const std::string& fake, std::uint64_t memory = 1) {
    ModelSpec spec;
    spec.name = name;
    spec.server.model_path = "a-model-" + name;
    spec.server.port = 0;
    spec.server.environment["FAKE_SERVER_ARGS"] = fake;
    spec.memory = memory;
    spec.stop_grace = Milliseconds{2000};
    return spec;
}

using Admission = std::expected<Lease, Refusal>;

class FleetFixture : public testing::Test {
protected:
    void SetUp() override {
        auto folder = TemporaryFolder::make("fleet");
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
    }

    GatewayConfig config(std::vector<ModelSpec> models, std::uint64_t budget = 10'000'000'000) {
        GatewayConfig result;
        result.models = std::move(models);
        result.memory = budget;
        result.state_folder = folder_->path() / "state";
        result.queue.fairness = Milliseconds{500};
        result.queue.min_loaded = Milliseconds{0};
        result.queue.drain = Milliseconds{5000};
        return result;
    }

    Fleet& make(GatewayConfig configuration) {
        FleetOptions options;
        options.capabilities = fake_capabilities();
        options.check_files = false;
        options.on_event = [this](const FleetEvent& event) { on_event(event); };
        fleet_ = std::make_unique<Fleet>(
            context_.get_executor(), std::move(configuration), std::move(options)
        );
        return *fleet_;
    }

    virtual void on_event(const FleetEvent& event) {
        events_.push_back(event);
        for (const auto& status : fleet_ ? fleet_->status() : std::vector<ModelStatus>{}) {
            if (status.pid != 0) pids_.insert(status.pid);
        }
    }

    static Ask ask_for(const std::string& name, const std::string& client = "me") {
        Ask ask;
        ask.model = name;
        ask.client = client;
        return ask;
    }

    Admission admit(const std::string& name) { return run(fleet_->admit(ask_for(name))); }

    static Task<void> deliver(Task<Admission> work, std::function<void(Admission)> done) {
        done(co_await std::move(work));
    }

    /// Begins an ask; `done` gets its outcome.
    void begin(Ask ask, std::function<void(Admission)> done) {
        asio::co_spawn(
            context_,
            deliver(fleet_->admit(std::move(ask)), std::move(done)),
            [](const std::exception_ptr& thrown) { ASSERT_FALSE(thrown); }
        );
    }

    /// A whole request to what the lease names. The status, or 0 when the connection broke.
    static Task<int> ask_server(std::string url, http::Client client) {
        http::Request request;
        request.method = "POST";
        request.url = url + "/chat/completions";
        request.headers = {{"Content-Type", "application/json"}};
        request.body = R"({"model":"default_model","messages":[{"role":"user","content":"a"}]})";
        http::Deadlines deadlines;
        deadlines.total = Milliseconds{20'000};
        const auto response = co_await client.send(std::move(request), deadlines);
        co_return response ? response->status : 0;
    }

    template <typename T>
    static Task<void> store(Task<T> work, std::optional<T>* into) {
        into->emplace(co_await std::move(work));
    }

    /// Runs the event loop until `work` is done; a hang fails the test.
    template <typename T>
    T run(Task<T> work) {
        std::optional<T> result;
        run(store(std::move(work), &result));
        return *std::move(result);
    }

    void run(Task<void> work) {
        bool done = false;
        asio::co_spawn(context_, std::move(work), [&](const std::exception_ptr& thrown) {
            if (thrown) std::rethrow_exception(thrown);
            done = true;
        });
        run_until([&] { return done; });
    }

    template <typename Condition>
    void run_until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + test_limit;
        context_.restart();
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) FAIL() << "hangs";
            context_.run_one_for(std::chrono::milliseconds(50));
            if (context_.stopped()) context_.restart();
        }
    }

    ModelStatus status(const std::string& name) { return fleet_->status(name).value(); }

    std::size_t count(const std::string& what, const std::string& model) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            events_,
            [&](const FleetEvent& event) { return event.what == what && event.model == model; }
        ));
    }

    void TearDown() override {
        if (!fleet_) return;
        run(fleet_->close(Milliseconds{0}));
        for (const auto pid : pids_) run_until([pid] { return !process::process_alive(pid); });
        for (const auto& one : fleet_->status()) EXPECT_EQ(one.pid, 0) << one.name;
    }

    asio::io_context context_{1};
    std::optional<TemporaryFolder> folder_;
    std::unique_ptr<Fleet> fleet_;
    std::vector<FleetEvent> events_;
    std::set<pid_t> pids_;
};

}  // namespace punie::fleet
