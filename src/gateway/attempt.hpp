#pragma once
// One request sent to one server, and once more where the first server died of something else.

#include <functional>

#include "gateway/admission.hpp"
#include "gateway/asked.hpp"

namespace punie::gateway {

/// What became of passing one answer on.
enum class Outcome {
    done,   ///< the client has its answer, or an error, or has left
    retry,  ///< nothing of an answer reached the client: a fresh server may be asked
};

/// Passes the answer of one server on to the client. `server_error`: set when the server broke.
using Deliver = std::function<
    Task<Outcome>(relay::UpstreamAnswer& answer, const fleet::Lease& lease, Error& server_error)>;

struct Question {
    std::string model;
    std::uint64_t body_bytes = 0;
    /// The body for this server. Errors: invalid_argument, the client's fault.
    std::function<Result<relay::Body>(const fleet::Lease&)> body;
    std::string method = "POST";
    std::string target;
    std::string_view path;  ///< of the target, without escapes and query
    /// Said to a client whose model loads; false: it has left.
    std::function<Task<bool>(fleet::Waiting)> sign{};
};

/// Admission, sending, delivering; after a server's death before the first byte once more on a
/// fresh server. Whatever happens, the client has been answered when it returns.
Task<void> ask_server(Visit& visit, Question question, Deliver deliver);

/// The whole answer, up to 32 MiB. The error is what became of it: retry, with `server_error`, or
/// done, with the client told that the answer is too large: asking again would make it no smaller,
/// and the server has done nothing wrong.
Task<std::expected<std::string, Outcome>> read_whole(
    Visit& visit, relay::UpstreamAnswer& answer, Error& server_error
);

bool is_event_stream(const relay::UpstreamAnswer& answer);

/// Seconds that a client waits without a word, so that quick failures keep their status.
constexpr double quiet_wait = 0.9;

/// Whether the client has left: the handler's coroutine was cancelled.
Task<bool> client_left();

}  // namespace punie::gateway
