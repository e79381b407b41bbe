#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>

#include "base/json.hpp"
#include "base/text.hpp"

namespace punie::cli {

ExitCode exit_code_of(const Error& error) {
    switch (error.code()) {
        case ErrorCode::invalid_argument:
        case ErrorCode::not_found:
        case ErrorCode::unsupported:
        case ErrorCode::model_invalid:
        case ErrorCode::adapter_mismatch:
            return ExitCode::usage;
        case ErrorCode::program_missing:
        case ErrorCode::connection:
        case ErrorCode::foreign_server:
            return ExitCode::missing;
        case ErrorCode::cancelled:
            return ExitCode::interrupted;
        default:
            return ExitCode::failed;
    }
}

namespace {

bool variable_set(const char* name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in Punie changes the environment
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

bool dumb_terminal() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): as above
    const char* term = std::getenv("TERM");
    return term == nullptr || std::string_view(term) == "dumb" || *term == '\0';
}

std::string_view code_of(Colour colour) {
    switch (colour) {
        case Colour::dim:
            return "2";
        case Colour::bold:
            return "1";
        case Colour::red:
            return "31";
        case Colour::green:
            return "32";
        case Colour::yellow:
            return "33";
        case Colour::cyan:
            return "36";
        case Colour::none:
            break;
    }
    return "0";
}

/// Cut to the terminal's width, so that a progress line never wraps and can be erased. Counts
/// characters, not bytes.
std::string fitted(std::string_view line) {
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    const std::size_t width = known ? size.ws_col - 1U : 79U;
    std::size_t characters = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if ((static_cast<unsigned char>(line[i]) & 0xC0U) == 0x80) continue;
        if (++characters > width) return std::string(line.substr(0, i));
    }
    return std::string(line);
}

void write_out(std::FILE* stream, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
}

}  // namespace

Terminal::Terminal()
    : stdout_terminal_(::isatty(STDOUT_FILENO) == 1),
      stderr_terminal_(::isatty(STDERR_FILENO) == 1),
      colours_out_(stdout_terminal_ && !variable_set("NO_COLOR") && !dumb_terminal()),
      colours_err_(stderr_terminal_ && !variable_set("NO_COLOR") && !dumb_terminal()) {}

std::string Terminal::paint_if(bool wanted, Colour colour, std::string_view text) const {
    if (!wanted || colour == Colour::none) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", code_of(colour), text);
}

std::string Terminal::paint(Colour colour, std::string_view text) const {
    return paint_if(colours_out_, colour, text);
}

void Terminal::print(std::string_view line) {
    const std::scoped_lock lock(mutex_);
    erase_progress();
    write_out(stdout, std::string(line) + '\n');
}

void Terminal::print_raw(std::string_view text) {
    const std::scoped_lock lock(mutex_);
    erase_progress();
    write_out(stdout, text);
}

void Terminal::progress(std::string_view line) {
    if (!stderr_terminal_ || dumb_terminal()) return;
    const std::scoped_lock lock(mutex_);
    write_out(stderr, fmt::format("\r\x1b[K{}", fitted(line)));
    progress_shown_ = true;
}

void Terminal::clear_progress() {
    const std::scoped_lock lock(mutex_);
    erase_progress();
}

void Terminal::erase_progress() {
    if (progress_shown_) write_out(stderr, "\r\x1b[K");
    progress_shown_ = false;
}

void Terminal::note(std::string_view line) {
    const std::scoped_lock lock(mutex_);
    erase_progress();
    write_out(stderr, std::string(line) + '\n');
}

ExitCode Terminal::report(const Error& error, bool json) {
    if (json) print(error_json(error));
    if (error.code() == ErrorCode::cancelled) {
        note(paint_if(colours_err_, Colour::yellow, "interrupted"));
    } else if (!json) {
        note(fmt::format("{} {}", paint_if(colours_err_, Colour::red, "error:"), error.describe()));
    }
    return exit_code_of(error);
}

ExitCode Terminal::report_input(const Error& error, bool json) {
    const auto code = report(error, json);
    const auto why = error.code();
    return why == ErrorCode::state || why == ErrorCode::protocol ? ExitCode::usage : code;
}

std::string error_json(const Error& error) {
    json::object object{
        {"event", "error"},
        {"code", name_of(error.code())},
        {"message", error.message()},
        {"hint", error.hint()},
    };
    if (!error.exit_status().empty()) object["exit_status"] = error.exit_status();
    if (error.http_status() != 0) object["http_status"] = error.http_status();
    json::array lines;
    for (const auto& line : error.log_tail()) lines.emplace_back(line);
    object["log_tail"] = std::move(lines);
    return to_text(object);
}

}  // namespace punie::cli
