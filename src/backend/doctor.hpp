#pragma once
// What works and what does not on this machine, each failing line with what to do: `punie doctor`.

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.hpp"
#include "base/awaitable.hpp"

namespace punie::backend {

/// `warning`: something cannot be done, or only less well; the main job (serve and train with
/// mlx_lm) still can.
enum class CheckStatus { ok, warning, failed };
std::string_view name_of(CheckStatus status);

struct Check {
    std::string name;  ///< "mlx_lm", "python", "containment" ...: stable, for programs
    CheckStatus status = CheckStatus::ok;
    std::string found;  ///< in a sentence
    std::string to_do;  ///< what to do about it; empty if ok
};

struct DoctorReport {
    std::string platform;
    std::vector<Check> checks;  ///< always the same ones in the same order

    /// The worst status of all checks.
    CheckStatus worst() const;
};

/// Looks at everything once; programs are asked (up to a few seconds when nothing is cached). Never
/// fails: what cannot be found out is a check with its reason. Cancellable.
Task<DoctorReport> examine(Search search);

/// The same for callers without an event loop.
DoctorReport examine_blocking(const Search& search);

/// {"platform": ..., "worst": "ok", "checks": [{"name", "status", "found", "to_do"}]}.
boost::json::value to_json(const DoctorReport& report);

}  // namespace punie::backend
