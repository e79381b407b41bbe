#include "training/make_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <map>

#include <unistd.h>

#include "backend/mlx_installation.hpp"
#include "backend/model_files.hpp"
#include "base/files.hpp"
#include "base/run_here.hpp"
#include "base/text.hpp"
#include "process/child.hpp"
#include "process/system.hpp"
#include "training/train_checks.hpp"
#include "training/trainer_exit.hpp"

namespace punie {

namespace training {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto tool_limit = std::chrono::hours(12);
constexpr std::size_t shown_lines = 20;

// Fusing rounds the weights once more: of 16-bit models by about 0.005 nats.
constexpr double same_enough = 0.01;
constexpr double lost_share = 0.5;  ///< of what the adapter changes
constexpr double no_effect = 1e-6;
constexpr std::array group_sizes = {32, 64, 128};  // that MLX has kernels for

std::string spoken(const std::vector<std::string>& lines) {
    return lines.empty() ? "" : printable(lines.back());
}

/// One Python program run to its end, with a heartbeat.
class Tool {
public:
    Tool(std::vector<std::string> argv, std::string phase, const MakeCalls& calls)
        : argv_(std::move(argv)), phase_(std::move(phase)), calls_(calls) {}

    Result<std::string> run(std::stop_token stop) {
        auto captured = run_here(with_heartbeat(), std::move(stop), phase_);
        if (!captured) return std::unexpected(std::move(captured).error());
        if (!captured->status.success()) return std::unexpected(failure(*captured));
        return std::move(captured->output);
    }

private:
    Task<Result<process::Captured>> with_heartbeat() {
        using asio::experimental::awaitable_operators::operator||;
        process::SpawnOptions spawn{.argv = argv_};
        spawn.environment["PYTHONUNBUFFERED"] = "1";
        spawn.drop_environment = {"PYTHONSTARTUP", "PYTHONINSPECT"};
        constexpr auto limit = std::chrono::duration_cast<Milliseconds>(tool_limit);
        // The heartbeat never ends by itself, so the program's result is always the first.
        auto first = co_await (process::run_to_end(std::move(spawn), limit) || heartbeat());
        co_return std::get<0>(std::move(first));
    }

    Task<void> heartbeat() const {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        while (true) {
            if (calls_.on_progress)
                calls_.on_progress(
                    phase_, std::chrono::duration<double>(Clock::now() - began_).count()
                );
            timer.expires_after(std::chrono::seconds(1));
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    Error failure(const process::Captured& captured) const {
        auto lines = split_lines(captured.output);
        if (lines.size() > shown_lines) lines.erase(lines.begin(), lines.end() - shown_lines);
        const auto last = spoken(lines);
        return explain_trainer_exit({
                                        .status = captured.status,
                                        .log_lines = std::move(lines),
                                        .reported_error = last,
                                        .model_path = argv_.back(),
                                    })
            .in(phase_);
    }

    std::vector<std::string> argv_;
    std::string phase_;
    const MakeCalls& calls_;
    Clock::time_point began_ = Clock::now();
};

/// `out` must not be what is read (also when it is to be overwritten), nor may a source lie in it:
/// it would be gone when the new model takes its place.
Result<void> free_place(const fs::path& out, bool overwrite, const std::vector<fs::path>& sources) {
    std::error_code ignored;
    const auto place = fs::weakly_canonical(out, ignored);
    for (const auto& source : sources) {
        if (!fs::exists(source, ignored)) continue;  // a name of the hub, or told later
        const auto inside = fs::weakly_canonical(source, ignored).lexically_relative(place);
        if (inside.empty() || *inside.begin() == "..") continue;
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("--out: {} holds what the new model is made of", out.string()),
            "name another folder: the source would be lost"
        );
    }
    if (!fs::exists(out, ignored) || overwrite) return {};
    return fail(
        ErrorCode::invalid_argument,
        out.string() + " is there already",
        "name another folder, or --overwrite it"
    );
}

std::uint64_t weights_in(const fs::path& folder) {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".safetensors") bytes += entry.file_size(error);
    }
    return bytes;
}

/// A folder beside `out` that is renamed to it when all is well, and vanishes otherwise.
class Unfinished {
public:
    explicit Unfinished(const fs::path& out) : out_(fs::absolute(out)) {
        if (!out_.has_filename()) out_ = out_.parent_path();
        folder_ = beside("unfinished");
        std::error_code ignored;
        fs::create_directories(out_.parent_path(), ignored);
        remove_left_over();
    }

    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;

