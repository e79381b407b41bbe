#include "gateway/control.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <ranges>

#include "gateway/control_json.hpp"

namespace punie::gateway {

namespace {

// NOLINTNEXTLINE(misc-unused-using-decls): used below, in coroutines, where the check does not look
using asio::experimental::awaitable_operators::operator&&;
// NOLINTNEXTLINE(misc-unused-using-decls): used below, in coroutines, where the check does not look
using asio::experimental::awaitable_operators::operator||;

constexpr std::string_view models_prefix = "/control/models/";
constexpr std::string_view ndjson = "application/x-ndjson";
// A reader behind a proxy or a closed laptop is noticed by a byte that it does not take.
constexpr std::chrono::seconds sign_of_life{20};
constexpr Milliseconds log_interval{250};
constexpr Milliseconds progress_interval{1'000};
constexpr Milliseconds watch_least{100};
constexpr Milliseconds watch_most{900};
constexpr std::size_t most_watched = 200;  // finished requests in one line
constexpr std::uint64_t default_log_lines = 200;
constexpr std::uint64_t most_log_lines = 10'000;

relay::Reply json_reply(int status, const json::object& body) {
    relay::Reply reply;
    reply.status = status;
    reply.body = to_text(body) + "\n";
    reply.headers = {{"Cache-Control", "no-store"}};
    return reply;
}

relay::Reply failure_reply(const Error& error) {
    return json_reply(status_of(error), failure_json(error));
}

bool wished(const relay::Exchange& exchange, std::string_view name) {
    const auto value = query_value(exchange.head().query, name);
    return value && *value != "0" && *value != "false";
}

Result<std::uint64_t> number_of(
    const relay::Exchange& exchange, std::string_view name, std::uint64_t otherwise
) {
    const auto value = query_value(exchange.head().query, name);
    if (!value) return otherwise;
    std::uint64_t number = 0;
    const auto* end = value->data() + value->size();
    const auto parsed = std::from_chars(value->data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end || value->empty()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{}: \"{}\" was given; allowed is a number from 0", name, *value)
        );
    }
    return number;
}

Task<bool> cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

Task<void> sleep_for(Milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

Task<void> reply_error(relay::Exchange& exchange, Error error) {
    auto reply = failure_reply(error);
    (void)co_await exchange.reply(std::move(reply));  // a client that left needs no answer
}

/// What an answer in pieces begins with.
relay::Headers stream_headers(std::string_view type) {
    return {
        {"Content-Type", std::string(type)},
        {"Cache-Control", "no-store"},
        {"X-Accel-Buffering", "no"}  // nginx before us would hold the lines back
    };
}

/// Requests of people; those of dashboards, scrapers and health checks would hide them.
bool is_own(std::string_view route) {
    return route == "/control" || route == "/" || route == "/metrics" || route == "/health";
}

json::array live_list(const RequestBook& book) {
    json::array requests;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& one : book.live())
        if (!is_own(one.route)) requests.push_back(live_json(one, now));
    return requests;
}

}  // namespace

Control::Control(fleet::Fleet& fleet, RequestBook& book, ControlHooks hooks)
    : fleet_(fleet), book_(book), hooks_(std::move(hooks)) {}

AsyncEvent& Control::closing(const asio::any_io_executor& executor) {
    if (!closing_) closing_.emplace(executor);
    return *closing_;
}

void Control::close() {
    closed_ = true;
    if (closing_) closing_->notify();
}

Task<void> Control::wait_or_close(Task<void> news) {
    const auto executor = co_await asio::this_coro::executor;
    if (closed_) co_return;
    co_await (std::move(news) || closing(executor).wait() || sleep_for(sign_of_life));
}

