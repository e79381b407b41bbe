#pragma once
// A body while it arrives: in memory, then in a file that has no name and so leaves nothing behind.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "relay/message.hpp"

namespace punie::relay {

/// A temporary file without a name. Owns its descriptor.
class SpoolFile {
public:
    /// In `folder`, or the system's temporary one. Errors: io (names the folder).
    static Result<SpoolFile> create(const std::filesystem::path& folder);

    SpoolFile(SpoolFile&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), size_(std::exchange(other.size_, 0)) {}

    SpoolFile& operator=(SpoolFile&& other) noexcept;
    ~SpoolFile();

    std::uint64_t size() const { return size_; }

    /// Errors: disk_full, io.
    Result<void> append(std::string_view piece);
    Result<std::string> read(std::uint64_t offset, std::size_t size) const;

private:
    explicit SpoolFile(int descriptor) : descriptor_(descriptor) {}

    int descriptor_ = -1;
    std::uint64_t size_ = 0;
};

/// Collects the pieces of a body.
class BodyReader {
public:
    explicit BodyReader(BodyLimits limits) : limits_(std::move(limits)) {}

    /// Room for so many bytes, as far as they would stay in memory.
    void expect(std::size_t bytes) { body_.text_.reserve(std::min(bytes, limits_.in_memory)); }

    /// Errors: disk_full, io.
    Result<void> add(std::string_view piece);

    std::uint64_t size() const { return body_.size(); }

    Body take() { return std::move(body_); }

private:
    BodyLimits limits_;
    Body body_;
};

}  // namespace punie::relay
