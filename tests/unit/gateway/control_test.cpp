// The control API as its clients see it, without a socket.

#include "gateway/control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/text.hpp"
#include "gateway/control_json.hpp"

namespace punie::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Keeps what it is answered.
class FakeExchange : public relay::Exchange {
public:
    FakeExchange(std::string method, std::string path, std::string query = {}) {
        head_.method = std::move(method);
        head_.path = std::move(path);
        head_.query = std::move(query);
    }

    const relay::Head& head() const override { return head_; }

    const relay::Peer& peer() const override { return peer_; }

    Task<Result<relay::Body>> read_body() override { co_return relay::Body(); }

    Task<Result<void>> reply(relay::Reply reply) override {
        status_ = reply.status;
        headers_ = std::move(reply.headers);
        body += reply.body;
        finished = true;
        co_return Result<void>{};
    }

    Task<Result<void>> begin(int status, relay::Headers headers, std::optional<std::uint64_t>)
        override {
        status_ = status;
        headers_ = std::move(headers);
        co_return Result<void>{};
    }

    Task<Result<void>> write(std::string_view piece) override {
        if (gone) co_return fail(ErrorCode::connection, "the client left");
        body += piece;
        co_return Result<void>{};
    }

    Task<Result<void>> finish() override {
        finished = true;
        co_return Result<void>{};
    }

    void abort() override {}

    bool begun() const override { return status_ != 0; }

    std::uint64_t bytes_sent() const override { return body.size(); }

    int status() const override { return status_; }

    std::string header(std::string_view name) const {
        for (const auto& [key, value] : headers_)
            if (key == name) return value;
        return "";
    }

    /// The body as JSON; lives as long as this.
    const json::value& value() {
        auto parsed = parse_json(body);
        EXPECT_TRUE(parsed) << body;
        value_ = parsed ? *std::move(parsed) : json::value{};
        return value_;
    }

    std::string body;
    bool finished = false;
    bool gone = false;

private:
    relay::Head head_;
    relay::Peer peer_;
    relay::Headers headers_;
    int status_ = 0;
    json::value value_;
};

class ControlTest : public testing::Test {
protected:
    ControlTest()
        : fleet_(context_.get_executor(), config(), options()),
          book_(context_.get_executor()),
          control_(fleet_, book_, hooks()) {}

    static fleet::GatewayConfig config() {
        fleet::GatewayConfig config;
        fleet::ModelSpec far;
        far.name = "org/far";
        far.aliases = {"far"};
        far.upstream = fleet::UpstreamSpec{"http://127.0.0.1:1/v1", "", ""};
        fleet::ModelSpec broken;
        broken.name = "broken";
        config.models = {far, broken};
        config.memory = 8'000'000'000;
        config.state_folder = testing::TempDir();
        return config;
    }

    static fleet::FleetOptions options() {
        fleet::FleetOptions options;
        options.check_files = false;
        options.server_for = [](const fleet::ModelSpec&) -> Result<ServerConfig> {
            return fail(ErrorCode::model_invalid, "the weights are torn", "download them again");
        };
        return options;
    }

    ControlHooks hooks() {
        return {
            .reload = [this]() -> Result<std::vector<std::string>> {
                ++reloads_;
                if (reloads_ > 1) return fail(ErrorCode::invalid_argument, "punie.yaml:3:1: bad");
                return std::vector<std::string>{"broken: restarted"};
            },
            .stop = [this] { ++stops_; }
        };
    }

    /// Answers as far as it goes without waiting.
    void begin(FakeExchange& exchange) {
        asio::co_spawn(
            context_,
            control_.answer(exchange),
            asio::bind_cancellation_slot(
                cancel_.slot(),
                [this](const std::exception_ptr& thrown) {
                    ended_ = true;
                    threw_ = thrown != nullptr;
                }
            )
        );
        go_on();
    }

    void go_on() {
        context_.restart();
        context_.poll();
    }

    /// Until the answer has ended; false after five seconds.
    bool until_ended() {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (!ended_ && std::chrono::steady_clock::now() < end) {
            context_.restart();
            context_.run_one_for(std::chrono::milliseconds(100));
        }
        return ended_;
    }

    FakeExchange ask(std::string method, std::string path, std::string query = {}) {
        FakeExchange exchange(std::move(method), std::move(path), std::move(query));
        ended_ = false;
        begin(exchange);
        EXPECT_TRUE(until_ended());
        EXPECT_TRUE(exchange.finished);
        return exchange;
    }

