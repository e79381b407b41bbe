#include "eval/suite_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/files.hpp"
#include "eval/suite_source.hpp"

namespace punie::eval {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view scheme = "file://";

bool is_inside(const fs::path& file, const fs::path& folder) {
    const auto [outer, inner] = std::ranges::mismatch(folder, file);
    return outer == folder.end();
}

}  // namespace

bool SuiteFiles::is_reference(const Node& node) {
    return node.kind == Node::Kind::text && node.text.starts_with(scheme);
}

Result<fs::path> SuiteFiles::resolve(std::string_view reference) const {
    const fs::path relative = reference.substr(scheme.size());
    if (relative.empty()) return fail(ErrorCode::invalid_argument, "file:// names no file");
    const bool leaves =
        relative.is_absolute() || std::ranges::find(relative, "..") != relative.end();
    std::error_code error;
    const auto folder = fs::weakly_canonical(folder_.empty() ? fs::path(".") : folder_, error);
    const auto file = error ? fs::path{} : fs::weakly_canonical(folder / relative, error);
    if (leaves || error || !is_inside(file, folder)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} is outside of the suite's folder; put the file beside the suite and write "
                "file://NAME",
                reference
            )
        );
    }
    return file;
}

Result<std::string> SuiteFiles::read(const fs::path& file) const {
    std::error_code error;
    if (!fs::is_regular_file(file, error))
        return fail(ErrorCode::not_found, fmt::format("there is no file {}", file.native()));
    return read_text(file, max_json_bytes);
}

const Node* SuiteFiles::read_list(const Node& reference, std::string_view path, Faults& faults) {
    const auto known = lists_.find(reference.text);
    if (known != lists_.end()) return &known->second;
    const auto file = resolve(reference.text);
    if (!file) {
        faults.add(reference.place, path, file.error().message());
        return nullptr;
    }
    const auto bytes = read(*file);
    if (!bytes) {
        faults.add(reference.place, path, bytes.error().message());
        return nullptr;
    }
    // messages name the file as the suite does: beside the suite, not by an absolute path
    const auto shown = folder_ / fs::path(reference.text.substr(scheme.size()));
    const auto text = checked_text(*bytes, shown, faults);
    if (!text) return nullptr;
    const bool faulty = faults.any();
    Node list;
    list.kind = Node::Kind::list;
    list.place = {std::make_shared<const std::string>(shown.native()), 1, 1};
    list.items = read_rows(*text, shown, faults);
    if (!faulty && faults.any()) return nullptr;
    return &lists_.emplace(reference.text, std::move(list)).first->second;
}

}  // namespace punie::eval
