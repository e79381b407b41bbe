#include "gateway/pass_route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/json.hpp"
#include "base/text.hpp"
#include "gateway/attempt.hpp"
#include "relay/syntax.hpp"
#include "translate/mending.hpp"
#include "translate/renamer.hpp"

namespace punie::gateway {

namespace {

constexpr std::size_t longest_held = 256U << 10U;

/// The request's tools, for mending; null where there are none.
json::value tools_of(const Asked& asked) {
    constexpr std::uint64_t longest = 4U << 20U;
    const auto* member = asked.top.find("tools");
    if (member == nullptr || member->text == "null" || member->text == "[]") return nullptr;
    if (member->end - member->begin > longest) return nullptr;
    const auto text = asked.body.read(member->begin, member->end - member->begin);
    if (!text) return nullptr;
    const auto parsed = parse_json(*text);
    return parsed ? *parsed : json::value(nullptr);
}

/// What a server says of itself or of who may read its answers is not passed on.
std::string passed_lines(const relay::UpstreamAnswer& answer) {
    static constexpr std::string_view dropped[] = {
        "server",
        "x-request-id",
        "set-cookie",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-allow-methods",
        "access-control-allow-headers",
    };
    std::string passed;
    passed.reserve(answer.lines().size());
    for (auto rest = answer.lines(); !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n') + 1);
        const auto name = line.substr(0, line.find(':'));
        const bool drops =
            std::ranges::any_of(dropped, [&](auto other) { return relay::same_name(name, other); });
        if (!drops) passed.append(line);
        rest.remove_prefix(line.size());
    }
    return passed;
}

/// Passes one answer on. Lives as long as its request.
class Passing {
public:
    /// `tools`: the request's, for mending; null for none.
    Passing(Visit& visit, json::value tools)
        : visit_(visit),
          tools_(std::move(tools)),
          wants_done_(visit.head().path.ends_with("/completions")) {}

    Task<Outcome> deliver(
        relay::UpstreamAnswer& answer, const fleet::Lease& lease, Error& server_error
    ) {
        renamer_.reset();
        // With an adapter the server was asked by a path, and says it again.
        if (!lease.adapter().empty()) renamer_.emplace(lease.served_name());
        if (is_event_stream(answer)) return stream(answer, server_error);
        if (visit_.exchange().begun()) return late_answer(answer, server_error);
        const bool mends = !tools_.is_null() && answer.status() == 200;
        const bool small = answer.length() && *answer.length() <= longest_held;
        if (mends || small) return whole_answer(answer, mends, server_error);
        return plain(answer, server_error);
    }

    /// The answer as it came, of a request that is captured.
    const std::string& kept() const { return kept_; }

private:
    /// Nothing is begun before the first piece is there: until then another server may be asked.
    Task<Outcome> plain(relay::UpstreamAnswer& answer, Error& server_error) {
        auto piece = co_await answer.next();
        if (!piece) co_return failed(std::move(piece).error(), server_error);
        visit_.record().first_byte = visit_.seconds();
        const auto lines = passed_lines(answer);
        const auto length = renamer_ ? std::nullopt : answer.length();
        const auto first = named(piece->value_or(std::string_view()));
        if (!co_await visit_.begin_with(answer.status(), lines, length, first)) {
            co_return Outcome::done;
        }
        while (*piece) {
            piece = co_await answer.next();
            if (piece && *piece && !co_await visit_.write(named(**piece))) {
                co_return Outcome::done;
            }
            if (!piece) {
                co_await torn(std::move(piece).error(), server_error);
                co_return Outcome::done;
            }
        }
        (void)co_await visit_.exchange().finish();
        co_return Outcome::done;
    }

    /// A small answer is held until it is whole: it leaves in one packet, and one that breaks off
    /// can still be asked for again.
    Task<Outcome> whole_answer(relay::UpstreamAnswer& answer, bool mends, Error& server_error) {
        std::string held;
        auto body = answer.whole_at_once();
        if (!body) {
            auto read = co_await read_whole(visit_, answer, server_error);
            if (!read) co_return read.error();
            held = *std::move(read);
            body = held;
        }
        body = named(*body);
        visit_.record().first_byte = visit_.seconds();
        note_usage(*body);
        if (answer.status() == 200) keep(*body);
        if (mends) {
            if (auto mended = mend(*body)) {
                held = *std::move(mended);
                body = held;
            }
        }
        const auto lines = passed_lines(answer);
        (void)co_await visit_.answer_with(answer.status(), lines, *body);
        co_return Outcome::done;
    }

