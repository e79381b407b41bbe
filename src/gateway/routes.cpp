#include "gateway/routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>

#include "base/json.hpp"
#include "base/text.hpp"
#include "gateway/models_route.hpp"
#include "gateway/pass_route.hpp"
#include "gateway/translated_route.hpp"

namespace punie::gateway {

namespace {

constexpr std::string_view models_prefix = "/v1/models/";
constexpr std::string_view upstream_prefix = "/upstream/";
constexpr std::string_view control_prefix = "/control";

Refused not_found(std::string message, std::string hint) {
    return {
        .status = 404,
        .code = "not_found",
        .error = Error(ErrorCode::not_found, std::move(message)).with_hint(std::move(hint))
    };
}

Task<void> wrong_method(Visit& visit, std::string_view allowed) {
    visit.note("method_not_allowed", visit.head().method);
    relay::Reply reply{
        .status = 405,
        .body = translate::openai_error(
            405,
            fmt::format(
                "{} {} is not possible; allowed is {}",
                printable(visit.head().method),
                visit.record().route,
                allowed
            ),
            "method_not_allowed"
        ),
        .headers = {{"Allow", std::string(allowed)}}
    };
    (void)co_await visit.reply(std::move(reply));
}

bool reads(const relay::Head& head) {
    return head.method == "GET" || head.method == "HEAD";
}

Task<void> reply_json(Visit& visit, json::object object) {
    (void)co_await visit.reply({.body = to_text(object)});
}

Task<void> models_route(Visit& visit) {
    if (!reads(visit.head())) {
        co_await wrong_method(visit, "GET, HEAD");
        co_return;
    }
    const auto models = visit.services().fleet.status();
    const std::string_view path = visit.head().path;
    if (!path.starts_with(models_prefix)) {
        co_await reply_json(visit, models_list(models, visit.pass()));
        co_return;
    }
    const auto id = path.substr(models_prefix.size());
    if (auto object = models_entry(models, visit.pass(), id)) {
        co_await reply_json(visit, *std::move(object));
        co_return;
    }
    auto refused = not_found(
        fmt::format("there is no model \"{}\"", printable(id)), "GET /v1/models lists them"
    );
    refused.code = "model_not_found";
    co_await visit.refuse(std::move(refused));
}

/// The name in an Ollama request: "model", or "name" as older clients say.
Task<std::optional<std::string>> ollama_name(Visit& visit) {
    auto body = co_await visit.exchange().read_body();
    if (!body) co_return std::nullopt;
    const auto parsed = body->in_memory() ? parse_json(body->text()) : Result<json::value>();
    std::optional<std::string> name;
    if (parsed && parsed->is_object()) {
        name = string_member(parsed->get_object(), "model");
        if (!name) name = string_member(parsed->get_object(), "name");
    }
    if (name) co_return name;
    co_await visit.refuse(
        {.status = 400,
         .code = "missing_model",
         .error = Error(
             ErrorCode::invalid_argument, "model: a JSON object that names a model is expected"
         )}
    );
    co_return std::nullopt;
}

Task<void> ollama_show_route(Visit& visit) {
    visit.speaks(translate::protocol_for("/api/chat"));
    const auto name = co_await ollama_name(visit);
    if (!name) co_return;
    auto object = ollama_show(visit.services().fleet.status(), visit.pass(), *name);
    if (object) {
        co_await reply_json(visit, *std::move(object));
        co_return;
    }
    co_await visit.refuse(
        not_found(fmt::format("model '{}' not found", printable(*name)), "GET /api/tags")
    );
}

Task<void> ollama_route(Visit& visit) {
    const auto& path = visit.head().path;
    const auto models = visit.services().fleet.status();
    if (path == "/api/show") {
        co_await ollama_show_route(visit);
    } else if (!reads(visit.head())) {
        co_await wrong_method(visit, "GET, HEAD");
    } else if (path == "/api/tags") {
        co_await reply_json(visit, ollama_tags(models, visit.pass()));
    } else if (path == "/api/ps") {
        co_await reply_json(visit, ollama_ps(models, visit.pass()));
    } else {
        // Clients compare it with the Ollama that they need.
        co_await reply_json(visit, {{"version", "0.12.0"}, {"punie", PUNIE_VERSION}});
    }
}

Task<void> front_page(Visit& visit) {
    if (!reads(visit.head())) {
        co_await wrong_method(visit, "GET, HEAD");
        co_return;
    }
    const bool browser = visit.head().header("accept").contains("text/html");
    relay::Reply reply{.content_type = "text/plain; charset=utf-8", .body = "Punie is running\n"};
    if (browser) {
        reply.content_type = "text/html; charset=utf-8";
        reply.body = std::string(dashboard_page());
        reply.headers = {
            {"Cache-Control", "no-cache"},
            {"X-Frame-Options", "DENY"},
            {"X-Content-Type-Options", "nosniff"},
            {"Referrer-Policy", "no-referrer"},
            {"Content-Security-Policy",
             "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
             "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'"},
        };
    }
    (void)co_await visit.reply(std::move(reply));
}

Task<void> metrics_route(Visit& visit) {
    auto& services = visit.services();
    const auto connections =
        services.connections == nullptr ? 0 : services.connections(services.front);
    (void)co_await visit.reply(
        {.content_type = "text/plain; version=0.0.4; charset=utf-8",
         .body = services.metrics.prometheus(services.fleet, connections)}
    );
}

Task<void> control_route(Visit& visit) {
    if (visit.pass().control) {
        co_await visit.services().control.answer(visit.exchange());
        co_return;
    }
    co_await visit.refuse(
        {.status = visit.pass().key ? 403 : 401,
         .code = "control_not_allowed",
         .error = Error(
                      ErrorCode::invalid_argument,
                      "the control API wants the control socket, or a key with control: true"
         )
                      .with_hint("punie ps, load and unload use the socket")}
    );
}

bool is_api(std::string_view path) {
    return path.starts_with("/v1/");
}

Task<void> nothing_there(Visit& visit) {
    co_await visit.refuse(not_found(
        fmt::format("there is nothing at {}", printable(visit.head().path)),
        "the routes are /v1/..., /api/..., /upstream/MODEL/..., /metrics, /health and /"
    ));
}

/// No coroutine of its own: most requests pass here.
Task<void> route(Visit& visit) {
    const std::string_view path = visit.head().path;
    if (path == "/") return front_page(visit);
    if (path == "/metrics") return metrics_route(visit);
    if (path == "/v1/models" || path.starts_with(models_prefix)) return models_route(visit);
    if (path.starts_with(control_prefix)) return control_route(visit);
    const bool post = visit.head().method == "POST";
    if (const auto* protocol = translate::protocol_for(path)) {
        return post ? translated_route(visit, *protocol) : wrong_method(visit, "POST");
    }
    if (path == "/api/tags" || path == "/api/ps" || path == "/api/show" || path == "/api/version") {
        return ollama_route(visit);
    }
    if (path.starts_with(upstream_prefix)) return upstream_route(visit);
    if (is_api(path)) return post ? pass_route(visit) : wrong_method(visit, "POST");
    return nothing_there(visit);
}

/// Answered to everybody who may reach the endpoint at all.
bool is_open(const relay::Head& head) {
    return head.method == "OPTIONS" || (head.path == "/health" && reads(head));
}

Task<void> open_route(Visit& visit) {
    if (visit.head().method != "OPTIONS") {
        co_await reply_json(visit, {{"status", "ok"}});
        co_return;
    }
    auto allowed = visit.services().gate.preflight(visit.head(), visit.exchange().peer());
    if (!allowed) {
        co_await visit.refuse(refused_by(allowed.error()));
        co_return;
    }
    (void)co_await visit.reply(
        {.status = 204, .content_type = "", .body = "", .headers = *std::move(allowed)}
    );
}

}  // namespace

std::string route_name(std::string_view path) {
    static constexpr std::string_view known[] = {
        "/",
        "/health",
        "/metrics",
        "/v1/models",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/rerank",
        "/v1/audio/transcriptions",
        "/v1/audio/speech",
        "/v1/images/generations",
        "/api/chat",
        "/api/generate",
        "/api/tags",
        "/api/ps",
        "/api/show",
        "/api/version",
    };
    if (std::ranges::find(known, path) != std::end(known)) return std::string(path);
    if (path.starts_with(models_prefix)) return "/v1/models/ID";
    if (path.starts_with(upstream_prefix)) return "/upstream/MODEL";
    if (path.starts_with(control_prefix)) return "/control";
    return is_api(path) ? "/v1/other" : "other";
}

Task<void> serve(Services& services, relay::Exchange& exchange) {
    co_await asio::this_coro::throw_if_cancelled(false);
    Visit visit(services, exchange, route_name(exchange.head().path));
    auto pass =
        services.gate.check(exchange.head(), exchange.peer(), std::chrono::steady_clock::now());
    if (pass) visit.pass() = *pass;
    // A browser's question before the request carries no key; who only asks for life needs none.
    const bool unkeyed = !pass && pass.error().status == 401;
    if (pass || unkeyed) {
        if (is_open(exchange.head())) co_return co_await open_route(visit);
        const bool page = exchange.head().path == "/" && reads(exchange.head());
        if (unkeyed && page) co_return co_await front_page(visit);  // it asks for the key itself
    }
    if (!pass) {
        visit.speaks(translate::protocol_for(exchange.head().path));
        co_await visit.refuse(refused_by(pass.error()));
        co_return;
    }
    visit.live().key = visit.pass().key ? visit.pass().key->name : "";
    co_await route(visit);
}

}  // namespace punie::gateway
