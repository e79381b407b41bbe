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
    // A folder a content: the file keeps its name, so that Python can import it as a module.
    auto file = cache_folder() / "python" / content_hash(found->second) / name;
    const auto present = read_text(file, found->second.size() + 1);
    if (present && *present == found->second) return file;
    if (auto written = write_atomic(file, found->second); !written)
        return std::unexpected(written.error());
    return file;
}

}  // namespace punie::backend
