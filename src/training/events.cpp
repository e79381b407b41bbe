#include "training/events.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"

namespace punie::training {

namespace {

constexpr std::size_t longest_line = 64 * 1024;
constexpr double longest_time = 1e9;  // seconds: 30 years
constexpr double largest_number = 1e15;

constexpr std::array<std::pair<std::string_view, EventKind>, 11> names = {{
    {"hello", EventKind::hello},
    {"imports", EventKind::imports},
    {"model", EventKind::model},
    {"data", EventKind::data},
    {"begin", EventKind::begin},
    {"validation", EventKind::validation},
    {"iteration", EventKind::iteration},
    {"checkpoint", EventKind::checkpoint},
    {"trained", EventKind::trained},
    {"end", EventKind::end},
    {"error", EventKind::error},
}};

std::optional<EventKind> kind_of(const json::value& value) {
    const auto name = string_member(value, "event");
    if (!name) return std::nullopt;
    const auto* found = std::ranges::find(names, std::string_view(*name), [](const auto& entry) {
        return entry.first;
    });
    if (found == names.end()) return std::nullopt;
    return found->second;
}

/// Reads members and remembers whether one was out of bounds. A missing member or null is no fault.
class Members {
public:
    explicit Members(const json::value& value) : value_(value) {}

    std::optional<double> number(std::string_view name, double low, double high) {
        const auto* found = member(value_, name);
        if (found == nullptr || found->is_null()) return std::nullopt;
        const auto number = number_member(value_, name);
        if (!number || !std::isfinite(*number) || *number < low || *number > high) {
            sane_ = false;
            return std::nullopt;
        }
        return number;
    }

    std::optional<double> time(std::string_view name) { return number(name, 0, longest_time); }

    double amount(std::string_view name) { return number(name, 0, largest_number).value_or(0); }

    std::string text(std::string_view name) {
        return printable(string_member(value_, name).value_or(""));
    }

    bool sane() const { return sane_; }

private:
    const json::value& value_;
    bool sane_ = true;
};

}  // namespace

std::optional<TrainerEvent> parse_event(std::string_view line) {
    if (line.size() > longest_line) return std::nullopt;
    const auto value = parse_json(line);
    if (!value) return std::nullopt;
    const auto kind = kind_of(*value);
    if (!kind) return std::nullopt;
    Members members(*value);
    TrainerEvent event;
    event.kind = *kind;
    event.t = members.time("t").value_or(0);
    event.iteration = static_cast<int>(members.number("iteration", 0, 2e9).value_or(0));
    event.seconds = members.time("seconds");
    event.trainer_seconds = members.time("trainer_seconds");
    event.loss = members.number("loss", -largest_number, largest_number);
    event.tokens_per_second = members.amount("tokens_per_second");
    event.trained_tokens = members.amount("trained_tokens");
    event.peak_memory_gb = members.amount("peak_memory_gb");
    event.error_type = members.text("type");
    event.message = members.text("message");
    const bool without_number = event.kind == EventKind::iteration && event.iteration < 1;
    if (!members.sane() || without_number) return std::nullopt;
    return event;
}

void EventReader::take(char byte) {
    if (line_.size() >= longest_line) {
        too_long_ = true;
    } else {
        line_ += byte;
    }
}

std::optional<TrainerEvent> EventReader::finish_line() {
    const auto line = std::exchange(line_, {});
    if (std::exchange(too_long_, false)) {
        ++bad_;
        return std::nullopt;
    }
    if (trim(line).empty()) return std::nullopt;
    auto event = parse_event(line);
    if (!event) ++bad_;
    return event;
}

}  // namespace punie::training
