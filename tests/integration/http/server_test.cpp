// The small server against clients with and without manners.

#include "http/server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "integration/http/raw_client.hpp"

namespace punie::http {

namespace {

using test::ask;
using test::RawClient;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t large = 8'000'000;

Task<Reply> answer(IncomingRequest request) {
    if (request.path == "/throws") throw std::runtime_error("secret words");
    if (request.path == "/large") co_return Reply{.body = std::string(large, 'x')};
    co_return Reply{
        .body = fmt::format(
            "{} {} ?{} [{}]", request.method, request.path, request.query, request.body
        ),
        .headers = {{"X-Test", "yes"}}
    };
}

/// A server in a thread of its own; its destructor shows that `stop` ends `run`.
class Running {
public:
    explicit Running(ServerLimits limits = {}) {
        auto made = Server::listen(io_.get_executor(), 0, answer, limits);
        EXPECT_TRUE(made) << made.error().describe();
        server_.emplace(*std::move(made));
        boost::asio::co_spawn(io_, server_->run(), [this](const std::exception_ptr& thrown) {
            ended_well_ = thrown == nullptr;
        });
        thread_ = std::thread([this] { io_.run(); });
    }

    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    ~Running() {
        server_->stop();
        thread_.join();
        EXPECT_TRUE(ended_well_);
    }

    std::uint16_t port() const { return server_->port(); }

    std::string host() const { return fmt::format("127.0.0.1:{}", port()); }

private:
    boost::asio::io_context io_;
    std::optional<Server> server_;
    bool ended_well_ = false;
    std::thread thread_;
};

TEST(Server, AnswersWithHeaders) {
    const Running server;
    const auto reply = ask(server.port(), "/a%20b?q=1", server.host());
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(reply, HasSubstr("\r\nX-Test: yes\r\n"));
    EXPECT_THAT(reply, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(reply, HasSubstr("GET /a b ?q=1 []"));
}

TEST(Server, KeepsAConnectionForFurtherRequests) {
    const Running server;
    const RawClient client(server.port());
    for (const auto* path : {"/one", "/two", "/three"}) {
        client.send(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", path, server.host()));
        EXPECT_THAT(client.read(fmt::format("GET {} ?", path)), HasSubstr(path));
    }
}

TEST(Server, TakesABody) {
    const Running server;
    const RawClient client(server.port());
    client.send(fmt::format(
        "POST /p HTTP/1.1\r\nHost: {}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        server.host()
    ));
    EXPECT_THAT(client.read(), HasSubstr("POST /p ? [hello]"));
}

TEST(Server, SendsALargeAnswerWhole) {
    const Running server;
    const auto reply = ask(server.port(), "/large", server.host());
    EXPECT_GT(reply.size(), large);
    EXPECT_EQ(reply.substr(reply.size() - large), std::string(large, 'x'));
}

TEST(Server, TellsNothingOfAnException) {
    const Running server;
    const auto reply = ask(server.port(), "/throws", server.host());
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 500 "));
    EXPECT_EQ(reply.find("secret"), std::string::npos);
}

TEST(Server, RefusesForeignHosts) {
    const Running server;
    for (const auto& host :
         {std::string("evil.example"),
          fmt::format("evil.example:{}", server.port()),
          std::string("127.0.0.1"),
          fmt::format("localhost.:{}", server.port())})
        EXPECT_THAT(ask(server.port(), "/", host), StartsWith("HTTP/1.1 421 ")) << host;
    EXPECT_THAT(
        ask(server.port(), "/", fmt::format("localhost:{}", server.port())),
        StartsWith("HTTP/1.1 200 ")
    );
}

struct BadRow {
    const char* name;
    std::string bytes;  ///< HOST is replaced
    const char* status;
};

class BadBytes : public testing::TestWithParam<BadRow> {};

TEST_P(BadBytes, GetAStatusAndAClosedConnection) {
    const Running server;
    auto bytes = GetParam().bytes;
    if (const auto at = bytes.find("HOST"); at != std::string::npos)
        bytes.replace(at, 4, server.host());
    const RawClient client(server.port());
    client.send(bytes);
    EXPECT_THAT(client.read(), StartsWith(fmt::format("HTTP/1.1 {} ", GetParam().status)));
}

INSTANTIATE_TEST_SUITE_P(
    Server,
    BadBytes,
    testing::Values(
        BadRow{"nonsense", "\x16\x03\x01 hello\r\n\r\n", "400"},
        BadRow{"version", "GET / HTTP/9.9\r\nHost: HOST\r\n\r\n", "400"},
        BadRow{"length", "GET / HTTP/1.1\r\nHost: HOST\r\nContent-Length: x\r\n\r\n", "400"},
        BadRow{"header", "GET / HTTP/1.1\r\nHost: HOST\r\nX: " + std::string(20'000, 'a'), "431"},
        BadRow{"body", "POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 99999999\r\n\r\n", "413"},
        BadRow{"escape", "GET /%zz HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n", "400"},
        BadRow{
            "absolute", "GET http://x/ HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n", "400"
        }
    ),
    [](const auto& row) { return std::string(row.param.name); }
);

TEST(Server, GivesUpOnAClientThatSaysNothing) {
    const Running server({.request = Milliseconds(50)});
    const RawClient silent(server.port());
    EXPECT_EQ(silent.read(), "");
    const RawClient slow(server.port());
    slow.send("GET / HT");
    EXPECT_EQ(slow.read(), "");
}

TEST(Server, ServesNoMoreConnectionsThanItMay) {
    const Running server({.connections = 1});
    auto first = std::make_unique<RawClient>(server.port());
    first->send(fmt::format("GET /first HTTP/1.1\r\nHost: {}\r\n\r\n", server.host()));
    EXPECT_THAT(first->read("/first"), HasSubstr("200 OK"));
    const RawClient second(server.port());
    second.send(
        fmt::format("GET /second HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.host())
    );
    first.reset();  // only now is there room
    EXPECT_THAT(second.read(), HasSubstr("/second"));
}

TEST(Server, StopsWithConnectionsOpen) {
    std::optional<Running> server(std::in_place);
    const RawClient idle(server->port());
    const RawClient half(server->port());
    half.send("GET / HTTP/1.1\r\nHo");
    EXPECT_THAT(ask(server->port(), "/", server->host()), HasSubstr("200 OK"));
    server.reset();
    EXPECT_EQ(idle.read(), "");
    EXPECT_EQ(half.read(), "");
}

TEST(Server, SaysThatAPortIsTaken) {
    const Running server;
    boost::asio::io_context io;
    const auto second = Server::listen(io.get_executor(), server.port(), answer);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::port_in_use);
    EXPECT_THAT(second.error().describe(), HasSubstr(fmt::format("port {}", server.port())));
}

}  // namespace

}  // namespace punie::http
