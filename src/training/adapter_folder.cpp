#include "training/adapter_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <utility>

#include "base/files.hpp"
#include "base/text.hpp"
#include "training/train.hpp"

namespace punie::training {

namespace fs = std::filesystem;

namespace {

constexpr std::array names = {
    std::string_view("adapters.safetensors"),
    std::string_view("best_adapters.safetensors"),
    std::string_view("last_adapters.safetensors"),
    std::string_view("adapter_config.json"),
    std::string_view("punie_state.json"),
    std::string_view("punie_training.json"),
    reports_name,
    record_name,
};

bool is_ours(const std::string& name) {
    if (std::ranges::find(names, name) != names.end()) return true;
    if (name.ends_with(".tmp")) return is_ours(name.substr(0, name.size() - 4));
    const std::string_view writing = "writing_";
    if (name.starts_with(writing)) return is_ours(name.substr(writing.size()));
    const auto rest = name.find_first_not_of("0123456789");
    return rest != std::string::npos && rest >= 7 &&
           (name.substr(rest) == "_adapters.safetensors" ||
            name.substr(rest) == "_state.safetensors");
}

std::vector<fs::path> ours_in(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator();
         at.increment(error)) {
        if (is_ours(at->path().filename().string())) found.push_back(at->path());
    }
    return found;
}

Result<void> remove_all(const std::vector<fs::path>& files) {
    for (const auto& file : files) {
        std::error_code error;
        fs::remove(file, error);
        if (error)
            return std::unexpected(
                errno_error(error.value(), fmt::format("cannot remove {}", file.native()))
            );
    }
    return {};
}

std::unexpected<Error> taken(const fs::path& folder) {
    const auto at = resumable(folder);
    return fail(
        ErrorCode::state,
        fmt::format("{} has an adapter already", folder.native()),
        at ? fmt::format("--resume goes on from iteration {}, --overwrite starts anew", *at)
           : "name another folder, or --overwrite it"
    );
}

/// What the trainer had reported when it wrote its newest checkpoint; nothing of a trainer that
/// does not keep it.
std::optional<std::vector<TrainReport>> reports_of_checkpoint(const fs::path& folder) {
    const auto text = read_text(folder / "punie_state.json");
    if (!text) return std::nullopt;
    const auto state = parse_json(*text);
    if (!state) return std::nullopt;
    const auto* events = member(*state, "reports");
    if (events == nullptr || !events->is_array()) return std::nullopt;
    TrainingLog log;
    for (const auto& event : events->as_array()) log.take(to_text(event));
    return log.reports();
}

/// A punie that was killed may have missed the last reports before the checkpoint: the trainer goes
/// on until it is ended.
std::vector<TrainReport> reports_until(const fs::path& folder, int iteration) {
    if (auto kept = reports_of_checkpoint(folder)) return *std::move(kept);
    std::vector<TrainReport> reports;
    for (const auto& line : split_lines(read_text(folder / reports_name).value_or(""))) {
        const auto report = report_from(line);
        if (!report || report->iteration > iteration) continue;
        // The validation after the checkpoint's iteration is made again.
        if (report->iteration == iteration && !report->train_loss) continue;
        reports.push_back(*report);
    }
    return reports;
}

bool has(const std::vector<fs::path>& files, std::string_view name) {
    return std::ranges::any_of(files, [name](const auto& file) { return file.filename() == name; });
}

json::value number(double value) {
    return std::isfinite(value) ? json::value(value) : json::value(nullptr);
}

}  // namespace

Result<Begin> make_room(const fs::path& folder, bool resume, bool overwrite) {
    std::error_code error;
    if (fs::exists(folder, error) && !fs::is_directory(folder, error)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is a file; the adapter needs a folder", folder.native())
        );
    }
    const auto ours = ours_in(folder);
    if (ours.empty()) return Begin::fresh;
    if (resume && resumable(folder)) return Begin::resumed;
    // Begun by Punie and killed before the first checkpoint: from the start is where it was.
    const bool only_begun = resume && has(ours, "punie_training.json");
    if (resume && !only_begun) {
        return fail(
            ErrorCode::state,
            fmt::format(
                "{} cannot be resumed: it has no checkpoint of Punie's; mlx_lm's own ones hold the "
                "weights only",
                folder.native()
            ),
            "--overwrite starts anew in that folder"
        );
    }
    if (!overwrite && !only_begun) return taken(folder);
    if (auto removed = remove_all(ours); !removed)
        return std::unexpected(std::move(removed).error());
    return Begin::fresh;
}

