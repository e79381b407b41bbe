#include "dataset/folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/ascii.hpp"
#include "base/files.hpp"

namespace punie::dataset {

namespace fs = std::filesystem;

namespace {

constexpr std::array splits = {"train", "valid", "test"};

/// "val.jsonl" -> "valid.jsonl"; "" if the name means nothing to us.
std::string meant_name(const std::string& name) {
    static const std::map<std::string, std::string> stems = {
        {"train", "train"},
        {"training", "train"},
        {"trn", "train"},
        {"val", "valid"},
        {"valid", "valid"},
        {"validation", "valid"},
        {"dev", "valid"},
        {"eval", "valid"},
        {"validate", "valid"},
        {"test", "test"},
        {"tests", "test"},
        {"testing", "test"},
    };
    const fs::path path(lower(name));
    static constexpr std::array<std::string_view, 6> endings = {
        ".jsonl", ".json", ".jsonlines", ".ndjson", ".txt", ".jsonl.txt"
    };
    auto stem = path.stem();
    auto ending = path.extension().native();
    if (stem.has_extension() && stem.extension() == ".jsonl") {  // train.jsonl.gz, train.jsonl.txt
        stem = stem.stem();
        ending = ".jsonl";
    }
    const auto found = stems.find(stem.native());
    if (found == stems.end() || std::ranges::find(endings, ending) == endings.end()) return {};
    return found->second + ".jsonl";
}

}  // namespace

const DataFile* DataFolder::find(std::string_view split) const {
    const auto found = std::ranges::find(files, split, &DataFile::split);
    return found == files.end() ? nullptr : &*found;
}

std::vector<std::string> DataFolder::names() const {
    std::vector<std::string> names;
    names.reserve(files.size());
    for (const auto& file : files) names.push_back(file.name);
    return names;
}

Result<DataFolder> look_at_folder(const fs::path& place) {
    std::error_code error;
    const auto status = fs::status(place, error);
    if (!fs::exists(status))
        return fail(
            ErrorCode::not_found,
            fmt::format("{} does not exist", place.native()),
            "name a folder with train.jsonl, or a .jsonl file"
        );
    DataFolder folder;
    if (!fs::is_directory(status)) {
        folder.single = true;
        folder.files.push_back(
            {place.stem().native(), place.filename().native(), place, fs::file_size(place, error)}
        );
        if (error) folder.files.front().bytes = 0;
        return folder;
    }
    for (const auto* split : splits) {
        const auto path = place / fmt::format("{}.jsonl", split);
        if (!fs::exists(path, error)) continue;
        const auto bytes = fs::file_size(path, error);
        folder.files.push_back({split, path.filename().native(), path, error ? 0 : bytes});
    }
    for (auto entry = fs::directory_iterator(place, error);
         !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        const auto name = entry->path().filename().native();
        const auto meant = meant_name(name);
        if (!meant.empty() && meant != name) folder.misnamed.push_back({name, meant});
        if (meant.empty() && name.ends_with(".jsonl")) folder.others.push_back(name);
    }
    if (error)
        return std::unexpected(
            errno_error(error.value(), fmt::format("cannot list {}", place.native()))
        );
    std::ranges::sort(folder.misnamed, {}, &Misnamed::name);
    std::ranges::sort(folder.others);
    return folder;
}

}  // namespace punie::dataset
