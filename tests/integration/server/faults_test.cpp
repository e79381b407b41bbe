// The fault table of a start: a row a misbehaviour, each with the state and the words that must
// come of it.

#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>

#include "server_fixture.hpp"

namespace punie::server {
namespace {

using testing::HasSubstr;

struct Fault {
    const char* name;
    const char* fake;  ///< how the fake misbehaves
    ErrorCode code;
    std::vector<const char*> words;  ///< of the whole report
    std::chrono::milliseconds limit = std::chrono::seconds(20);
};

class StartFaultTest : public ServerFixture, public testing::WithParamInterface<Fault> {};

TEST_P(StartFaultTest, SaysWhyAndLeavesNothing) {
    const auto& fault = GetParam();
    auto server = make(fault.fake, fault.limit);
    const auto started = run(server->start());
    ASSERT_FALSE(started) << "it became ready";
    EXPECT_EQ(name_of(started.error().code()), name_of(fault.code)) << started.error().describe();
    for (const auto* word : fault.words) EXPECT_THAT(started.error().describe(), HasSubstr(word));
    EXPECT_EQ(server->state(), ServerState::failed);
    EXPECT_EQ(server->pid(), 0) << "a failed start leaves no process";
    EXPECT_EQ(server->events().back().error->code(), fault.code);
}

INSTANTIATE_TEST_SUITE_P(
    Faults,
    StartFaultTest,
    testing::Values(
        Fault{
            "exits_at_once",
            "--print gone%20wrong --exit-code 7",
            ErrorCode::exited,
            {"exit code 7", "gone wrong"}
        },
        Fault{
            "exits_with_zero",
            "--print bye --exit-code 0",
            ErrorCode::exited,
            {"exit code 0", "bye"}
        },
        Fault{
            "exits_later",
            "--load-ms 20000 --exit-after-ms 150 --print loading%20layers",
            ErrorCode::exited,
            {"exit code 1", "loading layers"}
        },
        Fault{
            "segfault",
            "--load-ms 20000 --exit-after-ms 100 --die-by-signal 11",
            ErrorCode::exited,
            {"signal 11"}
        },
        Fault{
            "killed_by_the_system",
            "--load-ms 20000 --exit-after-ms 100 --die-by-signal 9",
            ErrorCode::out_of_memory,
            {"signal 9"}
        },
        Fault{"aborts", "--die-before-listen --die-by-signal 6", ErrorCode::exited, {"signal 6"}},
        Fault{
            "wants_a_key",
            "--require-key sk-1",
            ErrorCode::invalid_argument,
            {"wants a key", "401", "--api-key"}
        },
        Fault{"dies_before_it_listens", "--die-before-listen", ErrorCode::exited, {"exit code"}},
        Fault{
            "missing_module",
            "--print ModuleNotFoundError:%20No%20module%20named%20'mlx' --exit-code 1",
            ErrorCode::program_missing,
            {"mlx"}
        },
        Fault{
            "port_taken_meanwhile",
            "--print OSError:%20[Errno%2098]%20Address%20already%20in%20use --exit-code 1",
            ErrorCode::port_in_use,
            {"in use"}
        },
        Fault{
            "memory_error",
            "--print MemoryError --exit-code 1",
            ErrorCode::out_of_memory,
            {"memory"}
        },
        Fault{
            "disk_full",
            "--print OSError:%20[Errno%2028]%20No%20space%20left%20on%20device --exit-code 1",
            ErrorCode::disk_full,
            {"No space left"}
        },
        Fault{
            "never_ready",
            "--never-ready",
            ErrorCode::timeout,
            {"not ready within"},
            std::chrono::milliseconds(600)
        },
        Fault{
            "never_listens",
            "--listen-after-ms 60000",
            ErrorCode::timeout,
            {"nothing listens"},
            std::chrono::milliseconds(600)
        },
        Fault{
            "loads_for_ever_with_503",
            "--load-503-ms 60000",
            ErrorCode::timeout,
            {"503"},
            std::chrono::milliseconds(600)
        },
        Fault{
            "listens_elsewhere",
            "--wrong-port 0",
            ErrorCode::timeout,
            {"nothing listens"},
            std::chrono::milliseconds(600)
        },
        Fault{
            "health_lies",
            "--health-before-load --load-503-ms 60000",
            ErrorCode::timeout,
            {"503"},
            std::chrono::milliseconds(600)
        },
        Fault{
            "answers_garbage",
            "--answer-garbage",
            ErrorCode::timeout,
            {"not ready within"},
            std::chrono::milliseconds(600)
        },
        Fault{
            "answers_bad_json",
            "--bad-json",
            ErrorCode::timeout,
            {"no completion"},
            std::chrono::milliseconds(600)
        },
        Fault{
            "answers_500",
            "--status 500",
            ErrorCode::timeout,
            {"500"},
            std::chrono::milliseconds(900)
        },
        Fault{
            "stops_itself",
            "--stop-self",
            ErrorCode::timeout,
            {"not ready within"},
            std::chrono::milliseconds(600)
        },
        Fault{
            "floods_and_dies",
            "--flood-bytes 20000000 --exit-code 3",
            ErrorCode::exited,
            {"exit code 3", "flood"}
        },
        Fault{
            "floods_without_newline",
            "--flood-bytes 20000000 --no-newline --exit-code 3",
            ErrorCode::exited,
            {"exit code 3"}
        },
        Fault{
            "prints_invalid_utf8",
            "--invalid-utf8 --exit-code 3",
            ErrorCode::exited,
            {"\xEF\xBF\xBD"}
        },
        Fault{
            "grandchild_holds_the_pipe",
            "--double-fork --exit-code 3",
            ErrorCode::exited,
            {"exit code 3"}
        },
        Fault{
            "ignores_sigterm_and_hangs",
            "--ignore-sigterm --never-ready",
            ErrorCode::timeout,
            {"not ready"},
            std::chrono::milliseconds(600)
        },
        Fault{
            "crashes_on_the_first_request", "--crash-on-request 1", ErrorCode::exited, {"signal 11"}
        }
    ),
    [](const auto& info) { return info.param.name; }
);

// ---- faults that a server survives: it must become ready all the same

struct Oddity {
    const char* name;
    const char* fake;
};

class ReadyInSpiteTest : public ServerFixture, public testing::WithParamInterface<Oddity> {};

TEST_P(ReadyInSpiteTest, BecomesReadyAndStops) {
    auto server = make(GetParam().fake);
    const auto started = run(server->start());
    ASSERT_TRUE(started) << started.error().describe();
    EXPECT_EQ(
        states_, (std::vector{ServerState::starting, ServerState::loading, ServerState::ready})
    );
    EXPECT_TRUE(run(server->health_check()));
    const auto guard = server->guard_pid();
    EXPECT_TRUE(run(server->stop(Milliseconds{200})));
    EXPECT_EQ(server->state(), ServerState::stopped);
    EXPECT_THAT(process::descendants(guard), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Oddities,
    ReadyInSpiteTest,
    testing::Values(
        Oddity{"plain", ""},
        Oddity{"loads_a_while", "--load-ms 150"},
        Oddity{"refuses_while_loading", "--load-503-ms 150"},
        Oddity{"health_before_load", "--health-before-load --load-503-ms 150"},
        Oddity{"listens_late", "--listen-after-ms 150"},
        Oddity{"hanging_health_route", "--hang-health"},
        Oddity{"empty_model_list", "--empty-models"},
        Oddity{"ignores_sigterm", "--ignore-sigterm"},
        Oddity{"has_a_grandchild", "--fork-grandchild"},
        Oddity{"has_a_daemon", "--double-fork"},
        Oddity{"wrapper_waits_for_the_server", "--fork-real-server"},
        Oddity{"wrapper_leaves_the_server", "--exec-wrapper-exits"},
        Oddity{"closes_its_output", "--close-output"},
        Oddity{"floods_first", "--flood-bytes 50000000"},
        Oddity{"floods_without_newline", "--flood-bytes 5000000 --no-newline"},
        Oddity{"prints_invalid_utf8", "--invalid-utf8"},
        Oddity{"first_answers_429", "--status 429 --status-times 2"},
        Oddity{"chat_route_fails_once", "--status 404 --status-times 1"},
        Oddity{"chunked", "--chunked"}
    ),
    [](const auto& info) { return info.param.name; }
);

// ---- ports

class PortTest : public ServerFixture {
protected:
    asio::ip::tcp::acceptor listener_{
        context_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)
    };

    int taken() { return listener_.local_endpoint().port(); }
};

TEST_F(PortTest, ATakenPortIsRefusedWithItsHolder) {
    auto server = make("", test_limit, taken());
    const auto started = run(server->start());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), ErrorCode::port_in_use);
    EXPECT_THAT(started.error().message(), HasSubstr(std::to_string(taken())));
    EXPECT_THAT(started.error().message(), HasSubstr(fmt::format("pid {}", ::getpid())));
    EXPECT_THAT(started.error().hint(), HasSubstr("--port 0"));
}

