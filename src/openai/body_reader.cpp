#include "openai/body_reader.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "openai/limits.hpp"

namespace punie::openai {

namespace {

constexpr auto error_body_limit = Milliseconds(10'000);
constexpr std::size_t longest_error_body = 64U << 10U;

}  // namespace

Task<Result<BodyReader::Piece>> BodyReader::next_piece() {
    co_await asio::this_coro::throw_if_cancelled(false);
    if (co_await was_cancelled()) co_return cancelled();
    co_return co_await stream_.next();
}

Task<std::optional<Result<BodyReader::Piece>>> BodyReader::next(SteadyTime deadline) {
    co_return co_await until(deadline, next_piece());
}

Task<std::string> BodyReader::error_text() {
    const auto deadline = after(error_body_limit);
    std::string text;
    while (text.size() < longest_error_body) {
        auto piece = co_await next(deadline);
        if (!piece || !*piece || !**piece) break;
        text += ***piece;
    }
    co_return text;
}

StreamedReply::StreamedReply(
    BodyReader body,
    const ChatDeadlines& limits,
    SteadyTime started,
    std::function<void(const ChatDelta&)> on_delta,
    std::function<void(std::string)> on_progress
)
    : body_(std::move(body)),
      limits_(limits),
      started_(started),
      on_delta_(std::move(on_delta)),
      on_progress_(std::move(on_progress)) {}

Task<Result<ChatReply>> StreamedReply::read() {
    while (!reader_.done()) {
        auto piece = co_await body_.next(next_deadline());
        if (!piece) co_return std::unexpected(timed_out());
        if (!*piece) {
            // Servers that drop the connection after the last chunk gave the whole answer.
            if (reader_.finished() && piece->error().code() != ErrorCode::cancelled) break;
            co_return std::unexpected(torn(std::move(*piece).error()));
        }
        if (!**piece) break;
        if (auto taken = take(***piece); !taken)
            co_return std::unexpected(std::move(taken).error());
    }
    co_return reader_.finish();
}

SteadyTime StreamedReply::next_deadline() const {
    if (reader_.begun()) return after(limits_.between_tokens);
    return limits_.first_token.count() > 0 ? started_ + limits_.first_token : SteadyTime::max();
}

Error StreamedReply::timed_out() const {
    if (!reader_.begun()) {
        return {
            ErrorCode::timeout,
            fmt::format(
                "no first token within {} (the first_token limit); {} keep-alive comments had "
                "arrived",
                human_duration(limits_.first_token),
                sse_.comments()
            )
        };
    }
    return {
        ErrorCode::timeout,
        fmt::format(
            "nothing came for {} in mid-answer (the between_tokens limit); {} had arrived",
            human_duration(limits_.between_tokens),
            reader_.progress()
        )
    };
}

Error StreamedReply::torn(Error error) const {
    if (error.code() == ErrorCode::cancelled) return error;
    return std::move(error).in("the answer was torn after " + reader_.progress());
}

Result<void> StreamedReply::take(std::string_view bytes) {
    auto events = sse_.feed(bytes);
    if (!events) return std::unexpected(std::move(events).error());
    for (const auto& event : *events) {
        auto delta = reader_.add(event);
        if (!delta) return std::unexpected(std::move(delta).error());
        if (reader_.begun() && first_token_ == SteadyTime()) first_token_ = Clock::now();
        if (*delta && on_delta_) on_delta_(**delta);
    }
    on_progress_(reader_.progress());
    return {};
}

}  // namespace punie::openai
