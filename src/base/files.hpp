#pragma once
// Files: read whole, write atomically, temporary folders that vanish.

#include <punie/error.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace punie {

/// The file's bytes. Errors: not_found, io (both name the file). `limit` bytes at most (io beyond
/// it).
Result<std::string> read_text(const std::filesystem::path& file, std::size_t limit = 1ULL << 30U);

/// Writes beside the file, syncs and renames: a reader or a power cut sees the old or the new file,
/// never half of one. Creates missing parent folders. Errors: io, disk_full (name the file).
Result<void> write_atomic(const std::filesystem::path& file, std::string_view bytes);

/// errno as an Error: ENOSPC and EDQUOT become disk_full, ENOENT not_found, everything else io.
Error errno_error(int error_number, std::string_view what);

/// A fresh folder, removed with all its content by the destructor.
class TemporaryFolder {
public:
    /// In $TMPDIR or /tmp. Errors: io.
    static Result<TemporaryFolder> make(std::string_view prefix = "punie");
    TemporaryFolder(TemporaryFolder&& other) noexcept;
    TemporaryFolder& operator=(TemporaryFolder&& other) noexcept;
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder();

    const std::filesystem::path& path() const { return path_; }

private:
    explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}

    std::filesystem::path path_;
};

/// $XDG_CACHE_HOME/punie, ~/.cache/punie (~/Library/Caches/punie on macOS), or a folder in /tmp
/// when there is no home.
std::filesystem::path cache_folder();

/// $XDG_CONFIG_HOME/punie or ~/.config/punie.
std::filesystem::path config_folder();

/// $XDG_STATE_HOME/punie or ~/.local/state/punie: logs.
std::filesystem::path state_folder();

}  // namespace punie
