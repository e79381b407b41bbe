#pragma once
// What control says, as JSON: one function a thing. Pure. The fields are in docs/control.md.

#include <chrono>
#include <string>

#include "base/json.hpp"
#include "gateway/control.hpp"

namespace punie::gateway {

/// "2026-03-01T12:00:00.250Z".
std::string iso_time(std::chrono::system_clock::time_point time);

json::object model_json(const fleet::ModelStatus& model);
json::object event_json(const fleet::FleetEvent& event);
json::object request_json(std::uint64_t number, const RequestRecord& record);
json::object live_json(const LiveRequest& request, SteadyTime now);

/// {"error": {"code", "message", "hint", "log"}}; empty members are left out.
json::object failure_json(const Error& error);

/// The HTTP status that tells of an error.
int status_of(const Error& error);

/// The lines of `now` that came after those of `before`, both the last lines of one growing log:
/// the longest end of `before` that `now` begins with is known.
std::vector<std::string> lines_added(
    const std::vector<std::string>& before, const std::vector<std::string>& now
);

/// Value of `name` in a query ("after=3&follow=1"), decoded; nothing if it is not there.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace punie::gateway
