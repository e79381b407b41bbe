// The public, blocking ChatModel: each call runs its own event loop in the caller's thread.
#include <punie/chat.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <optional>
#include <stop_token>
#include <utility>

#include "openai/async_chat.hpp"
#include "openai/endpoint.hpp"

namespace punie {

struct ChatModel::Impl {
    explicit Impl(EndpointOptions options) : chat(std::move(options)) {}

    openai::AsyncChat chat;
};

namespace {

/// An event loop for one exchange, and the way to cancel it.
class Exchange {
public:
    /// Runs the coroutine that `make` returns to its end. What it throws is thrown here.
    template <typename Make>
    Result<ChatReply> run(Make make, std::stop_token stop) {
        if (stop.stop_requested())
            return fail(ErrorCode::cancelled, "the request was cancelled before it was sent");
        std::exception_ptr thrown;
        std::optional<Result<ChatReply>> result;
        const auto done = [&](std::exception_ptr error, Result<ChatReply> reply) {
            thrown = std::move(error);
            result = std::move(reply);
        };
        asio::co_spawn(context_, make(), asio::bind_cancellation_slot(signal_.slot(), done));
        const std::stop_callback on_stop(std::move(stop), [this] {
            asio::post(context_, [this] { cancel(); });
        });
        context_.run();
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*result);
    }

    /// From within the loop.
    void cancel() { signal_.emit(asio::cancellation_type::terminal); }

private:
    asio::io_context context_{1};
    asio::cancellation_signal signal_;
};

}  // namespace

ChatModel::ChatModel(EndpointOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

ChatModel::ChatModel(ChatModel&&) noexcept = default;
ChatModel& ChatModel::operator=(ChatModel&&) noexcept = default;
ChatModel::~ChatModel() = default;

const EndpointOptions& ChatModel::options() const {
    return impl_->chat.options();
}

Result<ChatReply> ChatModel::complete(const ChatRequest& request, std::stop_token stop) const {
    Exchange exchange;
    return exchange.run([&] { return impl_->chat.complete(request); }, std::move(stop));
}

Result<ChatReply> ChatModel::stream(
    const ChatRequest& request,
    const std::function<void(const ChatDelta&)>& on_delta,
    std::stop_token stop
) const {
    Exchange exchange;
    std::exception_ptr thrown;
    // The caller's exception must not fly through coroutines: it ends the exchange and is thrown
    // again out here.
    const auto guarded = [&](const ChatDelta& delta) {
        if (thrown || !on_delta) return;
        try {
            on_delta(delta);
        } catch (...) {
            thrown = std::current_exception();
            exchange.cancel();
        }
    };
    auto reply =
        exchange.run([&] { return impl_->chat.stream(request, guarded); }, std::move(stop));
    if (thrown) std::rethrow_exception(thrown);
    return reply;
}

Result<ChatModel> create_endpoint_model(EndpointOptions options) {
    auto checked = openai::checked_endpoint(std::move(options));
    if (!checked) return std::unexpected(std::move(checked).error());
    return ChatModel(std::move(*checked));
}

}  // namespace punie
