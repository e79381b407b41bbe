#include "relay/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/files.hpp"

namespace punie::relay {

Result<SpoolFile> SpoolFile::create(const std::filesystem::path& folder) {
    std::error_code none;
    const auto where = folder.empty() ? std::filesystem::temp_directory_path(none) : folder;
    auto name = (where / "punie-body-XXXXXX").native();
    const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0) {
        return std::unexpected(errno_error(
            errno, fmt::format("cannot make a file for a large request in {}", where.native())
        ));
    }
    ::unlink(name.c_str());
    return SpoolFile(descriptor);
}

SpoolFile& SpoolFile::operator=(SpoolFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(size_, other.size_);
    return *this;
}

SpoolFile::~SpoolFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> SpoolFile::append(std::string_view piece) {
    while (!piece.empty()) {
        const auto put =
            ::pwrite(descriptor_, piece.data(), piece.size(), static_cast<off_t>(size_));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            return std::unexpected(
                errno_error(put == 0 ? EIO : errno, "cannot write a large request's body to disk")
            );
        }
        size_ += static_cast<std::uint64_t>(put);
        piece.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

Result<std::string> SpoolFile::read(std::uint64_t offset, std::size_t size) const {
    if (offset >= size_) return std::string();
    std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - offset)), '\0');
    std::size_t have = 0;
    while (have < text.size()) {
        const auto got = ::pread(
            descriptor_, text.data() + have, text.size() - have, static_cast<off_t>(offset + have)
        );
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            return std::unexpected(
                errno_error(got == 0 ? EIO : errno, "cannot read a large request's body from disk")
            );
        }
        have += static_cast<std::size_t>(got);
    }
    return text;
}

}  // namespace punie::relay
