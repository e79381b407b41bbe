// The real mlx_lm: PUNIE_E2E_MLX_LM names its virtual environment, PUNIE_E2E_MODEL a small model.
// Skipped without them.
#include <gmock/gmock.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "backend/backend.hpp"
#include "backend/blocking.hpp"
#include "backend/mlx_installation.hpp"
#include "backend/model_files.hpp"
#include "process/child.hpp"
#include "process/system.hpp"
#include "unit/backend/model_folder.hpp"
#include "world.hpp"

namespace punie::backend {
namespace {

using std::chrono::steady_clock;
using testing::Contains;
using testing::HasSubstr;
using namespace std::chrono_literals;

class RealMlx : public World {
protected:
    void SetUp() override {
        const char* venv = std::getenv("PUNIE_E2E_MLX_LM");
        const char* model = std::getenv("PUNIE_E2E_MODEL");
        if (venv == nullptr || model == nullptr) {
            GTEST_SKIP() << "PUNIE_E2E_MLX_LM and PUNIE_E2E_MODEL are not set";
        }
        venv_ = venv;
        model_ = model;
        set("PATH", "/usr/bin:/bin");
    }

    /// Trains one iteration and returns the adapter's folder.
    std::filesystem::path adapter(const std::string& type) {
        const auto mlx = find_mlx_blocking(venv_);
        EXPECT_TRUE(mlx) << mlx.error().describe();
        std::string rows;
        for (int i = 0; i < 8; ++i) {
            rows +=
                R"({"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}]})"
                "\n";
        }
        write(root() / "data/train.jsonl", rows);
        write(root() / "data/valid.jsonl", rows);
        const auto folder = root() / type;
        process::SpawnOptions options;
        options.argv = {
            mlx->python.native(),
            "-m",
            "mlx_lm",
            "lora",
            "--train",
            "--model",
            model_,
            "--data",
            (root() / "data").native(),
            "--iters",
            "1",
            "--batch-size",
            "1",
            "--num-layers",
            "1",
            "--val-batches",
            "1",
            "--fine-tune-type",
            type,
            "--adapter-path",
            folder.native()
        };
        const auto run = process::run_to_end_blocking(options, 300s);
        EXPECT_TRUE(run && run->status.success()) << (run ? run->output : run.error().describe());
        return folder;
    }

    std::string venv_;
    std::string model_;
};

TEST_F(RealMlx, IsFoundSlowlyOnceAndThenAtOnce) {
    const auto first = find_mlx_blocking(venv_);
    ASSERT_TRUE(first) << first.error().describe();
    const auto start = steady_clock::now();
    const auto second = find_mlx_blocking(venv_);
    const auto took = steady_clock::now() - start;
    ASSERT_TRUE(second);
    EXPECT_LE(took, 20ms);
    RecordProperty("cached_us", static_cast<int>(took / 1us));
    EXPECT_EQ(second->mlx_lm_version, first->mlx_lm_version);
    EXPECT_FALSE(first->mlx_version.empty());
    EXPECT_TRUE(first->training_callbacks);
    EXPECT_THAT(first->server_flags, Contains("--adapter-path"));
    EXPECT_THAT(first->lora_flags, Contains("--report-to"));
    EXPECT_THAT(first->own_cache_types, Contains("llama"));
    EXPECT_THAT(first->own_cache_types, Contains("mistral"));  // loaded as llama
    EXPECT_THAT(first->own_cache_types, testing::Not(Contains("qwen3")));
    EXPECT_THAT(first->model_types, testing::IsSupersetOf({"qwen3", "llama", "mistral", "gemma3"}));
}

TEST_F(RealMlx, ItsOwnAdaptersFitTheirModel) {
    const auto model = read_model(model_);
    ASSERT_TRUE(model) << model.error().describe();
    std::vector<std::string> types = {"lora", "dora"};
    if (!model->quantization_bits)
        types.emplace_back("full");  // quantised weights have no gradient
    for (const auto& type : types) {
        const auto result = check_adapter(*model, adapter(type));
        EXPECT_TRUE(result) << type << ": " << result.error().describe();
    }
}

