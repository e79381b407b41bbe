#pragma once
// One POST of a ready-made body to /chat/completions: no retry, the answer as it came. For code
// that decides itself what is tried again and keeps whole answers, such as the evaluation.

#include <punie/chat.hpp>

#include <memory>
#include <optional>
#include <string>

#include "base/awaitable.hpp"

namespace punie::openai {

/// What one attempt brought: an answer with its status, or an error of the way there.
struct PostOutcome {
    int status = 0;  ///< 0: no whole answer came
    std::string body;
    std::string retry_after;     ///< the header, "" for none
    std::optional<Error> error;  ///< connection, timeout, protocol, cancelled; the key is taken out
};

/// Thread: coroutines run on the caller's executor. Cancellable. `options.deadlines.first_token` is
/// the wait for the answer's first byte, `total` that for all of it; `model` and
/// `request_defaults` are not used: the body is sent as it is.
class ChatPost {
public:
    explicit ChatPost(const EndpointOptions& options);

    Task<PostOutcome> send(std::string body) const;

private:
    struct Shared;
    std::shared_ptr<const Shared> shared_;
};

/// The name that requests to the endpoint should carry: `options.model`, else its first model, else
/// "default_model". Errors: those of the chat client.
Task<Result<std::string>> find_model_name(EndpointOptions options);

}  // namespace punie::openai
