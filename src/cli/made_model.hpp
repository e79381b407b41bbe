#pragma once
// What `punie fuse` and `punie quantise` have in common: the run in the journal, progress, the end.

#include <punie/error.hpp>

#include <functional>
#include <stop_token>
#include <string>

#include "base/json.hpp"
#include "cli/terminal.hpp"
#include "training/make_model.hpp"

namespace punie::cli {

struct Making {
    std::string kind;     ///< of the run: "fuse", "quantise"
    std::string name;     ///< of the run; "" is the folder's
    json::object config;  ///< all options
    json::object hashes;  ///< of the inputs
    bool json = false;
    /// Does it.
    std::function<
        Result<training::MadeModel>(const training::MakeCalls& calls, std::stop_token stop)>
        make;
};

/// Runs it, records it, prints what came out. A journal that cannot be written is said and stops
/// nothing.
ExitCode run_making(const Making& making, const std::string& out, Terminal& terminal);

}  // namespace punie::cli
