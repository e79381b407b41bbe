#include "journal/when.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): localtime_r and gmtime_r are POSIX

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "base/text.hpp"

namespace punie::journal {

namespace {

constexpr double minute = 60;
constexpr double hour = 60 * minute;
constexpr double day = 24 * hour;
constexpr double year = 365.25 * day;

/// Years of four digits only: what is written into a journal by hand must not stop its reading.
std::time_t bounded(double seconds) {
    constexpr double last = 253402300799;  // 9999-12-31T23:59:59Z
    if (!(seconds > 0)) return 0;
    return static_cast<std::time_t>(std::min(std::floor(seconds), last));
}

std::tm utc(double seconds) {
    const auto time = bounded(seconds);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    return parts;
}

struct Unit {
    std::string_view name;
    double seconds;
};

constexpr std::array units = {
    Unit{"s", 1},
    Unit{"min", minute},
    Unit{"m", minute},
    Unit{"h", hour},
    Unit{"d", day},
    Unit{"w", 7 * day},
};

}  // namespace

std::string iso_utc(double seconds) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", utc(seconds));
}

std::string utc_time(double seconds) {
    return fmt::format("{:%Y-%m-%d %H:%M} UTC", utc(seconds));
}

std::string local_time(double seconds) {
    const auto time = bounded(seconds);
    std::tm parts{};
    ::localtime_r(&time, &parts);
    return fmt::format("{:%Y-%m-%d %H:%M}", parts);
}

std::string ago(double then, double now) {
    const auto age = now - then;
    if (age < -minute) return "in the future";
    if (age < 5) return "now";
    if (age < minute) return fmt::format("{:.0f} s ago", std::floor(age));
    if (age < hour) return fmt::format("{:.0f} min ago", std::floor(age / minute));
    if (age < day) return fmt::format("{:.0f} h ago", std::floor(age / hour));
    if (age < year) return fmt::format("{:.0f} d ago", std::floor(age / day));
    return fmt::format("{:.0f} y ago", std::floor(age / year));
}

double present() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Result<double> parse_age(std::string_view text) {
    const auto wrong = [text](std::string_view why) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("'{}' is no age: {}", printable(text), why),
            "a number and a unit: 45s, 90min, 12h, 30d or 2w"
        );
    };
    double number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !std::isfinite(number)) return wrong("it begins with no number");
    if (number < 0) return wrong("it is negative");
    const auto unit = text.substr(static_cast<std::size_t>(stop - text.data()));
    if (unit.empty()) return wrong("the unit is missing");
    for (const auto& known : units) {
        if (known.name == unit) return number * known.seconds;
    }
    return wrong(fmt::format("unknown unit '{}'", printable(unit)));
}

}  // namespace punie::journal
