#include "training/train_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "dataset/validate.hpp"
#include "process/system.hpp"

namespace punie::training {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t sample_bytes = 64 * 1024;
constexpr std::uint64_t samples = 64;
constexpr std::uint64_t whole_up_to = 4U << 20U;
constexpr double spare = 1.1;
constexpr std::size_t shown_findings = 5;

bool counts(const fs::path& file) {
    const auto name = file.filename().string();
    return name == "config.json" || name.starts_with("tokenizer") ||
           name.starts_with("chat_template") || file.extension() == ".safetensors";
}

void add_samples(Sha256& hash, const fs::path& file) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    hash.add_part(fmt::format("{} {}", file.filename().native(), error ? 0 : size));
    std::ifstream stream(file, std::ios::binary);
    std::string buffer;
    const auto add = [&](std::uint64_t from, std::uint64_t bytes) {
        buffer.resize(bytes);
        stream.seekg(static_cast<std::streamoff>(from));
        stream.read(buffer.data(), static_cast<std::streamsize>(bytes));
        buffer.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
        hash.add_part(buffer);
        stream.clear();
    };
    if (size <= whole_up_to) return add(0, size);
    for (std::uint64_t i = 0; i < samples; ++i)
        add((size - sample_bytes) * i / (samples - 1), sample_bytes);
}

std::size_t whole(const json::object& settings, std::string_view name, std::size_t otherwise) {
    const auto* value = settings.if_contains(name);
    return value != nullptr && value->is_number()
               ? static_cast<std::size_t>(value->to_number<double>())
               : otherwise;
}

Error has_errors(const fs::path& data, const dataset::DataReport& report) {
    auto message = fmt::format(
        "{} has {} error{} that spoil the training:",
        data.native(),
        report.errors,
        report.errors == 1 ? "" : "s"
    );
    std::size_t shown = 0;
    for (const auto& finding : report.findings) {
        if (finding.severity != dataset::Severity::error) continue;
        if (++shown > shown_findings) break;
        message += fmt::format(
            "\n  {}{}: {} ({})",
            finding.file,
            finding.line > 0 ? fmt::format(":{}", finding.line) : "",
            finding.message,
            finding.code
        );
    }
    return Error(ErrorCode::invalid_argument, std::move(message))
        .with_hint(fmt::format(
            "`punie dataset validate {}` shows all of them; --force trains all the same",
            shell_quoted({data.native()})
        ));
}

}  // namespace

std::string model_fingerprint(const std::string& model) {
    std::vector<fs::path> files;
    std::error_code error;
    for (auto at = fs::directory_iterator(model, error); !error && at != fs::directory_iterator();
         at.increment(error)) {
        if (counts(at->path())) files.push_back(at->path());
    }
    if (files.empty()) return model;
    std::ranges::sort(files);
    Sha256 hash;
    for (const auto& file : files) add_samples(hash, file);
    return hash.hex();
}

Result<std::string> data_hash(const fs::path& data) {
    Sha256 hash;
    for (const auto* name : {"train.jsonl", "valid.jsonl"}) {
        const auto one = sha256_file(data / name);
        const bool may_be_missing = std::string_view(name) == "valid.jsonl";
        if (!one && !(may_be_missing && one.error().code() == ErrorCode::not_found))
            return std::unexpected(one.error());
        hash.add_part(one.value_or(""));
    }
    return hash.hex();
}

json::object identity_of(
    const json::object& settings,
    const std::string& model_fingerprint,
    const std::string& data_hash,
    const std::string& versions
) {
    constexpr std::size_t short_digits = 16;
    json::object identity;
    for (const auto& [name, value] : settings) {
        const bool free = name == "iters" || name == "save_every";
        // A schedule is spread over the iterations.
        if (free && !(name == "iters" && settings.contains("lr_schedule"))) continue;
        identity[name] = to_text(value);
    }
    identity["model"] = model_fingerprint.substr(0, short_digits);
    identity["data"] = data_hash.substr(0, short_digits);
    identity["versions"] = versions;
    return identity;
}

std::vector<std::string> changes_since(const fs::path& adapter, const json::object& identity) {
    const auto text = read_text(adapter / "punie_state.json");
    const auto state = text ? parse_json(*text) : Result<json::value>(json::value());
    const auto* before = state ? member(*state, "identity") : nullptr;
    if (before == nullptr || !before->is_object()) return {};
    std::vector<std::string> changes;
    const auto shown = [](const json::value* value) {
        if (value == nullptr) return std::string("not set");
        return value->is_string() ? std::string(value->as_string()) : to_text(*value);
    };
    for (const auto& [name, value] : before->as_object()) {
        const auto* now = identity.if_contains(name);
        if (now != nullptr && *now == value) continue;
        changes.push_back(
            fmt::format("{} was {} and is {}", std::string(name), shown(&value), shown(now))
        );
    }
    for (const auto& [name, value] : identity) {
        if (before->as_object().contains(name)) continue;
        changes.push_back(fmt::format("{} was not set and is {}", std::string(name), shown(&value))
        );
    }
    return changes;
}

Result<std::size_t> check_rows(
    const fs::path& data, const json::object& settings, std::stop_token stop
) {
    dataset::ValidateOptions options;
    options.batch_size = whole(settings, "batch_size", options.batch_size);
    options.max_seq_length = whole(settings, "max_seq_length", options.max_seq_length);
    const auto* mask = settings.if_contains("mask_prompt");
    options.mask_prompt = mask != nullptr && mask->is_bool() && mask->as_bool();
    options.stop = std::move(stop);
    const auto report = dataset::validate_data(data, options);
    if (!report) return std::unexpected(report.error());
    if (!report->usable()) return std::unexpected(has_errors(data, *report));
    return report->warnings;
}

Result<void> check_disk(const fs::path& folder, double bytes, const std::string& for_what) {
    std::error_code error;
    auto at = fs::absolute(folder, error);
    while (!at.empty() && !fs::exists(at, error) && at != at.parent_path()) at = at.parent_path();
    const auto available = process::disk_free(at.native());
    if (!available || static_cast<double>(*available) >= spare * bytes) return {};
    return fail(
        ErrorCode::disk_full,
        fmt::format(
            "{} has {} left; {} needs about {}",
            at.native(),
            human_bytes(*available),
            for_what,
            human_bytes(static_cast<std::uint64_t>(spare * bytes))
        ),
        "make room, name a folder on another disk, or start it all the same with --force"
    );
}

}  // namespace punie::training
