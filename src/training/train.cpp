#include "training/train.hpp"

#include <fmt/format.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "backend/chat_template.hpp"
#include "backend/mlx_installation.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "process/system.hpp"
#include "training/benchmark.hpp"
#include "training/feasibility.hpp"
#include "training/train_settings.hpp"
#include "training/trainer_exit.hpp"

namespace punie::training {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto stop_grace = std::chrono::minutes(10);  // an iteration and its checkpoint
constexpr int unsupported_exit = 64;                   // of train_launcher.py
constexpr std::size_t shown_lines = 20;
constexpr auto heartbeat = std::chrono::seconds(1);

/// What must not change between a training and its resumption.
json::object identity_of(const TrainOptions& options, const json::object& settings) {
    json::object identity;
    for (const auto& [name, value] : settings) {
        const bool free = name == "iters" || name == "save_every";
        // A schedule is spread over the iterations.
        if (free && !(name == "iters" && settings.contains("lr_schedule"))) continue;
        identity[name] = to_text(value);
    }
    for (const auto* file : {"train.jsonl", "valid.jsonl"}) {
        const auto hash = sha256_file(options.data / file);
        identity[file] = hash ? hash->substr(0, 16) : "missing";
    }
    const auto config = sha256_file(fs::path(options.model) / "config.json");
    identity["model"] = config ? config->substr(0, 16) : options.model;
    return identity;
}

Result<void> make_room(const TrainOptions& options) {
    std::error_code error;
    if (!fs::exists(options.adapter, error) || fs::is_empty(options.adapter, error)) return {};
    if (options.resume) return {};
    if (!options.overwrite) {
        const auto at = resumable(options.adapter);
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is there already", options.adapter.string()),
            at ? fmt::format("--resume goes on from iteration {}, --overwrite starts anew", *at)
               : "name another folder, or --overwrite it"
        );
    }
    // Only what looks like an adapter is removed.
    if (!fs::exists(options.adapter / "adapter_config.json", error) &&
        !resumable(options.adapter)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} is no adapter (it has no adapter_config.json) and is not overwritten",
                options.adapter.string()
            ),
            "name another folder"
        );
    }
    fs::remove_all(options.adapter, error);
    if (error)
        return std::unexpected(errno_error(error.value(), "remove " + options.adapter.string()));
    return {};
}

class Training {
public:
    Training(const TrainOptions& options, const TrainCalls& calls)
        : options_(options), calls_(calls) {}

    Task<Result<TrainResult>> perform() {
        co_await asio::this_coro::throw_if_cancelled(false);
        if (auto ready = co_await prepare_all(); !ready)
            co_return std::unexpected(std::move(ready).error());
        auto child = co_await process::ManagedChild::spawn(spawn_options());
        if (!child) co_return std::unexpected(std::move(child).error());
        co_await watch(&*child);
        co_return outcome(*child);
    }

private:
    Task<Result<void>> prepare_all() {
        tell("preparing");
        auto settings = complete_train_settings(options_.settings);
        if (!settings) co_return std::unexpected(std::move(settings).error());
        settings_ = *std::move(settings);
        if (auto room = make_room(options_); !room) co_return room;
        auto mlx = co_await backend::find_mlx(options_.mlx_lm);
        if (!mlx) co_return std::unexpected(std::move(mlx).error());
        result_.mlx_lm_version = mlx->mlx_lm_version;
        python_ = mlx->python;
        if (auto fits = check(*std::move(mlx)); !fits) co_return fits;
        co_return write_config();
    }

