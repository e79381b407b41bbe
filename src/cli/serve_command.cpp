// cli/serve_command.cpp: `punie serve`: one model server in the foreground, or the gateway of a
// file.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <condition_variable>
#include <memory>
#include <random>

#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_options.hpp"
#include "cli/serve_gateway.hpp"
#include "cli/ticker.hpp"
#include "punie/server_command.hpp"
#include "server/backoff.hpp"

namespace punie::cli {

namespace {

struct ServeOptions {
    ModelOptions model;
    ServeGatewayOptions gateway;
    bool json = false;
    bool restart = false;
};

Colour colour_of(ServerState state) {
    switch (state) {
        case ServerState::ready:
            return Colour::green;
        case ServerState::failed:
            return Colour::red;
        case ServerState::draining:
            return Colour::yellow;
        case ServerState::starting:
        case ServerState::loading:
            return Colour::cyan;
        case ServerState::stopped:
            break;
    }
    return Colour::bold;
}

/// What every request to this server should carry, because the server has no flag for it.
json::object defaults_of(const ServerConfig& config) {
    json::object fields;
    for (const auto& [name, value] : request_defaults(config)) {
        if (auto parsed = parse_json(value)) fields[name] = *parsed;
    }
    return fields;
}

/// A request that can be pasted into a shell, with the defaults that the server has no flag for.
std::string curl_line(const ServerConfig& config) {
    json::object body{
        {"messages", json::array{json::object{{"role", "user"}, {"content", "Hello"}}}}
    };
    for (const auto& [name, value] : defaults_of(config)) body[name] = value;
    return fmt::format(
        "curl {}/chat/completions -H {} -d {}",
        config.base_url(),
        shell_quoted({"Content-Type: application/json"}),
        shell_quoted({to_text(body)})
    );
}

class Serve {
public:
    Serve(const ServeOptions& options, ServerConfig config, Terminal& terminal)
        : options_(options),
          terminal_(terminal),
          server_(std::move(config), with_events()),
          interrupt_(on_first(), on_second()) {}

    ExitCode run() {
        server::Backoff backoff;
        std::mt19937 random{std::random_device{}()};
        while (true) {
            auto ended = once();
            if (interrupt_.happened()) return stop();
            if (!options_.restart || ended.error().code() != ErrorCode::exited) {
                return terminal_.report(ended.error(), options_.json);
            }
            (void)terminal_.report(ended.error(), options_.json);
            const auto wait =
                backoff.after_death(ready_for(), std::uniform_real_distribution<>(0, 1)(random));
            say_restart(wait, backoff.deaths_in_a_row());
            if (!sleep(wait)) return stop();
        }
    }

private:
    ServerProcessOptions with_events() {
        auto process = process_options_from(options_.model);
        process.on_event = [this](const ServerEvent& event) { show(event); };
        return process;
    }

    std::function<void()> on_first() {
        return [this] { woken_.notify_all(); };
    }

    /// The second Ctrl-C: no grace any more.
    std::function<void()> on_second() {
        return [this] { (void)server_.stop(std::chrono::milliseconds(0)); };
    }

    /// Until the server ended or Ctrl-C came.
    Result<void> once() {
        ready_at_.reset();
        auto started = start_with_progress();
        if (!started) return started;
        ready_at_ = std::chrono::steady_clock::now();
        say_ready();
        auto ended = server_.wait(interrupt_.token());
        if (ended) return fail(ErrorCode::cancelled, "the server was stopped");
        return ended;
    }

    Result<void> start_with_progress() {
        const Ticker ticker(terminal_, [this](std::chrono::duration<double> time) {
            const auto log = server_.log_tail(1);
            return fmt::format(
                "{:>8.1f} s  {}  {}",
                time.count(),
                name_of(server_.state()),
                log.empty() ? "" : log.back()
            );
        });
        return server_.start(interrupt_.token());
    }

    ExitCode stop() {
        (void)server_.stop();
        return ExitCode::interrupted;
    }

    std::chrono::milliseconds ready_for() const {
        if (!ready_at_) return std::chrono::milliseconds(0);
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - *ready_at_
        );
    }

    bool sleep(std::chrono::milliseconds time) {
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, time, [this] { return interrupt_.happened(); });
        return !interrupt_.happened();
    }

    void show(const ServerEvent& event) {
        if (options_.json) {
            terminal_.print(event_json(event));
            return;
        }
        const auto name = fmt::format("{:<9}", name_of(event.state));
        terminal_.print(fmt::format(
            "{:>8.2f} s  {}  {}",
            event.elapsed.count(),
            terminal_.paint(colour_of(event.state), name),
            event.reason
        ));
    }

