// llama-server and vllm found and asked, on fake programs that print recorded help texts;
// check_files on real folders.
#include <gmock/gmock.h>

#include "backend/backend.hpp"
#include "backend/blocking.hpp"
#include "backend/doctor.hpp"
#include "backend/program.hpp"
#include "base/json.hpp"
#include "unit/backend/model_folder.hpp"
#include "world.hpp"

namespace punie::backend {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* recorded_folder = PUNIE_SOURCE_DIR "/tests/unit/backend/recorded/";

class Programs : public World {
protected:
    static Result<ServerCapabilities> capabilities(BackendKind kind, std::string place = {}) {
        Search search;
        search.explicit_path = std::move(place);
        return run_blocking(backend_for(kind).capabilities(search));
    }

    std::filesystem::path llama_server(const std::filesystem::path& file) {
        return program(
            file,
            std::string(
                "[ \"$1\" = --version ] && { echo 'version: 4321 (abc)' >&2; exit 0; }\ncat '"
            ) + recorded_folder +
                "llama_server_0.3.36.txt'"
        );
    }
};

TEST_F(Programs, LlamaServerIsFoundInPathAndAskedOnce) {
    const auto file = llama_server(root() / "bin/llama-server");
    set("PATH", (root() / "bin").native() + ":/usr/bin:/bin");
    const auto can = capabilities(BackendKind::llama);
    ASSERT_TRUE(can) << can.error().describe();
    EXPECT_THAT(can->program, ElementsAre(file.native()));
    EXPECT_EQ(can->version, "4321 (abc)");
    EXPECT_THAT(can->flags, Contains("--ctx-size"));
    EXPECT_EQ(runs(file), 2U);
    ASSERT_TRUE(capabilities(BackendKind::llama));
    EXPECT_EQ(runs(file), 2U);
}

TEST_F(Programs, LlamaServerCanBeNamed) {
    const auto file = llama_server(root() / "llama.cpp/llama-server");
    ASSERT_TRUE(capabilities(BackendKind::llama, file.native()));
    ASSERT_TRUE(capabilities(BackendKind::llama, (root() / "llama.cpp").native()));
    set("PUNIE_LLAMA_SERVER", "/no/such/llama");
    EXPECT_THAT(
        capabilities(BackendKind::llama).error().message(),
        AllOf(HasSubstr("PUNIE_LLAMA_SERVER names /no/such/llama"), HasSubstr("no program"))
    );
    unset("PUNIE_LLAMA_SERVER");
    write(root() / "config/punie/config.yaml", "llama_server: " + file.native() + "\n");
    EXPECT_TRUE(capabilities(BackendKind::llama));
}

TEST_F(Programs, WhatIsMissingSaysWhereItWasLookedFor) {
    const auto can = capabilities(BackendKind::llama);
    ASSERT_FALSE(can);
    EXPECT_EQ(can.error().code(), ErrorCode::program_missing);
    EXPECT_THAT(
        can.error().message(),
        AllOf(HasSubstr("PUNIE_LLAMA_SERVER is not set"), HasSubstr("PATH has no"))
    );
    EXPECT_THAT(can.error().hint(), HasSubstr("install llama.cpp"));
}

TEST_F(Programs, AnOlderVllmIsAskedTheOldWay) {
    const auto file = program(
        root() / "bin/vllm",
        std::string("case \"$*\" in\n'serve --help') cat '") + recorded_folder +
            "vllm_serve_0.33.0.txt';;\n--version) echo 0.8.5;;\n*) echo 'ignored explicit "
            "argument' "
            "; exit 2;;\nesac"
    );
    const auto can = capabilities(BackendKind::vllm, file.native());
    ASSERT_TRUE(can) << can.error().describe();
    EXPECT_THAT(can->program, ElementsAre(file.native(), "serve"));
    EXPECT_EQ(can->version, "0.8.5");
    EXPECT_THAT(can->flags, Contains("--enable-lora"));
}

TEST_F(Programs, AProgramWithoutHelpIsUnsupported) {
    const auto file = program(root() / "bin/llama-server", "echo segfault soon; exit 1");
    const auto can = capabilities(BackendKind::llama, file.native());
    ASSERT_FALSE(can);
    EXPECT_EQ(can.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(can.error().log_tail(), Contains("segfault soon"));
}

TEST(Versions, AreReadFromWhatProgramsPrint) {
    EXPECT_EQ(
        version_of_output("ggml: no GPU\nversion: 4321 (abc)\nbuilt with clang"), "4321 (abc)"
    );
    EXPECT_EQ(version_of_output("INFO 01-01 loading\n0.33.0\n"), "0.33.0");
    EXPECT_EQ(version_of_output("garbage"), "");
}

class CheckFiles : public World {
protected:
    CheckFiles() { write_tiny_model(model_); }

    static Result<void> check(ServerOptions options, const ServerCapabilities& can = {}) {
        const auto config = make_server_config(std::move(options));
        EXPECT_TRUE(config) << config.error().message();
        return backend_for(config->backend()).check_files(*config, can);
    }

    std::filesystem::path model_ = root() / "tiny";
};

TEST_F(CheckFiles, MlxRefusesAKvLimitWhereItHasNoEffect) {
    ServerCapabilities can;
    can.own_cache_types = {"llama"};
    ServerOptions options{.model_path = model_.native(), .max_kv_size = 100};
    EXPECT_TRUE(check(options, can));  // qwen3 obeys
    can.own_cache_types = {"qwen3"};
    const auto refused = check(options, can);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(refused.error().message(), HasSubstr("'qwen3' makes its own key-value cache"));
    EXPECT_THAT(refused.error().hint(), HasSubstr("--kv-bits"));
    options.max_kv_size.reset();
    EXPECT_TRUE(check(options, can));
}

TEST_F(CheckFiles, MlxKnowsWhatItCannotLoad) {
    ServerCapabilities can;
    can.version = "0.32.2";
    can.model_types = {"llama"};
    const auto refused = check({.model_path = model_.native()}, can);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::model_invalid);
    EXPECT_THAT(
        refused.error().message(), HasSubstr("mlx_lm 0.32.2 cannot load models of type 'qwen3'")
    );
    EXPECT_EQ(check({.model_path = "/no/such/model"}, can).error().code(), ErrorCode::not_found);
    EXPECT_TRUE(check({.model_path = "org/not-downloaded"}, can));
}

TEST_F(CheckFiles, MlxRefusesAForeignAdapter) {
    write(
        root() / "a/adapter_config.json",
        R"({"num_layers": 1, "lora_parameters": {"rank": 8, "scale": 1}})"
    );
    write_safetensors(
        root() / "a/adapters.safetensors", {{"x.lora_a", {1, 8}}, {"x.lora_b", {8, 1}}}
    );
    const auto refused =
        check({.model_path = model_.native(), .adapter_path = (root() / "a").native()});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::adapter_mismatch);
}

