#pragma once
// A request that wants a model, what it is told while it waits, and why it may be refused.

#include <punie/error.hpp>
#include <punie/server_process.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/awaitable.hpp"

namespace punie::fleet {

/// What a waiting request can be told.
struct Waiting {
    std::string model;
    ServerState state = ServerState::stopped;  ///< of its server
    std::size_t place = 0;                     ///< in the queue, from 1
    std::chrono::duration<double> waited{0};
    std::optional<double> seconds_left{};  ///< from earlier loads; nothing if never measured
    std::string why;                       ///< "loading", "waits for 3 answers of b to end"
};

/// A request that wants a model.
struct Ask {
    std::string model;   ///< name, alias or "base:adapter"
    std::string client;  ///< who, for fairness: the key's name or the address
    int priority = 0;
    std::uint64_t body_bytes = 0;        ///< held while it waits
    std::optional<Milliseconds> wait{};  ///< nothing: QueueSpec::wait
    /// Tells whoever asked, when it begins to wait and about once a second; false: they have left.
    /// It may write to a slow client: a place that is granted meanwhile is taken when it returns.
    std::function<Task<bool>(Waiting)> on_wait{};
    /// What stands against this one's use of a model, asked for the model and for each fallback;
    /// null: nothing does.
    std::function<std::optional<Error>(std::string_view served_name)> bar{};
    int deaths = 0;  ///< servers that died of this very request: Lease::deaths of the last try
};

/// Why a request was not admitted; the reasons that have a time say when a repeat makes sense.
struct Refusal {
    enum class Kind {
        unknown_model,  ///< 404
        queue_full,     ///< 429
        deadline,       ///< 504: waited its time
        backing_off,    ///< 503: crash loop, with the last reason
        does_not_fit,   ///< 507 or 503: over the memory budget, with the numbers
        start_failed,   ///< 503: with the reason from its log
        poisoned,       ///< 502: this request killed two fresh servers
        not_allowed,    ///< 403: Ask::bar
        closing,        ///< 503: shutting down
        cancelled,      ///< the client left
    };
    Kind kind;
    Error error;
    std::optional<Milliseconds> retry_after{};
};

}  // namespace punie::fleet