Task<void> Control::answer(relay::Exchange& exchange) {
    struct Route {
        std::string_view path;
        std::string_view method;
        Task<void> (Control::*handler)(relay::Exchange&);
    };

    static constexpr std::array routes{
        Route{"/control/ps", "GET", &Control::ps},
        Route{"/control/events", "GET", &Control::events},
        Route{"/control/requests", "GET", &Control::requests},
        Route{"/control/watch", "GET", &Control::watch},
        Route{"/control/reload", "POST", &Control::reload},
        Route{"/control/stop", "POST", &Control::stop},
    };
    const auto& head = exchange.head();
    if (head.path.starts_with(models_prefix)) {
        const auto rest = head.path.substr(models_prefix.size());
        const auto slash =
            rest.rfind('/');  // names may have slashes, what is done to them has none
        if (slash != std::string::npos && slash > 0) {
            co_await answer_model(exchange, rest.substr(0, slash), rest.substr(slash + 1));
            co_return;
        }
    }
    if (head.path == "/control/version" && head.method == "GET") {
        auto reply = json_reply(200, {{"version", PUNIE_VERSION}, {"pid", ::getpid()}});
        (void)co_await exchange.reply(std::move(reply));
        co_return;
    }
    const auto* const route = std::ranges::find(routes, std::string_view(head.path), &Route::path);
    if (route == routes.end()) {
        co_await reply_error(
            exchange, Error(ErrorCode::not_found, fmt::format("{}: no such control", head.path))
        );
        co_return;
    }
    if (head.method != route->method) {
        auto reply = json_reply(
            405,
            failure_json(
                {ErrorCode::invalid_argument,
                 fmt::format("{} {}: allowed is {}", head.method, head.path, route->method)}
            )
        );
        reply.headers.emplace_back("Allow", std::string(route->method));
        (void)co_await exchange.reply(std::move(reply));
        co_return;
    }
    co_await (this->*route->handler)(exchange);
}

Task<void> Control::answer_model(relay::Exchange& exchange, std::string name, std::string what) {
    const auto& method = exchange.head().method;
    const std::string_view wanted = what == "logs" ? "GET" : "POST";
    if (what != "logs" && what != "load" && what != "unload") {
        co_await reply_error(
            exchange,
            Error(
                ErrorCode::not_found,
                fmt::format("{}: allowed are logs, load and unload", exchange.head().path)
            )
        );
        co_return;
    }
    if (method != wanted) {
        auto reply = json_reply(
            405,
            failure_json(
                {ErrorCode::invalid_argument,
                 fmt::format("{} {}: allowed is {}", method, exchange.head().path, wanted)}
            )
        );
        reply.headers.emplace_back("Allow", std::string(wanted));
        (void)co_await exchange.reply(std::move(reply));
        co_return;
    }
    if (what == "logs") co_return co_await logs(exchange, std::move(name));
    if (what == "load") co_return co_await load(exchange, std::move(name));
    co_await unload(exchange, std::move(name));
}

json::object Control::ps_json() const {
    json::array models;
    for (const auto& model : fleet_.status()) models.push_back(model_json(model));
    const auto& file = fleet_.config().file;
    json::object body{
        {"version", PUNIE_VERSION},
        {"pid", ::getpid()},
        {"started", iso_time(started_)},
        {"now", iso_time(std::chrono::system_clock::now())},
        {"memory", {{"budget", fleet_.memory_budget()}, {"used", fleet_.memory_used()}}},
        {"models", std::move(models)}
    };
    if (!file.empty()) body["file"] = file.native();
    return body;
}

Task<void> Control::ps(relay::Exchange& exchange) {
    auto reply = json_reply(200, ps_json());
    (void)co_await exchange.reply(std::move(reply));
}

/// Lines until there are no more, or for ever with `follow`.
Task<void> Control::stream(relay::Exchange& exchange, std::string type, Lines lines, Pause pause)
    const {
    const bool follow = wished(exchange, "follow") || exchange.head().path == "/control/watch";
    const bool heartbeat = type == ndjson;
    auto headers = stream_headers(type);
    if (!co_await exchange.begin(200, std::move(headers), std::nullopt)) co_return;
    auto last = std::chrono::steady_clock::now();
    while (true) {
        auto text = lines();
        const auto now = std::chrono::steady_clock::now();
        if (text.empty() && heartbeat && now - last >= sign_of_life) text = "\n";
        if (!text.empty()) {
            if (!co_await exchange.write(text)) co_return;
            last = now;
        }
        if (!follow || closed_) break;
        co_await pause();
        if (co_await cancelled()) co_return;
    }
    (void)co_await exchange.finish();
}

