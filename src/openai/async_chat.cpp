#include "openai/async_chat.hpp"

#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "http/client.hpp"
#include "openai/call.hpp"
#include "openai/limits.hpp"
#include "openai/response.hpp"

namespace punie::openai {

struct AsyncChat::Shared {
    explicit Shared(EndpointOptions endpoint)
        : options(std::move(endpoint)),
          client(http::ClientOptions{
              .verify = options.verify_tls,
              .ca_file = options.ca_file,
              .environment = http::proxy_environment()
          }) {}

    std::string known_model() {
        const std::lock_guard lock(mutex);
        return options.model.empty() ? discovered_model : options.model;
    }

    void know_model(const std::string& name) {
        const std::lock_guard lock(mutex);
        discovered_model = name;
    }

    Task<Result<ChatReply>> with_model(Call* call) {
        auto model = known_model();
        if (model.empty() && !call->request().model) {
            auto found = co_await call->find_model();
            if (!found) co_return std::unexpected(std::move(found).error());
            model = std::move(*found);
            know_model(model);
        }
        co_return co_await call->perform(std::move(model));
    }

    /// The whole call but for its total limit. Never throws: what a library below throws becomes an
    /// error.
    Task<Result<ChatReply>> guarded(Call* call) {
        co_await asio::this_coro::throw_if_cancelled(false);
        try {
            co_return co_await with_model(call);
        } catch (const std::exception& thrown) {
            co_return fail(
                ErrorCode::connection, fmt::format("the request failed: {}", thrown.what())
            );
        }
    }

    Task<Result<ChatReply>> within_total(Call* call) {
        // This setting belongs to the caller's coroutine as well, so it is given back as it was.
        const bool throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        auto result = co_await until(call->deadline(), guarded(call));
        co_await asio::this_coro::throw_if_cancelled(throws);
        if (!result) co_return std::unexpected(redacted(call->total_timeout(), options.api_key));
        if (!*result)
            co_return std::unexpected(redacted(std::move(*result).error(), options.api_key));
        co_return std::move(**result);
    }

    const EndpointOptions options;
    const http::Client client;
    std::mutex mutex;
    std::string discovered_model;
};

AsyncChat::AsyncChat(EndpointOptions options)
    : shared_(std::make_shared<Shared>(std::move(options))) {}

const EndpointOptions& AsyncChat::options() const {
    return shared_->options;
}

Task<Result<ChatReply>> AsyncChat::complete(ChatRequest request) const {
    const auto shared = shared_;  // the client may be destroyed while its call runs
    Call call(shared->options, shared->client, std::move(request), Mode::complete);
    co_return co_await shared->within_total(&call);
}

Task<Result<ChatReply>> AsyncChat::stream(
    ChatRequest request, std::function<void(const ChatDelta&)> on_delta
) const {
    const auto shared = shared_;
    Call call(shared->options, shared->client, std::move(request), Mode::stream);
    call.on_delta(std::move(on_delta));
    co_return co_await shared->within_total(&call);
}

}  // namespace punie::openai
