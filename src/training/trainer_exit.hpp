#pragma once
// Why a trainer ended, in plain words. Pure.

#include <punie/error.hpp>

#include <string>
#include <vector>

#include "process/child.hpp"

namespace punie::training {

struct TrainerEnd {
    process::ExitStatus status;
    std::vector<std::string> log_lines;  ///< the last ones, oldest first
    std::string reported_error;          ///< from its error event: "ValueError: ..."; may be empty
    std::string model_path;
    int iterations = 0;  ///< done before the end
};

/// Errors: out_of_memory (said so, or killed by a SIGKILL that was not ours), disk_full,
/// program_missing (a missing Python module), not_found, model_invalid, invalid_argument (data),
/// unsupported (unknown option), else exited. The log lines and the exit status are always in it.
Error explain_trainer_exit(TrainerEnd end);

}  // namespace punie::training
