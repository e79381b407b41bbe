#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <punie/server_command.hpp>

#include "backend/backend.hpp"
#include "recorded.hpp"

namespace punie::backend {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using Words = std::vector<std::string>;

ServerConfig config_of(ServerOptions options) {
    auto config = make_server_config(std::move(options));
    EXPECT_TRUE(config) << config.error().message();
    return *config;
}

ServerOptions everything(BackendKind kind) {
    ServerOptions options{
        .backend = kind, .model_path = "/m", .host = "::1", .port = 9, .adapter_path = "/a"
    };
    options.sampling = {
        .temperature = 0.7, .top_p = 0.9, .top_k = 40, .min_p = 0.05, .max_tokens = 100
    };
    options.extra_arguments = {"--log-level", "DEBUG"};
    return options;
}

TEST(MlxCommand, Plain) {
    const auto words = build_server_command(config_of({.model_path = "/m", .port = 0}), mlx_can());
    ASSERT_TRUE(words) << words.error().message();
    EXPECT_EQ(
        *words,
        (Words{
            "/venv/bin/python",
            "-m",
            "mlx_lm",
            "server",
            "--model",
            "/m",
            "--host",
            "127.0.0.1",
            "--port",
            "0"
        })
    );
}

TEST(MlxCommand, Everything) {
    auto options = everything(BackendKind::mlx);
    options.max_kv_size = 512;
    options.sampling.repetition_penalty = 1.1;
    options.sampling.repetition_context_size = 30;
    const auto config = config_of(options);
    const auto words = build_server_command(config, mlx_can());
    ASSERT_TRUE(words) << words.error().message();
    EXPECT_EQ(
        *words,
        (Words{
            "/venv/bin/python",
            "/cache/server_launcher.py",
            "--punie-max-kv-size",
            "512",
            "--model",
            "/m",
            "--host",
            "::1",
            "--port",
            "9",
            "--adapter-path",
            "/a",
            "--temp",
            "0.7",
            "--top-p",
            "0.9",
            "--top-k",
            "40",
            "--min-p",
            "0.05",
            "--max-tokens",
            "100",
            "--log-level",
            "DEBUG"
        })
    );
    EXPECT_THAT(
        request_defaults(config),
        ElementsAre(Pair("repetition_context_size", "30"), Pair("repetition_penalty", "1.1"))
    );
    EXPECT_EQ(backend_for(BackendKind::mlx).request_model(config), "default_model");
}

TEST(MlxCommand, ContextSizeIsRefusedWithTheAlternative) {
    const auto words =
        build_server_command(config_of({.model_path = "/m", .context_size = 100}), mlx_can());
    ASSERT_FALSE(words);
    EXPECT_EQ(words.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(
        words.error().message(), AllOf(HasSubstr("context_size"), HasSubstr("mlx_lm.server 0.32.2"))
    );
    EXPECT_THAT(words.error().hint(), HasSubstr("max_kv_size"));
}

TEST(MlxCommand, AnUnknownFlagNamesOptionVersionAndAlternative) {
    auto can = mlx_can();
    can.flags.erase("--min-p");
    can.version = "0.10.0";
    const auto words =
        build_server_command(config_of({.model_path = "/m", .sampling = {.min_p = 0.1}}), can);
    ASSERT_FALSE(words);
    EXPECT_EQ(words.error().code(), ErrorCode::unsupported);
    EXPECT_EQ(words.error().message(), "min_p: mlx_lm.server 0.10.0 has no option --min-p for it");
    EXPECT_EQ(words.error().hint(), "set it in each request");
}

TEST(MlxCommand, KvLimitNeedsTheLauncher) {
    auto can = mlx_can();
    can.kv_launcher.clear();
    const auto words =
        build_server_command(config_of({.model_path = "/m", .max_kv_size = 100}), can);
    ASSERT_FALSE(words);
    EXPECT_EQ(words.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(words.error().hint(), HasSubstr("--kv-bits"));
}

TEST(MlxCommand, KvLimitBelowTheAttentionSinksIsRefused) {
    const auto words =
        build_server_command(config_of({.model_path = "/m", .max_kv_size = 7}), mlx_can());
    ASSERT_FALSE(words);
    EXPECT_EQ(words.error().code(), ErrorCode::invalid_argument);
    EXPECT_TRUE(build_server_command(config_of({.model_path = "/m", .max_kv_size = 8}), mlx_can()));
}

class RepeatedFlag : public testing::TestWithParam<const char*> {};

TEST_P(RepeatedFlag, InTheExtraArgumentsIsRefused) {
    const auto words = build_server_command(
        config_of({.model_path = "/m", .extra_arguments = {GetParam(), "1"}}), mlx_can()
    );
    ASSERT_FALSE(words);
    EXPECT_EQ(words.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(words.error().message(), AllOf(HasSubstr("extra_arguments"), HasSubstr("repeats")));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    RepeatedFlag,
    testing::Values("--port", "--port=1", "--por", "--host", "--model", "--mod=x")
);

TEST(ExtraArguments, ValuesAndOtherFlagsPass) {
    const auto config =
        config_of({.model_path = "/m", .extra_arguments = {"--max-tokens", "5", "-x", "--", ""}});
    const auto words = build_server_command(config, mlx_can());
    ASSERT_TRUE(words) << words.error().message();
    EXPECT_EQ(Words(words->end() - 5, words->end()), config.extra_arguments());
}

TEST(LlamaCommand, Everything) {
    auto options = everything(BackendKind::llama);
    options.model_path = "models/x.gguf";
    options.max_kv_size = 2048;
    options.sampling.repetition_penalty = 1.2;
    options.sampling.repetition_context_size = 64;
    options.extra_arguments = {"--jinja"};
    const auto config = config_of(options);
    const auto words = build_server_command(config, llama_can());
    ASSERT_TRUE(words) << words.error().message();
    EXPECT_EQ(
        *words,
        (Words{
            "/usr/bin/llama-server",
            "--model",
            "models/x.gguf",
            "--host",
            "::1",
            "--port",
            "9",
            "--lora",
            "/a",
            "--ctx-size",
            "2048",
            "--temp",
            "0.7",
            "--top-p",
            "0.9",
            "--top-k",
            "40",
            "--min-p",
            "0.05",
            "--predict",
            "100",
            "--repeat-penalty",
            "1.2",
            "--repeat-last-n",
            "64",
            "--alias",
            "x",
            "--cors-origins",
            "localhost",
            "--jinja"
        })
    );
    EXPECT_THAT(request_defaults(config), IsEmpty());
}

TEST(LlamaCommand, NamesItselfWithoutItsPathAndOnlyLocalPagesMayAsk) {
    const auto can = llama_can();
    ASSERT_TRUE(can.flags.contains("--alias") && can.flags.contains("--cors-origins"));
    ServerOptions options{.backend = BackendKind::llama, .model_path = "/models/tiny.Q4.gguf"};
    const auto config = config_of(options);
    EXPECT_EQ(backend_for(BackendKind::llama).request_model(config), "tiny.Q4");
    const auto words = build_server_command(config, can);
    ASSERT_TRUE(words);
    const auto alias = std::ranges::find(*words, "--alias");
    ASSERT_NE(alias, words->end());
    EXPECT_EQ(*std::next(alias), "tiny.Q4");
    EXPECT_EQ(*std::next(std::ranges::find(*words, "--cors-origins")), "localhost");

    options.extra_arguments = {"-a", "mine", "--cors-origins=*"};
    const auto own = build_server_command(config_of(options), can);
    ASSERT_TRUE(own) << own.error().message();
    EXPECT_EQ(std::ranges::count(*own, "--alias"), 0);
    EXPECT_EQ(std::ranges::count(*own, "--cors-origins"), 0);
}

TEST(LlamaCommand, ARepositoryIsFetched) {
    const auto words = build_server_command(
        config_of({.backend = BackendKind::llama, .model_path = "org/name:Q4_K_M", .port = 1}),
        llama_can()
    );
    ASSERT_TRUE(words);
    EXPECT_EQ((*words)[1], "--hf-repo");
}

TEST(LlamaCommand, ContextAndKvSizeAreOneFlag) {
    ServerOptions options{
        .backend = BackendKind::llama,
        .model_path = "/m.gguf",
        .max_kv_size = 10,
        .context_size = 20
    };
    const auto conflict = build_server_command(config_of(options), llama_can());
    ASSERT_FALSE(conflict);
    EXPECT_EQ(conflict.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(
        conflict.error().message(), AllOf(HasSubstr("10"), HasSubstr("20"), HasSubstr("--ctx-size"))
    );
    options.context_size = 10;
    EXPECT_TRUE(build_server_command(config_of(options), llama_can()));
}

TEST(LlamaCommand, ShortNamesRepeatToo) {
    for (const auto* name : {"-m", "-c", "--n-predict", "--temperature"}) {
        auto options = everything(BackendKind::llama);
        options.context_size = 5;
        options.extra_arguments = {name, "1"};
        EXPECT_FALSE(build_server_command(config_of(options), llama_can())) << name;
    }
}

TEST(VllmCommand, Everything) {
    auto options = everything(BackendKind::vllm);
    options.context_size = 4096;
    options.sampling.repetition_penalty = 1.1;
    options.extra_arguments = {"--dtype", "auto"};
    const auto config = config_of(options);
    const auto words = build_server_command(config, vllm_can());
    ASSERT_TRUE(words) << words.error().message();
    EXPECT_EQ(
        *words,
        (Words{
            "/venv/bin/vllm",
            "serve",
            "/m",
            "--host",
            "::1",
            "--port",
            "9",
            "--enable-lora",
            "--lora-modules",
            "adapter=/a",
            "--max-model-len",
            "4096",
            "--dtype",
            "auto"
        })
    );
    EXPECT_THAT(
        request_defaults(config),
        ElementsAre(
            Pair("max_tokens", "100"),
            Pair("min_p", "0.05"),
            Pair("repetition_penalty", "1.1"),
            Pair("temperature", "0.7"),
            Pair("top_k", "40"),
            Pair("top_p", "0.9")
        )
    );
    EXPECT_EQ(backend_for(BackendKind::vllm).request_model(config), "adapter");
}

TEST(VllmCommand, WhatItCannotDoIsRefused) {
    const auto kv = build_server_command(
        config_of({.backend = BackendKind::vllm, .model_path = "/m", .max_kv_size = 5}), vllm_can()
    );
    ASSERT_FALSE(kv);
    EXPECT_EQ(kv.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(kv.error().hint(), HasSubstr("--max-model-len"));
    const auto repetition = build_server_command(
        config_of(
            {.backend = BackendKind::vllm,
             .model_path = "/m",
             .sampling = {.repetition_context_size = 5}}
        ),
        vllm_can()
    );
    ASSERT_FALSE(repetition);
    EXPECT_EQ(repetition.error().code(), ErrorCode::unsupported);
}

TEST(VllmCommand, WithoutAdapterTheModelIsNamedByItsPath) {
    const auto config = config_of({.backend = BackendKind::vllm, .model_path = "org/m"});
    EXPECT_EQ(backend_for(BackendKind::vllm).request_model(config), "org/m");
}

TEST(OpenAiCommand, NothingIsStarted) {
    const auto config = config_of(
        {.backend = BackendKind::openai,
         .model_path = "gpt",
         .sampling = {.temperature = 0.0, .repetition_penalty = 1.5},
         .url = "http://h/v1"}
    );
    const auto words = build_server_command(config, {});
    ASSERT_FALSE(words);
    EXPECT_EQ(words.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(
        request_defaults(config),
        ElementsAre(Pair("repetition_penalty", "1.5"), Pair("temperature", "0"))
    );
    EXPECT_EQ(backend_for(BackendKind::openai).request_model(config), "gpt");
}

TEST(ServerCommand, CapabilitiesOfAnotherKindAreRefused) {
    const auto words = build_server_command(config_of({.model_path = "/m"}), llama_can());
    ASSERT_FALSE(words);
    EXPECT_EQ(words.error().code(), ErrorCode::invalid_argument);
}

TEST(ServerCommand, WithoutAProgramThereIsNoCommand) {
    auto can = mlx_can();
    can.program.clear();
    const auto words = build_server_command(config_of({.model_path = "/m"}), can);
    ASSERT_FALSE(words);
    EXPECT_EQ(words.error().code(), ErrorCode::program_missing);
}

}  // namespace
}  // namespace punie::backend
