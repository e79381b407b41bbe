#include "pipeline/attempt.hpp"

#include <filesystem>

#include "journal/environment.hpp"

namespace punie::pipeline {

void begin_attempt(journal::Run& run, const std::string& command) {
    run.state = journal::RunState::running;
    run.finished = 0;
    run.error.clear();
    run.command = command;
    std::error_code gone;  // the working folder may have been removed: then it stays empty
    run.folder = std::filesystem::current_path(gone).string();
    run.punie_version = PUNIE_VERSION;
    run.environment_json = journal::environment_json();
}

void end_with(journal::Run& run, const Error& error) {
    run.state = error.code() == ErrorCode::cancelled ? journal::RunState::interrupted
                                                     : journal::RunState::failed;
    run.error = error.message();
}

journal::TrainingPoint point_of(
    const training::TrainReport& report, std::chrono::steady_clock::time_point began
) {
    return {
        .iteration = report.iteration,
        .train_loss = report.train_loss,
        .valid_loss = report.valid_loss,
        .tokens_per_second = report.tokens_per_second,
        .peak_memory_gb = report.peak_memory_gb,
        .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count()
    };
}

}  // namespace punie::pipeline
