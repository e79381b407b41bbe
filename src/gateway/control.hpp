#pragma once
// The control API: what `punie ps|load|unload|logs|events|top` and the dashboard ask. Reached over
// the control socket (0600), or a listener with a key that has `control`; never by the model port
// alone.
//
//   GET  /control/ps                    models with state, memory, queue, reasons
//   GET  /control/models/NAME/logs?lines=200[&follow=1]
//   POST /control/models/NAME/load      waits for ready (progress as NDJSON events)
//   POST /control/models/NAME/unload[?force=1]
//   GET  /control/events?after=N[&follow=1]   NDJSON
//   GET  /control/requests?after=N[&follow=1] finished requests, NDJSON; ?live=1 the running ones
//   POST /control/reload
//   POST /control/stop                  the whole gateway ends, answers drain
//   GET  /control/version

#include <deque>
#include <functional>
#include <memory>

#include "base/async_event.hpp"
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
    void end(RequestRecord record);        ///< numbers count from 1
    std::vector<std::pair<std::uint64_t, RequestRecord>> since(std::uint64_t number) const;
    std::vector<LiveRequest> live() const;
    Task<void> wait_after(std::uint64_t number);

private:
    std::deque<std::pair<std::uint64_t, RequestRecord>> finished_;
    mutable std::vector<std::weak_ptr<LiveRequest>> live_;
    std::uint64_t next_ = 1;
    std::size_t kept_;
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

private:
    fleet::Fleet& fleet_;
    RequestBook& book_;
    ControlHooks hooks_;
};

/// The page at "/" (and its states as JSON come from Control).
std::string_view dashboard_page();

}  // namespace punie::gateway
