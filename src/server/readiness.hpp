#pragma once
// When to look again whether a server is ready, and when to give up: pure.
//
// Punie learns of "ready" by two waits: until our process tree owns the listening socket (a look
// into the socket table every few milliseconds) and until a one-token completion comes back. Most
// servers hold that request until the model is loaded, so that the answer itself is the event;
// those that refuse while loading are asked again within 25 ms.

#include <punie/error.hpp>

#include "base/awaitable.hpp"

namespace punie::server {

enum class Seen {
    nothing_listens,
    foreign_listener,  ///< the socket's owner is not in our tree
    refused,           ///< our tree listens, the connection failed
    busy,              ///< answered 503 or 429: still loading
    error_status,      ///< answered another error status
    unauthorised,      ///< answered 401 or 403: it wants a key
    silent,            ///< took the request and did not answer within the probe's limit
    answered,
};

enum class Next { look_again, fail_foreign, fail_key, ready };

struct Look {
    Next next = Next::look_again;
    Milliseconds wait{0};         ///< before the next look
    Milliseconds probe_limit{0};  ///< for the next completion request
};

/// One server's way to ready. Call `step` with what was seen; no clock inside.
class Readiness {
public:
    Look step(Seen seen);

    /// Whether the next probe should ask /completions instead of /chat/completions: a base model
    /// without a chat template answers the latter with an error status for ever.
    bool use_plain_completion() const { return error_statuses_ % 2 == 1; }

    int error_statuses() const { return error_statuses_; }

private:
    int foreign_ = 0;
    int looks_ = 0;
    int silent_ = 0;
    int unauthorised_ = 0;
    int error_statuses_ = 0;
};

}  // namespace punie::server
