#include "openai/call.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

#include "base/text.hpp"
#include "openai/body_reader.hpp"
#include "openai/limits.hpp"
#include "openai/request.hpp"
#include "openai/response.hpp"

namespace punie::openai {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto models_limit =
    Milliseconds(30'000);  // mlx_lm.server scans the hub cache for /models

double jitter() {
    thread_local std::minstd_rand engine{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(engine);
}

bool is_success(int status) {
    return status >= 200 && status <= 299;
}

}  // namespace

Call::Call(
    const EndpointOptions& options, const http::Client& client, ChatRequest request, Mode mode
)
    : options_(options),
      client_(client),
      request_(std::move(request)),
      mode_(mode),
      started_(Clock::now()),
      deadline_(after(options.deadlines.total)) {}

Task<Result<ChatReply>> Call::perform(std::string default_model) {
    const BodyOptions body_options{
        .model = std::move(default_model),
        .stream = mode_ == Mode::stream,
        .defaults = options_.request_defaults
    };
    auto body = build_request_body(request_, body_options);
    if (!body) co_return std::unexpected(std::move(body).error());
    RetryState tries;
    while (true) {
        auto outcome =
            mode_ == Mode::stream ? co_await stream_once(*body) : co_await complete_once(*body);
        if (outcome) {
            outcome->attempts = tries.attempts + 1;
            outcome->total_time = Clock::now() - started_;
            co_return std::move(*outcome);
        }
        auto failed = std::move(outcome).error();
        const auto action = after_failure(tries, std::move(failed.event));
        if (!action.again) {
            if (tries.attempts == 1) co_return std::unexpected(std::move(failed.error));
            co_return std::unexpected(
                std::move(failed.error).in(fmt::format("attempt {}", tries.attempts))
            );
        }
        progress_ = "an error to be retried (" + failed.error.message() + ")";
        if (!co_await pause(action.wait)) co_return cancelled();
    }
}

Task<Result<std::string>> Call::find_model() {
    const http::Deadlines limits{
        .connect = options_.deadlines.connect,
        .first_byte = models_limit,
        .between_bytes = models_limit
    };
    RetryState tries;
    while (true) {
        http::Request request{.url = options_.base_url + "/models"};
        add_key(request);
        auto response = co_await client_.send(std::move(request), limits);
        if (response && response->status != 429 && response->status != 503) {
            const auto ids = model_ids(response->body);
            co_return response->status != 200 || ids.empty() ? "default_model" : ids.front();
        }
        auto failed = response
                          ? failed_by_status(response->status, response->headers, response->body)
                          : failed_by(std::move(response).error());
        const auto action = after_failure(tries, std::move(failed.event));
        if (!action.again) co_return std::unexpected(std::move(failed.error));
        if (!co_await pause(action.wait)) co_return cancelled();
    }
}

Error Call::total_timeout() const {
    return {
        ErrorCode::timeout,
        fmt::format(
            "no whole answer within {} (the total limit); {} had arrived",
            human_duration(options_.deadlines.total),
            progress_
        )
    };
}

Task<Call::Outcome> Call::complete_once(std::string body) {
    if (co_await was_cancelled()) co_return std::unexpected(failed_by(cancelled().error()));
    auto limits = deadlines();
    limits.between_bytes = options_.deadlines.between_tokens;
    auto request = completion_request(std::move(body));
    auto response = co_await client_.send(std::move(request), limits);
    if (!response) co_return std::unexpected(failed_by(std::move(response).error()));
    if (!is_success(response->status)) {
        co_return std::unexpected(
            failed_by_status(response->status, response->headers, response->body)
        );
    }
    auto reply = reply_from_body(std::move(response->body));
    if (!reply) co_return std::unexpected(Failed{std::move(reply).error(), {.answer_begun = true}});
    reply->time_to_first_token = Clock::now() - started_;
    co_return std::move(*reply);
}

Task<Call::Outcome> Call::stream_once(std::string body) {
    if (co_await was_cancelled()) co_return std::unexpected(failed_by(cancelled().error()));
    const auto sent = Clock::now();
    auto request = completion_request(std::move(body));
    auto answer = co_await client_.open(std::move(request), deadlines());
    if (!answer) co_return std::unexpected(failed_by(std::move(answer).error()));
    BodyReader reader(std::move(*answer));
    if (!is_success(reader.status())) {
        const auto text = co_await reader.error_text();
        co_return std::unexpected(failed_by_status(reader.status(), reader.headers(), text));
    }
    StreamedReply streamed(
        std::move(reader),
        options_.deadlines,
        sent,
        on_delta_,
        [this](std::string progress) { progress_ = std::move(progress); }
    );
    auto reply = co_await streamed.read();
    if (!reply) co_return std::unexpected(Failed{std::move(reply).error(), {.answer_begun = true}});
    reply->time_to_first_token = std::max(streamed.first_token(), started_) - started_;
    co_return std::move(*reply);
}

/// False when the call was cancelled meanwhile.
Task<bool> Call::pause(Milliseconds time) {
    if (co_await was_cancelled()) co_return false;
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return !co_await was_cancelled();
}

RetryAction Call::after_failure(RetryState& tries, AttemptFailed event) const {
    if (deadline_ != SteadyTime::max()) {
        event.time_left = std::chrono::duration_cast<Milliseconds>(deadline_ - Clock::now());
    }
    const RetryPolicy policy{.max_attempts = options_.max_attempts};
    return next_attempt(tries, event, std::chrono::system_clock::now(), jitter(), policy);
}

http::Request Call::completion_request(std::string body) const {
    http::Request request{
        .method = "POST", .url = options_.base_url + "/chat/completions", .body = std::move(body)
    };
    request.headers.emplace_back("Content-Type", "application/json");
    request.headers.emplace_back(
        "Accept", mode_ == Mode::stream ? "text/event-stream" : "application/json"
    );
    add_key(request);
    return request;
}

void Call::add_key(http::Request& request) const {
    if (!options_.api_key.empty())
        request.headers.emplace_back("Authorization", "Bearer " + options_.api_key);
}

http::Deadlines Call::deadlines() const {
    return {.connect = options_.deadlines.connect, .first_byte = options_.deadlines.first_token};
}

Call::Failed Call::failed_by(Error error) const {
    const bool refused = http::connection_refused(error);
    return {std::move(error), {.refused = refused}};
}

Call::Failed Call::failed_by_status(int status, const http::Headers& headers, std::string_view body)
    const {
    auto error = error_from_answer(status, body);
    if (status == 404 && !options_.base_url.ends_with("/v1")) {
        error =
            std::move(error).with_hint("base URLs of OpenAI-compatible servers usually end in /v1");
    }
    return {
        std::move(error),
        {.status = status, .retry_after = http::find_header(headers, "Retry-After").value_or("")}
    };
}

}  // namespace punie::openai
