#include "training/trainer_exit.hpp"

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <string_view>
#include <utility>

namespace punie::training {

namespace {

struct Cause {
    std::string_view words;  ///< in the error or the log
    ErrorCode code;
    std::string_view meaning;
    std::string_view hint;
};

constexpr std::string_view less_memory =
    "take a smaller batch, shorter sequences, fewer layers or a smaller model; `punie bench train` "
    "prints what each needs";
constexpr std::string_view check_rows =
    "each row needs \"messages\", \"prompt\" and \"completion\", or \"text\"; all rows the same "
    "form";

// The first that matches counts: the particular ones before the general ones.
constexpr std::array causes = {
    Cause{
        "No space left on device",
        ErrorCode::disk_full,
        "the disk is full",
        "free some disk space and try again"
    },
    Cause{
        "Disk quota exceeded",
        ErrorCode::disk_full,
        "the disk quota is used up",
        "free some disk space"
    },
    Cause{"MemoryError", ErrorCode::out_of_memory, "Python ran out of memory", less_memory},
    Cause{"std::bad_alloc", ErrorCode::out_of_memory, "an allocation failed", less_memory},
    Cause{"Cannot allocate memory", ErrorCode::out_of_memory, "an allocation failed", less_memory},
    Cause{
        "Unable to allocate", ErrorCode::out_of_memory, "MLX could not allocate memory", less_memory
    },
    Cause{
        "Attempting to allocate",
        ErrorCode::out_of_memory,
        "MLX could not allocate memory",
        less_memory
    },
    Cause{
        "Insufficient Memory", ErrorCode::out_of_memory, "the GPU ran out of memory", less_memory
    },
    Cause{
        "kIOGPUCommandBufferCallbackErrorOutOfMemory",
        ErrorCode::out_of_memory,
        "the GPU ran out of memory",
        less_memory
    },
    Cause{
        "ModuleNotFoundError",
        ErrorCode::program_missing,
        "a Python module is missing",
        "install it into the environment of mlx_lm (`punie doctor` names it)"
    },
    Cause{
        "ImportError",
        ErrorCode::program_missing,
        "a Python module does not load",
        "the environment of mlx_lm looks broken: make it anew (`punie doctor` names it)"
    },
    Cause{
        "unrecognized arguments",
        ErrorCode::unsupported,
        "the installed mlx_lm does not know an option",
        "update it: pip install -U mlx-lm"
    },
    Cause{
        "Repository Not Found",
        ErrorCode::not_found,
        "the model is neither a folder nor on the hub",
        "check the name; for a local model give the path of its folder"
    },
    Cause{
        "RepositoryNotFoundError",
        ErrorCode::not_found,
        "the model is neither a folder nor on the hub",
        "check the name; for a local model give the path of its folder"
    },
    Cause{
        "LocalEntryNotFoundError",
        ErrorCode::not_found,
        "the model is not on this machine and the hub did not answer",
        "check the network, or give the path of a local model folder"
    },
    Cause{
        "No safetensors found",
        ErrorCode::model_invalid,
        "the model folder has no weights for MLX",
        "convert the model: mlx_lm.convert --hf-path MODEL --mlx-path FOLDER"
    },
    Cause{
        "not supported.",
        ErrorCode::model_invalid,
        "mlx_lm cannot load this kind of model",
        "a newer mlx-lm may know it: pip install -U mlx-lm"
    },
    Cause{
        "Requested to train",
        ErrorCode::invalid_argument,
        "the model has fewer layers than are to be trained",
        "lower --num-layers"
    },
    Cause{
        "Dataset must have at least batch_size",
        ErrorCode::invalid_argument,
        "a file of the data has fewer rows than a batch",
        "lower --batch-size or add rows to train.jsonl and valid.jsonl"
    },
    Cause{
        "JSONDecodeError",
        ErrorCode::invalid_argument,
        "a row of the data is not valid JSON",
        "each line of train.jsonl and valid.jsonl must be one JSON object"
    },
    Cause{
        "Unsupported data format",
        ErrorCode::invalid_argument,
        "the rows have no form that mlx_lm knows",
        check_rows
    },
    Cause{
        "chat_template is not set",
        ErrorCode::model_invalid,
        "the tokenizer has no chat template",
        "take an instruct model, or data with \"text\" rows"
    },
    Cause{
        "Training set not found or empty",
        ErrorCode::invalid_argument,
        "train.jsonl is missing or empty",
        check_rows
    },
};

const Cause* cause_in(std::string_view text) {
    for (const auto& cause : causes) {
        if (text.find(cause.words) != std::string_view::npos) return &cause;
    }
    return nullptr;
}

const Cause* cause_of(const TrainerEnd& end) {
    if (const auto* cause = cause_in(end.reported_error)) return cause;
    // The last lines say why; earlier ones may hold a warning that was survived.
    for (auto line = end.log_lines.rbegin(); line != end.log_lines.rend(); ++line) {
        if (const auto* cause = cause_in(*line)) return cause;
    }
    return nullptr;
}

std::string when(int iterations) {
    if (iterations == 0) return "before its first iteration ended";
    return fmt::format("after {} iteration{}", iterations, iterations == 1 ? "" : "s");
}

Error explained(const TrainerEnd& end) {
    const auto ended = fmt::format(
        "the trainer of {} ended with {} {}",
        end.model_path,
        end.status.describe(),
        when(end.iterations)
    );
    if (const auto* cause = cause_of(end)) {
        const auto said =
            end.reported_error.empty() ? "" : fmt::format(" ({})", end.reported_error);
        return Error(cause->code, fmt::format("{}: {}{}", ended, cause->meaning, said))
            .with_hint(std::string(cause->hint));
    }
    if (end.status.signal == SIGKILL) {
        return Error(
                   ErrorCode::out_of_memory,
                   ended + ": probably the system killed it because memory ran out"
        )
            .with_hint(std::string(less_memory));
    }
    if (end.status.signal == SIGSEGV || end.status.signal == SIGBUS ||
        end.status.signal == SIGILL) {
        return Error(ErrorCode::exited, ended + ": it crashed inside a compiled module")
            .with_hint(
                "reinstall mlx in its environment; if it crashes again, report it to mlx with the "
                "lines above"
            );
    }
    if (!end.reported_error.empty())
        return {ErrorCode::exited, fmt::format("{}: {}", ended, end.reported_error)};
    return {ErrorCode::exited, ended};
}

}  // namespace

Error explain_trainer_exit(TrainerEnd end) {
    auto error = explained(end);
    auto status = end.status.describe();
    return std::move(error).with_log(std::move(end.log_lines)).with_exit_status(std::move(status));
}

}  // namespace punie::training
