#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <punie/server_config.hpp>

#include <cmath>
#include <limits>

namespace punie {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

ServerOptions good() {
    return {.model_path = "models/tiny"};
}

struct Refused {
    const char* name;
    void (*spoil)(ServerOptions&);
    const char* starts;   ///< the message begins with field and what was given
    const char* allowed;  ///< and says what is allowed
};

void PrintTo(const Refused& row, std::ostream* out) {
    *out << row.name;
}

class RefusedOptions : public testing::TestWithParam<Refused> {};

TEST_P(RefusedOptions, NamesFieldValueAndRange) {
    auto options = good();
    GetParam().spoil(options);
    const auto config = make_server_config(options);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(
        config.error().message(),
        AllOf(
            StartsWith(GetParam().starts), HasSubstr("; allowed is "), HasSubstr(GetParam().allowed)
        )
    );
}

const double nan_value = std::numeric_limits<double>::quiet_NaN();
const double infinite = std::numeric_limits<double>::infinity();

const Refused refused[] = {
    {"port_high",
     [](auto& o) { o.port = 70000; },
     "port: 70000 was given",
     "0 to 65535 (0: a free one)"},
    {"port_negative", [](auto& o) { o.port = -1; }, "port: -1 was given", "0 to 65535"},
    {"no_model", [](auto& o) { o.model_path = ""; }, "model_path: nothing was given", "model folder"
    },
    {"blank_model", [](auto& o) { o.model_path = "  "; }, "model_path: '  '", "model folder"},
    {"model_like_a_flag",
     [](auto& o) { o.model_path = "--model"; },
     "model_path: '--model'",
     "./-name"},
    {"model_nul",
     [](auto& o) { o.model_path = std::string("a\0b", 3); },
     "model_path: text with a NUL",
     "without"},
    {"no_host", [](auto& o) { o.host = ""; }, "host: nothing was given", "127.0.0.1"},
    {"host_space", [](auto& o) { o.host = "my host"; }, "host: 'my host'", "host name"},
    {"host_url",
     [](auto& o) { o.host = "http://localhost"; },
     "host: 'http://localhost'",
     "host name"},
    {"host_port", [](auto& o) { o.host = "localhost:80"; }, "host: 'localhost:80'", "host name"},
    {"host_brackets", [](auto& o) { o.host = "[::1]"; }, "host: '[::1]'", "without brackets"},
    {"host_bad_v4", [](auto& o) { o.host = "300.1.1.1"; }, "host: '300.1.1.1'", "127.0.0.1"},
    {"host_bad_v6", [](auto& o) { o.host = ":::1"; }, "host: ':::1'", "::1"},
    {"host_flag", [](auto& o) { o.host = "-h"; }, "host: '-h'", "host name"},
    {"host_dots", [](auto& o) { o.host = "a..b"; }, "host: 'a..b'", "host name"},
    {"kv_zero", [](auto& o) { o.max_kv_size = 0; }, "max_kv_size: 0", "1 token or more"},
    {"kv_negative", [](auto& o) { o.max_kv_size = -5; }, "max_kv_size: -5", "1 token or more"},
    {"context_zero", [](auto& o) { o.context_size = 0; }, "context_size: 0", "1 token or more"},
    {"temperature_negative",
     [](auto& o) { o.sampling.temperature = -0.1; },
     "temperature: -0.1",
     "0 to 2"},
    {"temperature_high", [](auto& o) { o.sampling.temperature = 2.5; }, "temperature: 2.5", "0 to 2"
    },
    {"temperature_nan",
     [](auto& o) { o.sampling.temperature = nan_value; },
     "temperature: nan",
     "0 to 2"},
    {"top_p_zero", [](auto& o) { o.sampling.top_p = 0; }, "top_p: 0 ", "over 0, at most 1"},
    {"top_p_high", [](auto& o) { o.sampling.top_p = 1.01; }, "top_p: 1.01", "over 0, at most 1"},
    {"top_p_nan", [](auto& o) { o.sampling.top_p = nan_value; }, "top_p: nan", "over 0"},
    {"top_k_negative", [](auto& o) { o.sampling.top_k = -1; }, "top_k: -1", "0 (off) or more"},
    {"min_p_negative", [](auto& o) { o.sampling.min_p = -0.5; }, "min_p: -0.5", "0 to 1"},
    {"min_p_high", [](auto& o) { o.sampling.min_p = 1.5; }, "min_p: 1.5", "0 to 1"},
    {"max_tokens_zero", [](auto& o) { o.sampling.max_tokens = 0; }, "max_tokens: 0", "1 or more"},
    {"penalty_zero",
     [](auto& o) { o.sampling.repetition_penalty = 0; },
     "repetition_penalty: 0 ",
     "over 0"},
    {"penalty_high",
     [](auto& o) { o.sampling.repetition_penalty = 11; },
     "repetition_penalty: 11",
     "at most 10"},
    {"penalty_inf",
     [](auto& o) { o.sampling.repetition_penalty = infinite; },
     "repetition_penalty: inf",
     "over 0"},
    {"repetition_context",
     [](auto& o) { o.sampling.repetition_context_size = 0; },
     "repetition_context_size: 0",
     "1 or more"},
    {"environment_equals",
     [](auto& o) { o.environment["A=B"] = "1"; },
     "environment: 'A=B' as a name",
     "without '='"},
    {"environment_empty",
     [](auto& o) { o.environment[""] = "1"; },
     "environment: '' as a name",
     "without '='"},
    {"environment_nul",
     [](auto& o) { o.environment["A"] = std::string("x\0", 2); },
     "environment: A: text with a NUL",
     "without"},
    {"argument_nul",
     [](auto& o) { o.extra_arguments = {std::string("x\0", 2)}; },
     "extra_arguments: text with a NUL",
     "without"},
    {"url_without_openai",
     [](auto& o) { o.url = "http://x/v1"; },
     "url: 'http://x/v1'",
     "openai only"},
    {"openai_without_url",
     [](auto& o) { o.backend = BackendKind::openai; },
     "url: nothing was given",
     "base URL"},
    {"openai_bad_scheme",
     [](auto& o) {
         o.backend = BackendKind::openai;
         o.url = "ftp://x/v1";
     },
     "url: 'ftp://x/v1'",
     "base URL"},
    {"openai_no_host",
     [](auto& o) {
         o.backend = BackendKind::openai;
         o.url = "http:///v1";
     },
     "url: 'http:///v1'",
     "base URL"},
    {"openai_query",
     [](auto& o) {
         o.backend = BackendKind::openai;
         o.url = "http://x/v1?a=b";
     },
     "url: 'http://x/v1?a=b'",
     "base URL"},
    {"openai_adapter",
     [](auto& o) {
         o.backend = BackendKind::openai;
         o.url = "http://x/v1";
         o.adapter_path = "a";
     },
     "adapter_path: a value was given",
     "starts no server"},
    {"openai_kv",
     [](auto& o) {
         o.backend = BackendKind::openai;
         o.url = "http://x/v1";
         o.max_kv_size = 5;
     },
     "max_kv_size: a value was given",
     "starts no server"},
};
INSTANTIATE_TEST_SUITE_P(Table, RefusedOptions, testing::ValuesIn(refused), [](const auto& row) {
    return std::string(row.param.name);
});

TEST(ServerConfig, DefaultsAreAccepted) {
    const auto config = make_server_config(good());
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->backend(), BackendKind::mlx);
    EXPECT_EQ(config->port(), 8080);
    EXPECT_EQ(config->host(), "127.0.0.1");
    EXPECT_EQ(config->model_path(), "models/tiny");
    EXPECT_EQ(config->max_kv_size(), std::nullopt);
    EXPECT_EQ(config->repetition_penalty(), std::nullopt);
}

