#pragma once
// The folder of a training: what is in it, whether a training may begin or go on there, its
// reports.
//
//   adapters.safetensors, adapter_config.json    what mlx_lm loads
//   best_adapters, last_adapters .safetensors    the lowest validation loss; the last iteration
//   0000100_adapters.safetensors ...             checkpoints, by iteration
//   0000100_state.safetensors, punie_state.json  what a resumption needs beside the newest of them
//   punie_training.json                          what the trainer was told
//   punie_reports.jsonl                          each report, as it came
//   punie.json                                   the record, when the training has ended

#include <punie/error.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "training/training_log.hpp"

namespace punie::training {

inline constexpr std::string_view reports_name = "punie_reports.jsonl";
inline constexpr std::string_view record_name = "punie.json";

/// How a training begins in a folder.
enum class Begin { fresh, resumed };

/// Decides, and removes what an overwritten or never checkpointed training left there (files of the
/// names above, no others). Errors: state (an adapter is there already: how far it is and what to
/// say; one that Punie did not train cannot be resumed), io.
Result<Begin> make_room(const std::filesystem::path& folder, bool resume, bool overwrite);

/// Appends reports; each is on the disk when `add` returns.
class ReportFile {
public:
    /// Keeps the reports up to the checkpoint of iteration `keep_until`, as the trainer's state has
    /// them, else as the file that is there has them; gives them back in `earlier`. Errors: io,
    /// disk_full.
    static Result<ReportFile> open(const std::filesystem::path& folder, int keep_until);
    ReportFile(ReportFile&& other) noexcept;
    ReportFile& operator=(ReportFile&&) = delete;
    ReportFile(const ReportFile&) = delete;
    ReportFile& operator=(const ReportFile&) = delete;
    ~ReportFile();

    Result<void> add(const TrainReport& report);

    const std::vector<TrainReport>& earlier() const { return earlier_; }

private:
    ReportFile(int descriptor, std::vector<TrainReport> earlier)
        : descriptor_(descriptor), earlier_(std::move(earlier)) {}

    int descriptor_;
    std::vector<TrainReport> earlier_;
};

/// Nothing when the line is none of ours.
std::optional<TrainReport> report_from(std::string_view line);

}  // namespace punie::training
