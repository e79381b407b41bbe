#include "pipeline/stage_records.hpp"

#include <fmt/format.h>

namespace punie::pipeline {

std::string_view run_kind(StageKind kind) {
    switch (kind) {
        case StageKind::data:
            return "dataset";
        case StageKind::feasibility:
            return "bench";
        case StageKind::evaluate:
            return "eval";
        default:
            return name_of(kind);
    }
}

Result<StageRecord> find_stage_record(journal::Journal& journal, const StageStatus& status) {
    auto runs = journal.list(
        {.kind = std::string(run_kind(status.stage.kind)), .key = status.key, .limit = 1}
    );
    if (!runs) return std::unexpected(std::move(runs).error());
    if (runs->empty()) return StageRecord{.reason = "never run with these inputs"};
    StageRecord record{.run = runs->front()};
    std::error_code ignored;
    switch (record.run->state) {
        case journal::RunState::running:
            record.reason = record.run->alive ? "another punie runs it" : "it was killed";
            return record;
        case journal::RunState::failed:
            record.reason = "it failed: " + record.run->error;
            return record;
        case journal::RunState::interrupted:
            record.reason = "it was interrupted";
            return record;
        case journal::RunState::done:
            break;
    }
    if (!status.output.empty() && !std::filesystem::exists(status.output, ignored)) {
        record.reason = fmt::format("{} is gone", status.output.string());
        return record;
    }
    record.done = true;
    return record;
}

Result<std::optional<double>> last_seconds(
    journal::Journal& journal, const Experiment& experiment, const Stage& stage
) {
    auto runs = journal.list(
        {.kind = std::string(run_kind(stage.kind)), .state = journal::RunState::done, .limit = 200}
    );
    if (!runs) return std::unexpected(std::move(runs).error());
    const auto name = fmt::format("{}/{}", experiment.name, stage.id);
    for (const auto& run : *runs) {
        if (run.stage == name && run.finished > run.started) return run.finished - run.started;
    }
    return std::nullopt;
}

}  // namespace punie::pipeline
