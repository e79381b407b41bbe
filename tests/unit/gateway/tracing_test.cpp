// Spans for a collector: where, whose, in which form.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "gateway/tracing.hpp"

namespace punie::gateway {
namespace {

using testing::HasSubstr;

using Environment = std::map<std::string, std::string>;

struct TargetRow {
    const char* name;
    Environment environment;
    std::string url;  ///< "" none
};

class TraceTargetRow : public testing::TestWithParam<TargetRow> {};

TEST_P(TraceTargetRow, Url) {
    const auto target = trace_target(GetParam().environment);
    EXPECT_EQ(target ? target->url : "", GetParam().url);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    TraceTargetRow,
    testing::Values(
        TargetRow{"nothing", {}, ""},
        TargetRow{"empty", {{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}}, ""},
        TargetRow{
            "endpoint",
            {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"}},
            "http://localhost:4318/v1/traces"
        },
        TargetRow{
            "with_a_path",
            {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c/otlp/"}},
            "http://c/otlp/v1/traces"
        },
        TargetRow{
            "of_traces_as_it_is",
            {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/x"},
             {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://d"}},
            "http://c/x"
        },
        TargetRow{
            "disabled",
            {{"OTEL_SDK_DISABLED", "true"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://d"}},
            ""
        }
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST(TraceTarget, HeadersNameAndTimeout) {
    const auto target = trace_target(Environment{
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://d"},
        {"OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b , other=1,broken"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"},
        {"OTEL_SERVICE_NAME", "mac"}
    });
    ASSERT_TRUE(target);
    ASSERT_EQ(target->headers.size(), 2U);
    EXPECT_EQ(target->headers[0], (std::pair<std::string, std::string>{"x-key", "a b"}));
    EXPECT_EQ(target->headers[1].second, "1");
    EXPECT_EQ(target->timeout, Milliseconds(2'500));
    EXPECT_EQ(target->service, "mac");
}

struct ParentRow {
    const char* name;
    std::string header;
    bool good;
};

class TraceParentRow : public testing::TestWithParam<ParentRow> {};

TEST_P(TraceParentRow, IsReadOrLeft) {
    EXPECT_EQ(parse_traceparent(GetParam().header).has_value(), GetParam().good);
}

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent = "00f067aa0ba902b7";

INSTANTIATE_TEST_SUITE_P(
    All,
    TraceParentRow,
    testing::Values(
        ParentRow{"usual", "00-" + trace + "-" + parent + "-01", true},
        ParentRow{"not_sampled", "00-" + trace + "-" + parent + "-00", true},
        ParentRow{"later_version_longer", "cc-" + trace + "-" + parent + "-01-more", true},
        ParentRow{"empty", "", false},
        ParentRow{"too_long_for_version_0", "00-" + trace + "-" + parent + "-01-more", false},
        ParentRow{"version_ff", "ff-" + trace + "-" + parent + "-01", false},
        ParentRow{"upper_case", "00-" + std::string(32, 'A') + "-" + parent + "-01", false},
        ParentRow{"all_zero", "00-" + std::string(32, '0') + "-" + parent + "-01", false},
        ParentRow{"zero_parent", "00-" + trace + "-" + std::string(16, '0') + "-01", false},
        ParentRow{"no_hex_flags", "00-" + trace + "-" + parent + "-zz", false},
        ParentRow{"no_dashes", "00_" + trace + "_" + parent + "_01", false}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST(OtlpBody, OfOneRequest) {
    RequestRecord record;
    record.method = "POST";
    record.route = "/v1/chat/completions";
    record.model = "tiny";
    record.status = 502;
    record.error = "server_died";
    record.reason = "it ended";
    record.total = 1.5;
    record.tokens_out = 7;
    record.time = std::chrono::system_clock::time_point(std::chrono::seconds(10));
    const auto body = parse_json(otlp_body({{trace, parent, "", record}}, TraceTarget{}));
    ASSERT_TRUE(body);
    const auto& span = body->at("resourceSpans").at(0).at("scopeSpans").at(0).at("spans").at(0);
    EXPECT_EQ(string_member(span, "traceId"), trace);
    EXPECT_EQ(string_member(span, "spanId"), parent);
    EXPECT_EQ(member(span, "parentSpanId"), nullptr);
    EXPECT_EQ(string_member(span, "name"), "POST /v1/chat/completions");
    EXPECT_EQ(string_member(span, "startTimeUnixNano"), "10000000000");
    EXPECT_EQ(string_member(span, "endTimeUnixNano"), "11500000000");
    EXPECT_EQ(integer_member(*member(span, "status"), "code"), 2);
    const auto text = to_text(span);
    EXPECT_THAT(
        text, HasSubstr(R"({"key":"gen_ai.request.model","value":{"stringValue":"tiny"}})")
    );
    EXPECT_THAT(text, HasSubstr(R"("gen_ai.usage.output_tokens","value":{"intValue":"7"}})"));
    EXPECT_THAT(text, HasSubstr(R"({"key":"error.type","value":{"stringValue":"server_died"}})"));
}

TEST(Tracing, KeepsABoundedNumberAndCountsTheRest) {
    asio::io_context context(1);
    Tracing tracing(context.get_executor(), TraceTarget{});
    for (int i = 0; i < 2'100; ++i) tracing.add(RequestRecord{});
    EXPECT_EQ(tracing.dropped(), 100U);
}

TEST(Tracing, LeavesOutWhatItsCallerDoesNotSample) {
    asio::io_context context(1);
    Tracing tracing(context.get_executor(), TraceTarget{.url = "http://127.0.0.1:1/"});
    tracing.add(RequestRecord{}, "00-" + trace + "-" + parent + "-00");
    tracing.close();
    bool ended = false;
    asio::co_spawn(context, tracing.run(), [&ended](const std::exception_ptr& thrown) {
        ended = !thrown;
    });
    context.run();
    EXPECT_TRUE(ended);
    EXPECT_EQ(tracing.dropped(), 0U);
}

TEST(Tracing, ACollectorThatIsAwayCostsSpansAndEndsNothing) {
    asio::io_context context(1);
    Tracing tracing(context.get_executor(), TraceTarget{.url = "http://127.0.0.1:1/"});
    tracing.add(RequestRecord{});
    tracing.close();
    bool ended = false;
    asio::co_spawn(context, tracing.run(), [&ended](const std::exception_ptr& thrown) {
        ended = !thrown;
    });
    context.run();
    EXPECT_TRUE(ended);
    EXPECT_EQ(tracing.dropped(), 1U);
    EXPECT_EQ(tracing.sent(), 0U);
}

}  // namespace
}  // namespace punie::gateway
