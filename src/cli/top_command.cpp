// cli/top_command.cpp: `punie top`, models and requests as they change.

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include "cli/commands.hpp"
#include "cli/control_client.hpp"
#include "cli/control_view.hpp"
#include "cli/interrupt.hpp"

namespace punie::cli {

namespace {

struct TopOptions {
    std::string socket;
    double interval = 1;
    unsigned count = 0;
};

/// Keys without Enter, and a screen of its own that vanishes at the end.
class LiveScreen {
public:
    LiveScreen() {
        known_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        if (known_) {
            auto raw = before_;
            raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
            ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        }
        write("\x1b[?1049h\x1b[?25l");
    }

    LiveScreen(const LiveScreen&) = delete;
    LiveScreen& operator=(const LiveScreen&) = delete;

    ~LiveScreen() {
        write("\x1b[?25h\x1b[?1049l");
        if (known_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    }

    /// As many lines as there are rows, without clearing first: nothing flickers.
    static void draw(const std::vector<std::string>& lines) {
        winsize size{};
        const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
        const std::size_t rows = known ? size.ws_row : 24U;
        std::string text = "\x1b[H";
        for (std::size_t i = 0; i < lines.size() && i + 1 < rows; ++i)
            text += fmt::format("\x1b[?7l{}\x1b[?7h\x1b[K\r\n", lines[i]);
        write(text + "\x1b[J");
    }

    /// Waits; true when q was pressed.
    static bool quits_within(std::chrono::milliseconds time, const Interrupt& interrupt) {
        const auto end = std::chrono::steady_clock::now() + time;
        while (!interrupt.happened()) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                end - std::chrono::steady_clock::now()
            );
            if (left.count() <= 0) return false;
            pollfd keys{STDIN_FILENO, POLLIN, 0};
            constexpr long slice_ms = 100;
            if (::poll(&keys, 1, static_cast<int>(std::min(left.count(), slice_ms))) <= 0) continue;
            char key = 0;
            if (::read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q') return true;
        }
        return true;
    }

private:
    static void write(std::string_view text) {
        (void)!::write(STDOUT_FILENO, text.data(), text.size());
    }

    termios before_{};
    bool known_ = false;
};

Result<std::vector<std::string>> picture(const ControlClient& client, const Terminal& terminal) {
    const auto ps = client.ask("GET", "/control/ps");
    if (!ps) return std::unexpected(ps.error());
    const auto live = client.ask("GET", "/control/requests?live=1");
    if (!live) return std::unexpected(live.error());
    std::vector<std::string> lines{memory_line(*ps), ""};
    for (auto& line : model_table(*ps, terminal)) lines.push_back(std::move(line));
    lines.emplace_back();
    for (auto& line : live_table(*live)) lines.push_back(std::move(line));
    return lines;
}

ExitCode run_live(const TopOptions& options, Terminal& terminal) {
    const ControlClient client(options.socket);
    // Asked once before the screen changes: an error belongs on the usual one.
    auto lines = picture(client, terminal);
    if (!lines) return terminal.report(lines.error());
    const Interrupt interrupt;
    const auto interval = std::chrono::milliseconds(static_cast<long>(options.interval * 1'000));
    {
        const LiveScreen screen;
        while (lines) {
            lines->emplace_back();
            lines->emplace_back("q quits");
            LiveScreen::draw(*lines);
            if (LiveScreen::quits_within(interval, interrupt)) break;
            lines = picture(client, terminal);
        }
    }
    if (!lines) return terminal.report(lines.error());
    return interrupt.happened() ? ExitCode::interrupted : ExitCode::done;
}

ExitCode run_plain(const TopOptions& options, Terminal& terminal) {
    const ControlClient client(options.socket);
    const Interrupt interrupt;
    const auto count = options.count == 0 ? 1 : options.count;
    for (unsigned i = 0; i < count; ++i) {
        if (i > 0) {
            terminal.print("");
            ::poll(nullptr, 0, static_cast<int>(options.interval * 1'000));
        }
        if (interrupt.happened()) return ExitCode::interrupted;
        const auto lines = picture(client, terminal);
        if (!lines) return terminal.report(lines.error());
        for (const auto& line : *lines) terminal.print(line);
    }
    return ExitCode::done;
}

}  // namespace

void add_top(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<TopOptions>();
    auto* sub = app.add_subcommand("top", "Watch the gateway's models and requests");
    sub->add_option("--interval", options->interval, "Seconds between two looks")
        ->check(CLI::Range(0.1, 3'600.0))
        ->capture_default_str();
    sub->add_option("-n,--count", options->count, "So many looks, one below the other, then end");
    add_socket_option(*sub, options->socket);
    sub->footer(
        "Examples:\n"
        "  punie top\n"
        "  punie top -n 1\n\n"
        "q quits. Without a terminal, or with -n, it prints plain tables. Exit code 3 when no "
        "gateway runs."
    );
    commands.on(sub, [options](Terminal& terminal) {
        const bool live =
            options->count == 0 && terminal.stdout_terminal() && ::isatty(STDIN_FILENO) == 1;
        return live ? run_live(*options, terminal) : run_plain(*options, terminal);
    });
}

}  // namespace punie::cli
