#include "training/printed_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/text.hpp"

namespace punie::training {

namespace {

constexpr std::size_t longest_line = 4096;  // of a report; what is longer is something else
constexpr std::size_t most_events = 100'000;

/// "1,234.5" as a number; nothing unless the whole text is one, finite and not negative. (Apple's
/// from_chars has no floating point before LLVM 20; nobody in Punie sets a locale, so strtod reads
/// a decimal point.)
std::optional<double> number(std::string_view text) {
    std::string digits;
    std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != ','; });
    if (digits.empty() || digits.find_first_not_of("0123456789.eE+-") != std::string::npos)
        return std::nullopt;
    char* end = nullptr;
    const double value = std::strtod(digits.c_str(), &end);
    if (end != digits.c_str() + digits.size() || !std::isfinite(value) || value < 0 ||
        value > 1e15) {
        return std::nullopt;
    }
    return value;
}

std::optional<double> number_before(std::string_view text, char unit) {
    if (!text.ends_with(unit)) return std::nullopt;
    return number(text.substr(0, text.size() - 1));
}

std::optional<int> iteration_number(std::string_view text) {
    int value = 0;
    const auto* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error != std::errc{} || end != last || value < 1) return std::nullopt;
    return value;
}

/// The number that follows `label`, up to a comma, a space or an "s".
std::optional<double> labelled(std::string_view line, std::string_view label) {
    const auto at = line.find(label);
    if (at == std::string_view::npos) return std::nullopt;
    auto rest = trim(line.substr(at + label.size()));
    rest = rest.substr(0, rest.find_first_of(", s"));
    return number(rest);
}

TrainerEvent validation(int iteration, double loss, std::optional<double> seconds) {
    TrainerEvent event;
    event.kind = EventKind::validation;
    event.iteration = iteration - 1;
    event.loss = loss;
    event.seconds = seconds;
    return event;
}

/// "Iter 10: Train loss ..." and "Iter 1: Val loss ...".
std::optional<TrainerEvent> parse_sentence(std::string_view line) {
    constexpr std::string_view start = "Iter ";
    const auto at = line.find(start);  // a progress bar without a line end may stand before it
    if (at == std::string_view::npos) return std::nullopt;
    line.remove_prefix(at + start.size());
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto iteration = iteration_number(line.substr(0, colon));
    if (!iteration) return std::nullopt;
    line.remove_prefix(colon + 1);
    if (const auto loss = labelled(line, "Val loss")) {
        return validation(*iteration, *loss, labelled(line, "Val took"));
    }
    if (line.find("Train loss") == std::string_view::npos) return std::nullopt;
    TrainerEvent event;
    event.kind = EventKind::iteration;
    event.iteration = *iteration;
    event.loss = labelled(line, "Train loss");  // nothing for "nan"
    const auto rate = labelled(line, "It/sec");
    if (rate && *rate > 0) event.seconds = event.trainer_seconds = 1 / *rate;
    event.tokens_per_second = labelled(line, "Tokens/sec").value_or(0);
    event.trained_tokens = labelled(line, "Trained Tokens").value_or(0);
    event.peak_memory_gb = labelled(line, "Peak mem").value_or(0);
    return event;
}

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> found;
    while (!(line = trim(line)).empty()) {
        const auto end = std::min(line.find(' '), line.size());
        found.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
    return found;
}

/// A row of the table: "2 6.426 ▼ 2,435 2.7k" or "1 val 6.439 0.31s".
std::optional<TrainerEvent> parse_row(std::string_view line) {
    const auto cells = words(line);
    if (cells.size() < 4 || cells.size() > 5) return std::nullopt;
    const auto iteration = iteration_number(cells[0]);
    if (!iteration) return std::nullopt;
    if (cells[1] == "val" && cells.size() == 4) {
        const auto loss = number(cells[2]);
        const auto seconds = number_before(cells[3], 's');
        if (!loss || !seconds) return std::nullopt;
        return validation(*iteration, *loss, seconds);
    }
    const bool arrow = cells[2] == "\u25BC" || cells[2] == "\u25B2";
    if (cells.size() != 5 || !arrow) return std::nullopt;
    const auto rate = number(cells[3]);
    const auto thousands = number_before(cells[4], 'k');
    if (!rate || !thousands) return std::nullopt;
    TrainerEvent event;
    event.kind = EventKind::iteration;
    event.iteration = *iteration;
    event.loss = number(cells[1]);
    event.tokens_per_second = *rate;
    event.trained_tokens = *thousands * 1000;
    return event;
}

}  // namespace

std::optional<TrainerEvent> parse_printed_line(std::string_view line) {
    if (line.size() > longest_line) return std::nullopt;
    const auto plain = printable(line);
    if (trim(plain) == "Training") {  // both generations print it when model and data are loaded
        TrainerEvent event;
        event.kind = EventKind::begin;
        return event;
    }
    if (auto event = parse_sentence(plain)) return event;
    return parse_row(plain);
}

void PrintedText::feed(std::string_view bytes) {
    for (const char byte : bytes) {
        if (byte == '\n' || byte == '\r') {
            finish_line();
        } else if (line_.size() <= longest_line) {
            line_ += byte;  // the rest of an endless line is dropped
        }
    }
}

void PrintedText::finish_line() {
    const auto line = std::exchange(line_, {});
    auto event = parse_printed_line(line);
    if (event && events_.size() < most_events) events_.push_back(std::move(*event));
}

std::vector<TrainerEvent> PrintedText::take() {
    return std::exchange(events_, {});
}

}  // namespace punie::training
