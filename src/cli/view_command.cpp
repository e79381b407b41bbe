// cli/view_command.cpp: `punie view`, the journal's reports in the browser, served on this machine
// only.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>

#include "base/files.hpp"
#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/open_file.hpp"
#include "cli/stored_report.hpp"
#include "http/server.hpp"
#include "journal/journal.hpp"
#include "journal/when.hpp"
#include "report/render.hpp"
#include "report/runs_page.hpp"

namespace punie::cli {

namespace {

namespace fs = std::filesystem;

struct ViewOptions {
    std::uint16_t port = 8090;
    bool open = false;
    bool json = false;
};

constexpr std::string_view html_type = "text/html; charset=utf-8";

/// Pages may not be framed, kept or sniffed; theirs is no script but the one whose hash they carry.
http::Reply page(int status, std::string html) {
    return {
        .status = status,
        .content_type = std::string(html_type),
        .body = std::move(html),
        .headers =
            {{"Cache-Control", "no-store"},
             {"Content-Security-Policy", "frame-ancestors 'none'; base-uri 'none'"},
             {"Referrer-Policy", "no-referrer"},
             {"Cross-Origin-Resource-Policy", "same-origin"}}
    };
}

http::Reply trouble(int status, const std::string& words) {
    return page(status, report::render_message_page("Not shown", words));
}

std::string state_of(const journal::Run& run) {
    if (run.state == journal::RunState::running && !run.alive) return "ended without a word";
    return std::string(name_of(run.state));
}

/// Answers from the journal as it is at that moment; opened anew for each page, so that a run that
/// ends meanwhile is seen.
class Viewer {
public:
    explicit Viewer(fs::path folder) : folder_(std::move(folder)) {}

    http::Reply answer(const http::IncomingRequest& request) const {
        if (request.method != "GET") {
            auto reply = trouble(405, "Only looking is possible here (GET).");
            reply.headers.emplace_back("Allow", "GET");
            return reply;
        }
        if (request.path == "/") return runs();
        constexpr std::string_view prefix = "/report/";
        if (request.path.starts_with(prefix)) return one_report(request.path.substr(prefix.size()));
        return trouble(404, fmt::format("There is no page {}.", request.path));
    }

private:
    http::Reply runs() const {
        auto journal = journal::Journal::open(folder_);
        if (!journal) return trouble(500, journal.error().message());
        auto listed = journal->list();
        if (!listed) return trouble(500, listed.error().message());
        std::vector<report::RunRow> rows;
        rows.reserve(listed->size());
        for (const auto& run : *listed) {
            std::error_code ignored;
            rows.push_back(
                {.id = run.id,
                 .kind = run.kind,
                 .name = run.name,
                 .state = state_of(run),
                 .started = journal::local_time(run.started),
                 .note = run.note,
                 .has_report = fs::is_regular_file(report_file(folder_, run.id), ignored)}
            );
        }
        return page(200, report::render_runs_page(folder_.string(), rows));
    }

    /// The id must be one of the journal's: no path from outside ever meets the disk.
    http::Reply one_report(const std::string& id) const {
        auto journal = journal::Journal::open(folder_);
        if (!journal) return trouble(500, journal.error().message());
        auto run = journal->find(id);
        if (!run) return trouble(404, run.error().message());
        auto data = read_report(report_file(folder_, run->id));
        if (!data) {
            const bool missing = data.error().code() == ErrorCode::not_found;
            return missing ? trouble(404, fmt::format("The run {} has no report.", run->id))
                           : trouble(500, data.error().message());
        }
        return page(200, report::render_html(*data));
    }

    fs::path folder_;
};

Task<http::Reply> answered_by(std::shared_ptr<const Viewer> viewer, http::IncomingRequest request) {
    co_return viewer->answer(request);
}

ExitCode run_view(const ViewOptions& options, Terminal& terminal) {
    auto journal = open_existing_journal();
    if (!journal) return terminal.report(journal.error(), options.json);
    const auto folder = journal->folder();
    asio::io_context io;
    const auto viewer = std::make_shared<const Viewer>(folder);
    auto server = http::Server::listen(
        io.get_executor(),
        options.port,
        [viewer](http::IncomingRequest request) { return answered_by(viewer, std::move(request)); }
    );
    if (!server) return terminal.report(server.error(), options.json);
    const Interrupt interrupt([&server] { server->stop(); });
    const auto url = fmt::format("http://127.0.0.1:{}/", server->port());
    if (options.json)
        terminal.print(to_text(json::object{{"event", "serving"}, {"url", url}}));
    else
        terminal.print(fmt::format("{} shows {} (Ctrl-C ends it)", url, folder.string()));
    if (options.open) {
        if (auto opened = open_file(url); !opened) terminal.note(opened.error().describe());
    }
    std::exception_ptr failure;
    asio::co_spawn(io, server->run(), [&failure](const std::exception_ptr& thrown) {
        failure = thrown;
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return ExitCode::done;
}

}  // namespace

void add_view(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<ViewOptions>();
    auto* sub = app.add_subcommand("view", "Show the journal's reports in the browser");
    sub->add_option("--port", options->port, "Port on 127.0.0.1, 0 for any free one")
        ->check(CLI::Range(0, 65535))
        ->capture_default_str();
    sub->add_flag("--open", options->open, "Open the browser");
    sub->add_flag("--json", options->json, "One JSON event a line");
    sub->footer(
        "Examples:\n"
        "  punie view --open\n"
        "  punie view --port 0 --json\n\n"
        "Answers on this machine only, and only to pages that this address was typed into."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_view(*options, terminal); });
}

}  // namespace punie::cli
