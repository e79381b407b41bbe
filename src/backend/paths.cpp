#include "backend/paths.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "base/text.hpp"

namespace punie::backend {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t looked_at =
    2000;  // entries of the parent folder; a folder of millions must not stop the start

std::string hint_for(const fs::path& path) {
    std::error_code error;
    auto parent = path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
    const auto name = path.has_filename() ? path.filename() : path.parent_path().filename();
    if (parent.empty()) parent = ".";
    std::vector<std::string> names;
    for (fs::directory_iterator entry(parent, error), end;
         !error && entry != end && names.size() < looked_at;
         entry.increment(error)) {
        names.push_back(entry->path().filename().native());
    }
    if (error) return fmt::format("the folder {} does not exist either", parent.native());
    const auto similar = nearest(name.native(), names);
    if (similar)
        return fmt::format("did you mean {}?", (parent / *similar).lexically_normal().native());
    if (parent == ".") return "nothing in this folder has a similar name";
    return fmt::format("{} holds nothing of a similar name", parent.native());
}

}  // namespace

Result<void> require_path(std::string_view field, const std::string& path) {
    std::error_code error;
    if (fs::exists(path, error)) return {};
    if (error && error != std::errc::no_such_file_or_directory) {
        return fail(
            ErrorCode::io, fmt::format("{}: {}: {}", field, printable(path), error.message())
        );
    }
    return fail(
        ErrorCode::not_found,
        fmt::format("{}: {} does not exist", field, printable(path)),
        hint_for(path)
    );
}

}  // namespace punie::backend