TEST_F(RealMlx, ItsAdapterWithOtherNamesOrShapesIsRefused) {
    const auto model = read_model(model_);
    ASSERT_TRUE(model) << model.error().describe();
    const auto folder = adapter("lora");
    const auto file = folder / "adapters.safetensors";
    const auto whole = *read_text(file);
    auto renamed = whole;
    for (std::size_t at = 0; (at = renamed.find(".self_attn.", at)) != std::string::npos;)
        renamed[at + 5] = '-';
    ASSERT_NE(renamed, whole);
    write_file(file, renamed);
    const auto misnamed = check_adapter(*model, folder);
    ASSERT_FALSE(misnamed);
    EXPECT_EQ(misnamed.error().code(), ErrorCode::adapter_mismatch);
    EXPECT_THAT(misnamed.error().message(), HasSubstr("no such linear layer"));
    write_file(file, whole);
    auto smaller = *model;
    for (auto& [name, tensor] : smaller.tensors) {
        if (name.ends_with("down_proj.weight")) tensor.shape[1] /= 2;
    }
    const auto misshaped = check_adapter(smaller, folder);
    ASSERT_FALSE(misshaped);
    EXPECT_THAT(misshaped.error().message(), HasSubstr("inputs"));
}

/// What explain_log says of a server that is starting, as the supervisor would ask it; nothing
/// after `limit`.
Task<std::optional<Error>> watched_start(
    ServerConfig config, std::vector<std::string> argv, Milliseconds limit
) {
    process::SpawnOptions options;
    options.argv = std::move(argv);
    auto child = co_await process::ManagedChild::spawn(std::move(options));
    if (!child) co_return child.error();
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const auto end = steady_clock::now() + limit;
    std::optional<Error> error;
    while (!error && steady_clock::now() < end) {
        timer.expires_after(100ms);
        co_await timer.async_wait(asio::use_awaitable);
        error = explain_log(config, child->output().last_lines(200));
        const auto status = child->exit_status();
        if (!error && status)
            error = explain_exit(config, *status, child->output().last_lines(200));
    }
    co_await child->stop(0ms);
    co_return error;
}

struct BadStart {
    const char* name;
    void (*spoil)(ServerOptions& options, const std::filesystem::path& root);
    ErrorCode code;
};

void PrintTo(const BadStart& row, std::ostream* out) {
    *out << row.name;
}

class RealFailure : public RealMlx, public testing::WithParamInterface<BadStart> {};

TEST_P(RealFailure, IsToldByLogOrExit) {
    ServerOptions options{.model_path = model_, .port = process::free_port("127.0.0.1")};
    std::filesystem::copy(model_, root() / "copy", std::filesystem::copy_options::recursive);
    GetParam().spoil(options, root());
    const auto config = make_server_config(options);
    ASSERT_TRUE(config) << config.error().message();
    Search search;
    search.explicit_path = venv_;
    const auto can = run_blocking(backend_for(BackendKind::mlx).capabilities(search));
    ASSERT_TRUE(can) << can.error().describe();
    auto argv = build_server_command(*config, *can);
    ASSERT_TRUE(argv) << argv.error().describe();
    const auto error = run_blocking(watched_start(*config, *argv, 60s));
    ASSERT_TRUE(error) << "nothing was told";
    EXPECT_EQ(error->code(), GetParam().code) << error->describe();
    EXPECT_FALSE(error->log_tail().empty());
}

const BadStart bad_starts[] = {
    {"no_model", [](auto& o, const auto&) { o.model_path = "/no/such/model"; }, ErrorCode::not_found
    },
    {"no_weights",
     [](auto& o, const auto& root) {
         std::filesystem::remove(root / "copy/model.safetensors");
         o.model_path = root / "copy";
     },
     ErrorCode::model_invalid},
    {"half_a_file",
     [](auto& o, const auto& root) {
         std::filesystem::resize_file(root / "copy/model.safetensors", 50'000);
         o.model_path = root / "copy";
     },
     ErrorCode::model_invalid},
    {"unknown_flag",
     [](auto& o, const auto&) { o.extra_arguments = {"--frobnicate"}; },
     ErrorCode::unsupported},
    {"no_adapter",
     [](auto& o, const auto&) { o.adapter_path = "/no/adapter"; },
     ErrorCode::not_found},
    {"other_machine",
     [](auto& o, const auto&) { o.host = "192.0.2.1"; },
     ErrorCode::invalid_argument},
};
INSTANTIATE_TEST_SUITE_P(Table, RealFailure, testing::ValuesIn(bad_starts), [](const auto& row) {
    return std::string(row.param.name);
});

}  // namespace
}  // namespace punie::backend
