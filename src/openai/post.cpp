#include "openai/post.hpp"

#include <boost/asio/this_coro.hpp>
#include <exception>
#include <utility>

#include "http/client.hpp"
#include "openai/call.hpp"
#include "openai/limits.hpp"
#include "openai/response.hpp"

namespace punie::openai {

namespace {

http::ClientOptions client_options(const EndpointOptions& options) {
    return {
        .verify = options.verify_tls,
        .ca_file = options.ca_file,
        .environment = http::proxy_environment(),
        .keep_alive = true
    };
}

}  // namespace

struct ChatPost::Shared {
    explicit Shared(const EndpointOptions& options)
        : client(client_options(options)),
          url(options.base_url + "/chat/completions"),
          key(options.api_key),
          limits{
              .connect = options.deadlines.connect,
              .first_byte = options.deadlines.first_token,
              .between_bytes = options.deadlines.between_tokens,
              .total = options.deadlines.total
          } {}

    http::Client client;
    std::string url;
    std::string key;
    http::Deadlines limits;
};

ChatPost::ChatPost(const EndpointOptions& options)
    : shared_(std::make_shared<const Shared>(options)) {}

Task<PostOutcome> ChatPost::send(std::string body) const {
    const auto shared = shared_;
    http::Request request{.method = "POST", .url = shared->url, .body = std::move(body)};
    request.headers.emplace_back("Content-Type", "application/json");
    if (!shared->key.empty())
        request.headers.emplace_back("Authorization", "Bearer " + shared->key);
    auto response = co_await shared->client.send(std::move(request), shared->limits);
    PostOutcome outcome;
    if (!response) {
        outcome.error = redacted(std::move(response).error(), shared->key);
        co_return outcome;
    }
    outcome.status = response->status;
    outcome.retry_after = http::find_header(response->headers, "Retry-After").value_or("");
    outcome.body = std::move(response->body);
    co_return outcome;
}

Task<Result<std::string>> find_model_name(EndpointOptions options) {
    if (!options.model.empty()) co_return options.model;
    const http::Client client(client_options(options));
    Call call(options, client, {}, Mode::complete);
    auto name = co_await until(call.deadline(), call.find_model());
    if (!name) co_return std::unexpected(call.total_timeout());
    co_return std::move(*name);
}

}  // namespace punie::openai