std::optional<int> resumable(const fs::path& adapter) {
    const auto text = read_text(adapter / "punie_state.json");
    if (!text) return std::nullopt;
    const auto state = parse_json(*text);
    if (!state) return std::nullopt;
    const auto iteration = integer_member(*state, "iteration");
    if (!iteration || *iteration < 1 || *iteration > 2'000'000'000) return std::nullopt;
    return static_cast<int>(*iteration);
}

Result<ReportFile> ReportFile::open(const fs::path& folder, int keep_until) {
    const auto file = folder / reports_name;
    std::vector<TrainReport> earlier;
    std::string kept;
    if (keep_until > 0) earlier = reports_until(folder, keep_until);
    for (const auto& report : earlier) kept.append(to_text(to_json(report))).append("\n");
    if (auto written = write_atomic(file, kept); !written)
        return std::unexpected(std::move(written).error());
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor < 0)
        return std::unexpected(errno_error(errno, fmt::format("cannot open {}", file.native())));
    return ReportFile(descriptor, std::move(earlier));
}

ReportFile::ReportFile(ReportFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), earlier_(std::move(other.earlier_)) {}

ReportFile::~ReportFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

// NOLINTNEXTLINE(readability-make-member-function-const): it changes the file
Result<void> ReportFile::add(const TrainReport& report) {
    const auto line = to_text(to_json(report)) + "\n";
    const auto written = ::write(descriptor_, line.data(), line.size());
    if (written < 0 || static_cast<std::size_t>(written) < line.size()) {
        return std::unexpected(errno_error(
            written < 0 ? errno : ENOSPC, fmt::format("cannot write to {}", reports_name)
        ));
    }
    ::fsync(descriptor_);
    return {};
}

json::object to_json(const TrainReport& report) {
    json::object object{{"iteration", report.iteration}};
    if (report.is_validation) {
        object["valid_loss"] =
            report.valid_loss ? number(*report.valid_loss) : json::value(nullptr);
        object["best"] = report.best;
        object["seconds"] = number(report.seconds_per_iter);
        return object;
    }
    object["train_loss"] = report.train_loss ? number(*report.train_loss) : json::value(nullptr);
    object["seconds"] = number(report.seconds_per_iter);
    object["learning_rate"] = number(report.learning_rate);
    object["tokens_per_second"] = number(report.tokens_per_second);
    object["trained_tokens"] = number(report.trained_tokens);
    object["peak_memory_gb"] = number(report.peak_memory_gb);
    return object;
}

std::optional<TrainReport> report_from(std::string_view line) {
    const auto value = parse_json(line);
    if (!value) return std::nullopt;
    const auto iteration = integer_member(*value, "iteration");
    if (!iteration || *iteration < 0 || *iteration > 2'000'000'000) return std::nullopt;
    const auto figure = [&value](std::string_view name) {
        return number_member(*value, name).value_or(0);
    };
    TrainReport report{
        .iteration = static_cast<int>(*iteration),
        .train_loss = number_member(*value, "train_loss"),
        .valid_loss = number_member(*value, "valid_loss"),
        .best = bool_member(*value, "best").value_or(false),
        .not_a_number = false,
        .is_validation = member(*value, "valid_loss") != nullptr,
        .seconds_per_iter = figure("seconds"),
        .learning_rate = figure("learning_rate"),
        .tokens_per_second = figure("tokens_per_second"),
        .trained_tokens = figure("trained_tokens"),
        .peak_memory_gb = figure("peak_memory_gb"),
    };
    report.not_a_number = !report.train_loss && !report.valid_loss;
    return report;
}

}  // namespace punie::training
