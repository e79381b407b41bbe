#include "pipeline/attempt.hpp"

#include <filesystem>
#include <map>

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

Result<void> add_missing_points(
    journal::Journal& journal,
    const std::string& run,
    const std::vector<training::TrainReport>& reports
) {
    auto points = journal.points(run);
    if (!points) return std::unexpected(std::move(points).error());
    std::map<std::int64_t, journal::TrainingPoint> known;
    for (const auto& point : *points) known.emplace(point.iteration, point);
    for (const auto& report : reports) {
        const auto& point = known[report.iteration];
        const bool there =
            report.is_validation ? point.valid_loss.has_value() : point.train_loss.has_value();
        if (there) continue;
        auto missing = point_of(report, std::chrono::steady_clock::now());
        missing.seconds = 0;
        if (auto added = journal.add_point(run, missing); !added) return added;
    }
    return {};
}

}  // namespace punie::pipeline
