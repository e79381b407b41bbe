#include <fmt/format.h>

#include "backend/answer_cache.hpp"
#include "backend/embedded_python.hpp"
#include "backend/mlx_installation.hpp"
#include "base/files.hpp"

namespace punie::backend {

Result<std::filesystem::path> python_asset(std::string_view name) {
    const auto& files = embedded_python();
    const auto found = files.find(name);
    if (found == files.end()) {
        return fail(
            ErrorCode::not_found, fmt::format("no embedded Python file is called {}", name)
        );
    }
    // One folder for each content of all of them, as they import each other by their names.
    std::string all;
    for (const auto& [other, text] : files) all.append(other).append(text);
    const auto folder = cache_folder() / "python" / content_hash(all);
    for (const auto& [other, text] : files) {
        const auto file = folder / other;
        const auto present = read_text(file, text.size() + 1);
        if (present && *present == text) continue;
        if (auto written = write_atomic(file, text); !written)
            return std::unexpected(written.error());
    }
    return folder / name;
}

}  // namespace punie::backend
