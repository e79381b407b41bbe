#include "training/training_log.hpp"

#include <cmath>

#include "base/json.hpp"
#include "base/text.hpp"

namespace punie::training {

namespace {

constexpr std::size_t longest_line = 1U << 20U;
constexpr std::size_t most_rows = 10'000;

/// A finite number that is not absurd, or nothing.
std::optional<double> sane(const json::value& event, std::string_view name) {
    const auto number = number_member(event, name);
    if (!number || !std::isfinite(*number) || std::abs(*number) > 1e15) return std::nullopt;
    return number;
}

double amount(const json::value& event, std::string_view name) {
    return std::max(0.0, sane(event, name).value_or(0));
}

int iteration_of(const json::value& event) {
    const auto number = integer_member(event, "iteration").value_or(0);
    return number < 0 || number > 2'000'000'000 ? 0 : static_cast<int>(number);
}

TrainReport training_report(const json::value& event) {
    return {
        .iteration = iteration_of(event),
        .train_loss = sane(event, "loss"),
        .not_a_number = !sane(event, "loss"),
        .seconds_per_iter = amount(event, "seconds"),
        .learning_rate = amount(event, "learning_rate"),
        .tokens_per_second = amount(event, "tokens_per_second"),
        .trained_tokens = amount(event, "trained_tokens"),
        .peak_memory_gb = amount(event, "peak_memory_gb")
    };
}

TrainDataFacts facts_of(const json::value& event) {
    const auto whole = [&event](std::string_view name) {
        return static_cast<std::int64_t>(amount(event, name));
    };
    return {
        .split = printable(string_member(event, "split").value_or("train")),
        .rows = whole("rows"),
        .rows_left_over = whole("rows_left_over"),
        .rows_cut = whole("rows_cut"),
        .rows_untrained = whole("rows_untrained"),
        .trained_tokens = whole("trained_tokens"),
        .padding_share = amount(event, "padding_share"),
        .longest = whole("longest"),
        .looked_at = whole("looked_at"),
        .steps_dropped = whole("steps_dropped")
    };
}

TrainStop stop_of(const json::value& event) {
    TrainStop stop{
        .reason = printable(string_member(event, "reason").value_or("unknown")),
        .iteration = iteration_of(event),
        .message = printable(string_member(event, "message").value_or("")),
        .rows = {},
    };
    const auto* rows = member(event, "rows");
    if (rows == nullptr || !rows->is_array()) return stop;
    for (const auto& row : rows->as_array()) {
        if (row.is_int64() && row.as_int64() > 0 && stop.rows.size() < most_rows)
            stop.rows.push_back(static_cast<int>(row.as_int64()));
    }
    return stop;
}

}  // namespace

TrainingLog::Taken TrainingLog::take(std::string_view line) {
    if (trim(line).empty()) return Taken::nothing;
    const auto event =
        line.size() > longest_line ? Result<json::value>(json::value()) : parse_json(line);
    const auto name = event ? string_member(*event, "event").value_or("") : "";
    if (name == "iteration") {
        reports_.push_back(training_report(*event));
        phase_ = "training";
        return Taken::report;
    }
    if (name == "validation") {
        reports_.push_back(
            {.iteration = iteration_of(*event),
             .valid_loss = sane(*event, "loss"),
             .best = bool_member(*event, "best").value_or(false),
             .not_a_number = !sane(*event, "loss"),
             .is_validation = true,
             .seconds_per_iter = amount(*event, "seconds")}
        );
        phase_ = "training";
        return Taken::report;
    }
    if (name == "checkpoint") {
        checkpoint_ = iteration_of(*event);
        return Taken::checkpoint;
    }
    if (name == "facts") {
        auto facts = facts_of(*event);
        (facts.split == "valid" ? valid_facts_ : facts_) = std::move(facts);
        return Taken::facts;
    }
    if (name == "note") {
        note_ = printable(string_member(*event, "message").value_or(""));
        return Taken::note;
    }
    if (name == "stopped") {
        stop_ = stop_of(*event);
        return Taken::stop;
    }
    if (name == "error") {
        error_type_ = printable(string_member(*event, "type").value_or(""));
        error_ = printable(string_member(*event, "message").value_or(""));
        return Taken::phase;
    }
    if (name == "resumed") resumed_from_ = iteration_of(*event);
    if (name == "kept") {
        kept_ = iteration_of(*event);
        kept_which_ = printable(string_member(*event, "which").value_or(""));
    }
    if (name == "hello") phase_ = "importing mlx_lm";
    if (name == "imports") phase_ = "loading the model";
    if (name == "model") phase_ = "loading the data";
    if (name == "data") phase_ = "looking at the rows";
    if (name == "begin") phase_ = "compiling";
    if (name == "end") ended_ = true;
    if (!name.empty()) return Taken::phase;
    ++bad_lines_;
    return Taken::nothing;
}

}  // namespace punie::training
