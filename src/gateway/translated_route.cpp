#include "gateway/translated_route.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.hpp"
#include "base/text.hpp"
#include "gateway/attempt.hpp"
#include "openai/response.hpp"
#include "openai/sse.hpp"
#include "translate/mending.hpp"

namespace punie::gateway {

namespace {

constexpr std::string_view chat_target = "/v1/chat/completions";

Refused bad_request(Error error) {
    return {.status = 400, .code = "invalid_request", .error = std::move(error)};
}

// It is understood as a whole, in memory; what passes through as it is has no such limits.
constexpr std::uint64_t most_bytes = 32U << 20U;
constexpr std::uint64_t most_parts = 500'000;

Refused too_large() {
    return {
        .status = 413,
        .code = "body_too_large",
        .error = Error(
                     ErrorCode::invalid_argument,
                     fmt::format(
                         "a request that is translated may have {} and {} values",
                         human_bytes(most_bytes),
                         most_parts
                     )
        )
                     .with_hint("/v1/chat/completions takes larger ones")
    };
}

/// The request as JSON; the client has been answered if there is none.
Task<std::optional<json::object>> read_object(Visit& visit) {
    // The scan says more of what is wrong than the parser, and refuses names that stand twice.
    const auto asked = co_await read_scanned(visit);
    if (!asked) co_return std::nullopt;
    if (asked->body.size() > most_bytes || asked->top.parts > most_parts) {
        co_await visit.refuse(too_large());
        co_return std::nullopt;
    }
    const auto text = whole_text(asked->body);
    if (!text) {
        co_await visit.refuse({.status = 500, .code = "io", .error = text.error()});
        co_return std::nullopt;
    }
    auto parsed = parse_json(*text);
    if (!parsed || !parsed->is_object()) {
        co_await visit.refuse(bad_request(
            parsed ? Error(ErrorCode::invalid_argument, "the body is no object") : parsed.error()
        ));
        co_return std::nullopt;
    }
    co_return std::move(parsed->get_object());
}

/// One request in another protocol. Lives as long as it.
class Translation {
public:
    Translation(Visit& visit, const translate::Protocol& protocol, translate::ChatForm form)
        : visit_(visit), protocol_(protocol), form_(std::move(form)) {
        context_.id = visit.record().id;
        context_.created = std::chrono::system_clock::to_time_t(visit.record().time);
        if (form_.stream) {
            stream_ = protocol.stream(form_, context_);
            visit.streams_by(stream_.get());
        }
        if (const auto* tools = form_.body.if_contains("tools")) tools_ = *tools;
    }

    ~Translation() { visit_.streams_by(nullptr); }

    Translation(const Translation&) = delete;
    Translation& operator=(const Translation&) = delete;

    Result<relay::Body> body(const fleet::Lease& lease) {
        json::object object = form_.body;
        object["model"] = lease.request_model();
        if (lease.request_model().empty()) object["model"] = form_.model;
        if (const auto& adapter = lease.adapter(); !adapter.empty()) {
            object["adapters"] = adapter.string();
        }
        for (const auto& [name, text] : lease.defaults()) {
            if (lease.model().sampling_overridable && object.contains(name)) continue;
            if (auto value = parse_json(text)) object[name] = *std::move(value);
        }
        return relay::Body(to_text(object));
    }

    /// A sign of life; false: the client has left.
    Task<bool> sign(fleet::Waiting news) {
        if (news.waited.count() < quiet_wait) co_return true;
        auto text = stream_->keep_alive(printable(news.why));
        if (text.empty()) co_return true;
        if (!co_await begin()) co_return false;
        co_return (co_await visit_.write(text)).has_value();
    }

    Task<Outcome> deliver(relay::UpstreamAnswer& answer, Error& server_error) {
        if (answer.status() == 200 && form_.stream && is_event_stream(answer)) {
            co_return co_await events(answer, server_error);
        }
        co_return co_await whole(answer, server_error);
    }

private:
    Task<Result<void>> begin() {
        if (begun_) co_return Result<void>{};
        begun_ = true;
        if (auto begun = co_await visit_.begin_stream(protocol_.stream_type()); !begun) {
            co_return begun;
        }
        co_return co_await visit_.write(stream_->begin());
    }

    Task<Outcome> whole(relay::UpstreamAnswer& answer, Error& server_error) {
        auto text = co_await read_whole(visit_, answer, server_error);
        if (!text) co_return text.error();
        visit_.record().first_byte = visit_.seconds();
        if (answer.status() != 200) {
            co_await visit_.refuse(
                {.status = answer.status(),
                 .code = "server_error",
                 .error = openai::error_from_answer(answer.status(), *text)}
            );
            co_return Outcome::done;
        }
        co_await answer_with(*std::move(text));
        co_return Outcome::done;
    }

