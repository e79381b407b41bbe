#pragma once
// Times and ages for people and for programs.

#include <punie/error.hpp>

#include <string>
#include <string_view>

namespace punie::journal {

/// "2026-11-24T08:30:05Z" (ISO 8601, UTC).
std::string iso_utc(double seconds_since_1970);

/// "2026-11-24 09:30", in the machine's time zone.
std::string local_time(double seconds_since_1970);

/// "2026-11-24 08:30 UTC".
std::string utc_time(double seconds_since_1970);

/// "now", "12 s ago", "5 min ago", "3 h ago", "12 d ago", "2 y ago"; "in the future" when the
/// clocks disagree by more than a minute.
std::string ago(double then, double now);

/// The present, in seconds since 1970.
double present();

/// "30d", "12h", "90min", "45s", "2w" in seconds. Errors: invalid_argument, with the units.
Result<double> parse_age(std::string_view text);

}  // namespace punie::journal
