#pragma once
// Lines to a file or descriptor that may be slow, full or gone, without ever making the gateway
// wait: a thread of its own writes them, a bounded queue holds what it has not written yet.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace punie::gateway {

/// Thread-safe. The destructor writes what is queued, for a second at most.
class LineWriter {
public:
    /// Lines for a descriptor that stays the caller's (1, 2).
    explicit LineWriter(int descriptor, std::size_t most_queued = 8U << 20U);
    /// Appends to a file, made with mode 0600. Errors: io, not_found (names the file).
    static Result<LineWriter> open(
        const std::filesystem::path& file, std::size_t most_queued = 8U << 20U
    );
    LineWriter(LineWriter&&) noexcept;
    LineWriter& operator=(LineWriter&&) noexcept;
    ~LineWriter();

    /// Queues a line; its end is added. Drops and counts it when the queue is full.
    void add(std::string_view line);

    /// Opens the file anew: after it was renamed by somebody who keeps logs short. A file that
    /// cannot be opened leaves the old one in use. Does nothing for a descriptor.
    void reopen();

    std::uint64_t dropped() const;

    /// Waits until everything queued so far has been written or could not be (tests).
    void flush();

private:
    struct Impl;
    explicit LineWriter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace punie::gateway
