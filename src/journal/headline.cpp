#include "journal/headline.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "base/text.hpp"

namespace punie::journal {

namespace {

std::string percent(const json::value& accuracy) {
    const auto mean = number_member(accuracy, "mean");
    if (!mean) return {};
    auto text = fmt::format("accuracy {:.1f} %", 100 * *mean);
    const auto low = number_member(accuracy, "low");
    const auto high = number_member(accuracy, "high");
    const auto n = number_member(accuracy, "n");
    if (low && high) text += fmt::format(" ({:.1f} to {:.1f}", 100 * *low, 100 * *high);
    if (low && high && n) text += fmt::format(", n {:.0f}", *n);
    if (low && high) text += ')';
    return text;
}

std::string eval_headline(const json::value& results) {
    const auto* accuracy = member(results, "accuracy");
    auto text = accuracy == nullptr ? std::string() : percent(*accuracy);
    double unanswered = 0;
    for (const auto* name : {"refused", "failed", "not_asked"})
        unanswered += number_member(results, name).value_or(0);
    if (unanswered > 0)
        text += fmt::format("{}{:.0f} unanswered", text.empty() ? "" : ", ", unanswered);
    if (const auto cut = number_member(results, "cut").value_or(0); cut > 0)
        text += fmt::format("{}{:.0f} cut", text.empty() ? "" : ", ", cut);
    return text;
}

std::string train_headline(const json::value& results) {
    std::string text;
    const auto iterations = number_member(results, "iterations");
    if (const auto loss = number_member(results, "best_valid_loss")) {
        text = fmt::format("valid loss {:.4g}", *loss);
        if (const auto at = number_member(results, "best_iteration"))
            text += fmt::format(" at {:.0f}", *at);
        if (iterations) text += fmt::format(" of {:.0f}", *iterations);
    } else if (const auto train = number_member(results, "final_train_loss")) {
        text = fmt::format("train loss {:.4g}", *train);
        if (iterations) text += fmt::format(" after {:.0f}", *iterations);
    } else if (iterations) {
        text = fmt::format("{:.0f} iterations", *iterations);
    }
    return text;
}

std::string size_headline(const json::value& results) {
    std::string text;
    if (const auto bits = number_member(results, "bits_per_weight"))
        text = fmt::format("{:.2f} bits per weight", *bits);
    if (const auto bytes = integer_member(results, "bytes"); bytes && *bytes >= 0) {
        text += fmt::format(
            "{}{}", text.empty() ? "" : ", ", human_bytes(static_cast<std::uint64_t>(*bytes))
        );
    }
    return text;
}

std::string bench_headline(const json::value& results) {
    auto text = string_member(results, "verdict").value_or("");
    if (const auto seconds = number_member(results, "seconds_per_iter")) {
        text += fmt::format(
            "{}{} an iteration",
            text.empty() ? "" : ", ",
            human_duration(std::chrono::duration<double>(*seconds))
        );
    }
    return text;
}

std::string compare_headline(const json::value& results) {
    if (auto words = string_member(results, "verdict")) return *std::move(words);
    const auto* differences = member(results, "differences");
    if (differences == nullptr || !differences->is_array()) return {};
    const auto& all = differences->get_array();
    auto count = fmt::format("{} difference{}", all.size(), all.size() == 1 ? "" : "s");
    if (all.empty()) return count;
    for (const auto* name : {"words", "verdict"}) {
        if (auto words = string_member(all.front(), name)) return *std::move(words);
    }
    return count;
}

std::string findings_headline(const json::value& results) {
    if (auto words = string_member(results, "verdict")) return *std::move(words);
    std::string text;
    for (const auto* name : {"rows", "errors", "warnings"}) {
        if (const auto count = number_member(results, name))
            text += fmt::format("{}{:.0f} {}", text.empty() ? "" : ", ", *count, name);
    }
    return text;
}

std::string first_line(const std::string& text) {
    return printable(text.substr(0, text.find('\n')));
}

}  // namespace

std::string_view shown_state(const Run& run) {
    return run.state == RunState::running && !run.alive ? "died" : name_of(run.state);
}

std::string headline(const Run& run) {
    if (run.state == RunState::failed && !run.error.empty()) return first_line(run.error);
    const auto results = parse_json(run.results_json);
    if (!results) return {};
    std::string text;
    if (run.kind == "eval")
        text = eval_headline(*results);
    else if (run.kind == "train")
        text = train_headline(*results);
    else if (run.kind == "quantise" || run.kind == "fuse")
        text = size_headline(*results);
    else if (run.kind == "bench")
        text = bench_headline(*results);
    else if (run.kind == "compare")
        text = compare_headline(*results);
    else
        text = findings_headline(*results);
    return first_line(text);
}

std::string value_text(const json::value& value) {
    if (value.is_string()) return std::string(std::string_view(value.get_string()));
    if (value.is_double()) return fmt::format("{}", value.get_double());  // shortest exact form
    return to_text(value);
}

std::string figure_text(const json::value& value) {
    const auto mean = number_member(value, "mean");
    const auto low = number_member(value, "low");
    const auto high = number_member(value, "high");
    if (!mean || !low || !high) return {};
    auto text = fmt::format("{:.4g} ({:.4g} to {:.4g}", *mean, *low, *high);
    if (const auto n = number_member(value, "n")) text += fmt::format(", n {:.0f}", *n);
    if (const auto method = string_member(value, "method")) text += fmt::format(", {}", *method);
    return text + ")";
}

}  // namespace punie::journal
