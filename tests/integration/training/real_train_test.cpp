// Training, fusing and quantising with the real mlx_lm; skipped unless PUNIE_E2E_MLX_LM (a virtual
// environment) and PUNIE_E2E_MODEL (a model folder, best the tiny one) are set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "integration/training/fake_python.hpp"
#include "training/make_model.hpp"
#include "training/train.hpp"

namespace punie::training {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

class RealTrainTest : public testing::Test {
protected:
    void SetUp() override {
        mlx_lm_ = variable("PUNIE_E2E_MLX_LM");
        model_ = variable("PUNIE_E2E_MODEL");
        if (mlx_lm_.empty() || model_.empty())
            GTEST_SKIP() << "PUNIE_E2E_MLX_LM and PUNIE_E2E_MODEL are not set";
        auto folder = TemporaryFolder::make("punie-real-train");
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
        test::write_data(path() / "data", 22);  // five batches and a rest: epochs end on the way
    }

    fs::path path() const { return folder_->path(); }

    /// Dropout makes the random state count; accumulation the gradients between updates.
    TrainOptions options(const std::string& adapter, int iterations = 14) const {
        TrainOptions options;
        options.model = model_;
        options.data = path() / "data";
        options.adapter = path() / adapter;
        options.settings = {
            {"iters", iterations},
            {"steps_per_report", 1},
            {"save_every", 3},
            {"steps_per_eval", 5},
            {"val_batches", 1},
            {"num_layers", 2},
            {"max_seq_length", 256},
            {"learning_rate", 1e-3},
            {"grad_accumulation_steps", 2},
            {"lora_parameters", json::object{{"rank", 4}, {"dropout", 0.1}, {"scale", 10.0}}}
        };
        options.mlx_lm = mlx_lm_;
        return options;
    }

    static std::map<std::pair<int, bool>, double> losses(const std::vector<TrainReport>& reports) {
        std::map<std::pair<int, bool>, double> found;
        for (const auto& report : reports) {
            const auto loss = report.is_validation ? report.valid_loss : report.train_loss;
            found[{report.iteration, report.is_validation}] = loss.value_or(-1);
        }
        return found;
    }

    /// The pid of the python that trains into `adapter`, 0 if there is none. Not by a ManagedChild:
    /// that may live in a namespace of its own and see no other processes.
    static pid_t trainer_of(const fs::path& adapter) {
        const auto words =
            fmt::format("train_launcher.py {}/punie_training.json", adapter.native());
        auto* listed = ::popen("ps -axww -o pid=,args=", "r");
        if (listed == nullptr) return 0;
        std::string text;
        std::array<char, 4096> buffer{};
        while (const auto count = std::fread(buffer.data(), 1, buffer.size(), listed))
            text.append(buffer.data(), count);
        ::pclose(listed);
        for (const auto& line : split_lines(text)) {
            if (line.find(words) == std::string::npos) continue;
            if (line.find("punie-guard") == std::string::npos) return std::atoi(line.c_str());
        }
        return 0;
    }

    /// Trains and kills the trainer with SIGKILL when iteration `at` was reported.
    static void train_and_kill(const TrainOptions& options, int at) {
        TrainCalls calls;
        pid_t pid = 0;
        calls.on_progress = [&](const TrainProgress& progress) {
            if (pid == 0 && progress.phase == "loading the model")
                pid = trainer_of(options.adapter);
        };
        calls.on_report = [&](const TrainReport& report) {
            if (report.iteration == at && !report.is_validation && pid > 0) ::kill(pid, SIGKILL);
        };
        const auto result = train_model(options, calls, {});
        ASSERT_GT(pid, 0);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().exit_status(), "signal 9 (Killed)");
    }

    std::string mlx_lm_;
    std::string model_;
    std::optional<TemporaryFolder> folder_;
};

TEST_F(RealTrainTest, KilledAndResumedIsTheUnbrokenTrainingNumberForNumber) {
    const auto whole = train_model(options("whole"), {}, {});
    ASSERT_TRUE(whole) << whole.error().describe();
    ASSERT_EQ(losses(whole->reports).size(), 14U + 4U);  // validations at 1, 5, 10, 14
    for (const int at : {1, 7, 11}) {
        const auto name = fmt::format("broken-{}", at);
        auto broken = options(name);
        train_and_kill(broken, at);
        broken.resume = true;
        // A Punie that is killed with its trainer may have read less than the checkpoint knows.
        if (at == 11) fs::remove(broken.adapter / "punie_reports.jsonl");
        const auto resumed = train_model(broken, {}, {});
        ASSERT_TRUE(resumed) << resumed.error().describe();
        EXPECT_LE(resumed->resumed_from, at);
        EXPECT_EQ(losses(resumed->reports), losses(whole->reports)) << name;
        EXPECT_EQ(resumed->adapter_hash, whole->adapter_hash) << name;
        EXPECT_EQ(resumed->best_iteration, whole->best_iteration);
        EXPECT_EQ(resumed->trained_tokens, whole->trained_tokens);
    }
}

