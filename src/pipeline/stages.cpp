#include "pipeline/stages.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace punie::pipeline {

namespace {

std::string stage_id(StageKind kind, const std::string& variant) {
    return variant.empty() ? std::string(name_of(kind))
                           : fmt::format("{}:{}", name_of(kind), variant);
}

/// The stage that makes the variant's files; "" when they exist already.
std::string maker_of(const Variant& variant) {
    switch (variant.kind) {
        case VariantKind::train:
            return stage_id(StageKind::train, variant.name);
        case VariantKind::fuse:
            return stage_id(StageKind::fuse, variant.name);
        case VariantKind::quantise:
            return stage_id(StageKind::quantise, variant.name);
        case VariantKind::base:
        case VariantKind::adapter:
        case VariantKind::endpoint:
            break;
    }
    return {};
}

class Graph {
public:
    explicit Graph(const Experiment& experiment) : experiment_(experiment) {}

    std::vector<Stage> stages() {
        const bool trains = std::ranges::any_of(experiment_.variants, [](const Variant& variant) {
            return variant.kind == VariantKind::train;
        });
        if (trains && experiment_.check_data) add(StageKind::data, "", {});
        if (trains && experiment_.feasibility.wanted) add_feasibility();
        for (const auto& variant : experiment_.variants) {
            if (maker_of(variant).empty()) evaluate(variant);
        }
        for (const auto& variant : experiment_.variants) make(variant);
        add_end();
        return std::move(stages_);
    }

private:
    Stage& add(StageKind kind, const std::string& variant, std::vector<std::string> needs) {
        stages_.push_back(
            {.id = stage_id(kind, variant),
             .kind = kind,
             .variant = variant,
             .needs = std::move(needs)}
        );
        return stages_.back();
    }

    bool there(const std::string& id) const {
        return std::ranges::find(stages_, id, &Stage::id) != stages_.end();
    }

    /// The stages of this kind that are in the graph.
    std::vector<std::string> all(StageKind kind) const {
        std::vector<std::string> ids;
        for (const auto& stage : stages_) {
            if (stage.kind == kind) ids.push_back(stage.id);
        }
        return ids;
    }

    void add_feasibility() {
        auto& stage = add(StageKind::feasibility, "", all(StageKind::data));
        stage.settings["iterations"] = experiment_.feasibility.iterations;
        stage.settings["require"] = experiment_.feasibility.require;
    }

    void evaluate(const Variant& variant) {
        if (!variant.evaluate) return;
        std::vector<std::string> needs;
        if (auto maker = maker_of(variant); !maker.empty()) needs.push_back(std::move(maker));
        add(StageKind::evaluate, variant.name, std::move(needs));
    }

    /// What the variant is made of first.
    void make(const Variant& variant) {
        const auto id = maker_of(variant);
        if (id.empty() || there(id)) return;
        std::vector<std::string> needs;
        if (variant.kind == VariantKind::train) {
            needs = all(StageKind::data);
            for (auto& feasible : all(StageKind::feasibility)) needs.push_back(std::move(feasible));
        } else if (const auto* source = experiment_.find(variant.from)) {
            make(*source);
            if (auto maker = maker_of(*source); !maker.empty()) needs.push_back(std::move(maker));
        }
        const auto kind = variant.kind == VariantKind::train  ? StageKind::train
                          : variant.kind == VariantKind::fuse ? StageKind::fuse
                                                              : StageKind::quantise;
        add(kind, variant.name, std::move(needs)).settings = variant.settings;
        evaluate(variant);
    }

    void add_end() {
        const auto evaluations = all(StageKind::evaluate);
        if (evaluations.size() > 1) add(StageKind::compare, "", evaluations);
        auto needs = evaluations;
        if (there("compare")) needs.emplace_back("compare");
        for (const auto& stage : stages_) {
            if (std::ranges::find(needs, stage.id) == needs.end() &&
                stage.kind != StageKind::evaluate)
                needs.push_back(stage.id);
        }
        add(StageKind::report, "", std::move(needs));
    }

    const Experiment& experiment_;
    std::vector<Stage> stages_;
};

}  // namespace

std::string_view name_of(StageKind kind) {
    switch (kind) {
        case StageKind::data:
            return "data";
        case StageKind::feasibility:
            return "feasibility";
        case StageKind::train:
            return "train";
        case StageKind::fuse:
            return "fuse";
        case StageKind::quantise:
            return "quantise";
        case StageKind::evaluate:
            return "evaluate";
        case StageKind::compare:
            return "compare";
        case StageKind::report:
            break;
    }
    return "report";
}

std::vector<Stage> stages_of(const Experiment& experiment) {
    return Graph(experiment).stages();
}

}  // namespace punie::pipeline
