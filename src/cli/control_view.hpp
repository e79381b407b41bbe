#pragma once
// What the gateway says of itself, as lines for a terminal. Pure but for colours.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "cli/terminal.hpp"

namespace punie::cli {

Colour state_colour(std::string_view state);

/// Cells as columns that line up; the widest cell gives the width, two blanks between. The first
/// row is the heading. Widths count characters.
std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows);

/// "2.10 GB of 12.00 GB used by models": of /control/ps.
std::string memory_line(const json::value& ps);

/// A line a model with a heading: of /control/ps.
std::vector<std::string> model_table(const json::value& ps, const Terminal& terminal);

/// A line a running request with a heading: of /control/requests?live=1.
std::vector<std::string> live_table(const json::value& requests);

/// A line of /control/events.
std::string event_line(const json::value& event, const Terminal& terminal);

}  // namespace punie::cli