Task<void> Control::logs(relay::Exchange& exchange, std::string name) {
    const auto count = number_of(exchange, "lines", default_log_lines);
    if (!count) co_return co_await reply_error(exchange, count.error());
    const auto wanted = std::min(*count, most_log_lines);
    auto first = fleet_.log(name, wanted);
    if (!first) co_return co_await reply_error(exchange, first.error());
    bool begun = false;
    std::vector<std::string> before;
    Lines lines = [this, &begun, &before, name, wanted]() -> std::string {
        // Followed with more lines than asked for: the more, the surer it is where the new begin.
        auto now = fleet_.log(name, begun ? most_log_lines : wanted);
        if (!now) return {};  // the model was taken out of the configuration
        const auto added = begun ? lines_added(before, *now) : *now;
        if (!begun) now = fleet_.log(name, most_log_lines);
        begun = true;
        if (now) before = *std::move(now);
        std::string text;
        for (const auto& line : added) {
            text += line;
            text += '\n';
        }
        return text;
    };
    Pause pause = [this]() -> Task<void> { return wait_or_close(sleep_for(log_interval)); };
    co_await stream(exchange, "text/plain; charset=utf-8", std::move(lines), std::move(pause));
}

Task<void> Control::load(relay::Exchange& exchange, std::string name) {
    if (wished(exchange, "follow")) co_return co_await load_followed(exchange, std::move(name));
    const auto loaded = co_await fleet_.load(name);
    if (!loaded) co_return co_await reply_error(exchange, loaded.error());
    const auto status = fleet_.status(name);
    auto reply = json_reply(200, {{"model", status ? model_json(*status) : json::object{}}});
    (void)co_await exchange.reply(std::move(reply));
}

namespace {

/// A load and the client that watches it.
struct Loading {
    explicit Loading(const asio::any_io_executor& executor) : ended(executor) {}