    /// Model, data and memory, as the benchmark looks at them.
    Result<void> check(backend::MlxInstallation mlx) {
        auto plan = as_benchmark_options(settings_);
        plan.model_path = options_.model;
        plan.data = options_.data;
        const auto working_set = mlx.recommended_working_set;
        auto prepared = prepare(std::move(plan), std::move(mlx));
        if (!prepared) return std::unexpected(std::move(prepared).error());
        for (const auto& text : prepared->notes) note(text);
        if (prepared->model) {  // mlx_lm refuses more layers than there are
            const auto layers = prepared->settings.layers;
            if (settings_.at("num_layers").to_number<double>() > layers)
                settings_["num_layers"] = layers;
        }
        if (!prepared->estimate) return {};
        result_.estimated_peak_gb = prepared->estimate->peak / 1e9;
        if (options_.force) return {};
        return check_memory(
            *prepared->estimate,
            prepared->settings,
            memory_limit(process::machine_memory(), working_set)
        );
    }

    Result<void> write_config() {
        std::error_code error;
        fs::create_directories(options_.adapter, error);
        if (error)
            return std::unexpected(errno_error(error.value(), "make " + options_.adapter.string()));
        auto launcher = backend::python_asset("train_launcher.py");
        if (!launcher) return std::unexpected(std::move(launcher).error());
        launcher_ = *launcher;
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
                 {"resume", options_.resume},
                 {"keeps_previous", settings_.at("fine_tune_type") != "full"},
                 {"identity", identity_of(options_, settings_)}
             }}
        };
        config_ = options_.adapter / "punie_training.json";
        return write_atomic(config_, to_text(config));
    }

    process::SpawnOptions spawn_options() const {
        process::SpawnOptions spawn;
        spawn.argv = {python_.string(), launcher_.string(), config_.string()};
        spawn.environment["PYTHONUNBUFFERED"] = "1";
        spawn.drop_environment = {"PYTHONSTARTUP", "PYTHONINSPECT"};
        spawn.events = true;
        return spawn;
    }

    /// Reads events until the pipe ends. A cancellation asks the trainer to stop, and its last
    /// checkpoint is waited for.
    Task<void> watch(process::ManagedChild* child) {
        const auto executor = co_await asio::this_coro::executor;
        asio::steady_timer pulse(executor);
        beat(pulse);
        while (true) {
            std::optional<std::string> line;
            try {
                line = co_await child->next_event();
            } catch (const boost::system::system_error&) {  // cancelled: below
            }
            const auto state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none && !interrupted_) {
                interrupted_ = true;
                co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
                tell("stopping after this iteration");
                child->terminate();
                continue;
            }
            if (!line) break;
            take(*line);
        }
        pulse.cancel();
        if (interrupted_)
            co_await child->stop(std::chrono::duration_cast<Milliseconds>(stop_grace));
        co_await child->wait_gone();
    }

    /// Progress once a second, whatever the trainer says.
    void beat(asio::steady_timer& pulse) {
        pulse.expires_after(heartbeat);
        pulse.async_wait([this, &pulse](const boost::system::error_code& error) {
            if (error) return;
            tell(interrupted_ ? "stopping after this iteration" : log_.phase());
            beat(pulse);
        });
    }

    void take(const std::string& line) {
        switch (log_.take(line)) {
            case TrainingLog::Taken::report:
                take_report(log_.reports().back());
                break;
            case TrainingLog::Taken::facts:
                if (calls_.on_facts) calls_.on_facts(*log_.facts());
                break;
            default:
                break;
        }
        tell(interrupted_ ? "stopping after this iteration" : log_.phase());
    }

    void take_report(const TrainReport& report) {
        if (report.train_loss) last_ = report;
        if (report.train_loss && !first_report_)
            first_report_ = std::pair(report.iteration, Clock::now());
        if (report.valid_loss) valid_loss_ = report.valid_loss;
        if (report.best) {
            result_.best_valid_loss = report.valid_loss;
            result_.best_iteration = report.iteration;
        }
        if (calls_.on_report) calls_.on_report(report);
    }

    void tell(std::string_view phase) const {
        if (!calls_.on_progress) return;
        TrainProgress progress{
            .phase = std::string(phase),
            .iteration = last_ ? last_->iteration : log_.resumed_from(),
            .elapsed_seconds = std::chrono::duration<double>(Clock::now() - began_).count(),
            .last = last_,
            .valid_loss = valid_loss_
        };
        if (const auto* iters = settings_.if_contains("iters"))
            progress.iterations = static_cast<int>(iters->to_number<double>());
        if (first_report_ && last_ && last_->iteration > first_report_->first) {
            const auto time =
                std::chrono::duration<double>(Clock::now() - first_report_->second).count();
            progress.seconds_left = time / (last_->iteration - first_report_->first) *
                                    (progress.iterations - last_->iteration);
        }
        calls_.on_progress(progress);
    }

    void note(const std::string& text) {
        result_.notes.push_back(text);
        if (calls_.on_note) calls_.on_note(text);
    }

    Result<TrainResult> outcome(const process::ManagedChild& child) {
        const auto status = child.exit_status().value_or(process::ExitStatus{});
        if (log_.stop() && log_.stop()->reason == "interrupted") return interrupted();
        if (interrupted_) return interrupted();
        if (status.code == unsupported_exit)
            return fail(
                ErrorCode::unsupported,
                log_.error(),
                "pip install mlx-lm==0.32.2 in its environment"
            );
        if (log_.error_type() == "Refused")
            return fail(
                ErrorCode::invalid_argument, log_.error(), "--overwrite starts anew in that folder"
            );
        if (!status.success() || !log_.ended()) return died(status, child);
        fill();
        if (auto written = write_record(); !written)
            return std::unexpected(std::move(written).error());
        return std::move(result_);
    }

    Result<TrainResult> interrupted() const {
        const auto at = resumable(options_.adapter);
        return fail(
            ErrorCode::cancelled,
            at ? fmt::format("the training was stopped; iteration {} is saved", *at)
               : "the training was stopped before its first checkpoint"
        );
    }

    Result<TrainResult> died(const process::ExitStatus& status, const process::ManagedChild& child)
        const {
        auto error = explain_trainer_exit({
            .status = status,
            .log_lines = child.output().last_lines(shown_lines),
            .reported_error =
                log_.error().empty() ? "" : fmt::format("{}: {}", log_.error_type(), log_.error()),
            .model_path = options_.model,
            .iterations = last_ ? last_->iteration : 0,
        });
        if (const auto at = resumable(options_.adapter); at && error.hint().empty())
            error = std::move(error).with_hint(
                fmt::format("iteration {} is saved: --resume goes on from there", *at)
            );
        return std::unexpected(std::move(error));
    }

    void fill() {
        result_.reports = log_.reports();
        result_.resumed_from = log_.resumed_from();
        result_.stop = log_.stop();
        result_.facts = log_.facts();
        result_.iterations = log_.stop() ? log_.stop()->iteration : log_.checkpoint();
        result_.kept_iteration = log_.kept().value_or(result_.iterations);
        if (last_) result_.final_train_loss = last_->train_loss;
        for (const auto& report : result_.reports)
            result_.peak_memory_gb = std::max(result_.peak_memory_gb, report.peak_memory_gb);
        result_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
        result_.adapter = options_.adapter;
        add_notes();
    }

    void add_notes() {
        if (log_.bad_lines() > 0)
            note(fmt::format("{} event lines were unreadable", log_.bad_lines()));
        if (!result_.best_valid_loss && log_.resumed_from() == 0)
            note("no validation loss: the last iteration is kept, not the best");
        if (options_.keep_best && result_.best_iteration == 0 && result_.complete())
            note("no iteration had a lower validation loss than the model before training");
    }

    /// Beside the adapter: what it was made of, for those who find it later.
    Result<void> write_record() const {
        auto rendered = backend::template_hash(options_.model, {});
        const json::object record{
            {"made_by", "punie train"},
            {"model", options_.model},
            {"data", options_.data.string()},
            {"settings", settings_},
            {"hashes",
             json::object{
                 {"template", rendered ? *rendered : ""},
                 {"identity", sha256_hex(to_text(identity_of(options_, settings_)))}
             }},
            {"mlx_lm", result_.mlx_lm_version},
            {"result", to_json(result_)}
        };
        return write_atomic(options_.adapter / "punie.json", to_text(record) + "\n");
    }

    const TrainOptions& options_;
    const TrainCalls& calls_;
    json::object settings_;
    fs::path python_;
    fs::path launcher_;
    fs::path config_;
    TrainingLog log_;
    TrainResult result_;
    std::optional<TrainReport> last_;
    std::optional<double> valid_loss_;
    std::optional<std::pair<int, Clock::time_point>> first_report_;
    Clock::time_point began_ = Clock::now();
    bool interrupted_ = false;
};

}  // namespace

