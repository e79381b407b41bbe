#pragma once
// Text for people: sizes, durations, safe output of bytes that came from outside.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace punie {

/// "0.41 GB", "12.3 MB", "640 B": decimal units (1 GB = 1e9 bytes), as MLX reports memory.
std::string human_bytes(std::uint64_t bytes);

/// "0.21 s", "12.4 s", "3 min 20 s", "2 h 5 min".
std::string human_duration(std::chrono::duration<double> time);

/// The parts of `text` between separators; an empty text has no part, a trailing separator adds
/// none.
std::vector<std::string> split_lines(std::string_view text);

std::string_view trim(std::string_view text);

/// Length of the well-formed UTF-8 sequence at the start of `text`, which is not empty; 0 if there
/// is none (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text);

/// Replaces invalid UTF-8 by U+FFFD and control characters (ANSI sequences whole) by nothing; tabs
/// stay. For showing a child's output without letting it drive the terminal.
std::string printable(std::string_view bytes);

/// The candidate nearest to `word` by edit distance (at most a third of its length, at least 2),
/// for "did you mean".
std::optional<std::string> nearest(
    std::string_view word, const std::vector<std::string>& candidates
);

/// "a, b or c".
std::string join_or(const std::vector<std::string>& words);

/// The command line as a person would type it: arguments with special characters in single quotes.
std::string shell_quoted(const std::vector<std::string>& argv);

}  // namespace punie