TEST(ServerConfig, EdgesOfTheRangesAreAccepted) {
    auto options = good();
    options.port = 65535;
    options.max_kv_size = 1;
    options.sampling = {
        .temperature = 2.0,
        .top_p = 1.0,
        .top_k = 0,
        .min_p = 0.0,
        .max_tokens = 1,
        .repetition_penalty = 10.0,
        .repetition_context_size = 1
    };
    options.environment["HF_HUB_OFFLINE"] = "1=yes";
    EXPECT_TRUE(make_server_config(options));
    options.port = 0;
    EXPECT_TRUE(make_server_config(options));
}

struct Url {
    const char* host;
    const char* url;
};

class BaseUrl : public testing::TestWithParam<Url> {};

TEST_P(BaseUrl, IsWhatAClientConnectsTo) {
    auto options = good();
    options.host = GetParam().host;
    options.port = 1234;
    const auto config = make_server_config(options);
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->base_url(), GetParam().url);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    BaseUrl,
    testing::Values(
        Url{"127.0.0.1", "http://127.0.0.1:1234/v1"},
        Url{"0.0.0.0", "http://127.0.0.1:1234/v1"},
        Url{"::", "http://[::1]:1234/v1"},
        Url{"0:0:0:0:0:0:0:0", "http://[::1]:1234/v1"},
        Url{"::1", "http://[::1]:1234/v1"},
        Url{"fe80::1", "http://[fe80::1]:1234/v1"},
        Url{"fe80::1%eth0", "http://[fe80::1%25eth0]:1234/v1"},
        Url{"localhost", "http://localhost:1234/v1"},
        Url{"my-host.example", "http://my-host.example:1234/v1"}
    )
);

TEST(ServerConfig, UrlOfAnEndpointLosesItsTrailingSlash) {
    const auto config = make_server_config(
        {.backend = BackendKind::openai, .model_path = "gpt", .url = "https://api.test/v1//"}
    );
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->base_url(), "https://api.test/v1");
}

TEST(ServerConfig, AnEndpointMayLeaveTheModelOpen) {
    EXPECT_TRUE(make_server_config(
        {.backend = BackendKind::openai, .model_path = "", .url = "http://h:1/v1"}
    ));
}

TEST(ServerConfig, WithPortChangesTheCopyOnly) {
    auto options = good();
    options.port = 0;
    const auto config = make_server_config(options);
    ASSERT_TRUE(config);
    const auto moved = config->with_port(4321);
    EXPECT_EQ(moved.port(), 4321);
    EXPECT_EQ(moved.model_path(), config->model_path());
    EXPECT_EQ(config->port(), 0);
}

TEST(BackendKinds, NamesGoThereAndBack) {
    for (const auto kind :
         {BackendKind::mlx, BackendKind::llama, BackendKind::vllm, BackendKind::openai}) {
        const auto back = backend_from_name(name_of(kind));
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, kind);
    }
    const auto unknown = backend_from_name("ollama");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(
        unknown.error().message(),
        "backend: 'ollama' was given; allowed is mlx, llama, vllm or openai"
    );
}

}  // namespace
}  // namespace punie
