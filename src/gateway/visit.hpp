#pragma once
// One request from its head to its record. Every way out of a route goes through here, so that no
// request ends without a status, a log line and its numbers.

#include <memory>
#include <optional>
#include <string>

#include "gateway/services.hpp"
#include "translate/mending.hpp"
#include "translate/protocol.hpp"

namespace punie::gateway {

/// A route's way of being refused: status, code for programs, words, when to try again.
struct Refused {
    int status = 500;
    std::string code;
    Error error;
    std::optional<Milliseconds> retry_after{};
};

/// Lives in the handler's coroutine; its end writes the record. Thread: the gateway's.
class Visit {
public:
    Visit(Services& services, relay::Exchange& exchange, std::string route);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

    relay::Exchange& exchange() { return exchange_; }

    const relay::Head& head() const { return exchange_.head(); }

    Services& services() const { return services_; }

    RequestRecord& record() { return record_; }

    Pass& pass() { return pass_; }

    const Pass& pass() const { return pass_; }

    LiveRequest& live() { return *live_; }

    /// The words of errors from now on; null: OpenAI's.
    void speaks(const translate::Protocol* protocol) { protocol_ = protocol; }

    const translate::Protocol* protocol() const { return protocol_; }

    double seconds() const;  ///< since the head arrived

    /// Puts in what every answer carries: x-request-id, CORS where allowed.
    void add_own_headers(relay::Headers& headers) const;

    /// Errors are those of a client that left: no use to anybody.
    Task<Result<void>> reply(relay::Reply reply);
    /// An error as the client's protocol says it; in a stream that has begun, as an event, after
    /// which the connection is torn if `torn`.
    Task<void> refuse(Refused refused);

    /// A server's answer: its header lines ("Name: value\r\n" each, living until it returns) with
    /// the own ones, and its first bytes in the same packet.
    Task<Result<void>> begin_with(
        int status,
        std::string_view lines,
        std::optional<std::uint64_t> length,
        std::string_view first
    );
    /// The same for a whole answer.
    Task<Result<void>> answer_with(int status, std::string_view lines, std::string_view body);
    /// Begins an event stream, if it has not begun.
    Task<Result<void>> begin_stream(std::string_view content_type);
    Task<Result<void>> write(std::string_view piece);

    /// The stream of this answer, in a translated protocol; null: OpenAI's events.
    void streams_by(translate::StreamTranslator* translator) { translator_ = translator; }

    /// Whether requests are captured; `capture` hands one with its answer (a stream's events as
    /// they came) to whoever keeps them.
    bool captures() const { return static_cast<bool>(services_.capture); }

    void capture(std::string_view request, std::string_view response) const {
        if (!services_.capture) return;
        services_.capture(
            {.route = record_.route,
             .model = record_.model,
             .request = request,
             .response = response}
        );
    }

    /// What was seen of this answer's stream so far, for the record and the list of live requests.
    void count(const translate::StreamEye& eye);

    /// What went wrong, for the record.
    void note(std::string code, std::string reason);

private:
    std::string own_lines() const;
    std::string error_text(int status, const Error& error, std::string_view code) const;

    Services& services_;
    relay::Exchange& exchange_;
    const translate::Protocol* protocol_ = nullptr;
    translate::StreamTranslator* translator_ = nullptr;
    RequestRecord record_;
    Pass pass_;
    std::shared_ptr<LiveRequest> live_;
    SteadyTime begun_;
};

/// Id of a request: the client's x-request-id if it is sane (128 characters at most, letters,
/// digits, "-_.:"), else a random one.
std::string request_id(std::string_view from_client);

Refused refused_by(const fleet::Refusal& refusal);
Refused refused_by(const Barred& barred);

}  // namespace punie::gateway
