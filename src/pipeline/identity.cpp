#include "pipeline/identity.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <vector>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"

namespace punie::pipeline {

namespace {

using Path = std::filesystem::path;

constexpr std::uint64_t worth_remembering = 1 << 20U;  ///< smaller files are hashed each time

/// Hashes of files that did not change, kept between runs. A lost update of two punies costs a
/// second reading, no more.
class Remembered {
public:
    static Remembered& instance() {
        static Remembered only;
        return only;
    }

    Result<std::string> of(const Path& file) {
        struct stat info{};

        if (::stat(file.c_str(), &info) != 0)
            return std::unexpected(errno_error(errno, "look at " + file.string()));
        if (static_cast<std::uint64_t>(info.st_size) < worth_remembering) return sha256_file(file);
        const auto key = state_of(file, info);
        const std::lock_guard lock(mutex_);
        load();
        if (const auto found = hashes_.find(key); found != hashes_.end()) return found->second;
        auto hash = sha256_file(file);
        if (hash) {
            hashes_[key] = *hash;
            save();
        }
        return hash;
    }

private:
    static std::string state_of(const Path& file, const struct stat& info) {
        std::error_code ignored;
        const auto full = std::filesystem::weakly_canonical(file, ignored);
#ifdef __APPLE__
        const auto& modified = info.st_mtimespec;
        const auto& changed = info.st_ctimespec;
#else
        const auto& modified = info.st_mtim;
        const auto& changed = info.st_ctim;
#endif
        return fmt::format(
            "{}|{}|{}.{:09}|{}.{:09}",
            full.string(),
            info.st_size,
            modified.tv_sec,
            modified.tv_nsec,
            changed.tv_sec,
            changed.tv_nsec
        );
    }

    static Path store() { return cache_folder() / "file-hashes.json"; }

    void load() {
        if (loaded_) return;
        loaded_ = true;
        const auto text = read_text(store());
        if (!text) return;
        const auto value = parse_json(*text);
        if (!value || !value->is_object()) return;
        for (const auto& [key, hash] : value->as_object()) {
            if (hash.is_string()) hashes_[std::string(key)] = std::string(hash.as_string());
        }
    }

    void save() {
        if (hashes_.size() > most) hashes_.clear();
        json::object object;
        for (const auto& [key, hash] : hashes_) object[key] = hash;
        (void)write_atomic(store(), to_text(object));  // a cache: without it files are read again
    }

    static constexpr std::size_t most = 5'000;

    std::mutex mutex_;
    bool loaded_ = false;
    std::map<std::string, std::string> hashes_;
};

bool counts(const Path& file) {
    const auto name = file.filename().string();
    const bool half_written = name.ends_with(".tmp") || name.ends_with(".part");
    return !name.starts_with('.') && !half_written && name != "punie.json";
}

/// What is loaded of an adapter of mlx_lm. Checkpoints and records beside it tell how it came to
/// be, and are others after a training that was interrupted.
constexpr std::array<std::string_view, 2> adapter_files = {
    "adapter_config.json", "adapters.safetensors"
};

Result<std::vector<Path>> files_of(const Path& folder) {
    std::vector<Path> files;
    std::error_code error;
    if (std::filesystem::exists(folder / adapter_files.back(), error)) {
        for (const auto name : adapter_files) {
            if (std::filesystem::exists(folder / name, error)) files.push_back(folder / name);
        }
        return files;
    }
    auto at = std::filesystem::recursive_directory_iterator(folder, error);
    for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
        if (at->is_directory() && !counts(at->path())) at.disable_recursion_pending();
        if (at->is_regular_file() && counts(at->path())) files.push_back(at->path());
    }
    if (error) return std::unexpected(errno_error(error.value(), "read " + folder.string()));
    std::ranges::sort(files);
    return files;
}

}  // namespace

Result<std::string> content_hash(const Path& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error))
        return fail(ErrorCode::not_found, path.string() + " does not exist");
    if (!std::filesystem::is_directory(path, error)) return Remembered::instance().of(path);
    auto files = files_of(path);
    if (!files) return std::unexpected(std::move(files).error());
    Sha256 hash;
    for (const auto& file : *files) {
        auto one = Remembered::instance().of(file);
        if (!one) return one;
        hash.add_part(file.lexically_relative(path).generic_string()).add_part(*one);
    }
    return hash.hex();
}

std::string short_hash(const std::string& hash) {
    return hash.substr(0, 12);
}

}  // namespace punie::pipeline
