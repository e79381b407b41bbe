#include "training/train.hpp"

namespace punie::training {

namespace {

json::object stop_json(const TrainStop& stop) {
    json::array rows;
    for (const int row : stop.rows) rows.emplace_back(row);
    return {
        {"reason", stop.reason},
        {"iteration", stop.iteration},
        {"message", stop.message},
        {"rows", std::move(rows)}
    };
}

template <typename T>
void add(json::object& object, std::string_view name, const std::optional<T>& value) {
    if (value) object[name] = *value;
}

}  // namespace

json::object to_json(const TrainDataFacts& facts) {
    return {
        {"rows", facts.rows},
        {"rows_left_over", facts.rows_left_over},
        {"rows_cut", facts.rows_cut},
        {"rows_untrained", facts.rows_untrained},
        {"trained_tokens", facts.trained_tokens},
        {"longest", facts.longest},
        {"padding_share", facts.padding_share},
        {"looked_at", facts.looked_at},
        {"steps_dropped", facts.steps_dropped}
    };
}

json::object to_json(const TrainResult& result) {
    json::object object{
        {"iterations", result.iterations},
        {"kept_iteration", result.kept_iteration},
        {"kept", result.kept_best ? "best" : "last"},
        {"trained_tokens", result.trained_tokens},
        {"peak_memory_gb", result.peak_memory_gb},
        {"tree_peak_gb", result.tree_peak_gb},
        {"estimated_peak_gb", result.estimated_peak_gb},
        {"seconds", result.seconds},
        {"mlx_lm", result.mlx_lm_version},
        {"mlx", result.mlx_version}
    };
    if (result.resumed_from > 0) object["resumed_from"] = result.resumed_from;
    add(object, "final_train_loss", result.final_train_loss);
    add(object, "final_valid_loss", result.final_valid_loss);
    add(object, "best_valid_loss", result.best_valid_loss);
    add(object, "best_iteration", result.best_iteration);
    if (result.stop) object["stopped"] = stop_json(*result.stop);
    if (result.facts) object["data"] = to_json(*result.facts);
    if (result.valid_facts) object["valid_data"] = to_json(*result.valid_facts);
    json::array notes;
    for (const auto& text : result.notes) notes.emplace_back(text);
    object["notes"] = std::move(notes);
    return object;
}

}  // namespace punie::training
