#include "pipeline/ask_endpoint.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "openai/post.hpp"
#include "openai/response.hpp"
#include "openai/retry.hpp"

namespace punie::pipeline {

namespace {

eval::Asked asked_from(openai::PostOutcome outcome) {
    eval::Asked asked{.status = outcome.status, .body = std::move(outcome.body)};
    if (outcome.error) {
        asked.failure = outcome.error->message();
        asked.timed_out = outcome.error->code() == ErrorCode::timeout;
        asked.cancelled = outcome.error->code() == ErrorCode::cancelled;
        return asked;
    }
    asked.retry_after = openai::retry_after(outcome.retry_after, std::chrono::system_clock::now());
    if (outcome.status < 200 || outcome.status > 299)
        asked.failure = openai::error_from_answer(outcome.status, asked.body).message();
    return asked;
}

Task<eval::Asked> send(openai::ChatPost post, std::string body) {
    auto outcome = co_await post.send(std::move(body));
    co_return asked_from(std::move(outcome));
}

}  // namespace

eval::Ask ask_endpoint(const EndpointOptions& options) {
    return [post = openai::ChatPost(options)](std::string body) {
        return send(post, std::move(body));
    };
}

}  // namespace punie::pipeline