    Task<void> answer_with(std::string text) {
        auto parsed = parse_json(text);
        if (!parsed || !parsed->is_object()) {
            co_await visit_.refuse(
                {.status = 502,
                 .code = "server_error",
                 .error = Error(ErrorCode::protocol, "the server's answer is no JSON object")}
            );
            co_return;
        }
        auto& completion = parsed->get_object();
        translate::mend_completion(completion, tools_, context_.id);
        note_usage(completion);
        context_.load_seconds = visit_.record().waited;
        context_.total_seconds = visit_.seconds();
        auto answer = protocol_.answer(form_, completion, context_);
        if (!answer) {
            co_await visit_.refuse(
                {.status = 502, .code = "server_error", .error = std::move(answer).error()}
            );
            co_return;
        }
        (void)co_await visit_.reply({.body = to_text(*answer)});
    }

    void note_usage(const json::object& completion) {
        if (const auto usage = openai::usage_of(completion)) {
            visit_.record().tokens_in = static_cast<std::uint64_t>(usage->prompt_tokens);
            visit_.record().tokens_out = static_cast<std::uint64_t>(usage->completion_tokens);
        }
    }

    Task<Outcome> events(relay::UpstreamAnswer& answer, Error& server_error) {
        openai::SseReader reader;
        translate::StreamMender mender(tools_, context_.id);
        translate::StreamEye eye;
        while (true) {
            auto piece = co_await answer.next();
            if (!piece || !*piece) {
                auto error = piece ? Error(
                                         ErrorCode::protocol,
                                         "the server's stream ended before its last event: the "
                                         "answer is not whole"
                                     )
                                   : std::move(piece).error();
                if (eye.events() == 0) {
                    server_error = std::move(error);
                    co_return Outcome::retry;
                }
                server_error = error;
                co_await visit_.refuse(
                    {.status = 502, .code = "stream_torn", .error = std::move(error)}
                );
                co_return Outcome::done;
            }
            eye.feed(**piece);
            visit_.count(eye);
            if (co_await pass(mender.feed(**piece), reader)) co_return Outcome::done;
        }
    }

    /// Passes mended bytes on in the client's words; true when nothing is to follow.
    Task<bool> pass(Result<std::string> bytes, openai::SseReader& reader) {
        auto read = bytes ? reader.feed(*bytes) : std::unexpected(bytes.error());
        if (!read) {
            co_await visit_.refuse(
                {.status = 502, .code = "server_error", .error = std::move(read).error()}
            );
            co_return true;
        }
        std::string out;
        bool done = false;
        for (const auto& event : *read) {
            if (event.data == "[DONE]") {
                out += stream_->finish(visit_.seconds());
                done = true;
                break;
            }
            auto words = stream_->feed(event.data);
            if (!words) {
                co_await visit_.refuse(
                    {.status = 502, .code = "server_error", .error = std::move(words).error()}
                );
                co_return true;
            }
            out += *words;
        }
        if (out.empty()) co_return false;
        if (!co_await begin() || !co_await visit_.write(out)) co_return true;
        if (done) (void)co_await visit_.exchange().finish();
        co_return done;
    }

    Visit& visit_;
    const translate::Protocol& protocol_;
    translate::ChatForm form_;
    translate::AnswerContext context_;
    std::unique_ptr<translate::StreamTranslator> stream_;
    json::value tools_;
    bool begun_ = false;
};

}  // namespace

Task<void> translated_route(Visit& visit, const translate::Protocol& protocol) {
    visit.speaks(&protocol);
    auto object = co_await read_object(visit);
    if (!object) co_return;
    auto form = protocol.request(*object);
    if (!form) {
        co_await visit.refuse(bad_request(std::move(form).error()));
        co_return;
    }
    visit.record().stream = form->stream;
    const bool stream = form->stream;
    auto model = form->model;
    Translation translation(visit, protocol, *std::move(form));
    Question question{
        .model = std::move(model),
        .body_bytes = visit.record().bytes_in,
        .body = [&](const fleet::Lease& lease) { return translation.body(lease); },
        .target = std::string(chat_target),
        .path = chat_target,
    };
    if (stream) {
        question.sign = [&](fleet::Waiting news) { return translation.sign(std::move(news)); };
    }
    Deliver deliver = [&](relay::UpstreamAnswer& answer, const fleet::Lease&, Error& error) {
        return translation.deliver(answer, error);
    };
    co_await ask_server(visit, std::move(question), std::move(deliver));
}

}  // namespace punie::gateway
