#pragma once
// The control API: what `punie ps|load|unload|logs|events|top` and the dashboard ask. Reached over
// the control socket (0600), or a listener with a key that has `control`; never by the model port
// alone.
//
//   GET  /control/ps                    models with state, memory, queue, reasons
//   GET  /control/models/NAME/logs?lines=200[&follow=1]   text
//   POST /control/models/NAME/load[?follow=1]  waits for ready; follow: progress as NDJSON
//   POST /control/models/NAME/unload[?force=1]
//   GET  /control/events?after=N[&follow=1]   NDJSON
//   GET  /control/requests?after=N[&follow=1] finished requests, NDJSON; ?live=1 the running ones
//   GET  /control/watch                 all of the above as it changes, NDJSON; for dashboards
//   POST /control/reload
//   POST /control/stop                  the whole gateway ends, answers drain
//   GET  /control/version
//
// docs/control.md has every answer's fields.

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "base/async_event.hpp"
#include "base/json.hpp"
#include "fleet/fleet.hpp"
#include "gateway/metrics.hpp"
#include "relay/front.hpp"

namespace punie::gateway {

/// A request that is being served.
struct LiveRequest {
    std::uint64_t number = 0;
    std::string id, route, model, key, peer;
    std::string phase;  ///< "waiting", "sent", "answering"
    SteadyTime begun;
    std::uint64_t tokens = 0;  ///< events of its stream so far
};

/// The last finished requests and the running ones; bounded. Thread: the gateway's.
class RequestBook {
public:
    explicit RequestBook(const asio::any_io_executor& executor, std::size_t kept = 2000);
    std::shared_ptr<LiveRequest> begin();  ///< listed while somebody holds it
    void end(RequestRecord record);        ///< numbers count from 1, in the order of ends
    /// Finished after `number`, oldest first.
    std::vector<std::pair<std::uint64_t, RequestRecord>> since(std::uint64_t number) const;
    std::vector<LiveRequest> live() const;
    /// Returns when a request after `number` has ended, or when the wait was cancelled.
    Task<void> wait_after(std::uint64_t number);

private:
    std::deque<std::pair<std::uint64_t, RequestRecord>> finished_;
    mutable std::vector<std::weak_ptr<LiveRequest>> live_;
    std::uint64_t next_ = 1;
    std::uint64_t next_live_ = 1;
    std::size_t kept_;
    mutable std::size_t prune_at_ = 64;
    AsyncEvent changed_;
};

/// What control may do beside the fleet.
struct ControlHooks {
    std::function<Result<std::vector<std::string>>()> reload;  ///< reads the file again
    std::function<void()> stop;
};

/// Answers /control/... ; the caller has checked who asks. Other paths: 404.
class Control {
public:
    Control(fleet::Fleet& fleet, RequestBook& book, ControlHooks hooks);
    Task<void> answer(relay::Exchange& exchange);

    /// Ends the answers that follow (`follow=1`), so that none holds up the gateway's end. `stop`
    /// does it by itself; a signal must.
    void close();

private:
    using Lines = std::function<std::string()>;  ///< what is new since the last call
    using Pause = std::function<Task<void>()>;   ///< until there may be more

    Task<void> answer_model(relay::Exchange& exchange, std::string name, std::string what);
    Task<void> ps(relay::Exchange& exchange);
    Task<void> logs(relay::Exchange& exchange, std::string name);
    Task<void> load(relay::Exchange& exchange, std::string name);
    Task<void> load_followed(relay::Exchange& exchange, std::string name);
    Task<void> unload(relay::Exchange& exchange, std::string name);
    Task<void> events(relay::Exchange& exchange);
    Task<void> requests(relay::Exchange& exchange);
    Task<void> watch(relay::Exchange& exchange);
    Task<void> watch_pause(std::uint64_t event);
    json::object ps_json() const;
    Task<void> reload(relay::Exchange& exchange);
    Task<void> stop(relay::Exchange& exchange);
    Task<void> stream(relay::Exchange& exchange, std::string type, Lines lines, Pause pause) const;
    Task<void> wait_or_close(Task<void> news);
    AsyncEvent& closing(const asio::any_io_executor& executor);

    fleet::Fleet& fleet_;
    RequestBook& book_;
    ControlHooks hooks_;
    std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
    std::optional<AsyncEvent> closing_;
    bool closed_ = false;
};

/// The page at "/" (and its states as JSON come from Control).
std::string_view dashboard_page();

}  // namespace punie::gateway