    std::optional<std::string> mend(std::string_view body) const {
        auto parsed = parse_json(body);
        if (!parsed || !parsed->is_object()) return std::nullopt;
        auto& completion = parsed->get_object();
        if (!translate::mend_completion(completion, tools_, visit_.record().id))
            return std::nullopt;
        return to_text(completion);
    }

    /// The usage that the answer ends with; found without reading the whole of it as JSON.
    void note_usage(std::string_view body) {
        const auto number = [&](std::string_view name) -> std::uint64_t {
            auto at = body.rfind(name);
            if (at == std::string_view::npos) return 0;
            at += name.size();
            while (at < body.size() && (body[at] == ' ' || body[at] == ':')) ++at;
            std::uint64_t value = 0;
            std::from_chars(body.data() + at, body.data() + body.size(), value);
            return value;
        };
        visit_.record().tokens_in = number("\"prompt_tokens\"");
        visit_.record().tokens_out = number("\"completion_tokens\"");
    }

    /// The client was told "200, a stream" while the model loaded, and the server answers with
    /// something else: an error, mostly.
    Task<Outcome> late_answer(relay::UpstreamAnswer& answer, Error& server_error) {
        auto text = co_await read_whole(visit_, answer, server_error);
        if (!text) co_return text.error();
        visit_.note("server_error", fmt::format("status {} from the server", answer.status()));
        auto line = *std::move(text);
        std::erase_if(line, [](char c) { return c == '\n' || c == '\r'; });
        if (co_await visit_.write(fmt::format("data: {}\n\n", line))) {
            (void)co_await visit_.exchange().finish();
        }
        co_return Outcome::done;
    }

    Task<Outcome> stream(relay::UpstreamAnswer& answer, Error& server_error) {
        translate::StreamEye eye;
        translate::StreamMender mender(tools_, visit_.record().id);
        const bool mends = !tools_.is_null();
        while (true) {
            auto piece = co_await answer.next();
            if (!piece || !*piece) {
                // Text that might have been a call is the client's, also of an answer that is torn.
                if (mends && eye.events() > 0) (void)co_await visit_.write(mender.release());
                co_return co_await stream_ended(eye, std::move(piece), server_error);
            }
            const auto bytes = named(**piece);
            eye.feed(bytes);
            visit_.count(eye);
            keep(bytes);
            if (!visit_.exchange().begun()) {
                const auto lines = passed_lines(answer);
                const auto first = mends ? std::string_view() : bytes;
                const auto begun =
                    co_await visit_.begin_with(answer.status(), lines, std::nullopt, first);
                if (!begun) co_return Outcome::done;
                if (!mends) continue;
            }
            if (!mends) {
                if (!co_await visit_.write(bytes)) co_return Outcome::done;
                continue;
            }
            const auto text = mender.feed(bytes);
            if (!text) {
                co_await torn(text.error(), server_error);
                co_return Outcome::done;
            }
            if (!co_await visit_.write(*text)) co_return Outcome::done;
        }
    }

    /// For a capture, up to what a capture takes.
    void keep(std::string_view piece) {
        constexpr std::size_t most = 2U << 20U;
        if (visit_.captures() && kept_.size() < most) kept_.append(piece);
    }

    /// The end of the server's stream: proper, torn after an event, or before the first (then a
    /// fresh server may still be asked, even if comments went out).
    Task<Outcome> stream_ended(
        const translate::StreamEye& eye,
        Result<std::optional<std::string_view>> end,
        Error& server_error
    ) {
        if (end && (eye.done() || eye.saw_error() || !wants_done_)) {
            (void)co_await visit_.exchange().finish();
            co_return Outcome::done;
        }
        Error error =
            end ? Error(
                      ErrorCode::protocol,
                      "the server's stream ended before its last event: the answer is not whole"
                  )
                : std::move(end).error();
        if (eye.events() == 0) co_return failed(std::move(error), server_error);
        co_await torn(std::move(error), server_error);
        co_return Outcome::done;
    }

