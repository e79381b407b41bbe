#include "cli/serve_gateway.hpp"

#include <fmt/format.h>
#include <csignal>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "gateway/access_log.hpp"
#include "gateway/capture.hpp"
#include "gateway/gateway.hpp"
#include "gateway/notify.hpp"
#include "gateway/tracing.hpp"

namespace punie::cli {

namespace {

Colour colour_of(const fleet::FleetEvent& event) {
    if (!event.state) return Colour::dim;
    switch (*event.state) {
        case ServerState::ready:
            return Colour::green;
        case ServerState::failed:
            return Colour::red;
        case ServerState::starting:
        case ServerState::loading:
            return Colour::cyan;
        case ServerState::draining:
        case ServerState::stopped:
            break;
    }
    return Colour::yellow;
}

Result<fleet::GatewayConfig> read_config(const ServeGatewayOptions& options) {
    auto config = options.file.empty()
                      ? fleet::config_for_folder(options.models_dir, options.hub_cache)
                      : fleet::load_gateway_config(options.file);
    if (!config) return config;
    if (!options.mlx_lm.empty()) config->mlx_lm = options.mlx_lm;
    if (!config->listen.empty()) {
        auto& place = config->listen.front();
        if (!options.host.empty()) place.host = options.host;
        if (options.port >= 0) place.port = static_cast<std::uint16_t>(options.port);
    }
    return config;
}

/// The gateway in this thread, until a signal or `punie down`.
class ServeGateway {
public:
    ServeGateway(const ServeGatewayOptions& options, Terminal& terminal)
        : options_(options),
          terminal_(terminal),
          context_(1),
          signals_(context_),
          tick_(context_) {}

    ExitCode run() {
        auto config = read_config(options_);
        if (!config) return terminal_.report_input(config.error(), options_.json);
        if (auto opened = open_sinks(*config); !opened) {
            return terminal_.report(opened.error(), options_.json);
        }
        auto made = gateway::Gateway::listen(
            context_.get_executor(), *std::move(config), gateway_options()
        );
        if (!made) return terminal_.report(made.error(), options_.json);
        gateway_ = *std::move(made);
        seen_ = stamp();
        say_listening();
        watch_signals();
        asio::co_spawn(context_, watch_file(), ended("watching the file"));
        asio::co_spawn(context_, gateway_->run(), [this](const std::exception_ptr& thrown) {
            if (thrown) failure_ = thrown;
            if (tracing_) {
                tracing_->close();  // it sends what it still has, within its limit
            } else {
                context_.stop();
            }
        });
        if (tracing_) {
            asio::co_spawn(context_, tracing_->run(), [this](const std::exception_ptr& thrown) {
                if (thrown) failure_ = thrown;
                context_.stop();
            });
        }
        gateway::notify_service("READY=1");
        context_.run();
        gateway::notify_service("STOPPING=1");
        if (failure_) std::rethrow_exception(failure_);
        return interrupted_ ? ExitCode::interrupted : ExitCode::done;
    }

private:
    gateway::GatewayOptions gateway_options() {
        gateway::GatewayOptions options;
        options.fleet.on_event = [this](const fleet::FleetEvent& event) { show(event); };
        options.sinks.emplace_back([this](const gateway::RequestRecord& record) {
            log_->add(record);
        });
        if (auto target = gateway::trace_target()) {
            tracing_.emplace(context_.get_executor(), *std::move(target));
            options.sinks.emplace_back([this](const gateway::RequestRecord& record) {
                tracing_->add(record);
            });
        }
        if (capture_) {
            options.capture = [this](const gateway::Captured& captured) {
                capture_->add(captured);
            };
        }
        options.read_again = [this] { return read_config(options_); };
        return options;
    }

    Result<void> open_sinks(const fleet::GatewayConfig& config) {
        auto format = gateway::log_format_from_name(options_.json ? "json" : options_.log_format);
        if (!format) return std::unexpected(std::move(format).error());
        constexpr int standard_error = 2;
        log_.emplace(gateway::LineWriter(standard_error), *format);
        if (config.capture.empty()) return {};
        auto capture = gateway::Capture::open(config.capture);
        if (!capture) return std::unexpected(std::move(capture).error());
        capture_.emplace(*std::move(capture));
        return {};
    }

    void say_listening() {
        const auto urls = gateway_->urls();
        if (options_.json) {
            terminal_.print(to_text(json::object{
                {"event", "listening"},
                {"url", urls.front()},
                {"urls", json::array(urls.begin(), urls.end())},
                {"dashboard", gateway_->dashboard_url()},
                {"models", gateway_->fleet().config().models.size()},
            }));
            return;
        }
        for (const auto& url : urls) {
            terminal_.print(fmt::format("  {}/v1", terminal_.paint(Colour::bold, url)));
        }
        terminal_.print(fmt::format("  dashboard  {}", gateway_->dashboard_url()));
        terminal_.print(fmt::format("  models     {}", model_names()));
        terminal_.note("Ctrl-C stops it.");
    }

