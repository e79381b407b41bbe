#include "dataset/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <ranges>

#include "base/text.hpp"
#include "dataset/file_check.hpp"
#include "dataset/folder.hpp"
#include "dataset/render_check.hpp"

namespace punie::dataset {

namespace fs = std::filesystem;

namespace {

class Validation {
public:
    Validation(DataFolder folder, const ValidateOptions& options)
        : folder_(std::move(folder)),
          options_(options),
          log_(options.max_findings, options.accepted) {
        for (const auto& file : folder_.files) total_ += file.bytes;
    }

    Result<DataReport> run() {
        const auto start = std::chrono::steady_clock::now();
        if (!folder_.single) judge_folder();
        // Tests first: their few rows are remembered, and the many of training are held against
        // them.
        for (const auto& file : folder_.files | std::views::reverse) {
            if (auto done = check_file(file); !done) return std::unexpected(done.error());
        }
        std::ranges::reverse(report_.splits);
        before_.clear();
        if (auto done = render(); !done) return std::unexpected(done.error());
        for (const auto& split : report_.splits) judge_split(split);
        judge_splits();
        report_.findings = log_.take(folder_.names());
        report_.counts = {log_.counts().begin(), log_.counts().end()};
        report_.accepted = log_.accepted();
        report_.errors = log_.count(Severity::error);
        report_.warnings = log_.count(Severity::warning);
        report_.notes = log_.count(Severity::note);
        report_.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        return std::move(report_);
    }

private:
    void add(std::string_view file, FindingLog::Words words) { log_.add({file}, std::move(words)); }

    std::string no_training_file() const {
        const auto near = nearest("train.jsonl", folder_.others);
        return fmt::format(
            "train.jsonl is not in the folder{}", near ? fmt::format("; was {} meant?", *near) : ""
        );
    }

    void judge_folder() {
        for (const auto& file : folder_.misnamed) {
            const bool there = std::ranges::any_of(folder_.files, [&](const auto& other) {
                return other.name == file.meant;
            });
            // Beside the right file it is probably somebody's source.
            add(file.name,
                {.code = "D103",
                 .message =
                     fmt::format("{} is passed over; mlx_lm reads {}", file.name, file.meant),
                 .severity = there ? Severity::note : Severity::error});
        }
        if (folder_.find("train") == nullptr)
            add("", {.code = "D101", .message = no_training_file()});
        if (folder_.find("train") != nullptr && folder_.find("valid") == nullptr)
            add("", {.code = "D104", .message = "valid.jsonl is not in the folder"});
    }

    Result<void> check_file(const DataFile& file) {
        FileCheck check(file, options_, log_, before_);
        const auto done = check.run([&](std::uint64_t bytes) { progress(bytes); });
        if (!done) return done;
        done_ += file.bytes;
        report_.splits.push_back(check.report());
        before_.push_back(check.take_remembered());
        return {};
    }

    void progress(std::uint64_t bytes) {
        if (!options_.on_progress) return;
        constexpr std::chrono::milliseconds pause{100};
        const auto now = std::chrono::steady_clock::now();
        if (now - told_ < pause) return;
        told_ = now;
        options_.on_progress(done_ + bytes, total_);
    }

    Result<void> render() {
        if (options_.renderer == nullptr) return {};
        return check_rendered(folder_, options_, log_, report_.splits);
    }

    void judge_split(const SplitReport& split) {
        if (split.rows == 0) {
            // Nothing counted in a file with bytes: it was put aside, and that was said.
            if (split.bytes == 0 || split.bad_rows > 0)
                add(split.file,
                    {.code = "D102", .message = "the file has no row that can be read"});
            return;
        }
        if (split.rows < options_.batch_size) {
            const bool needed = split.split == "train" || split.split == "valid";
            add(split.file,
                {.code = "D105",
                 .message =
                     fmt::format("{} rows, and a batch has {}", split.rows, options_.batch_size),
                 .severity = needed ? Severity::error : Severity::warning});
        } else if (split.rows_left_over > 0 && split.split == "train") {
            add(split.file,
                {.code = "D705",
                 .message = fmt::format(
                     "{} of {} rows are left over after {} batches of {}",
                     split.rows_left_over,
                     split.rows,
                     split.batches,
                     options_.batch_size
                 )});
        }
        constexpr double much = 0.5;
        constexpr std::size_t enough = 32;
        constexpr std::size_t long_rows = 128;  // shorter ones are padded to 33 tokens anyhow
        if (split.split == "train" && split.padding_share > much && split.rows >= enough &&
            split.longest >= long_rows && options_.batch_size > 1)
            add(split.file,
                {.code = "D703",
                 .message = fmt::format(
                     "{:.0f} % of the tokens that the trainer computes are padding",
                     100 * split.padding_share
                 )});
    }

    void judge_splits() {
        const auto* train = report_.train();
        if (train == nullptr) return;
        for (const auto& split : report_.splits) {
            if (split.format.empty() || train->format.empty() || split.format == train->format)
                continue;
            if (split.format == "mixed" || train->format == "mixed") continue;
            add(split.file,
                {.code = "D208",
                 .message = fmt::format(
                     "{} rows, while train.jsonl has {} rows", split.format, train->format
                 )});
        }
        const auto valid = std::ranges::find(report_.splits, "valid", &SplitReport::split);
        if (valid != report_.splits.end() && train->rows > 0 && valid->rows > train->rows)
            add(valid->file,
                {.code = "D109",
                 .message = fmt::format("{} rows, and train.jsonl has {}", valid->rows, train->rows)
                });
    }

    DataFolder folder_;
    const ValidateOptions& options_;
    FindingLog log_;
    DataReport report_;
    std::vector<std::unique_ptr<Remembered>> before_;
    std::uint64_t total_ = 0;
    std::uint64_t done_ = 0;
    std::chrono::steady_clock::time_point told_{};
};

}  // namespace

const SplitReport* DataReport::train() const {
    const auto found = std::ranges::find(splits, "train", &SplitReport::split);
    return found == splits.end() ? nullptr : &*found;
}

Result<DataReport> validate_data(const fs::path& place, const ValidateOptions& options) {
    auto folder = look_at_folder(place);
    if (!folder) return std::unexpected(std::move(folder).error());
    return Validation(*std::move(folder), options).run();
}

}  // namespace punie::dataset
