// Stops, deaths and repeated calls in every state.

#include <gmock/gmock.h>
#include <csignal>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "server_fixture.hpp"

namespace punie::server {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class ManagedServerTest : public ServerFixture {
protected:
    /// Begins a start without waiting for it.
    void begin(const std::shared_ptr<ManagedServer>& server) {
        asio::co_spawn(
            context_,
            server->start(),
            [this](const std::exception_ptr& thrown, Result<void> result) {
                ASSERT_FALSE(thrown);
                started_ = std::move(result);
            }
        );
    }

    std::optional<Result<void>> started_;
};

TEST_F(ManagedServerTest, StartIsIdempotent) {
    auto server = make("--load-ms 100");
    begin(server);
    EXPECT_TRUE(run(server->start()));
    run_until([&] { return started_.has_value(); });
    EXPECT_TRUE(*started_);
    const auto pid = server->pid();
    EXPECT_TRUE(run(server->start()));
    EXPECT_EQ(server->pid(), pid) << "a start of a ready server starts nothing";
}

TEST_F(ManagedServerTest, StopIsIdempotent) {
    auto server = make("");
    EXPECT_TRUE(run(server->stop(std::nullopt))) << "never started";
    ASSERT_TRUE(run(server->start()));
    EXPECT_TRUE(run(server->stop(std::nullopt)));
    EXPECT_TRUE(run(server->stop(std::nullopt)));
    EXPECT_EQ(server->state(), ServerState::stopped);
}

TEST_F(ManagedServerTest, StopWhileStartingWorks) {
    auto server = make("--never-ready");
    begin(server);
    EXPECT_TRUE(run(server->stop(Milliseconds{500})));
    run_until([&] { return started_.has_value(); });
    ASSERT_FALSE(*started_);
    EXPECT_EQ(started_->error().code(), ErrorCode::cancelled);
    EXPECT_EQ(server->state(), ServerState::stopped);
    EXPECT_EQ(server->pid(), 0);
}

TEST_F(ManagedServerTest, StopWhileLoadingWorks) {
    auto server = make("--never-ready");
    begin(server);
    run_until([&] { return server->state() == ServerState::loading; });
    const auto guard = server->guard_pid();
    EXPECT_TRUE(run(server->stop(Milliseconds{500})));
    EXPECT_EQ(server->state(), ServerState::stopped);
    EXPECT_THAT(process::descendants(guard), IsEmpty());
}

TEST_F(ManagedServerTest, AStopEndsAServerThatIgnoresSigterm) {
    auto server = make("--ignore-sigterm --fork-grandchild");
    ASSERT_TRUE(run(server->start()));
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(run(server->stop(Milliseconds{150})));
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
    EXPECT_THAT(server->events().back().reason, HasSubstr("killed"));
}

TEST_F(ManagedServerTest, AnImpatientSecondStopCutsTheGraceShort) {
    auto server = make("--ignore-sigterm");
    ASSERT_TRUE(run(server->start()));
    bool first_done = false;
    asio::co_spawn(
        context_,
        server->stop(Milliseconds{25'000}),
        [&](const std::exception_ptr&, Result<void>) { first_done = true; }
    );
    run_until([&] { return server->state() == ServerState::draining; });
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(run(server->stop(Milliseconds{0})));
    run_until([&] { return first_done; });
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
}

TEST_F(ManagedServerTest, AStoppedServerCanBeStartedAgain) {
    auto server = make("");
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(run(server->start()));
        ASSERT_TRUE(run(server->stop(Milliseconds{500})));
    }
    EXPECT_EQ(server->events().size(), 3U * 5U);
}

TEST_F(ManagedServerTest, AStartDuringAStopWaitsAndStartsAnew) {
    auto server = make("");
    ASSERT_TRUE(run(server->start()));
    const auto pid = server->pid();
    asio::co_spawn(
        context_, server->stop(Milliseconds{500}), [](const std::exception_ptr&, Result<void>) {}
    );
    run_until([&] { return server->state() == ServerState::draining; });
    EXPECT_TRUE(run(server->start()));
    EXPECT_EQ(server->state(), ServerState::ready);
    EXPECT_NE(server->pid(), pid);
}

TEST_F(ManagedServerTest, ACancelledStartStopsWhatItStarted) {
    auto server = make("--never-ready");
    asio::cancellation_signal cancel;
    asio::co_spawn(
        context_,
        server->start(),
        asio::bind_cancellation_slot(
            cancel.slot(),
            [this](const std::exception_ptr&, Result<void> result) { started_ = std::move(result); }
        )
    );
    run_until([&] { return server->state() == ServerState::loading; });
    cancel.emit(asio::cancellation_type::all);
    run_until([&] { return started_.has_value(); });
    EXPECT_EQ(started_->error().code(), ErrorCode::cancelled);
    EXPECT_EQ(server->state(), ServerState::stopped);
    EXPECT_EQ(server->pid(), 0);
}

TEST_F(ManagedServerTest, ACancelledStartLeavesAnotherStartAlone) {
    auto server = make("--load-ms 300");
    asio::cancellation_signal cancel;
    std::optional<Result<void>> cancelled;
    begin(server);
    asio::co_spawn(
        context_,
        server->start(),
        asio::bind_cancellation_slot(
            cancel.slot(),
            [&](const std::exception_ptr&, Result<void> result) { cancelled = std::move(result); }
        )
    );
    run_until([&] { return server->state() == ServerState::loading; });
    cancel.emit(asio::cancellation_type::all);
    run_until([&] { return cancelled.has_value() && started_.has_value(); });
    EXPECT_FALSE(*cancelled);
    EXPECT_TRUE(*started_) << "the other caller still wanted it";
}

TEST_F(ManagedServerTest, DeathInServiceIsNoticedWithItsReason) {
    auto server = make("--print last%20words");
    ASSERT_TRUE(run(server->start()));
    ::kill(server->pid(), SIGABRT);  // sanitizers catch SIGSEGV and make an exit of it
    const auto ended = run(server->wait_ended());
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code(), ErrorCode::exited);
    EXPECT_THAT(ended.error().describe(), HasSubstr("signal 6"));
    EXPECT_THAT(ended.error().describe(), HasSubstr("last words"));
    EXPECT_EQ(server->state(), ServerState::failed);
}

TEST_F(ManagedServerTest, DeathOfTheMainProgramEndsItsDaemonsToo) {
    auto server = make("--double-fork");
    ASSERT_TRUE(run(server->start()));
    const auto guard = server->guard_pid();
    ::kill(server->pid(), SIGKILL);
    EXPECT_FALSE(run(server->wait_ended()));
    EXPECT_THAT(process::descendants(guard), IsEmpty());
}

TEST_F(ManagedServerTest, TheHealthCheckTellsAHangingServer) {
    auto server = make("");
    EXPECT_EQ(run(server->health_check()).error().code(), ErrorCode::state);
    ASSERT_TRUE(run(server->start()));
    EXPECT_TRUE(run(server->health_check()));
    ::kill(server->pid(), SIGSTOP);
    const auto before = std::chrono::steady_clock::now();
    const auto health = run(server->health_check());
    ASSERT_FALSE(health);
    EXPECT_EQ(health.error().code(), ErrorCode::timeout);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
    EXPECT_TRUE(run(server->stop(Milliseconds{300}))) << "a stopped process can be stopped";
}

TEST_F(ManagedServerTest, EventsCarryTimesInOrder) {
    auto server = make("--load-ms 60");
    ASSERT_TRUE(run(server->start()));
    ASSERT_TRUE(run(server->stop(Milliseconds{500})));
    const auto events = server->events();
    ASSERT_EQ(events.size(), 5U);
    for (std::size_t i = 1; i < events.size(); ++i)
        EXPECT_GE(events[i].elapsed, events[i - 1].elapsed);
    EXPECT_GE(events[2].elapsed.count(), 0.06) << "ready cannot come before the model was loaded";
}

TEST_F(ManagedServerTest, TheChildDoesNotSeeOurKeys) {
    ::setenv(
        "OPENAI_API_KEY", "secret-key", 1
    );  // NOLINT(concurrency-mt-unsafe): no other thread yet
    auto server = make("");
    ASSERT_TRUE(run(server->start()));
    std::string file = fmt::format("/proc/{}/environ", server->pid());
    if (auto* environment = std::fopen(file.c_str(), "r"); environment != nullptr) {
        std::string text(65536, '\0');
        text.resize(std::fread(text.data(), 1, text.size(), environment));
        std::fclose(environment);
        EXPECT_THAT(text, HasSubstr("FAKE_SERVER_ARGS"));
        EXPECT_THAT(text, testing::Not(HasSubstr("secret-key")));
    }
    ::unsetenv("OPENAI_API_KEY");  // NOLINT(concurrency-mt-unsafe)
}

TEST_F(ManagedServerTest, AnEndpointThatIsNotOursIsOnlyAsked) {
    auto own = make("");
    ASSERT_TRUE(run(own->start()));
    ServerOptions options;
    options.backend = BackendKind::openai;
    options.model_path = "default_model";
    options.url = own->config().base_url();
    auto endpoint = make(std::move(options), test_limit, std::nullopt);
    ASSERT_TRUE(run(endpoint->start()));
    EXPECT_EQ(endpoint->pid(), 0);
    EXPECT_TRUE(run(endpoint->health_check()));
    EXPECT_TRUE(run(endpoint->stop(std::nullopt)));
    EXPECT_EQ(own->state(), ServerState::ready)
        << "stopping a client of an endpoint leaves the endpoint alone";
}

// Start, stop, kill and check in random order: no state without a way out, no process left, no
// crash.
TEST_F(ManagedServerTest, RandomCallsAlwaysEnd) {
    std::uint32_t seed = 20'261'124;
    const auto next_random = [&seed] { return (seed = seed * 1'664'525U + 1'013'904'223U) >> 24U; };
    auto server = make("--load-ms 5");
    int outstanding = 0;
    const auto done = [&outstanding](const std::exception_ptr& thrown, const Result<void>&) {
        EXPECT_FALSE(thrown);
        --outstanding;
    };
    for (int i = 0; i < 120; ++i) {
        const auto choice = next_random() % 5;
        ++outstanding;
        if (choice == 0) {
            asio::co_spawn(context_, server->stop(Milliseconds{next_random() % 50}), done);
        } else if (choice == 1) {
            if (server->pid() > 0) ::kill(server->pid(), SIGKILL);
            --outstanding;
        } else if (choice == 2) {
            asio::co_spawn(context_, server->health_check(), done);
        } else {
            asio::co_spawn(context_, server->start(), done);
        }
        for (unsigned polls = next_random() % 30; polls > 0; --polls)
            context_.run_one_for(std::chrono::milliseconds(1));
        if (context_.stopped()) context_.restart();
    }
    EXPECT_TRUE(run(server->stop(Milliseconds{0})));
    run_until([&] { return outstanding == 0; });
    EXPECT_TRUE(server->state() == ServerState::stopped || server->state() == ServerState::ready)
        << name_of(server->state());
}

}  // namespace
}  // namespace punie::server
