// Which stages of an experiment are up to date: their keys, what the journal has, what is on disk.

#include <fmt/format.h>

#include <algorithm>

#include "backend/chat_template.hpp"
#include "backend/mlx_installation.hpp"
#include "backend/model_files.hpp"
#include "base/hash.hpp"
#include "eval/suite.hpp"
#include "pipeline/identity.hpp"
#include "pipeline/run.hpp"
#include "pipeline/stage_records.hpp"

namespace punie::pipeline {

namespace {

using Path = std::filesystem::path;
using Statuses = std::map<std::string, StageStatus>;

constexpr std::size_t key_digits = 8;

Path made_at(const Experiment& experiment, const StageStatus& status, std::string_view below) {
    return experiment.out / below /
           fmt::format("{}-{}", status.stage.variant, status.key.substr(0, key_digits));
}

class Planner {
public:
    Planner(const Experiment& experiment, journal::Journal& journal, const RunOptions& options)
        : experiment_(experiment), journal_(journal), options_(options) {}

    Result<std::vector<StageStatus>> plan() {
        if (auto read = read_inputs(); !read) return std::unexpected(std::move(read).error());
        std::vector<StageStatus> all;
        for (auto& stage : stages_of(experiment_)) {
            auto status = look_at(std::move(stage));
            if (!status) return std::unexpected(std::move(status).error());
            done_[status->stage.id] = *status;
            all.push_back(std::move(*status));
        }
        return all;
    }

private:
    Result<void> read_inputs() {
        auto suite = eval::read_suite(experiment_.suite);
        if (!suite) return std::unexpected(std::move(suite).error());
        asked_ = suite->asked_hash;
        judged_ = suite->hash;
        if (!experiment_.data.empty()) {
            auto data = content_hash(experiment_.data);
            if (!data) return std::unexpected(std::move(data).error());
            data_ = *data;
        }
        return {};
    }

    /// The content of a model or an adapter that exists already.
    Result<std::string> content_of(const std::string& path) {
        auto& known = contents_[path];
        if (!known.empty()) return known;
        auto local = path;
        if (backend::is_hub_name(path)) {
            const auto cached = backend::cached_snapshot(path);
            if (!cached) return "hub " + path;  // downloaded when it is served
            local = cached->string();
        }
        auto hash = content_hash(local);
        if (hash) known = *hash;
        return hash;
    }

    /// What the stage reads that no stage makes.
    Result<std::string> inputs_of(const Stage& stage) {
        Sha256 inputs;
        switch (stage.kind) {
            case StageKind::data:
                return inputs.add_part(data_)
                    .add_part(experiment_.strict_data ? "strict" : "")
                    .add_part(judged_)
                    .hex();
            case StageKind::feasibility:
                return with_models(inputs.add_part(data_), {experiment_.model});
            case StageKind::train:
                return with_models(
                    inputs.add_part(data_), models_of(*experiment_.find(stage.variant))
                );
            case StageKind::fuse:
            case StageKind::quantise:
                return with_models(inputs, models_of(*experiment_.find(stage.variant)));
            case StageKind::evaluate:
                add_evaluation(inputs);
                return with_models(inputs, models_of(*experiment_.find(stage.variant)));
            case StageKind::compare:
            case StageKind::report:
                inputs.add_part(judged_).add_part(comparison_text());
                return inputs.hex();
        }
        return std::string();
    }

    /// Files that exist and decide what the variant is.
    std::vector<std::string> models_of(const Variant& variant) const {
        if (variant.kind == VariantKind::endpoint) return {};
        if (!variant.from.empty()) {
            const auto* source = experiment_.find(variant.from);
            return source == nullptr ? std::vector<std::string>{} : models_of(*source);
        }
        std::vector<std::string> paths = {
            variant.model.empty() ? experiment_.model : variant.model
        };
        if (!variant.adapter.empty()) paths.push_back(variant.adapter);
        return paths;
    }

    Result<std::string> with_models(Sha256& inputs, const std::vector<std::string>& paths) {
        for (const auto& path : paths) {
            auto content = content_of(path);
            if (!content) return content;
            inputs.add_part(*content);
        }
        return inputs.hex();
    }

    void add_evaluation(Sha256& inputs) const {
        const auto& settings = experiment_.evaluate;
        inputs.add_part(asked_).add_part(fmt::format(
            "repeats {} max_tokens {} temperature {} seed {} limit {}",
            settings.repeats.value_or(0),
            settings.max_tokens.value_or(0),
            settings.temperature.value_or(-1),
            settings.seed.value_or(0),
            settings.limit
        ));
    }