    static Outcome failed(Error error, Error& server_error) {
        server_error = std::move(error);
        return Outcome::retry;
    }

    /// A torn answer must look torn: no [DONE], no last chunk.
    Task<void> torn(Error error, Error& server_error) {
        server_error = error;
        if (co_await client_left()) co_return;
        if (visit_.record().stream) {
            co_await visit_.refuse({.status = 502, .code = "stream_torn", .error = std::move(error)}
            );
            co_return;
        }
        visit_.record().torn = true;
        visit_.note("answer_torn", error.message());
        visit_.exchange().abort();
    }

    /// The bytes with the model's name as the client knows it; valid until the next call.
    std::string_view named(std::string_view bytes) {
        if (!renamer_) return bytes;
        renamed_ = renamer_->feed(bytes);
        return renamed_;
    }

    Visit& visit_;
    json::value tools_;
    std::string kept_;
    std::optional<translate::Renamer> renamer_;
    std::string renamed_;
    bool wants_done_;  // other routes end their streams in their own ways
};

/// A comment line, which no parser of event streams takes for content. False: the client has left.
Task<bool> comment(Visit& visit, fleet::Waiting news) {
    if (news.waited.count() < quiet_wait) co_return true;
    if (!co_await visit.begin_stream("text/event-stream")) co_return false;
    const auto left =
        news.seconds_left ? fmt::format(", about {:.0f} s left", *news.seconds_left) : "";
    const auto text = fmt::format(": {}{}\n\n", printable(news.why), left);
    co_return (co_await visit.write(text)).has_value();
}

}  // namespace

Task<void> pass_route(Visit& visit) {
    auto asked = co_await read_asked(visit);
    if (!asked) co_return;
    Passing passing(visit, tools_of(*asked));
    Question question{
        .model = asked->model,
        .body_bytes = asked->body.in_memory() ? asked->body.size() : 0,
        .body = [&](const fleet::Lease& lease) { return body_for(asked->body, asked->top, lease); },
        .target = visit.head().target,
        .path = visit.head().path,
    };
    if (asked->stream) {
        question.sign = [&visit](fleet::Waiting news) { return comment(visit, std::move(news)); };
    }
    Deliver deliver =
        [&passing](relay::UpstreamAnswer& answer, const fleet::Lease& lease, Error& server_error) {
            return passing.deliver(answer, lease, server_error);
        };
    co_await ask_server(visit, std::move(question), std::move(deliver));
    const bool whole = !visit.record().torn && visit.record().error.empty();
    if (visit.captures() && whole && asked->body.in_memory() && !passing.kept().empty()) {
        visit.capture(asked->body.text(), passing.kept());
    }
}

Task<void> upstream_route(Visit& visit) {
    constexpr std::string_view prefix = "/upstream/";
    auto body = co_await visit.exchange().read_body();
    if (!body) co_return;
    visit.record().bytes_in = body->size();
    const auto top = co_await scan(*body);
    const std::string_view target = visit.head().target;
    const auto rest = target.substr(prefix.size());
    const auto slash = rest.find('/');
    const auto path = std::string_view(visit.head().path).substr(prefix.size());
    Passing passing(visit, json::value(nullptr));
    Question question{
        .model = std::string(path.substr(0, path.find('/'))),
        .body_bytes = body->in_memory() ? body->size() : 0,
        .body = [&](const fleet::Lease& lease) -> Result<relay::Body> {
            if (lease.file_members().empty() || body->size() == 0) return body->spliced({});
            if (!top) return std::unexpected(top.error());  // it loads what a body names, anywhere
            return body_for(*body, *top, lease);
        },
        .method = visit.head().method,
        .target = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash)),
        .path = path.substr(std::min(path.find('/'), path.size())),
    };
    Deliver deliver =
        [&passing](relay::UpstreamAnswer& answer, const fleet::Lease& lease, Error& server_error) {
            return passing.deliver(answer, lease, server_error);
        };
    co_await ask_server(visit, std::move(question), std::move(deliver));
}

}  // namespace punie::gateway
