#include "process/guard_location.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "process/system.hpp"

namespace punie::process {

namespace fs = std::filesystem;

Result<fs::path> find_guard() {
    std::vector<fs::path> places;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    if (const char* given = std::getenv("PUNIE_GUARD"); given != nullptr && *given != '\0') {
        places = {given};  // who names one wants that one
    } else {
        const auto folder = fs::path(executable_path()).parent_path();
        places = {
            folder / "punie-guard",
            folder.parent_path() / "libexec" / "punie" / "punie-guard",
            PUNIE_GUARD_INSTALLED,
            PUNIE_GUARD_BUILT
        };
    }
    std::string looked;
    for (const auto& place : places) {
        if (::access(place.c_str(), X_OK) == 0) return place;
        looked += fmt::format("{}{}", looked.empty() ? "" : ", ", place.native());
    }
    return fail(
        ErrorCode::io,
        fmt::format("the guard program punie-guard was not found (looked for {})", looked),
        "install Punie as a whole (cmake --install), or set PUNIE_GUARD to the path of punie-guard"
    );
}

}  // namespace punie::process
