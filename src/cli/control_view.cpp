#include "cli/control_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"

namespace punie::cli {

namespace {

std::string text_of(const json::value& value, std::string_view name) {
    return printable(string_member(value, name).value_or(""));
}

std::uint64_t count_of(const json::value& value, std::string_view name) {
    return static_cast<std::uint64_t>(std::max(0.0, number_member(value, name).value_or(0)));
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80;
    }));
}

std::string memory_of(const json::value& model) {
    const auto now = count_of(model, "memory");
    if (now > 0) return human_bytes(now);
    if (const auto needed = count_of(model, "memory_needed"); needed > 0)
        return fmt::format("({})", human_bytes(needed));
    return "-";
}

std::string requests_of(const json::value& model) {
    const auto running = count_of(model, "running");
    const auto waiting = count_of(model, "waiting");
    if (waiting == 0) return std::to_string(running);
    return fmt::format("{}+{}", running, waiting);
}

/// Why it is in its state: the error of a failure before all.
std::string reason_of(const json::value& model) {
    if (const auto* error = member(model, "error"))
        if (auto message = text_of(*error, "message"); !message.empty()) return message;
    return text_of(model, "reason");
}

std::string cut(std::string text, std::size_t most) {
    if (characters(text) <= most) return text;
    std::size_t seen = 0;
    std::size_t at = 0;
    while (at < text.size() && seen < most - 1) {
        ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) ++at;
        ++seen;
    }
    return text.substr(0, at) + "\u2026";
}

const json::array& list_of(const json::value& value, std::string_view name) {
    static const json::array none;
    const auto* list = member(value, name);
    return list != nullptr && list->is_array() ? list->get_array() : none;
}

}  // namespace

Colour state_colour(std::string_view state) {
    if (state == "ready") return Colour::green;
    if (state == "failed") return Colour::red;
    if (state == "draining") return Colour::yellow;
    if (state == "starting" || state == "loading") return Colour::cyan;
    return Colour::dim;
}

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], characters(row[i]));
    }
    std::vector<std::string> lines;
    lines.reserve(rows.size());
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - characters(row[i]) + 2, ' ');
        }
        lines.emplace_back(line.substr(0, line.find_last_not_of(' ') + 1));
    }
    return lines;
}

std::string memory_line(const json::value& ps) {
    const auto* memory = member(ps, "memory");
    if (memory == nullptr) return "";
    return fmt::format(
        "{} of {} used by models, gateway pid {}",
        human_bytes(count_of(*memory, "used")),
        human_bytes(count_of(*memory, "budget")),
        count_of(ps, "pid")
    );
}

std::vector<std::string> model_table(const json::value& ps, const Terminal& terminal) {
    constexpr std::size_t longest_reason = 60;
    std::vector<std::vector<std::string>> rows{
        {"MODEL", "STATE", "MEMORY", "REQUESTS", "SERVED", "PID", "WHY"}
    };
    for (const auto& model : list_of(ps, "models")) {
        auto name = text_of(model, "name");
        if (const auto adapter = text_of(model, "adapter_loaded"); !adapter.empty())
            name += fmt::format(" ({})", adapter);
        if (bool_member(model, "pinned").value_or(false)) name += " *";
        const auto pid = count_of(model, "pid");
        rows.push_back(
            {std::move(name),
             text_of(model, "state"),
             memory_of(model),
             requests_of(model),
             std::to_string(count_of(model, "served")),
             pid == 0 ? "-" : std::to_string(pid),
             cut(reason_of(model), longest_reason)}
        );
    }
    auto lines = aligned(rows);
    // Painted when the widths are settled: colour codes have none.
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto& state = rows[i][1];
        const auto at = lines[i].find("  " + state, rows[i][0].size());
        if (at != std::string::npos)
            lines[i].replace(at + 2, state.size(), terminal.paint(state_colour(state), state));
    }
    lines.front() = terminal.paint(Colour::bold, lines.front());
    return lines;
}

std::vector<std::string> live_table(const json::value& requests) {
    std::vector<std::vector<std::string>> rows{
        {"REQUEST", "MODEL", "PHASE", "TIME", "EVENTS", "CLIENT"}
    };
    for (const auto& request : list_of(requests, "requests")) {
        const auto key = text_of(request, "key");
        rows.push_back(
            {cut(text_of(request, "id"), 24),
             text_of(request, "model"),
             text_of(request, "phase"),
             human_duration(
                 std::chrono::duration<double>(number_member(request, "seconds").value_or(0))
             ),
             std::to_string(count_of(request, "tokens")),
             key.empty() ? text_of(request, "peer") : key}
        );
    }
    return aligned(rows);
}

std::string event_line(const json::value& event, const Terminal& terminal) {
    const auto state = text_of(event, "state");
    const auto model = text_of(event, "model");
    auto what = fmt::format("{:<8}", state.empty() ? text_of(event, "what") : state);
    if (!state.empty()) what = terminal.paint(state_colour(state), what);
    return fmt::format(
        "{}  {}  {}{}",
        terminal.paint(Colour::dim, text_of(event, "time")),
        what,
        model.empty() ? "" : model + ": ",
        text_of(event, "text")
    );
}

}  // namespace punie::cli