TEST_F(CheckFiles, LlamaWantsGguf) {
    write(root() / "m.gguf", "GGUF\3");
    write(root() / "text.gguf", "hello");
    const auto of = [&](const std::string& name) {
        return check({.backend = BackendKind::llama, .model_path = (root() / name).native()});
    };
    EXPECT_TRUE(of("m.gguf"));
    EXPECT_EQ(of("text.gguf").error().code(), ErrorCode::model_invalid);
    EXPECT_EQ(of("tiny").error().code(), ErrorCode::model_invalid);
    EXPECT_EQ(of("missing.gguf").error().code(), ErrorCode::not_found);
    EXPECT_TRUE(check({.backend = BackendKind::llama, .model_path = "org/repository"}));
    const auto adapter = check(
        {.backend = BackendKind::llama,
         .model_path = (root() / "m.gguf").native(),
         .adapter_path = "/no/lora.gguf"}
    );
    EXPECT_EQ(adapter.error().code(), ErrorCode::not_found);
}

TEST_F(CheckFiles, VllmWantsWhatIsNamed) {
    ServerOptions options{.backend = BackendKind::vllm, .model_path = model_.native()};
    EXPECT_TRUE(check(options));
    options.adapter_path = "/no/adapter";
    EXPECT_EQ(check(options).error().code(), ErrorCode::not_found);
    options.adapter_path.clear();
    options.model_path = "/no/model";
    EXPECT_EQ(check(options).error().code(), ErrorCode::not_found);
}

class Doctor : public World {};

TEST_F(Doctor, SaysWhatWorksAndWhatToDoAboutTheRest) {
    interpreter(root() / "work/.venv/bin/python", answer("1.2.3"));
    const auto report = examine_blocking({});
    const auto find = [&](std::string_view name) {
        const auto found = std::ranges::find(report.checks, name, &Check::name);
        EXPECT_NE(found, report.checks.end()) << name;
        return found == report.checks.end() ? Check{} : *found;
    };
    EXPECT_EQ(find("mlx_lm").status, CheckStatus::ok);
    EXPECT_THAT(find("mlx_lm").found, AllOf(HasSubstr("mlx-lm 1.2.3"), HasSubstr("work/.venv")));
    EXPECT_EQ(find("compiler").status, CheckStatus::failed);  // the test's PATH is empty
    EXPECT_EQ(find("llama-server").status, CheckStatus::warning);
    EXPECT_EQ(find("vllm").status, CheckStatus::warning);
    EXPECT_EQ(find("guard").status, CheckStatus::ok);
    EXPECT_EQ(report.worst(), CheckStatus::failed);
    for (const auto& check : report.checks) {
        EXPECT_FALSE(check.found.empty()) << check.name;
        EXPECT_EQ(check.to_do.empty(), check.status == CheckStatus::ok) << check.name;
    }
}

TEST_F(Doctor, WithoutMlxTheSameLinesAreThere) {
    const auto without = examine_blocking({});
    interpreter(root() / "work/.venv/bin/python", answer("1.2.3"));
    const auto with = examine_blocking({});
    ASSERT_EQ(without.checks.size(), with.checks.size());
    for (std::size_t i = 0; i < with.checks.size(); ++i)
        EXPECT_EQ(without.checks[i].name, with.checks[i].name);
    EXPECT_EQ(without.checks.front().status, CheckStatus::failed);
    const auto json = to_json(without);
    EXPECT_EQ(string_member(json, "worst"), "failed");
    EXPECT_EQ(string_member(member(json, "checks")->get_array().front(), "name"), "mlx_lm");
}

}  // namespace
}  // namespace punie::backend
