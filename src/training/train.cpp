#include "training/train.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "backend/chat_template.hpp"
#include "backend/mlx_installation.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/run_here.hpp"
#include "base/text.hpp"
#include "process/system.hpp"
#include "training/adapter_folder.hpp"
#include "training/benchmark.hpp"
#include "training/feasibility.hpp"
#include "training/python_child.hpp"
#include "training/train_checks.hpp"
#include "training/train_settings.hpp"
#include "training/trainer_exit.hpp"

namespace punie::training {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

constexpr int unsupported_exit = 64;  // of train_launcher.py
constexpr double least_grace = 60;    // seconds for loading, an iteration, a checkpoint
constexpr double grace_iterations = 5;

double since(Clock::time_point moment) {
    return std::chrono::duration<double>(Clock::now() - moment).count();
}

double setting(const json::object& settings, std::string_view name) {
    const auto* value = settings.if_contains(name);
    return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

/// Bytes of all that the folder will hold: checkpoints, best, last, and the optimiser's state.
double folder_bytes(const Preparation& prepared, const json::object& settings) {
    if (!prepared.model) return 0;
    constexpr double bytes_a_parameter = 4;
    constexpr double beside_checkpoints = 3;
    constexpr double moments = 2;
    const double checkpoints = setting(settings, "iters") / setting(settings, "save_every");
    return trained_parameters(*prepared.model, prepared.settings) * bytes_a_parameter *
           (checkpoints + beside_checkpoints + 2 * moments);
}

class Training {
public:
    Training(const TrainOptions& options, const TrainCalls& calls, std::stop_token stop)
        : options_(options), calls_(calls), stop_(std::move(stop)) {}

    Task<Result<TrainResult>> perform() {
        if (auto ready = co_await prepare_all(); !ready)
            co_return std::unexpected(std::move(ready).error());
        if (calls_.on_start) calls_.on_start();
        PythonRun run;
        run.spawn.argv = result_.command;
        run.stop_grace = [this] { return grace(); };
        run.on_event = [this](std::string_view line) { take(line); };
        run.on_beat = [this] { tell(log_.phase()); };
        run.on_stopping = [this] {
            stopping_ = true;
            tell({});
        };
        auto end = co_await run_python(std::move(run));
        if (!end) co_return std::unexpected(std::move(end).error());
        co_return outcome(*end);
    }

private:
    Task<Result<void>> prepare_all() {
        tell("checking");
        auto settings = complete_train_settings(options_.settings);
        if (!settings) co_return std::unexpected(std::move(settings).error());
        settings_ = *std::move(settings);
        if (auto there = check_model(options_.model); !there) co_return there;
        if (auto checked = check_data(); !checked) co_return checked;
        auto mlx = co_await backend::find_mlx(options_.mlx_lm);
        if (!mlx) co_return std::unexpected(std::move(mlx).error());
        result_.mlx_lm_version = mlx->mlx_lm_version;
        result_.mlx_version = mlx->mlx_version;
        python_ = mlx->python;
        if (auto fits = check(*std::move(mlx)); !fits) co_return fits;
        if (auto hashed = hash_inputs(); !hashed) co_return hashed;
        if (auto room = check_folder(); !room) co_return room;
        co_return write_config();
    }

    /// A model that is not there needs no mlx_lm to be told so; one of the hub is downloaded later.
    static Result<void> check_model(const std::string& path) {
        const auto model = backend::read_model(path);
        if (model) return {};
        if (model.error().code() == ErrorCode::not_found && backend::is_hub_name(path)) return {};
        return std::unexpected(model.error());
    }

    Result<void> check_data() {
        if (!options_.check_data) return {};
        const auto warnings = check_rows(options_.data, settings_, stop_);
        if (!warnings && !options_.force) return std::unexpected(warnings.error());
        if (!warnings) note(warnings.error().message());
        if (warnings && *warnings > 0)
            note(fmt::format(
                "the data have {} warning{}: `punie dataset validate` shows them",
                *warnings,
                *warnings == 1 ? "" : "s"
            ));
        return {};
    }

    /// Model, data, memory and disk, as the benchmark looks at them.
    Result<void> check(backend::MlxInstallation mlx) {
        auto plan = as_benchmark_options(settings_);
        plan.model_path = options_.model;
        plan.data = options_.data;
        const auto working_set = mlx.recommended_working_set;
        auto prepared = prepare(std::move(plan), std::move(mlx));
        if (!prepared) return std::unexpected(std::move(prepared).error());
        for (const auto& text : prepared->notes) note(text);
        validates_ = prepared->validation_batches > 0;
        if (prepared->model) {  // mlx_lm refuses more layers than there are
            const auto layers = prepared->settings.layers;
            if (setting(settings_, "num_layers") > layers) settings_["num_layers"] = layers;
        }
        if (options_.early_stop > 0 && !validates_) {
            return fail(
                ErrorCode::invalid_argument,
                "early stopping needs a validation loss, and the data have no valid.jsonl",
                "add valid.jsonl (`punie dataset split` makes one), or leave --early-stop out"
            );
        }
        if (!prepared->estimate) return {};
        result_.estimated_peak_gb = prepared->estimate->peak / 1e9;
        if (options_.force) return {};
        if (auto room = check_disk(
                options_.adapter, folder_bytes(*prepared, settings_), "the adapter with checkpoints"
            );
            !room)
            return room;
        return check_memory(
            *prepared->estimate,
            prepared->settings,
            memory_limit(process::machine_memory(), working_set)
        );
    }

    Result<void> hash_inputs() {
        result_.model_fingerprint = model_fingerprint(options_.model);
        auto hashed = data_hash(options_.data);
        if (!hashed) return std::unexpected(std::move(hashed).error());
        result_.data_hash = *std::move(hashed);
        identity_ = identity_of(
            settings_,
            result_.model_fingerprint,
            result_.data_hash,
            fmt::format("mlx_lm {}, mlx {}", result_.mlx_lm_version, result_.mlx_version)
        );
        return {};
    }

    Result<void> check_folder() {
        auto begin = make_room(options_.adapter, options_.resume, options_.overwrite);
        if (!begin) return std::unexpected(std::move(begin).error());
        resumes_ = *begin == Begin::resumed;
        if (!resumes_) {
            if (options_.resume) note("there is no checkpoint yet: it starts at iteration 1");
            return {};
        }
        const auto changes = changes_since(options_.adapter, identity_);
        if (changes.empty()) return {};
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} cannot be resumed, as it would be another training: {}",
                options_.adapter.native(),
                fmt::join(changes, "; ")
            ),
            "take the options and data that it began with, or --overwrite it"
        );
    }

    Result<void> write_config() {
        auto launcher = backend::python_asset("train_launcher.py");
        if (!launcher) return std::unexpected(std::move(launcher).error());
        auto mlx_lm = settings_;
        mlx_lm["model"] = options_.model;
        mlx_lm["data"] = options_.data.string();
        mlx_lm["adapter_path"] = options_.adapter.string();
        const json::object config{
            {"mlx_lm", mlx_lm},
            {"punie",
             json::object{
                 {"keep", options_.keep_best ? "best" : "last"},
                 {"early_stop", options_.early_stop},
                 {"resume", resumes_},
                 {"keeps_previous", settings_.at("fine_tune_type") != "full"},
                 {"identity", identity_}
             }}
        };
        const auto file = options_.adapter / "punie_training.json";
        if (auto written = write_atomic(file, to_text(config)); !written) return written;
        result_.command = {python_.string(), launcher->string(), file.string()};
        result_.settings = settings_;
        auto reports = ReportFile::open(
            options_.adapter, resumes_ ? resumable(options_.adapter).value_or(0) : 0
        );
        if (!reports) return std::unexpected(std::move(reports).error());
        result_.reports = reports->earlier();
        reports_.emplace(*std::move(reports));
        return {};
    }

    Milliseconds grace() const {
        const double iteration = last_ ? last_->seconds_per_iter : 0;
        return Milliseconds(
            static_cast<long long>(1000 * std::max(least_grace, grace_iterations * iteration))
        );
    }

    void take(std::string_view line) {
        switch (log_.take(line)) {
            case TrainingLog::Taken::report:
                take_report(log_.reports().back());
                break;
            case TrainingLog::Taken::facts:
                take_facts();
                break;
            case TrainingLog::Taken::checkpoint:
                if (calls_.on_checkpoint) calls_.on_checkpoint(log_.checkpoint());
                break;
            case TrainingLog::Taken::note:
                note(log_.note());
                break;
            default:
                break;
        }
        tell(log_.phase());
    }

    void take_facts() {
        if (!log_.valid_facts() && calls_.on_facts) calls_.on_facts(*log_.facts());
        if (const auto& facts = log_.valid_facts(); facts && facts->rows_untrained > 0)
            note(fmt::format("{} rows of valid.jsonl have nothing to judge", facts->rows_untrained)
            );
    }

    void take_report(const TrainReport& report) {
        result_.reports.push_back(report);
        if (reports_) {
            auto written = reports_->add(report);
            if (!written) note(written.error().message());
        }
        if (report.train_loss) last_ = report;
        if (report.train_loss && !first_report_)
            first_report_ = std::pair(report.iteration, Clock::now());
        if (report.is_validation) valid_loss_ = report.valid_loss;
        if (report.is_validation && report.not_a_number)
            note(
                fmt::format("the validation loss after iteration {} is no number", report.iteration)
            );
        if (calls_.on_report) calls_.on_report(report);
    }

    void tell(std::string_view phase) const {
        if (!calls_.on_progress) return;
        TrainProgress progress{
            .phase = stopping_ ? "stopping after this iteration" : std::string(phase),
            .iteration = last_ ? last_->iteration : log_.resumed_from(),
            .iterations = static_cast<int>(setting(settings_, "iters")),
            .elapsed_seconds = since(began_),
            .last = last_,
            .valid_loss = valid_loss_,
            .seconds_left = std::nullopt,
        };
        // The time that passed, validations and checkpoints in it, is that of what is to come.
        if (first_report_ && last_ && last_->iteration > first_report_->first) {
            progress.seconds_left = since(first_report_->second) /
                                    (last_->iteration - first_report_->first) *
                                    (progress.iterations - last_->iteration);
        }
        calls_.on_progress(progress);
    }

    void note(const std::string& text) {
        result_.notes.push_back(text);
        if (calls_.on_note) calls_.on_note(text);
    }

    Result<TrainResult> outcome(const PythonEnd& end) {
        const bool asked = log_.stop() && log_.stop()->reason == "interrupted";
        if (asked || end.why == PythonEnd::Why::stopped) return interrupted(end);
        if (end.why == PythonEnd::Why::hung) return hung(end);
        if (end.status.code == unsupported_exit)
            return fail(
                ErrorCode::unsupported,
                log_.error(),
                "pip install mlx-lm==0.32.2 in its environment"
            );
        if (log_.error_type() == "Refused") return fail(ErrorCode::invalid_argument, log_.error());
        if (!end.status.success() || !log_.ended()) return died(end);
        fill(end);
        if (auto written = write_record(); !written)
            return std::unexpected(std::move(written).error());
        return std::move(result_);
    }

    std::string saved() const {
        const auto at = resumable(options_.adapter);
        return at ? fmt::format("iteration {} is saved: --resume goes on from there", *at) : "";
    }

    Result<TrainResult> interrupted(const PythonEnd& end) const {
        const auto at = resumable(options_.adapter);
        return fail(
            ErrorCode::cancelled,
            fmt::format(
                "the training was stopped{}{}",
                end.killed ? " (killed, as it did not end by itself)" : "",
                at ? fmt::format("; iteration {} is saved", *at) : " before its first checkpoint"
            )
        );
    }

    Result<TrainResult> hung(const PythonEnd& end) const {
        return std::unexpected(
            Error(
                ErrorCode::timeout,
                fmt::format(
                    "the trainer of {} hangs: for {} it reported nothing, printed nothing and used "
                    "no processor time, after {} iterations",
                    options_.model,
                    human_duration(PythonRun().silence_limit),
                    last_ ? last_->iteration : 0
                )
            )
                .with_hint(saved())
                .with_log(end.log_lines)
        );
    }

    Result<TrainResult> died(const PythonEnd& end) const {
        auto error = explain_trainer_exit({
            .status = end.status,
            .log_lines = end.log_lines,
            .reported_error =
                log_.error().empty() ? "" : fmt::format("{}: {}", log_.error_type(), log_.error()),
            .model_path = options_.model,
            .iterations = std::max(last_ ? last_->iteration : 0, log_.checkpoint()),
        });
        if (const auto text = saved(); !text.empty()) {
            auto hint = error.hint().empty() ? text : fmt::format("{}; {}", error.hint(), text);
            error = std::move(error).with_hint(std::move(hint));
        }
        return std::unexpected(std::move(error));
    }

    void fill(const PythonEnd& end) {
        result_.resumed_from = log_.resumed_from();
        result_.stop = log_.stop();
        result_.facts = log_.facts();
        result_.valid_facts = log_.valid_facts();
        result_.iterations =
            log_.stop() ? log_.stop()->iteration : std::max(log_.checkpoint(), log_.resumed_from());
        result_.kept_iteration = log_.kept().value_or(0);
        result_.kept_best = log_.kept_which() == "best";
        for (const auto& report : result_.reports) {
            if (report.train_loss) result_.final_train_loss = report.train_loss;
            if (report.valid_loss) result_.final_valid_loss = report.valid_loss;
            if (report.best) {
                result_.best_valid_loss = report.valid_loss;
                result_.best_iteration = report.iteration;
            }
            result_.trained_tokens = std::max(result_.trained_tokens, report.trained_tokens);
            result_.peak_memory_gb = std::max(result_.peak_memory_gb, report.peak_memory_gb);
        }
        result_.seconds = since(began_);
        result_.tree_peak_gb = end.tree_peak_gb;
        result_.adapter = options_.adapter;
        result_.adapter_hash = sha256_file(options_.adapter / "adapters.safetensors").value_or("");
        add_notes();
    }

    void add_notes() {
        if (log_.bad_lines() > 0)
            note(fmt::format("{} event lines were unreadable", log_.bad_lines()));
        if (!validates_ && options_.keep_best)
            note("no validation loss: the last iteration is kept, not the best");
        if (options_.keep_best && result_.best_iteration == 0 && result_.complete())
            note("no iteration had a lower validation loss than the model before training");
        if (const auto& facts = result_.facts; facts && facts->steps_dropped > 0)
            note(fmt::format(
                "the gradients of the last {} iterations were never applied: iters is no multiple "
                "of grad_accumulation_steps",
                facts->steps_dropped
            ));
    }

    /// Beside the adapter: what it was made of, for those who find it later.
    Result<void> write_record() const {
        const auto rendered = backend::template_hash(options_.model, {});
        json::array reports;
        for (const auto& report : result_.reports) reports.emplace_back(to_json(report));
        const json::object record{
            {"schema", "punie.adapter/1"},
            {"made_by", "punie train"},
            {"model", options_.model},
            {"data", options_.data.string()},
            {"settings", settings_},
            {"keep", options_.keep_best ? "best" : "last"},
            {"early_stop", options_.early_stop},
            {"hashes",
             json::object{
                 {"model", result_.model_fingerprint},
                 {"data", result_.data_hash},
                 {"adapter", result_.adapter_hash},
                 {"template", rendered ? *rendered : ""}
             }},
            {"versions",
             json::object{{"mlx_lm", result_.mlx_lm_version}, {"mlx", result_.mlx_version}}},
            {"result", to_json(result_)},
            {"reports", std::move(reports)}
        };
        return write_atomic(options_.adapter / record_name, to_text(record) + "\n");
    }

    const TrainOptions& options_;
    const TrainCalls& calls_;
    std::stop_token stop_;
    json::object settings_;
    json::object identity_;
    fs::path python_;
    bool resumes_ = false;
    bool validates_ = false;
    std::optional<ReportFile> reports_;
    TrainingLog log_;
    TrainResult result_;
    std::optional<TrainReport> last_;
    std::optional<double> valid_loss_;
    std::optional<std::pair<int, Clock::time_point>> first_report_;
    Clock::time_point began_ = Clock::now();
    bool stopping_ = false;
};

}  // namespace

Result<TrainResult> train_model(
    const TrainOptions& options, const TrainCalls& calls, std::stop_token stop
) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the training was stopped");
    Training training(options, calls, stop);
    return run_here(training.perform(), std::move(stop), "the training");
}

}  // namespace punie::training
