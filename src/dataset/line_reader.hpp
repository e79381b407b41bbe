#pragma once
// A file line by line through one buffer.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace punie::dataset {

struct Line {
    std::string_view text;     ///< without its line end; valid until the next call
    std::size_t number = 0;    ///< from 1
    std::uint64_t offset = 0;  ///< of its first byte in the file
    bool too_long = false;     ///< over the limit; `text` is its beginning
    bool ended = true;         ///< a line end followed
};

class LineReader {
public:
    static constexpr std::size_t longest_line = std::size_t{64} << 20U;

    /// Errors: not_found, io (names the file).
    static Result<LineReader> open(
        const std::filesystem::path& file, std::size_t longest = longest_line
    );

    LineReader(LineReader&&) noexcept;
    LineReader& operator=(LineReader&&) noexcept;
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;
    ~LineReader();

    /// False at the end of the file or when reading failed (`failed()` tells).
    bool next(Line& line);

    bool failed() const { return failure_ != 0; }

    /// errno of a failed read.
    int failure() const { return failure_; }

    std::uint64_t position() const { return offset_; }

private:
    LineReader(int descriptor, std::size_t longest);
    bool fill();
    void skip_rest();

    int descriptor_ = -1;
    std::size_t longest_;
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t scanned_ = 0;  ///< from begin_: no line end in there
    std::size_t number_ = 0;
    std::uint64_t offset_ = 0;
    bool at_end_ = false;
    int failure_ = 0;
};

/// One line at a known place of a file; nothing if it cannot be read.
std::string line_at(const std::filesystem::path& file, std::uint64_t offset);

}  // namespace punie::dataset