    ~Unfinished() {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    const fs::path& path() const { return folder_; }

    /// What is there gives way only once the new folder can take its place.
    Result<void> into_place() {
        std::error_code error;
        const auto old = beside("old");
        const bool replaces = fs::exists(out_, error);
        if (replaces) fs::rename(out_, old, error);
        if (!error) fs::rename(folder_, out_, error);
        if (error) {
            std::error_code ignored;
            if (replaces && !fs::exists(out_, ignored)) fs::rename(old, out_, ignored);
            return std::unexpected(
                errno_error(error.value(), fmt::format("cannot rename to {}", out_.native()))
            );
        }
        if (replaces) fs::remove_all(old, error);
        return {};
    }

private:
    fs::path beside(std::string_view what) const {
        auto path = out_;
        path += fmt::format(".{}-{}", what, ::getpid());
        return path;
    }

    /// Of a Punie that was killed: its pid is in the name.
    void remove_left_over() const {
        const auto prefix = out_.filename().native() + ".unfinished-";
        std::error_code error;
        std::vector<fs::path> dead;
        for (auto at = fs::directory_iterator(out_.parent_path(), error);
             !error && at != fs::directory_iterator();
             at.increment(error)) {
            const auto name = at->path().filename().native();
            if (!name.starts_with(prefix)) continue;
            const auto pid = std::strtol(name.c_str() + prefix.size(), nullptr, 10);
            if (pid == ::getpid() || !process::process_alive(static_cast<pid_t>(pid)))
                dead.push_back(at->path());
        }
        for (const auto& folder : dead) fs::remove_all(folder, error);
    }

    fs::path out_;
    fs::path folder_;
};

Result<FuseCheck> read_check(const std::string& output) {
    for (const auto& line : split_lines(output)) {
        if (!line.starts_with("{")) continue;
        const auto value = parse_json(line);
        if (!value || member(*value, "adapter_to_fused") == nullptr) continue;
        const auto number = [&value](std::string_view name) {
            return number_member(*value, name).value_or(0);
        };
        return FuseCheck{
            .prompts = static_cast<int>(number("prompts")),
            .agree = static_cast<int>(number("agree")),
            .adapter_to_fused = number("adapter_to_fused"),
            .adapter_to_base = number("adapter_to_base"),
            .fused_to_base = number("fused_to_base"),
            .largest = number("largest"),
        };
    }
    return fail(ErrorCode::protocol, "comparing the fused model brought no figures: " + output);
}

Result<void> check_fused(
    const FuseOptions& options,
    const backend::MlxInstallation& mlx,
    const fs::path& fused,
    MadeModel& made,
    const MakeCalls& calls,
    const std::stop_token& stop
) {
    auto script = backend::python_asset("compare_models.py");
    if (!script) return std::unexpected(std::move(script).error());
    auto output = Tool(
                      {mlx.python.string(),
                       script->string(),
                       options.model,
                       options.adapter.string(),
                       fused.string()},
                      "comparing with the adapter",
                      calls
    )
                      .run(stop);
    if (!output) return std::unexpected(std::move(output).error());
    auto check = read_check(*output);
    if (!check) return std::unexpected(std::move(check).error());
    made.check = *check;
    return judge_fuse(*check);
}

/// The length of the rows that are cut into groups, by layer. An embedding's are as long as the
/// hidden state, not as the vocabulary.
std::map<std::string, std::int64_t> row_lengths(const backend::ModelInfo& model) {
    std::map<std::string, std::int64_t> lengths;
    for (const auto& [name, sides] : backend::linears(model)) {
        const auto weight = model.tensors.find(name + ".weight");
        if (weight != model.tensors.end() && weight->second.shape.size() >= 2)
            lengths[name] = weight->second.shape.back();
    }
    return lengths;
}

/// Layers that the group size does not divide: mlx_lm leaves them as they are without a word.
Result<void> check_groups(
    const backend::ModelInfo& model, int group_size, std::vector<std::string>& notes
) {
    const auto layers = row_lengths(model);
    const auto misfits = [&layers](int size) {
        return std::ranges::count_if(layers, [size](const auto& layer) {
            return layer.second % size != 0;
        });
    };
    const auto left = misfits(group_size);
    if (left == 0) return {};
    std::vector<std::string> would_do;
    for (const int size : group_sizes) {
        if (misfits(size) == 0) would_do.push_back(std::to_string(size));
    }
    const auto first = std::ranges::find_if(layers, [group_size](const auto& layer) {
        return layer.second % group_size != 0;
    });
    auto message = fmt::format(
        "a group size of {} does not divide the {} inputs of {}",
        group_size,
        first->second,
        first->first
    );
    if (!would_do.empty()) {
        return fail(
            ErrorCode::invalid_argument,
            std::move(message),
            fmt::format("--group-size {} would do", join_or(would_do))
        );
    }
    notes.push_back(
        fmt::format("{}: {} of {} layers keep their full width", message, left, layers.size())
    );
    return {};
}

/// "[INFO] Quantized model with 4.501 bits per weight."
double bits_per_weight_in(const std::string& output) {
    static constexpr std::string_view words = " bits per weight";
    const auto at = output.rfind(words);
    if (at == std::string::npos) return 0;
    const auto begin = output.find_last_of(" \n", at - 1);
    const auto text = output.substr(begin == std::string::npos ? 0 : begin + 1, at);
    return std::strtod(text.c_str(), nullptr);
}

/// Records what it was made of, and puts it where it belongs.
Result<MadeModel> placed(
    Unfinished& folder, MadeModel made, Clock::time_point began, json::object record
) {
    made.bytes = weights_in(folder.path());
    made.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    record["schema"] = "punie.model/1";
    record["result"] = to_json(made);
    if (auto written = write_atomic(folder.path() / "punie.json", to_text(record) + "\n"); !written)
        return std::unexpected(std::move(written).error());
    if (auto done = folder.into_place(); !done) return std::unexpected(std::move(done).error());
    return made;
}

}  // namespace

Result<void> judge_fuse(const FuseCheck& check) {
    constexpr std::string_view remedy =
        "with a quantised base fuse with --dequantise and quantise afterwards";
    // An adapter without any effect cannot be lost.
    if (check.adapter_to_base > no_effect && check.fused_to_base <= no_effect) {
        return fail(
            ErrorCode::state,
            "the fused model answers as the base model does: the adapter was lost",
            std::string(remedy)
        );
    }
    if (check.adapter_to_fused <= std::max(same_enough, lost_share * check.adapter_to_base))
        return {};
    return fail(
        ErrorCode::state,
        fmt::format(
            "the fused model is not what base and adapter are together: they are {:.3f} nats "
            "apart, while the adapter changes the base by {:.3f}",
            check.adapter_to_fused,
            check.adapter_to_base
        ),
        std::string(remedy)
    );
}

namespace {

Result<MadeModel> fuse(const FuseOptions& options, const MakeCalls& calls, std::stop_token stop) {
    const auto began = Clock::now();
    const std::vector<fs::path> sources = {options.model, options.adapter};
    if (auto place = free_place(options.out, options.overwrite, sources); !place)
        return std::unexpected(std::move(place).error());
    auto model = backend::read_model(options.model);
    if (!model) return std::unexpected(std::move(model).error());
    if (auto fits = backend::check_adapter(*model, options.adapter); !fits)
        return std::unexpected(std::move(fits).error());
    const double widening = options.dequantise ? 16.0 / model->quantization_bits.value_or(16) : 1.0;
    const auto bytes = static_cast<double>(model->weight_bytes) * widening;
    if (auto room = check_disk(options.out, bytes, "the fused model"); !room && !options.force)
        return std::unexpected(std::move(room).error());
    auto mlx = backend::find_mlx_blocking(options.mlx_lm);
    if (!mlx) return std::unexpected(std::move(mlx).error());

    MadeModel made{
        .folder = options.out,
        .bytes_before = model->weight_bytes,
        .mlx_lm_version = mlx->mlx_lm_version
    };
    Unfinished folder(options.out);
    std::vector<std::string> argv = {
        mlx->python.string(),
        "-m",
        "mlx_lm",
        "fuse",
        "--model",
        options.model,
        "--adapter-path",
        options.adapter.string(),
        "--save-path",
        folder.path().string()
    };
    if (options.dequantise) argv.emplace_back("--dequantize");
    if (auto done = Tool(std::move(argv), "fusing", calls).run(stop); !done)
        return std::unexpected(std::move(done).error());
    if (options.check) {
        auto same = check_fused(options, *mlx, folder.path(), made, calls, stop);
        if (!same) return std::unexpected(std::move(same).error());
    }
    if (made.check && made.check->adapter_to_base <= no_effect)
        made.notes.emplace_back("the adapter changes nothing that the prompts show");
    return placed(
        folder,
        std::move(made),
        began,
        {{"made_by", "punie fuse"},
         {"model", options.model},
         {"adapter", options.adapter.string()},
         {"dequantised", options.dequantise}}
    );
}

Result<MadeModel> quantise(
    const QuantiseOptions& options, const MakeCalls& calls, std::stop_token stop
) {
    const auto began = Clock::now();
    static constexpr std::array widths = {4, 5, 6, 8};
    if (std::ranges::find(widths, options.bits) == widths.end()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("--bits: {} was given; allowed are 4, 5, 6 and 8", options.bits)
        );
    }
    if (auto place = free_place(options.out, options.overwrite, {options.model}); !place)
        return std::unexpected(std::move(place).error());
    auto model = backend::read_model(options.model);
    if (!model) return std::unexpected(std::move(model).error());
    if (model->quantization_bits) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} is quantised already ({} bits)", options.model, *model->quantization_bits
            ),
            "fuse with --dequantise, or take the model at full width"
        );
    }
    MadeModel made{.folder = options.out, .bytes_before = model->weight_bytes};
    if (std::ranges::find(group_sizes, options.group_size) == group_sizes.end()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "--group-size: {} was given; allowed are 32, 64 and 128", options.group_size
            )
        );
    }
    if (auto divides = check_groups(*model, options.group_size, made.notes); !divides)
        return std::unexpected(std::move(divides).error());
    const auto share = (options.bits + 32.0 / options.group_size) / 16.0;
    const auto bytes = static_cast<double>(model->weight_bytes) * share;
    if (auto room = check_disk(options.out, bytes, "the new model"); !room && !options.force)
        return std::unexpected(std::move(room).error());
    auto mlx = backend::find_mlx_blocking(options.mlx_lm);
    if (!mlx) return std::unexpected(std::move(mlx).error());

    made.mlx_lm_version = mlx->mlx_lm_version;
    Unfinished folder(options.out);
    auto output = Tool(
                      {mlx->python.string(),
                       "-m",
                       "mlx_lm",
                       "convert",
                       "--hf-path",
                       options.model,
                       "--mlx-path",
                       folder.path().string(),
                       "-q",
                       "--q-bits",
                       std::to_string(options.bits),
                       "--q-group-size",
                       std::to_string(options.group_size)},
                      "quantising",
                      calls
    )
                      .run(std::move(stop));
    if (!output) return std::unexpected(std::move(output).error());
    made.bits_per_weight = bits_per_weight_in(*output);
    return placed(
        folder, std::move(made), began, {{"made_by", "punie quantise"}, {"model", options.model}}
    );
}

}  // namespace

