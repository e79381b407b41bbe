#include "translate/wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>

#include "base/text.hpp"

namespace punie::translate {

std::string sse_event(std::string_view name, const json::value& data) {
    return fmt::format("event: {}\ndata: {}\n\n", name, to_text(data));
}

std::string sse_comment(std::string_view text) {
    auto line = printable(text);
    std::ranges::replace(line, '\n', ' ');
    std::ranges::replace(line, '\r', ' ');
    return fmt::format(": {}\n\n", line);
}

std::string json_line(const json::value& value) {
    return to_text(value) + '\n';
}

std::string date_text(std::int64_t seconds) {
    const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()),
        clock.hours().count(),
        clock.minutes().count(),
        clock.seconds().count()
    );
}

std::string message_of(const Error& error) {
    std::string text;
    for (const auto& line : split_lines(error.message())) {
        if (!text.empty()) text += '\n';
        text += printable(line);
    }
    if (error.hint().empty()) return text;
    if (!text.ends_with('.')) text += '.';
    return fmt::format("{} {}", text, printable(error.hint()));
}

}  // namespace punie::translate
