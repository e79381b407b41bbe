// What punie.yaml means.

#include "config_fixture.hpp"
#include "fleet/catalog.hpp"
#include "fleet/config_values.hpp"

namespace punie::fleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ConfigFixture, ANameAndAPathAreEnough) {
    const auto config = good("models:\n  a: ./models/a\n  b: b.gguf\n");
    ASSERT_EQ(config.models.size(), 2U);
    EXPECT_EQ(config.models.at(0).name, "a");
    EXPECT_EQ(config.models.at(0).server.model_path, (folder_->path() / "models/a").native());
    EXPECT_EQ(config.models.at(0).server.backend, BackendKind::mlx);
    EXPECT_EQ(config.models.at(0).server.port, 0);
    EXPECT_EQ(config.models.at(1).server.backend, BackendKind::llama);
    ASSERT_EQ(config.listen.size(), 1U);
    EXPECT_EQ(config.listen[0].host, "127.0.0.1");
    EXPECT_EQ(config.listen[0].port, 8080);
    EXPECT_EQ(config.queue.requests, 1000);
    EXPECT_EQ(config.file, folder_->path() / "punie.yaml");
}

TEST_F(ConfigFixture, EveryKeyOfAModelArrives) {
    const auto config = good(R"(
models:
  m:
    path: /models/m
    backend: mlx
    aliases: [x, y]
    fallbacks: n
    adapter: adapters/base
    adapters: {one: adapters/one, two: ~/two}
    sampling:
      temperature: 0.5
      top_p: 0.9
      top_k: 40
      min_p: 0.05
      max_tokens: 100
      repetition_penalty: 1.1
      repetition_context_size: 64
    sampling_overridable: false
    max_kv_size: 4096
    arguments: [--decode-concurrency, 4]
    environment: {A: b, N: 1}
    port: ${PORT}
    log_file: m.log
    memory: 8 GB
    restart_above: 9GiB
    ttl: 10m
    pin: true
    preload: true
    parallel: 7
    priority: -3
    start_timeout: 2m30s
    stop_grace: 500ms
    stop_command: [docker, stop, m]
  n: {path: org/name}
memory: 16 GB
)");
    ASSERT_EQ(config.models.size(), 2U);
    const auto& m = config.models.at(0);
    EXPECT_THAT(m.aliases, ElementsAre("x", "y"));
    EXPECT_THAT(m.fallbacks, ElementsAre("n"));
    EXPECT_EQ(m.server.adapter_path, (folder_->path() / "adapters/base").native());
    ASSERT_EQ(m.adapters.size(), 2U);
    EXPECT_EQ(m.adapters[1].name, "two");
    EXPECT_EQ(m.adapters[1].path, "/home/me/two");
    EXPECT_EQ(m.server.sampling.temperature, 0.5);
    EXPECT_EQ(m.server.sampling.top_p, 0.9);
    EXPECT_EQ(m.server.sampling.top_k, 40);
    EXPECT_EQ(m.server.sampling.min_p, 0.05);
    EXPECT_EQ(m.server.sampling.max_tokens, 100);
    EXPECT_EQ(m.server.sampling.repetition_penalty, 1.1);
    EXPECT_EQ(m.server.sampling.repetition_context_size, 64);
    EXPECT_FALSE(m.sampling_overridable);
    EXPECT_EQ(m.server.max_kv_size, 4096);
    EXPECT_THAT(m.server.extra_arguments, ElementsAre("--decode-concurrency", "4"));
    EXPECT_EQ(m.server.environment.at("N"), "1");
    EXPECT_EQ(m.server.port, 9001);
    EXPECT_EQ(m.server.log_file, (folder_->path() / "m.log").native());
    EXPECT_EQ(m.memory, 8'000'000'000U);
    EXPECT_EQ(m.restart_above, 9ULL << 30U);
    EXPECT_EQ(m.ttl, Milliseconds{600'000});
    EXPECT_TRUE(m.pin && m.preload);
    EXPECT_EQ(m.parallel, 7);
    EXPECT_EQ(m.priority, -3);
    EXPECT_EQ(m.start_timeout, Milliseconds{150'000});
    EXPECT_EQ(m.stop_grace, Milliseconds{500});
    EXPECT_THAT(m.stop_command, ElementsAre("docker", "stop", "m"));
    EXPECT_EQ(config.models.at(1).server.model_path, "org/name") << "a name on the model hub";
    EXPECT_EQ(memory_budget_of(config), 16'000'000'000U);
}

TEST_F(ConfigFixture, EverythingElseArrives) {
    const auto config = good(R"(
listen:
  - {host: 127.0.0.1, port: 0}
  - host: 0.0.0.0
    port: 8443
    certificate: tls/cert.pem
    key: tls/key.pem
    hosts: [models.lan]
    origins: https://chat.example
control:
  socket: run/punie.sock
  listen: {port: 9000}
keys:
  - {name: me, key_file: key, control: true, priority: 5}
  - key_file: keys
    models: [a]
    requests_per_minute: 30
    tokens_per_minute: 10000
  - {key_env: MY_KEY}
models: {a: /a, b: /b}
groups:
  big: {models: [a, b], together: false, exclusive: true}
queue: {requests: 5, bytes: 1 MB, wait: 1m, drain: 5s, fairness: 2s, min_loaded: 0s}
mlx_lm: venv/bin/python
log_folder: logs
capture: captured.jsonl
state_folder: state
)");
    ASSERT_EQ(config.listen.size(), 2U);
    EXPECT_EQ(config.listen[1].certificate, folder_->path() / "tls/cert.pem");
    EXPECT_THAT(config.listen[1].hosts, ElementsAre("models.lan"));
    EXPECT_THAT(config.listen[1].origins, ElementsAre("https://chat.example"));
    EXPECT_EQ(config.control_socket, folder_->path() / "run/punie.sock");
    ASSERT_TRUE(config.control);
    EXPECT_EQ(config.control->port, 9000);
    ASSERT_EQ(config.keys.size(), 4U);
    EXPECT_EQ(config.keys[0].name, "me");
    EXPECT_EQ(config.keys[0].value, "s3cret-of-the-file");
    EXPECT_TRUE(config.keys[0].control);
    EXPECT_EQ(config.keys[1].name, "ann");
    EXPECT_EQ(config.keys[2].value, "key-of-bob");
    EXPECT_THAT(config.keys[2].models, ElementsAre("a"));
    EXPECT_EQ(config.keys[2].requests_per_minute, 30);
    EXPECT_EQ(config.keys[2].tokens_per_minute, 10'000);
    EXPECT_EQ(config.keys[3].name, "MY_KEY");
    EXPECT_EQ(config.keys[3].value, "s3cret-of-the-environment");
    ASSERT_EQ(config.groups.size(), 1U);
    EXPECT_FALSE(config.groups[0].together);
    EXPECT_TRUE(config.groups[0].exclusive);
    EXPECT_EQ(config.queue.requests, 5);
    EXPECT_EQ(config.queue.bytes, 1'000'000U);
    EXPECT_EQ(config.queue.wait, Milliseconds{60'000});
    EXPECT_EQ(config.queue.fairness, Milliseconds{2000});
    EXPECT_EQ(config.queue.min_loaded, Milliseconds{0});
    EXPECT_EQ(config.mlx_lm, (folder_->path() / "venv/bin/python").native());
    EXPECT_EQ(config.log_folder, folder_->path() / "logs");
    EXPECT_EQ(config.capture, folder_->path() / "captured.jsonl");
    EXPECT_EQ(config.state_folder, folder_->path() / "state");
}

TEST_F(ConfigFixture, AnUpstreamStartsNothing) {
    const auto config = good(R"(
models:
  far:
    upstream: {url: "https://host:1234/v1", model: big, key_env: MY_KEY}
    sampling: {temperature: 0}
)");
    const auto& far = config.models.at(0);
    ASSERT_TRUE(far.upstream);
    EXPECT_EQ(far.upstream->url, "https://host:1234/v1");
    EXPECT_EQ(far.upstream->model, "big");
    EXPECT_EQ(far.upstream->api_key_env, "MY_KEY");
    EXPECT_EQ(far.server.backend, BackendKind::openai);
}

TEST_F(ConfigFixture, TheEnvironmentIsPutIn) {
    environment_["WHERE"] = "/mnt/models";
    environment_["PIN"] = "true";
    const auto config =
        good("models:\n  a:\n    path: ${WHERE}/a\n    pin: ${PIN}\n    environment: {PRICE: 5$$}\n"
        );
    EXPECT_EQ(config.models.at(0).server.model_path, "/mnt/models/a");
    EXPECT_TRUE(config.models.at(0).pin);
    EXPECT_EQ(config.models.at(0).server.environment.at("PRICE"), "5$");
}

TEST_F(ConfigFixture, AMissingFileIsNamed) {
    const auto config = load_gateway_config(folder_->path() / "nowhere.yaml");
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code(), ErrorCode::not_found);
    EXPECT_THAT(config.error().message(), HasSubstr("nowhere.yaml"));
}

TEST_F(ConfigFixture, AFileIsReadWithItsFolder) {
    write("sub/punie.yaml", "models: {a: ./m}\n");
    const auto config = load_gateway_config(folder_->path() / "sub/punie.yaml");
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->models.at(0).server.model_path, (folder_->path() / "sub/m").native());
}

TEST_F(ConfigFixture, NamesAreFoundWithTheirAliasesAndAdapters) {
    const auto config =
        good("models:\n  base: {path: /m, aliases: [b], adapters: {x: /x}}\n  llama3:8b: /l\n");
    const Catalog catalog(config);
    ASSERT_NE(catalog.find("base"), nullptr);
    EXPECT_EQ(catalog.find("b")->served_name, "base");
    EXPECT_EQ(catalog.find("base:x")->adapter, "/x");
    EXPECT_EQ(catalog.find("b:x")->served_name, "base:x");
    EXPECT_EQ(catalog.find("llama3:8b")->model->server.model_path, "/l");
    EXPECT_EQ(catalog.find("base:y"), nullptr);
    EXPECT_EQ(config.find("b"), &config.models.at(0));
    EXPECT_EQ(config.find("c"), nullptr);
}

struct Value {
    const char* text;
    std::optional<std::uint64_t> value;
};

class Sizes : public testing::TestWithParam<Value> {};

TEST_P(Sizes, AreRead) {
    const auto size = parse_size(GetParam().text);
    EXPECT_EQ(size ? std::optional(*size) : std::nullopt, GetParam().value) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    All,
    Sizes,
    testing::Values(
        Value{"8 GB", 8'000'000'000},
        Value{"8GB", 8'000'000'000},
        Value{"8g", 8'000'000'000},
        Value{"1.5 GB", 1'500'000'000},
        Value{"512MiB", 512ULL << 20U},
        Value{" 4 GiB ", 4ULL << 30U},
        Value{"640 B", 640},
        Value{"100 kb", 100'000},
        Value{"1 TB", 1'000'000'000'000},
        Value{"8", std::nullopt},
        Value{"GB", std::nullopt},
        Value{"", std::nullopt},
        Value{"-1 GB", std::nullopt},
        Value{"8 GB RAM", std::nullopt},
        Value{"8 XB", std::nullopt},
        Value{"1e3 MB", std::nullopt},
        Value{"1.2.3 MB", std::nullopt},
        Value{"99999999999 TB", std::nullopt}
    )
);

class Times : public testing::TestWithParam<Value> {};

TEST_P(Times, AreRead) {
    const auto time = parse_time(GetParam().text);
    const auto count = time ? std::optional(static_cast<std::uint64_t>(time->count()))
                            : std::optional<std::uint64_t>{};
    EXPECT_EQ(count, GetParam().value) << GetParam().text;
    if (time) EXPECT_EQ(parse_time(time_text(*time)).value(), *time) << time_text(*time);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    Times,
    testing::Values(
        Value{"30s", 30'000},
        Value{"10m", 600'000},
        Value{"10 min", 600'000},
        Value{"1h30m", 5'400'000},
        Value{"1h 30m", 5'400'000},
        Value{"500ms", 500},
        Value{"1.5s", 1500},
        Value{"2d", 172'800'000},
        Value{"0s", 0},
        Value{"600", std::nullopt},
        Value{"", std::nullopt},
        Value{"ten", std::nullopt},
        Value{"-5s", std::nullopt},
        Value{"5 s later", std::nullopt},
        Value{"3w", std::nullopt},
        Value{"9999999d", std::nullopt}
    )
);

}  // namespace
}  // namespace punie::fleet