    std::string model_names() const {
        std::vector<std::string> names;
        for (const auto& model : gateway_->fleet().config().models) names.push_back(model.name);
        return fmt::format("{}", fmt::join(names, ", "));
    }

    void show(const fleet::FleetEvent& event) {
        if (options_.json) {
            json::object object{
                {"event", event.what},
                {"number", event.number},
                {"model", event.model},
                {"text", event.text},
            };
            if (event.state) object["state"] = name_of(*event.state);
            terminal_.print(to_text(object));
            return;
        }
        terminal_.print(fmt::format(
            "  {:<16} {} {}",
            event.model,
            terminal_.paint(
                colour_of(event),
                fmt::format(
                    "{:<9}", event.state ? name_of(*event.state) : std::string_view(event.what)
                )
            ),
            event.text
        ));
    }

    void watch_signals() {
        if (!watching_) {
            for (const int signal : {SIGINT, SIGTERM, SIGHUP}) signals_.add(signal);
            watching_ = true;
        }
        signals_.async_wait([this](boost::system::error_code error, int signal) {
            if (error) return;
            if (signal == SIGHUP) {
                log_->reopen();
                reload("SIGHUP");
            } else {
                interrupted_ = true;
                say_stopping();
                gateway_->stop();
            }
            watch_signals();
        });
    }

    void say_stopping() {
        if (options_.json) {
            terminal_.print(to_text(json::object{{"event", "stopping"}}));
        } else if (terminal_.interactive()) {
            terminal_.note("\nstopping; again to stop at once");
        }
    }

    /// Of the file's content: an edit that changes nothing reloads nothing.
    std::string stamp() const {
        if (options_.file.empty()) return "";
        return sha256_file(options_.file).value_or("");
    }

    /// Looks once a second, and waits until a write has come to rest.
    Task<void> watch_file() {
        std::string before = seen_;
        while (true) {
            tick_.expires_after(std::chrono::seconds(1));
            const auto [error] = co_await tick_.async_wait(asio::as_tuple(asio::use_awaitable));
            if (error) co_return;
            gateway::notify_service("WATCHDOG=1");
            const auto now = stamp();
            if (now != seen_ && now == before && !now.empty()) {
                seen_ = now;
                reload(options_.file);
            }
            before = now;
        }
    }

    void reload(std::string_view why) {
        gateway::notify_service("RELOADING=1");
        auto config = read_config(options_);
        auto done = config ? gateway_->reload(*std::move(config)) : std::unexpected(config.error());
        gateway::notify_service("READY=1");
        if (!done) {
            (void)terminal_.report(
                Error(
                    done.error().code(),
                    fmt::format(
                        "{}: the configuration was not taken, the old one stays in force: {}",
                        why,
                        done.error().message()
                    )
                )
                    .with_hint(done.error().hint()),
                options_.json
            );
            return;
        }
        if (options_.json) {
            terminal_.print(to_text(json::object{
                {"event", "reloaded"}, {"changes", json::array(done->begin(), done->end())}
            }));
            return;
        }
        terminal_.print(fmt::format(
            "  {} read again: {}",
            why,
            done->empty() ? "nothing changed" : fmt::format("{}", fmt::join(*done, "; "))
        ));
    }

    std::function<void(const std::exception_ptr&)> ended(std::string what) {
        return [this, what = std::move(what)](const std::exception_ptr& thrown) {
            if (!thrown) return;
            terminal_.note(fmt::format("{} ended", what));
            failure_ = thrown;
        };
    }

    const ServeGatewayOptions& options_;
    Terminal& terminal_;
    asio::io_context context_;
    asio::signal_set signals_;
    asio::steady_timer tick_;
    std::optional<gateway::AccessLog> log_;
    std::optional<gateway::Capture> capture_;
    std::optional<gateway::Tracing> tracing_;
    std::unique_ptr<gateway::Gateway> gateway_;
    std::exception_ptr failure_;
    std::string seen_;
    bool watching_ = false;
    bool interrupted_ = false;
};

ExitCode check(const ServeGatewayOptions& options, Terminal& terminal) {
    const auto config = read_config(options);
    if (!config) return terminal.report_input(config.error(), options.json);
    if (options.json) {
        json::array names;
        for (const auto& model : config->models) names.emplace_back(model.name);
        terminal.print(to_text(json::object{{"event", "checked"}, {"models", std::move(names)}}));
    } else {
        terminal.print(fmt::format(
            "{}: {} models, no fault found",
            options.file.empty() ? options.models_dir : options.file,
            config->models.size()
        ));
    }
    return ExitCode::done;
}

}  // namespace

ExitCode serve_gateway(const ServeGatewayOptions& options, Terminal& terminal) {
    if (options.schema) {
        terminal.print(fleet::gateway_schema());
        return ExitCode::done;
    }
    if (options.check) return check(options, terminal);
    return ServeGateway(options, terminal).run();
}

}  // namespace punie::cli