TEST_F(PortTest, AForeignServerThatComesInBetweenIsNotMistakenForOurs) {
    // The port is free when we look; our child never listens; then somebody else does.
    const auto port = process::free_port("127.0.0.1");
    auto server = make("--listen-after-ms 60000 --wrong-port 0", test_limit, port);
    std::optional<Result<void>> started;
    asio::co_spawn(context_, server->start(), [&](const std::exception_ptr&, Result<void> result) {
        started = std::move(result);
    });
    run_until([&] { return server->state() == ServerState::loading; });
    asio::ip::tcp::acceptor foreign(
        context_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port)
    );
    run_until([&] { return started.has_value(); });
    ASSERT_FALSE(*started);
    EXPECT_EQ(started->error().code(), ErrorCode::foreign_server);
    EXPECT_THAT(started->error().message(), HasSubstr(fmt::format("pid {}", ::getpid())));
}

TEST_F(PortTest, PortZeroIsAnotherFreeOneEachTime) {
    auto one = make("");
    auto two = make("");
    ASSERT_TRUE(run(one->start()));
    ASSERT_TRUE(run(two->start()));
    EXPECT_NE(one->config().port(), 0);
    EXPECT_NE(one->config().port(), two->config().port());
}

TEST_F(PortTest, AnAddressThatIsNotOursIsNamed) {
    ServerOptions options;
    options.model_path = "a-model";
    options.host = "192.0.2.1";  // TEST-NET-1: no machine has it
    options.port = 0;
    auto server = make(std::move(options), test_limit, fake_capabilities());
    const auto started = run(server->start());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(started.error().message(), HasSubstr("192.0.2.1"));
}

}  // namespace
}  // namespace punie::server