    AsyncEvent ended;
    std::uint64_t seen = 0;  ///< events before the load: it tells its first ones at once
    Result<void> result;
    bool done = false;
};

Task<void> load_it(fleet::Fleet& fleet, std::string name, std::shared_ptr<Loading> loading) {
    loading->result = co_await fleet.load(std::move(name));
    loading->done = true;
    loading->ended.notify();
}

std::string progress_line(const fleet::Fleet& fleet, const std::string& name, SteadyTime begun) {
    json::object progress{
        {"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()}
    };
    if (const auto status = fleet.status(name)) {
        progress["state"] = name_of(status->state);
        progress["memory"] = status->memory;
        if (status->load_seconds) progress["last_load_seconds"] = *status->load_seconds;
    }
    if (const auto log = fleet.log(name, 1); log && !log->empty()) progress["log"] = log->back();
    return to_text(json::object{{"progress", std::move(progress)}}) + "\n";
}

/// Events of the model and, once a second, how far it is; until it is loaded.
Task<void> tell_load(
    fleet::Fleet& fleet,
    relay::Exchange& exchange,
    std::string name,
    std::shared_ptr<Loading> loading
) {
    const auto begun = std::chrono::steady_clock::now();
    const auto status = fleet.status(name);
    auto seen = loading->seen;
    auto next_progress = begun + progress_interval;
    while (true) {
        std::string text;
        for (const auto& event : fleet.events_since(seen)) {
            seen = event.number;
            if (!status || event.model == status->name) text += to_text(event_json(event)) + "\n";
        }
        if (!loading->done && std::chrono::steady_clock::now() >= next_progress) {
            next_progress += progress_interval;
            text += progress_line(fleet, name, begun);
        }
        // The load goes on without its watcher.
        if (!text.empty() && !co_await exchange.write(text)) co_return;
        if (loading->done) co_return;
        co_await (fleet.wait_event(seen) || loading->ended.wait() || sleep_for(progress_interval));
        if (co_await cancelled()) co_return;
    }
}

}  // namespace

Task<void> Control::load_followed(relay::Exchange& exchange, std::string name) {
    if (!fleet_.status(name)) {
        auto loaded = co_await fleet_.load(name);  // says what there is
        if (!loaded) co_return co_await reply_error(exchange, loaded.error());
    }
    auto headers = stream_headers(ndjson);
    if (!co_await exchange.begin(200, std::move(headers), std::nullopt)) co_return;
    auto loading = std::make_shared<Loading>(co_await asio::this_coro::executor);
    if (const auto earlier = fleet_.events_since(0); !earlier.empty())
        loading->seen = earlier.back().number;
    co_await (load_it(fleet_, name, loading) && tell_load(fleet_, exchange, name, loading));
    json::object last;
    if (loading->result) {
        const auto status = fleet_.status(name);
        last["model"] = status ? model_json(*status) : json::object{};
    } else {
        last = failure_json(loading->result.error());
    }
    const auto line = to_text(last) + "\n";
    if (!co_await exchange.write(line)) co_return;
    (void)co_await exchange.finish();
}

Task<void> Control::unload(relay::Exchange& exchange, std::string name) {
    const auto unloaded = co_await fleet_.unload(name, wished(exchange, "force"));
    if (!unloaded) co_return co_await reply_error(exchange, unloaded.error());
    const auto status = fleet_.status(name);
    auto reply = json_reply(200, {{"model", status ? model_json(*status) : json::object{}}});
    (void)co_await exchange.reply(std::move(reply));
}

Task<void> Control::events(relay::Exchange& exchange) {
    const auto after = number_of(exchange, "after", 0);
    if (!after) co_return co_await reply_error(exchange, after.error());
    auto seen = *after;
    Lines lines = [this, &seen]() -> std::string {
        std::string text;
        for (const auto& event : fleet_.events_since(seen)) {
            seen = event.number;
            text += to_text(event_json(event)) + "\n";
        }
        return text;
    };
    Pause pause = [this, &seen]() -> Task<void> { return wait_or_close(fleet_.wait_event(seen)); };
    co_await stream(exchange, std::string(ndjson), std::move(lines), std::move(pause));
}

Task<void> Control::requests(relay::Exchange& exchange) {
    if (wished(exchange, "live")) {
        auto reply = json_reply(200, {{"requests", live_list(book_)}});
        (void)co_await exchange.reply(std::move(reply));
        co_return;
    }
    const auto after = number_of(exchange, "after", 0);
    if (!after) co_return co_await reply_error(exchange, after.error());
    auto seen = *after;
    Lines lines = [this, &seen]() -> std::string {
        std::string text;
        for (const auto& [number, record] : book_.since(seen)) {
            seen = number;
            if (!is_own(record.route)) text += to_text(request_json(number, record)) + "\n";
        }
        return text;
    };
    Pause pause = [this, &seen]() -> Task<void> { return wait_or_close(book_.wait_after(seen)); };
    co_await stream(exchange, std::string(ndjson), std::move(lines), std::move(pause));
}

namespace {

Task<void> wait_news(fleet::Fleet& fleet, std::uint64_t event) {
    co_await (fleet.wait_event(event) || sleep_for(watch_most));
}

}  // namespace

/// Until something happened, but a second at most and a tenth at least: a flood of events is told
/// in few lines.
Task<void> Control::watch_pause(std::uint64_t event) {
    co_await wait_or_close(sleep_for(watch_least));
    co_await wait_or_close(wait_news(fleet_, event));
}

Task<void> Control::watch(relay::Exchange& exchange) {
    std::uint64_t event = 0;
    std::uint64_t request = 0;
    Lines lines = [this, &event, &request]() -> std::string {
        json::array events;
        for (const auto& one : fleet_.events_since(event)) {
            event = one.number;
            events.push_back(event_json(one));
        }
        json::array requests;
        auto ended = book_.since(request);
        const auto skipped =
            ended.size() > most_watched ? ended.size() - most_watched : std::size_t{0};
        for (const auto& [number, record] : ended | std::views::drop(skipped)) {
            request = number;
            if (!is_own(record.route)) requests.push_back(request_json(number, record));
        }
        return to_text(json::object{
                   {"ps", ps_json()},
                   {"live", live_list(book_)},
                   {"events", std::move(events)},
                   {"requests", std::move(requests)}
               }) +
               "\n";
    };
    Pause pause = [this, &event]() -> Task<void> { return watch_pause(event); };
    co_await stream(exchange, std::string(ndjson), std::move(lines), std::move(pause));
}

// NOLINTNEXTLINE(readability-make-member-function-const): a row of the table of routes
Task<void> Control::reload(relay::Exchange& exchange) {
    if (!hooks_.reload) {
        co_return co_await reply_error(
            exchange, Error(ErrorCode::state, "there is no file to read again")
        );
    }
    const auto changes = hooks_.reload();
    if (!changes) co_return co_await reply_error(exchange, changes.error());
    auto reply = json_reply(200, {{"changes", json::value_from(*changes)}});
    (void)co_await exchange.reply(std::move(reply));
}

Task<void> Control::stop(relay::Exchange& exchange) {
    auto reply = json_reply(202, {{"stopping", true}, {"pid", ::getpid()}});
    (void)co_await exchange.reply(std::move(reply));
    close();
    if (hooks_.stop) hooks_.stop();
}

}  // namespace punie::gateway
