#pragma once
// What is printed where: results to stdout, progress and problems to stderr, colours only where
// they are wanted.

#include <punie/error.hpp>

#include <mutex>
#include <string>
#include <string_view>

namespace punie::cli {

/// Exit codes of every command.
enum class ExitCode { done = 0, failed = 1, usage = 2, missing = 3, interrupted = 130 };

/// The exit code that an error of the library stands for.
ExitCode exit_code_of(const Error& error);

enum class Colour { none, dim, bold, red, green, yellow, cyan };

/// Thread-safe: each call prints whole lines.
class Terminal {
public:
    /// Looks at NO_COLOR, TERM and whether stdout and stderr are terminals.
    Terminal();

    /// Text with colour codes, or as it is when stdout has none.
    std::string paint(Colour colour, std::string_view text) const;

    /// A line to stdout, written through at once. A closed stdout is no error.
    void print(std::string_view line);
    /// Text to stdout without a line end (streamed answers).
    void print_raw(std::string_view text);

    /// A line that replaces the last progress line on stderr; nothing when stderr is no terminal.
    void progress(std::string_view line);
    /// Removes the progress line.
    void clear_progress();

    /// A note to stderr.
    void note(std::string_view line);

    /// "error: ..." with log lines and hint to stderr, or {"event":"error",...} to stdout under
    /// --json. Returns the exit code.
    ExitCode report(const Error& error, bool json = false);

    /// `report` of something that was given (a file, a run): what cannot be read or does not fit is
    /// bad input, whoever noticed it. Exit code 2 where `report` has 1 for it.
    ExitCode report_input(const Error& error, bool json = false);

    bool interactive() const { return stderr_terminal_; }

    bool stdout_terminal() const { return stdout_terminal_; }

private:
    std::string paint_if(bool wanted, Colour colour, std::string_view text) const;
    void erase_progress();
    std::mutex mutex_;
    bool stdout_terminal_;
    bool stderr_terminal_;
    bool colours_out_;
    bool colours_err_;
    bool progress_shown_ = false;
};

/// The error as the JSON object of `--json` output.
std::string error_json(const Error& error);

}  // namespace punie::cli
