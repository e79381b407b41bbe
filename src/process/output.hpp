#pragma once
// Where a child's output goes: a bounded ring in memory and, if wanted, a rotating file. Never
// blocks the child.

#include <punie/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace punie::process {

/// The last bytes that a child printed. One writer and any number of readers in other threads
/// (locks inside).
class OutputRing {
public:
    explicit OutputRing(std::size_t capacity = 256 * 1024);
    ~OutputRing();
    OutputRing(const OutputRing&) = delete;
    OutputRing& operator=(const OutputRing&) = delete;

    void append(std::string_view bytes);

    /// The last `count` lines, oldest first, made printable, each cut to `width` bytes. An
    /// unfinished last line counts.
    std::vector<std::string> last_lines(std::size_t count, std::size_t width = 500) const;

    /// All bytes kept, oldest first.
    std::string contents() const;

    /// Bytes ever appended.
    std::uint64_t total() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A log file that is renamed to NAME.1, .2 ... when it reaches `max_bytes`; the oldest beyond
/// `keep` is deleted. A full disk or a vanished folder is no reason to stop: bytes are dropped and
/// counted, writing is tried again later.
class RotatingFile {
public:
    explicit RotatingFile(
        std::filesystem::path file, std::uint64_t max_bytes = 10'000'000, unsigned keep = 3
    );
    ~RotatingFile();
    RotatingFile(RotatingFile&&) noexcept;
    RotatingFile& operator=(RotatingFile&&) noexcept;
    RotatingFile(const RotatingFile&) = delete;
    RotatingFile& operator=(const RotatingFile&) = delete;

    void write(std::string_view bytes);
    std::uint64_t dropped() const;
    const std::filesystem::path& path() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace punie::process
