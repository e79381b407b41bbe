#include "training/trainer_exit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace punie::training {
namespace {

using testing::HasSubstr;

struct EndRow {
    const char* name;
    std::optional<int> code;
    std::optional<int> signal;
    std::string line;      ///< the last one printed
    std::string reported;  ///< by the error event
    ErrorCode expected;
    const char* words;
};

class TrainerExitTest : public testing::TestWithParam<EndRow> {};

TEST_P(TrainerExitTest, IsExplained) {
    const auto& row = GetParam();
    const auto error = explain_trainer_exit({
        .status = {.code = row.code, .signal = row.signal},
        .log_lines = {"Loading pretrained model", row.line},
        .reported_error = row.reported,
        .model_path = "models/tiny",
        .iterations = 0,
    });
    EXPECT_EQ(error.code(), row.expected);
    EXPECT_THAT(error.message(), HasSubstr("models/tiny"));
    EXPECT_THAT(error.message(), HasSubstr(row.words));
    EXPECT_THAT(error.log_tail(), testing::ElementsAre("Loading pretrained model", row.line));
    EXPECT_FALSE(error.exit_status().empty());
    if (row.expected != ErrorCode::exited) EXPECT_FALSE(error.hint().empty());
}

// The texts are what Python, MLX and mlx_lm really print.
INSTANTIATE_TEST_SUITE_P(
    Table,
    TrainerExitTest,
    testing::Values(
        EndRow{"killed", {}, SIGKILL, "Training", "", ErrorCode::out_of_memory, "memory ran out"},
        EndRow{
            "crashed",
            {},
            SIGSEGV,
            "Training",
            "",
            ErrorCode::exited,
            "crashed inside a compiled module"
        },
        EndRow{
            "bad_alloc",
            {},
            SIGABRT,
            "terminate called after throwing an instance of 'std::bad_alloc'",
            "",
            ErrorCode::out_of_memory,
            "allocation failed"
        },
        EndRow{"memory_error", 1, {}, "MemoryError", "", ErrorCode::out_of_memory, "out of memory"},
        EndRow{
            "mlx_alloc",
            1,
            {},
            "RuntimeError: [malloc] Unable to allocate 123 bytes.",
            "",
            ErrorCode::out_of_memory,
            "could not allocate"
        },
        EndRow{
            "metal",
            1,
            {},
            "[METAL] Command buffer execution failed: Insufficient Memory "
            "(00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)",
            "",
            ErrorCode::out_of_memory,
            "GPU ran out"
        },
        EndRow{
            "reported_only",
            1,
            {},
            "something else",
            "MemoryError: ",
            ErrorCode::out_of_memory,
            "out of memory"
        },
        EndRow{
            "disk",
            1,
            {},
            "OSError: [Errno 28] No space left on device",
            "",
            ErrorCode::disk_full,
            "disk is full"
        },
        EndRow{
            "module",
            1,
            {},
            "ModuleNotFoundError: No module named 'mlx'",
            "",
            ErrorCode::program_missing,
            "module is missing"
        },
        EndRow{
            "flag",
            2,
            {},
            "mlx_lm.lora: error: unrecognized arguments: --mask-prompt",
            "",
            ErrorCode::unsupported,
            "does not know an option"
        },
        EndRow{
            "hub",
            1,
            {},
            "Repository Not Found for url: https://huggingface.co/api/models/x/y",
            "",
            ErrorCode::not_found,
            "neither a folder nor on the hub"
        },
        EndRow{
            "model",
            1,
            {},
            "ValueError: Model type xyz not supported.",
            "",
            ErrorCode::model_invalid,
            "cannot load this kind"
        },
        EndRow{
            "layers",
            1,
            {},
            "ValueError: Requested to train 40 layers but the model only has 2 layers.",
            "",
            ErrorCode::invalid_argument,
            "fewer layers"
        },
        EndRow{
            "rows",
            1,
            {},
            "ValueError: Dataset must have at least batch_size=4 examples but only has 2.",
            "",
            ErrorCode::invalid_argument,
            "fewer rows"
        },
        EndRow{
            "json",
            1,
            {},
            "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
            "",
            ErrorCode::invalid_argument,
            "not valid JSON"
        },
        EndRow{"unknown", 3, {}, "something else", "", ErrorCode::exited, "exit code 3"},
        EndRow{
            "unknown_reported",
            1,
            {},
            "something else",
            "KeyError: 'content'",
            ErrorCode::exited,
            "KeyError: 'content'"
        }
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(TrainerExit, SaysHowFarItCame) {
    const auto message = [](int iterations) {
        return explain_trainer_exit({.status = {.code = 1, .signal = {}},
                                     .log_lines = {},
                                     .reported_error = "",
                                     .model_path = "m",
                                     .iterations = iterations})
            .message();
    };
    EXPECT_THAT(message(0), HasSubstr("before its first iteration"));
    EXPECT_THAT(message(1), HasSubstr("after 1 iteration"));
    EXPECT_THAT(message(7), HasSubstr("after 7 iterations"));
}

TEST(TrainerExit, TheLastWordsCount) {
    const auto error = explain_trainer_exit({
        .status = {.code = 1, .signal = {}},
        .log_lines =
            {"warning: ImportError while looking for an optional module",
             "OSError: [Errno 28] No space left on device"},
        .reported_error = "",
        .model_path = "m",
        .iterations = 0,
    });
    EXPECT_EQ(error.code(), ErrorCode::disk_full);
}

}  // namespace
}  // namespace punie::training