TEST_F(RealTrainTest, AskedToStopAndResumedLikewise) {
    const auto whole = train_model(options("whole"), {}, {});
    ASSERT_TRUE(whole) << whole.error().describe();
    std::stop_source stop;
    TrainCalls calls;
    calls.on_report = [&](const TrainReport& report) {
        if (report.iteration == 8) stop.request_stop();
    };
    auto broken = options("stopped");
    const auto stopped = train_model(broken, calls, stop.get_token());
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code(), ErrorCode::cancelled);
    const auto at = resumable(broken.adapter);
    ASSERT_TRUE(at);
    EXPECT_GE(*at, 8);
    broken.resume = true;
    const auto resumed = train_model(broken, {}, {});
    ASSERT_TRUE(resumed) << resumed.error().describe();
    EXPECT_EQ(losses(resumed->reports), losses(whole->reports));
    EXPECT_EQ(resumed->adapter_hash, whole->adapter_hash);
}

TEST_F(RealTrainTest, StopsEarlyAndKeepsTheBest) {
    auto given = options("early", 40);
    given.settings["steps_per_eval"] = 2;
    given.settings["learning_rate"] = 3.0;  // far too much: it only gets worse after a while
    given.settings["grad_accumulation_steps"] = 1;
    given.early_stop = 3;
    const auto result = train_model(given, {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    ASSERT_TRUE(result->stop);
    EXPECT_EQ(result->stop->reason, "early_stop");
    ASSERT_TRUE(result->best_iteration);
    ASSERT_GT(*result->best_iteration, 0);
    EXPECT_EQ(result->iterations, *result->best_iteration + 6);  // three validations later
    EXPECT_TRUE(result->kept_best);
    EXPECT_EQ(result->adapter_hash, *sha256_file(given.adapter / "best_adapters.safetensors"));
}

TEST_F(RealTrainTest, APromptThatFillsTheLengthIsNamedWhenTheLossIsNoNumber) {
    auto rows = read_text(path() / "data/train.jsonl").value();
    std::string words;
    for (int i = 0; i < 800; ++i) words += "word ";
    rows += fmt::format(
        R"({{"messages":[{{"role":"user","content":"{}"}},{{"role":"assistant","content":"yes"}}]}})"
        "\n",
        words
    );
    test::write_file(path() / "data/train.jsonl", rows);
    auto given = options("nan", 60);
    given.settings["batch_size"] = 1;
    given.settings["mask_prompt"] = true;
    given.settings["grad_accumulation_steps"] = 1;
    const auto result = train_model(given, {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    ASSERT_TRUE(result->stop);
    EXPECT_EQ(result->stop->reason, "not_a_number");
    EXPECT_THAT(result->stop->rows, testing::ElementsAre(23));
    ASSERT_TRUE(result->facts);
    EXPECT_EQ(result->facts->rows_untrained, 1);
    EXPECT_EQ(result->facts->rows_cut, 1);
}

TEST_F(RealTrainTest, TrainsFusesAndQuantises) {
    auto given = options("adapter", 20);
    given.settings["learning_rate"] = 1e-2;
    const auto trained = train_model(given, {}, {});
    ASSERT_TRUE(trained) << trained.error().describe();
    const auto fused = fuse_model(
        {.model = model_, .adapter = path() / "adapter", .out = path() / "fused", .mlx_lm = mlx_lm_
        },
        {},
        {}
    );
    ASSERT_TRUE(fused) << fused.error().describe();
    ASSERT_TRUE(fused->check);
    EXPECT_LT(fused->check->adapter_to_fused, 0.01);
    EXPECT_GT(fused->check->adapter_to_base, 0.01);
    std::uint64_t before = 0;
    for (const int bits : {4, 5, 6, 8}) {
        const auto small = quantise_model(
            {.model = (path() / "fused").native(),
             .out = path() / fmt::format("small-{}", bits),
             .bits = bits,
             .group_size = 32,
             .mlx_lm = mlx_lm_},
            {},
            {}
        );
        ASSERT_TRUE(small) << small.error().describe();
        EXPECT_GT(small->bits_per_weight, bits);  // and scales and biases of 32 bits for 32 weights
        EXPECT_LT(small->bits_per_weight, bits + 2.5);
        EXPECT_GT(small->bytes, before);
        EXPECT_LT(small->bytes, small->bytes_before);
        before = small->bytes;
    }
}

TEST_F(RealTrainTest, AnAdapterThatWasLostIsAnError) {
    auto given = options("adapter", 20);
    given.settings["learning_rate"] = 1e-2;
    ASSERT_TRUE(train_model(given, {}, {}));
    // What a fuse that forgets the adapter leaves: the base model itself.
    const auto python = path() / "forgetful";
    test::write_file(
        python / "bin/python",
        fmt::format(
            "#!/bin/sh\n"
            "if [ \"$1\" = -m ]; then\n"
            "  while [ $# -gt 0 ]; do case \"$1\" in --save-path) to=\"$2\" ;; esac; shift; done\n"
            "  mkdir -p \"$to\" && cp '{}'/* \"$to\"; exit 0\n"
            "fi\n"
            "exec '{}/bin/python' \"$@\"\n",
            model_,
            mlx_lm_
        )
    );
    ::chmod((python / "bin/python").c_str(), 0755);
    const auto fused = fuse_model(
        {.model = model_,
         .adapter = path() / "adapter",
         .out = path() / "fused",
         .mlx_lm = python.native()},
        {},
        {}
    );
    ASSERT_FALSE(fused);
    EXPECT_THAT(fused.error().message(), HasSubstr("the adapter was lost"));
    EXPECT_FALSE(fs::exists(path() / "fused"));
}

}  // namespace
}  // namespace punie::training
