// What is counted, as Prometheus reads it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>

#include "base/text.hpp"
#include "gateway/metrics.hpp"

namespace punie::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

RequestRecord answered(std::string route, std::string model, int status = 200) {
    RequestRecord record;
    record.route = std::move(route);
    record.model = std::move(model);
    record.status = status;
    record.total = 0.3;
    return record;
}

class MetricsTest : public testing::Test {
protected:
    MetricsTest() : fleet_(context_.get_executor(), config()) {}

    static fleet::GatewayConfig config() {
        fleet::GatewayConfig config;
        fleet::ModelSpec model;
        model.name = "far\"away\\";
        model.upstream = fleet::UpstreamSpec{"http://127.0.0.1:1/v1", "", ""};
        config.models = {model};
        config.memory = 8'000'000'000;
        config.state_folder = testing::TempDir();
        return config;
    }

    std::string page() { return metrics_.prometheus(fleet_, 7); }

    /// The value of the line that begins with `name`, or nothing.
    std::optional<double> value(const std::string& name) {
        for (const auto& line : split_lines(page()))
            if (line.starts_with(name + " ")) return std::stod(line.substr(name.size() + 1));
        return std::nullopt;
    }

    asio::io_context context_{1};
    fleet::Fleet fleet_;
    Metrics metrics_;
};

TEST_F(MetricsTest, CountsByRouteModelAndStatus) {
    metrics_.add(answered("/v1/chat/completions", "tiny"));
    metrics_.add(answered("/v1/chat/completions", "tiny"));
    metrics_.add(answered("/v1/chat/completions", "tiny", 503));
    metrics_.add(answered("/v1/models", ""));
    const std::string chat = "punie_requests_total{route=\"/v1/chat/completions\",model=\"tiny\",";
    EXPECT_EQ(value(chat + "status=\"200\"}"), 2);
    EXPECT_EQ(value(chat + "status=\"503\"}"), 1);
    EXPECT_EQ(value("punie_requests_total{route=\"/v1/models\",model=\"\",status=\"200\"}"), 1);
}

