#include "gateway/control_place.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "base/files.hpp"

namespace punie::gateway {

namespace fs = std::filesystem;

fs::path control_place(const std::function<std::optional<std::string>(const char*)>& variable) {
    const auto set = [&](const char* name) -> std::optional<std::string> {
        auto value = variable(name);
        if (value && value->empty()) value.reset();
        return value;
    };
    if (const auto named = set("PUNIE_CONTROL_SOCKET")) return *named;
    // The XDG specification has relative paths ignored.
    if (const auto runtime = set("XDG_RUNTIME_DIR"); runtime && runtime->starts_with('/'))
        return fs::path(*runtime) / "punie" / "control.sock";
    return cache_folder() / "control.sock";
}

fs::path control_place() {
    return control_place([](const char* name) -> std::optional<std::string> {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
        const char* value = std::getenv(name);
        if (value == nullptr) return std::nullopt;
        return std::string(value);
    });
}

Result<void> prepare_control_folder(const fs::path& socket) {
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    if (socket.native().size() > longest) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "control socket: {} has {} characters; a Unix socket's path may have {}",
                socket.native(),
                socket.native().size(),
                longest
            ),
            "name a shorter one with --socket or PUNIE_CONTROL_SOCKET"
        );
    }
    const auto folder = socket.parent_path();
    if (folder.empty()) return {};
    std::error_code ignored;  // mkdir says what is wrong
    if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), ignored);
    if (::mkdir(folder.c_str(), 0700) == 0) return {};
    if (errno != EEXIST) {
        return std::unexpected(
            errno_error(errno, fmt::format("cannot make the folder {}", folder.native()))
        );
    }
    struct stat found{};
    if (::stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode))
        return fail(ErrorCode::io, fmt::format("{} is no folder", folder.native()));
    const bool ours = found.st_uid == ::geteuid() || found.st_uid == 0;
    const bool sticky = (found.st_mode & S_ISVTX) != 0;  // /tmp: others cannot replace our socket
    if (ours && ((found.st_mode & 0022) == 0 || sticky)) return {};
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "control socket: the folder {} {}",
            folder.native(),
            ours ? "is open for others to write" : "belongs to another user"
        ),
        fmt::format("chmod go-w {}, or name another place with --socket", folder.native())
    );
}

}  // namespace punie::gateway