    std::string event_json(const ServerEvent& event) const {
        json::object object{
            {"event", "state"},
            {"state", name_of(event.state)},
            {"elapsed_s", event.elapsed.count()},
            {"time",
             fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(event.time)))
            },
            {"reason", event.reason},
            {"url", server_.config().base_url()},
            {"pid", server_.pid()},
        };
        if (event.state == ServerState::ready) {
            object["request_defaults"] = defaults_of(server_.config());
        }
        if (event.error) object["code"] = name_of(event.error->code());
        return to_text(object);
    }

    void say_ready() {
        if (options_.json) return;
        const auto config = server_.config();
        terminal_.print(fmt::format(
            "\n  {}\n\n  {}\n", terminal_.paint(Colour::bold, config.base_url()), curl_line(config)
        ));
        if (config.repetition_penalty() && config.backend() == BackendKind::mlx) {
            terminal_.note(
                "note: mlx_lm.server has no flag for the repetition penalty; it is part of the "
                "requests that Punie "
                "sends and of the line above, other clients must send it themselves"
            );
        }
        terminal_.note("Ctrl-C stops it.");
    }

    void say_restart(std::chrono::milliseconds wait, int deaths) {
        if (options_.json) {
            terminal_.print(to_text(json::object{
                {"event", "restart"},
                {"wait_s", static_cast<double>(wait.count()) / 1000},
                {"deaths_in_a_row", deaths}
            }));
        } else {
            terminal_.note(fmt::format(
                "starting again in {}", human_duration(std::chrono::duration<double>(wait))
            ));
        }
    }

    const ServeOptions& options_;
    Terminal& terminal_;
    std::mutex mutex_;
    std::condition_variable woken_;
    std::optional<std::chrono::steady_clock::time_point> ready_at_;
    ServerProcess server_;
    Interrupt interrupt_;
};

/// A word before "--" is the gateway's file, all behind it are the server's.
void sort_words(ServeOptions& options, bool model_given) {
    if (!model_given || options.gateway.file.empty()) return;
    auto& arguments = options.model.server.extra_arguments;
    arguments.insert(arguments.begin(), std::move(options.gateway.file));
    options.gateway.file.clear();
}

Result<void> check_gateway_options(const ServeOptions& options) {
    const auto& gateway = options.gateway;
    if (!gateway.file.empty() && !gateway.models_dir.empty()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("both a file ({}) and --models-dir were given", gateway.file),
            "give one of them"
        );
    }
    if (!options.model.server.extra_arguments.empty()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} was given beside {}; one file is expected",
                options.model.server.extra_arguments.front(),
                gateway.file.empty() ? "--models-dir" : gateway.file
            ),
            "arguments for a server go into the file: models: arguments:"
        );
    }
    if (gateway.hub_cache && gateway.models_dir.empty()) {
        return fail(
            ErrorCode::invalid_argument,
            "--hub-cache was given without --models-dir",
            "punie serve --models-dir DIR --hub-cache"
        );
    }
    return {};
}

ExitCode run_gateway(const CLI::App& sub, ServeOptions& options, Terminal& terminal) {
    auto& gateway = options.gateway;
    if (auto checked = check_gateway_options(options); !checked) {
        return terminal.report(checked.error(), options.json);
    }
    gateway.json = options.json;
    gateway.mlx_lm = options.model.mlx_lm;
    if (sub.count("--host") > 0) gateway.host = options.model.server.host;
    if (sub.count("--port") > 0) gateway.port = options.model.server.port;
    return serve_gateway(gateway, terminal);
}

bool wants_gateway(const ServeGatewayOptions& options) {
    return !options.file.empty() || !options.models_dir.empty() || options.schema;
}

ExitCode run_serve(const ServeOptions& options, Terminal& terminal) {
    if (options.model.backend == name_of(BackendKind::openai)) {
        return terminal.report(
            Error(
                ErrorCode::invalid_argument,
                "--backend openai: an endpoint that is not ours cannot be served"
            )
                .with_hint("talk to it with punie chat --url URL"),
            options.json
        );
    }
    auto config = config_from(options.model);
    if (!config) return terminal.report(config.error(), options.json);
    return Serve(options, *std::move(config), terminal).run();
}

}  // namespace

void add_serve(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<ServeOptions>();
    auto* sub = app.add_subcommand(
        "serve", "Serve one model, or many behind one endpoint, in the foreground"
    );
    auto& gateway = options->gateway;
    sub->add_option("file", gateway.file, "punie.yaml: many models behind one endpoint");
    sub->add_option(
        "--models-dir", gateway.models_dir, "Serve every MLX and GGUF model below this folder"
    );
    sub->add_flag(
        "--hub-cache", gateway.hub_cache, "With --models-dir: also the models already downloaded"
    );
    sub->add_flag("--check", gateway.check, "Only check the file");
    sub->add_flag("--schema", gateway.schema, "Print the file's JSON Schema");
    sub->add_option("--log-format", gateway.log_format, "Lines of finished requests: text or json")
        ->capture_default_str();
    add_model_options(*sub, options->model);
    sub->get_option("--model")->required(false);
    sub->add_flag(
        "--restart", options->restart, "Start it again when it dies, with growing pauses"
    );
    sub->add_flag("--json", options->json, "One JSON event a line");
    sub->add_option(
        "arguments",
        options->model.server.extra_arguments,
        "After --: passed on to the server as they are"
    );
    sub->footer(
        "Examples:\n"
        "  punie serve --model models/tiny\n"
        "  punie serve --model models/tiny --adapter adapters/run1 --port 0\n"
        "  punie serve --model qwen.gguf --backend llama --context-size 8192 -- --threads 4\n"
        "  punie serve --model models/tiny --restart --json\n"
        "  punie serve punie.yaml                         many models, started on demand\n"
        "  punie serve punie.yaml --check\n"
        "  punie serve --models-dir models"
    );
    commands.on(sub, [options, sub](Terminal& terminal) {
        const bool model_given = sub->count("--model") > 0;
        sort_words(*options, model_given);
        if (wants_gateway(options->gateway)) return run_gateway(*sub, *options, terminal);
        if (!model_given) {
            return terminal.report(
                Error(ErrorCode::invalid_argument, "neither a model nor a file was given")
                    .with_hint("punie serve --model DIR, or punie serve punie.yaml"),
                options->json
            );
        }
        return run_serve(*options, terminal);
    });
}

}  // namespace punie::cli