TEST_F(MetricsTest, HistogramsAreCumulative) {
    for (const double total : {0.02, 0.3, 0.3, 7.0, 5'000.0}) {
        auto record = answered("/r", "m");
        record.total = total;
        metrics_.add(record);
    }
    const auto bucket = [&](const char* bound) {
        return value(fmt::format(
            "punie_request_duration_seconds_bucket{{route=\"/r\",model=\"m\",le=\"{}\"}}", bound
        ));
    };
    EXPECT_EQ(bucket("0.01"), 0);
    EXPECT_EQ(bucket("0.05"), 1);
    EXPECT_EQ(bucket("0.5"), 3);
    EXPECT_EQ(bucket("10"), 4);
    EXPECT_EQ(bucket("600"), 4);
    EXPECT_EQ(bucket("+Inf"), 5);
    EXPECT_EQ(value("punie_request_duration_seconds_count{route=\"/r\",model=\"m\"}"), 5);
    EXPECT_NEAR(
        *value("punie_request_duration_seconds_sum{route=\"/r\",model=\"m\"}"), 5'007.62, 1e-6
    );
}

TEST_F(MetricsTest, ABoundBelongsToItsBucket) {
    auto record = answered("/r", "m");
    record.total = 0.05;
    metrics_.add(record);
    EXPECT_EQ(
        value("punie_request_duration_seconds_bucket{route=\"/r\",model=\"m\",le=\"0.05\"}"), 1
    );
}

TEST_F(MetricsTest, FirstTokenAndInterTokenTimesAreOfStreams) {
    auto stream = answered("/r", "m");
    stream.stream = true;
    stream.first_byte = 0.2;
    stream.total = 1.2;
    stream.events = 11;  // ten gaps of 0.1 s
    metrics_.add(stream);
    auto whole = answered("/r", "m");
    whole.first_byte = 0.9;
    metrics_.add(whole);
    EXPECT_EQ(value("punie_time_to_first_token_seconds_count{route=\"/r\",model=\"m\"}"), 1);
    EXPECT_EQ(value("punie_inter_token_latency_seconds_count{route=\"/r\",model=\"m\"}"), 10);
    EXPECT_NEAR(
        *value("punie_inter_token_latency_seconds_sum{route=\"/r\",model=\"m\"}"), 1.0, 1e-9
    );
}

TEST_F(MetricsTest, WithoutStreamsThereAreNoEmptyHistogramsOfThem) {
    metrics_.add(answered("/r", "m"));
    EXPECT_THAT(page(), Not(HasSubstr("punie_time_to_first_token_seconds_count")));
}

TEST_F(MetricsTest, SumsTokensBytesTornAndRetried) {
    auto record = answered("/r", "m", 502);
    record.tokens_in = 5;
    record.tokens_out = 6;
    record.bytes_in = 100;
    record.bytes_out = 200;
    record.torn = true;
    record.attempts = 2;
    record.error = "server_died";
    metrics_.add(record);
    metrics_.add(record);
    EXPECT_EQ(value("punie_tokens_total{route=\"/r\",model=\"m\",direction=\"in\"}"), 10);
    EXPECT_EQ(value("punie_tokens_total{route=\"/r\",model=\"m\",direction=\"out\"}"), 12);
    EXPECT_EQ(value("punie_request_bytes_total{route=\"/r\",model=\"m\",direction=\"out\"}"), 400);
    EXPECT_EQ(value("punie_requests_torn_total{route=\"/r\",model=\"m\"}"), 2);
    EXPECT_EQ(value("punie_request_retries_total{route=\"/r\",model=\"m\"}"), 2);
    EXPECT_EQ(value("punie_request_errors_total{code=\"server_died\"}"), 2);
}

TEST_F(MetricsTest, InFlightGoesUpAndDown) {
    metrics_.begun("/r");
    metrics_.begun("/r");
    metrics_.ended("/r");
    metrics_.ended("/never");
    EXPECT_EQ(value("punie_requests_in_flight{route=\"/r\"}"), 1);
}

TEST_F(MetricsTest, TellsOfModelsMemoryConnectionsAndItself) {
    const auto text = page();
    EXPECT_THAT(text, HasSubstr("punie_model_state{model=\"far\\\"away\\\\\",state=\"ready\"} "));
    EXPECT_EQ(value("punie_memory_budget_bytes"), 8e9);
    EXPECT_EQ(value("punie_connections"), 7);
    EXPECT_GT(*value("process_resident_memory_bytes"), 1e6);
    EXPECT_GT(*value("process_open_fds"), 2);
    EXPECT_GT(*value("process_start_time_seconds"), 1.7e9);
    EXPECT_GE(*value("process_cpu_seconds_total"), 0);
}

TEST_F(MetricsTest, ExactlyOneStateIsOn) {
    int on = 0;
    for (const auto& line : split_lines(page()))
        if (line.starts_with("punie_model_state{") && line.ends_with(" 1")) ++on;
    EXPECT_EQ(on, 1);
}

TEST_F(MetricsTest, LabelsStayBounded) {
    for (int i = 0; i < 5'000; ++i) metrics_.add(answered("/r", fmt::format("model-{}", i)));
    std::size_t series = 0;
    for (const auto& line : split_lines(page()))
        if (line.starts_with("punie_requests_total{")) ++series;
    EXPECT_LE(series, 2'001U);
    EXPECT_EQ(value("punie_requests_total{route=\"other\",model=\"other\",status=\"200\"}"), 3'000);
    for (int i = 0; i < 500; ++i) {
        auto record = answered("/r", "m");
        record.error = fmt::format("code-{}", i);
        metrics_.add(record);
    }
    EXPECT_EQ(value("punie_request_errors_total{code=\"other\"}"), 400);
}

/// Each family has one HELP and one TYPE, before its samples, and its samples stand together.
TEST_F(MetricsTest, KeepsToTheFormat) {
    auto record = answered("/r", "line\nend");
    record.stream = true;
    record.first_byte = 0.1;
    record.events = 3;
    record.error = "e";
    metrics_.add(record);
    metrics_.begun("/r");
    std::map<std::string, int> helps;
    std::map<std::string, int> types;
    std::string family;
    for (const auto& line : split_lines(page())) {
        if (line.starts_with("# HELP ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            EXPECT_EQ(++helps[family], 1) << family;
        } else if (line.starts_with("# TYPE ")) {
            EXPECT_EQ(line.substr(7, family.size()), family);
            EXPECT_EQ(++types[family], 1) << family;
            const bool total = family.ends_with("_total");
            EXPECT_EQ(total, line.ends_with(" counter")) << line;
        } else {
            EXPECT_TRUE(line.starts_with(family)) << line;
            const auto number = line.substr(line.rfind(' ') + 1);
            EXPECT_NO_THROW((void)std::stod(number)) << line;
        }
    }
    EXPECT_GT(helps.size(), 25U);
}

TEST_F(MetricsTest, AddIsCheap) {
    auto record = answered("/v1/chat/completions", "tiny");
    record.stream = true;
    record.first_byte = 0.1;
    record.events = 20;
    metrics_.add(record);
    constexpr int times = 200'000;
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) metrics_.add(record);
    const auto each =
        std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begun).count() /
        times;
    RecordProperty("nanoseconds", std::to_string(each));
    std::printf("Metrics::add: %.0f ns\n", each);
    EXPECT_LT(each, 20'000);  // 1 us is wanted of a release build; this one has no optimisation
}

}  // namespace
}  // namespace punie::gateway