json::object to_json(const MadeModel& made) {
    json::object object{
        {"folder", made.folder.string()},
        {"bytes_before", made.bytes_before},
        {"bytes", made.bytes},
        {"seconds", made.seconds},
        {"mlx_lm", made.mlx_lm_version}
    };
    if (made.bits_per_weight > 0) object["bits_per_weight"] = made.bits_per_weight;
    if (made.check) {
        object["check"] = json::object{
            {"prompts", made.check->prompts},
            {"agree", made.check->agree},
            {"adapter_to_fused", made.check->adapter_to_fused},
            {"adapter_to_base", made.check->adapter_to_base},
            {"fused_to_base", made.check->fused_to_base},
            {"largest", made.check->largest}
        };
    }
    json::array notes;
    for (const auto& text : made.notes) notes.emplace_back(text);
    object["notes"] = std::move(notes);
    return object;
}

}  // namespace training

Result<MadeModel> fuse_model(
    const FuseOptions& options, const MakeCalls& calls, std::stop_token stop
) {
    return training::fuse(options, calls, std::move(stop));
}

Result<MadeModel> quantise_model(
    const QuantiseOptions& options, const MakeCalls& calls, std::stop_token stop
) {
    return training::quantise(options, calls, std::move(stop));
}

}  // namespace punie