    asio::io_context context_{1};
    fleet::Fleet fleet_;
    RequestBook book_;
    Control control_;
    asio::cancellation_signal cancel_;
    int reloads_ = 0;
    int stops_ = 0;
    bool ended_ = false;
    bool threw_ = false;
};

TEST_F(ControlTest, PsListsModelsAndMemory) {
    auto answer = ask("GET", "/control/ps");
    EXPECT_EQ(answer.status(), 200);
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    const auto& value = answer.value();
    EXPECT_EQ(integer_member(value, "pid"), ::getpid());
    EXPECT_EQ(number_member(value.at("memory"), "budget"), 8e9);
    ASSERT_EQ(value.at("models").as_array().size(), 2U);
    const auto& model = value.at("models").at(1);  // sorted by name
    EXPECT_EQ(string_member(model, "name"), "org/far");
    EXPECT_EQ(to_text(model.at("aliases")), R"(["far"])");
    EXPECT_TRUE(string_member(model, "state"));
    EXPECT_EQ(integer_member(model, "running"), 0);
}

struct Row {
    const char* name;
    const char* method;
    const char* path;
    const char* query;
    int status;
    const char* words;
};

class ControlRefuses : public ControlTest, public testing::WithParamInterface<Row> {};

TEST_P(ControlRefuses, WithAStatusAndWords) {
    const auto& row = GetParam();
    auto answer = ask(row.method, row.path, row.query);
    EXPECT_EQ(answer.status(), row.status);
    const auto* error = member(answer.value(), "error");
    ASSERT_NE(error, nullptr) << answer.body;
    EXPECT_THAT(to_text(*error), HasSubstr(row.words));
    EXPECT_EQ(answer.header("Allow").empty(), row.status != 405);
    EXPECT_EQ(stops_ + reloads_, 0);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    ControlRefuses,
    testing::Values(
        Row{"unknown_path", "GET", "/control/nonsense", "", 404, "no such control"},
        Row{"root", "GET", "/control", "", 404, "no such control"},
        Row{"stop_by_get", "GET", "/control/stop", "", 405, "allowed is POST"},
        Row{"reload_by_get", "GET", "/control/reload", "", 405, "allowed is POST"},
        Row{"load_by_get", "GET", "/control/models/far/load", "", 405, "allowed is POST"},
        Row{"unload_by_get", "GET", "/control/models/far/unload", "", 405, "allowed is POST"},
        Row{"unload_by_head", "HEAD", "/control/models/far/unload", "", 405, "allowed is POST"},
        Row{"ps_by_post", "POST", "/control/ps", "", 405, "allowed is GET"},
        Row{"logs_by_post", "POST", "/control/models/far/logs", "", 405, "allowed is GET"},
        Row{"load_unknown", "POST", "/control/models/nobody/load", "", 404, "nobody"},
        Row{"load_unknown_followed",
            "POST",
            "/control/models/nobody/load",
            "follow=1",
            404,
            "nobody"},
        Row{"unload_unknown", "POST", "/control/models/nobody/unload", "", 404, "nobody"},
        Row{"logs_unknown", "GET", "/control/models/nobody/logs", "", 404, "nobody"},
        Row{"unknown_verb", "POST", "/control/models/far/explode", "", 404, "logs, load and unload"
        },
        Row{"no_name", "POST", "/control/models//load", "", 404, "no such control"},
        Row{"bad_after", "GET", "/control/events", "after=-1", 400, "a number from 0"},
        Row{"bad_after_of_requests", "GET", "/control/requests", "after=x", 400, "a number from 0"},
        Row{"bad_lines", "GET", "/control/models/far/logs", "lines=", 400, "a number from 0"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST_F(ControlTest, ALoadThatFailsSaysWhy) {
    auto answer = ask("POST", "/control/models/broken/load");
    EXPECT_GE(answer.status(), 400);
    const auto& error = answer.value().at("error");
    EXPECT_THAT(*string_member(error, "message"), HasSubstr("the weights are torn"));
}

TEST_F(ControlTest, AFollowedLoadEndsWithItsError) {
    auto answer = ask("POST", "/control/models/broken/load", "follow=1");
    EXPECT_EQ(answer.status(), 200);
    EXPECT_EQ(answer.header("Content-Type"), "application/x-ndjson");
    const auto lines = split_lines(answer.body);
    ASSERT_FALSE(lines.empty());
    const auto last = parse_json(lines.back());
    ASSERT_TRUE(last);
    EXPECT_NE(member(*last, "error"), nullptr) << lines.back();
}

TEST_F(ControlTest, UnloadOfAModelWithASlashInItsName) {
    auto answer = ask("POST", "/control/models/org/far/unload");
    EXPECT_EQ(answer.status(), 200) << answer.body;
    EXPECT_EQ(string_member(answer.value().at("model"), "name"), "org/far");
}

TEST_F(ControlTest, ReloadSaysWhatChangedOrWhyNot) {
    auto first = ask("POST", "/control/reload");
    EXPECT_EQ(first.status(), 200);
    EXPECT_EQ(to_text(first.value().at("changes")), R"(["broken: restarted"])");
    const auto second = ask("POST", "/control/reload");
    EXPECT_EQ(second.status(), 400);
    EXPECT_THAT(second.body, HasSubstr("punie.yaml:3:1"));
}

TEST_F(ControlTest, StopAnswersFirst) {
    auto answer = ask("POST", "/control/stop");
    EXPECT_EQ(answer.status(), 202);
    EXPECT_EQ(stops_, 1);
}

TEST_F(ControlTest, VersionHasThePid) {
    EXPECT_EQ(integer_member(ask("GET", "/control/version").value(), "pid"), ::getpid());
}

TEST_F(ControlTest, EventsAreLines) {
    (void)ask("POST", "/control/models/broken/load");
    auto answer = ask("GET", "/control/events");
    const auto lines = split_lines(answer.body);
    ASSERT_FALSE(lines.empty());
    std::int64_t before = 0;
    for (const auto& line : lines) {
        const auto event = parse_json(line);
        ASSERT_TRUE(event) << line;
        EXPECT_GT(*integer_member(*event, "number"), before);
        before = *integer_member(*event, "number");
        EXPECT_TRUE(string_member(*event, "text"));
        EXPECT_TRUE(string_member(*event, "time"));
    }
    EXPECT_THAT(ask("GET", "/control/events", fmt::format("after={}", before)).body, IsEmpty());
}

TEST_F(ControlTest, RequestsAreFollowed) {
    RequestRecord record;
    record.id = "first";
    book_.end(record);
    FakeExchange exchange("GET", "/control/requests", "follow=1");
    begin(exchange);
    EXPECT_THAT(exchange.body, HasSubstr(R"("id":"first")"));
    record.id = "second";
    book_.end(record);
    go_on();
    EXPECT_EQ(split_lines(exchange.body).size(), 2U);
    EXPECT_THAT(exchange.body, HasSubstr(R"("id":"second")"));
    EXPECT_FALSE(ended_);
    control_.close();
    EXPECT_TRUE(until_ended());
    EXPECT_TRUE(exchange.finished);
}

TEST_F(ControlTest, AFollowerThatIsCancelledEnds) {
    FakeExchange exchange("GET", "/control/events", "follow=1");
    begin(exchange);
    EXPECT_FALSE(ended_);
    cancel_.emit(asio::cancellation_type::terminal);
    EXPECT_TRUE(until_ended());
}

TEST_F(ControlTest, AFollowerThatLeftEnds) {
    FakeExchange exchange("GET", "/control/requests", "follow=1");
    begin(exchange);
    exchange.gone = true;
    book_.end(RequestRecord{});
    EXPECT_TRUE(until_ended());
    EXPECT_FALSE(exchange.finished);
}

TEST_F(ControlTest, WithoutFollowAnAnswerEnds) {
    EXPECT_THAT(ask("GET", "/control/requests").body, IsEmpty());
    EXPECT_THAT(ask("GET", "/control/requests", "follow=0").body, IsEmpty());
}

TEST_F(ControlTest, AWatcherIsToldAllAtOnceAndThenWhatIsNew) {
    (void)ask("POST", "/control/models/broken/load");
    for (int i = 0; i < 300; ++i) book_.end(RequestRecord{});
    const auto running = book_.begin();
    FakeExchange exchange("GET", "/control/watch");
    ended_ = false;
    begin(exchange);
    const auto first = parse_json(split_lines(exchange.body).at(0));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->at("ps").at("models").as_array().size(), 2U);
    EXPECT_EQ(first->at("live").as_array().size(), 1U);
    EXPECT_FALSE(first->at("events").as_array().empty());
    ASSERT_EQ(first->at("requests").as_array().size(), 200U);
    EXPECT_EQ(integer_member(first->at("requests").as_array().back(), "number"), 300);
    book_.end(RequestRecord{});
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (split_lines(exchange.body).size() < 2 && std::chrono::steady_clock::now() < end)
        context_.run_one_for(std::chrono::milliseconds(100));
    const auto second = parse_json(split_lines(exchange.body).at(1));
    ASSERT_TRUE(second);
    EXPECT_EQ(second->at("requests").as_array().size(), 1U);
    EXPECT_TRUE(second->at("events").as_array().empty());
    control_.close();
    EXPECT_TRUE(until_ended());
    EXPECT_TRUE(exchange.finished);
}

TEST_F(ControlTest, LiveRequestsAreListed) {
    const auto request = book_.begin();
    request->id = "req-1";
    request->model = "far";
    request->phase = "answering";
    request->tokens = 5;
    auto answer = ask("GET", "/control/requests", "live=1");
    const auto& list = answer.value().at("requests").as_array();
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(string_member(list[0], "phase"), "answering");
    EXPECT_EQ(integer_member(list[0], "tokens"), 5);
    EXPECT_GE(*number_member(list[0], "seconds"), 0);
}

TEST_F(ControlTest, AfterItsEndNothingIsFollowed) {
    control_.close();
    auto answer = ask("GET", "/control/events", "follow=1");
    EXPECT_EQ(answer.status(), 200);
}

// ---------------------------------------------------------------- pure parts

struct Lines {
    const char* name;
    std::vector<std::string> before, now, added;
};

class LinesAdded : public testing::TestWithParam<Lines> {};

TEST_P(LinesAdded, AreThoseAfterTheKnownEnd) {
    EXPECT_EQ(lines_added(GetParam().before, GetParam().now), GetParam().added);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    LinesAdded,
    testing::Values(
        Lines{"nothing_before", {}, {"a", "b"}, {"a", "b"}},
        Lines{"nothing_new", {"a", "b"}, {"a", "b"}, {}},
        Lines{"one_more", {"a"}, {"a", "b"}, {"b"}},
        Lines{"ring_moved_on", {"a", "b", "c"}, {"b", "c", "d"}, {"d"}},
        Lines{"all_are_new", {"a", "b"}, {"x", "y"}, {"x", "y"}},
        Lines{"equal_lines_while_it_grows", {"x", "x"}, {"x", "x", "x"}, {"x"}},
        Lines{"emptied_by_a_restart", {"a", "b"}, {}, {}},
        Lines{"restarted_and_shorter", {"a", "b", "c"}, {"a"}, {"a"}}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

struct Query {
    const char* name;
    const char* query;
    std::optional<std::string> value;
};

class QueryValue : public testing::TestWithParam<Query> {};

TEST_P(QueryValue, OfA) {
    EXPECT_EQ(query_value(GetParam().query, "a"), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    QueryValue,
    testing::Values(
        Query{"empty", "", std::nullopt},
        Query{"only", "a=1", "1"},
        Query{"second", "b=2&a=1", "1"},
        Query{"first_counts", "a=1&a=2", "1"},
        Query{"no_value", "a", ""},
        Query{"empty_value", "a=&b", ""},
        Query{"decoded", "a=x%20y+z%2f", "x y z/"},
        Query{"broken_escape", "a=%zz%2", "%zz%2"},
        Query{"longer_name", "aa=1", std::nullopt},
        Query{"with_equals", "a=b=c", "b=c"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST(IsoTime, HasMilliseconds) {
    using std::chrono::milliseconds;
    EXPECT_EQ(
        iso_time(std::chrono::system_clock::time_point(milliseconds(1'000'000'000'007))),
        "2001-09-09T01:46:40.007Z"
    );
}

TEST(StatusOf, TellsErrorsApart) {
    EXPECT_EQ(status_of({ErrorCode::not_found, ""}), 404);
    EXPECT_EQ(status_of({ErrorCode::out_of_memory, ""}), 507);
    EXPECT_EQ(status_of({ErrorCode::exited, ""}), 503);
}

TEST(ModelJson, OfAFailedModelHasItsErrorWithTheLog) {
    fleet::ModelStatus model;
    model.name = "m";
    model.state = ServerState::failed;
    model.error = Error(ErrorCode::exited, "it ended").with_hint("look").with_log({"a", "b"});
    const auto object = model_json(model);
    EXPECT_EQ(
        to_text(object.at("error")),
        R"({"code":"exited","message":"it ended","hint":"look","log":["a","b"]})"
    );
    EXPECT_FALSE(object.contains("pid"));
    EXPECT_FALSE(object.contains("unloads_at"));
}

}  // namespace
}  // namespace punie::gateway