    std::string comparison_text() const {
        const auto& settings = experiment_.compare;
        std::string categories;
        for (const auto& category : settings.no_regression)
            categories += fmt::format("{}\n", category);
        return fmt::format(
            "{} {} {} {}",
            settings.baseline,
            settings.threshold.value_or(-1),
            settings.min_gain.value_or(-2),
            categories
        );
    }

    Result<StageStatus> look_at(Stage stage) {
        StageStatus status{.stage = std::move(stage)};
        const auto& what = status.stage;
        auto inputs = inputs_of(what);
        if (!inputs) return std::unexpected(std::move(inputs).error().in(what.id));
        Sha256 key;
        key.add_part(what.id).add_part(to_text(what.settings)).add_part(*inputs);
        if (const auto* variant = experiment_.find(what.variant); variant != nullptr)
            key.add_part(variant->backend).add_part(variant->url);
        for (const auto& need : what.needs) key.add_part(done_.at(need).key);
        status.key = key.hex();
        place_output(status);
        if (auto judged = judge(status); !judged) return std::unexpected(std::move(judged).error());
        return estimated(std::move(status));
    }

    void place_output(StageStatus& status) const {
        switch (status.stage.kind) {
            case StageKind::train:
                status.output = made_at(experiment_, status, "adapters");
                break;
            case StageKind::fuse:
            case StageKind::quantise:
                status.output = made_at(experiment_, status, "models");
                break;
            case StageKind::report:
                status.output = experiment_.report_html;
                break;
            default:
                break;
        }
    }

    Result<void> judge(StageStatus& status) {
        if (options_.again) {
            status.reason = "--again";
            return {};
        }
        for (const auto& need : status.stage.needs) {
            if (done_.at(need).up_to_date) continue;
            status.reason = fmt::format("{} comes first", need);
            return {};
        }
        auto record = find_stage_record(journal_, status);
        if (!record) return std::unexpected(std::move(record).error());
        status.up_to_date = record->done;
        status.reason = record->reason;
        return {};
    }

    /// As long as the last run of this stage took; disk from the size of what it is made of.
    Result<StageStatus> estimated(StageStatus status) {
        if (status.up_to_date) return status;
        auto last = last_seconds(journal_, experiment_, status.stage);
        if (!last) return std::unexpected(std::move(last).error());
        if (*last) {
            status.estimated_seconds = *last;
            status.estimate_source = "as last time";
        }
        status.estimated_bytes = bytes_made_by(status.stage);
        return status;
    }

    std::uint64_t bytes_made_by(const Stage& stage) const {
        if (stage.kind != StageKind::fuse && stage.kind != StageKind::quantise) return 0;
        const auto models = models_of(*experiment_.find(stage.variant));
        if (models.empty()) return 0;
        const auto model = backend::read_model(models.front());
        if (!model) return 0;
        if (stage.kind == StageKind::fuse) return model->weight_bytes;
        const auto* bits = stage.settings.if_contains("bits");
        const double width = bits == nullptr ? 4 : bits->to_number<double>();
        const double now = model->quantization_bits.value_or(16);
        return static_cast<std::uint64_t>(static_cast<double>(model->weight_bytes) * width / now);
    }

    const Experiment& experiment_;
    journal::Journal& journal_;
    const RunOptions& options_;
    std::string asked_;
    std::string judged_;
    std::string data_;
    std::map<std::string, std::string> contents_;
    Statuses done_;
};

}  // namespace

Result<std::vector<StageStatus>> plan_experiment(
    const Experiment& experiment, journal::Journal& journal, const RunOptions& options
) {
    return Planner(experiment, journal, options).plan();
}

VariantFiles files_of(
    const Experiment& experiment,
    const Variant& variant,
    const std::map<std::string, StageStatus>& stages
) {
    const auto made = [&stages](StageKind kind, const std::string& name) {
        const auto found = stages.find(fmt::format("{}:{}", name_of(kind), name));
        return found == stages.end() ? std::string() : found->second.output.string();
    };
    const auto model = variant.model.empty() ? experiment.model : variant.model;
    switch (variant.kind) {
        case VariantKind::train:
            return {.model = model, .adapter = made(StageKind::train, variant.name)};
        case VariantKind::fuse:
            return {.model = made(StageKind::fuse, variant.name)};
        case VariantKind::quantise:
            return {.model = made(StageKind::quantise, variant.name)};
        case VariantKind::adapter:
            return {.model = model, .adapter = variant.adapter};
        case VariantKind::base:
        case VariantKind::endpoint:
            break;
    }
    return {.model = model};
}

}  // namespace punie::pipeline