std::optional<int> resumable(const fs::path& adapter) {
    const auto text = read_text(adapter / "punie_state.json");
    if (!text) return std::nullopt;
    const auto state = parse_json(*text);
    if (!state) return std::nullopt;
    const auto iteration = integer_member(*state, "iteration");
    if (!iteration || *iteration < 1 || *iteration > 2'000'000'000) return std::nullopt;
    return static_cast<int>(*iteration);
}

Result<TrainResult> train_model(
    const TrainOptions& options, const TrainCalls& calls, std::stop_token stop
) {
    if (stop.stop_requested())
        return fail(ErrorCode::cancelled, "the training was stopped before it began");
    asio::io_context context(1);
    asio::cancellation_signal cancel;
    std::optional<Result<TrainResult>> result;
    Training training(options, calls);
    asio::co_spawn(
        context,
        training.perform(),
        asio::bind_cancellation_slot(
            cancel.slot(),
            [&result](const std::exception_ptr& thrown, Result<TrainResult> value) {
                if (thrown) {
                    result.emplace(fail(ErrorCode::cancelled, "the training was stopped"));
                } else {
                    result.emplace(std::move(value));
                }
            }
        )
    );
    const std::stop_callback on_stop(std::move(stop), [&] {
        asio::post(context, [&cancel] { cancel.emit(asio::cancellation_type::terminal); });
    });
    context.run();
    return *std::move(result);
}

json::object to_json(const TrainResult& result) {
    json::object object{
        {"iterations", result.iterations},
        {"kept_iteration", result.kept_iteration},
        {"peak_memory_gb", result.peak_memory_gb},
        {"estimated_peak_gb", result.estimated_peak_gb},
        {"seconds", result.seconds},
        {"mlx_lm", result.mlx_lm_version}
    };
    if (result.resumed_from > 0) object["resumed_from"] = result.resumed_from;
    if (result.final_train_loss) object["final_train_loss"] = *result.final_train_loss;
    if (result.best_valid_loss) object["best_valid_loss"] = *result.best_valid_loss;
    if (result.best_iteration) object["best_iteration"] = *result.best_iteration;
    if (result.stop) {
        json::array rows;
        for (const int row : result.stop->rows) rows.emplace_back(row);
        object["stopped"] = json::object{
            {"reason", result.stop->reason},
            {"iteration", result.stop->iteration},
            {"message", result.stop->message},
            {"rows", std::move(rows)}
        };
    }
    if (result.facts) {
        object["data"] = json::object{
            {"rows", result.facts->rows},
            {"rows_left_over", result.facts->rows_left_over},
            {"rows_cut", result.facts->rows_cut},
            {"rows_untrained", result.facts->rows_untrained},
            {"trained_tokens", result.facts->trained_tokens},
            {"padding_share", result.facts->padding_share},
            {"looked_at", result.facts->looked_at}
        };
    }
    json::array notes;
    for (const auto& text : result.notes) notes.emplace_back(text);
    object["notes"] = std::move(notes);
    return object;
}

}  // namespace punie::training
