#pragma once
// The life of one server as a table: what happens next is decided here, purely, and performed by
// ManagedServer.
//
//   stopped -> starting -> loading -> ready -> draining -> stopped
//                 \___________\_________\______> failed (with a reason)

#include <punie/server_process.hpp>

#include <array>
#include <optional>

namespace punie::server {

enum class Event {
    start,     ///< somebody wants it to run
    spawned,   ///< the program was started
    answered,  ///< a completion came back from it
    broke,     ///< it ended, could not be started, or did not become ready in time
    stop,      ///< somebody wants it not to run
    gone,      ///< nothing of it runs any more
};

enum class Action {
    nothing,
    bring_up,  ///< check, spawn, probe
    publish,   ///< tell the waiters
    end_tree,  ///< SIGTERM, grace, SIGKILL
};

struct Step {
    ServerState from;
    Event on;
    ServerState to;
    Action act;
};

inline constexpr auto life = std::to_array<Step>({
    {ServerState::stopped, Event::start, ServerState::starting, Action::bring_up},
    {ServerState::stopped, Event::stop, ServerState::stopped, Action::nothing},
    {ServerState::starting, Event::start, ServerState::starting, Action::nothing},
    {ServerState::starting, Event::spawned, ServerState::loading, Action::nothing},
    {ServerState::starting, Event::answered, ServerState::ready, Action::publish
    },  // an endpoint that is not ours
    {ServerState::starting, Event::broke, ServerState::failed, Action::publish},
    {ServerState::starting, Event::stop, ServerState::draining, Action::end_tree},
    {ServerState::loading, Event::start, ServerState::loading, Action::nothing},
    {ServerState::loading, Event::spawned, ServerState::loading, Action::nothing
    },  // again, at another free port
    {ServerState::loading, Event::answered, ServerState::ready, Action::publish},
    {ServerState::loading, Event::broke, ServerState::failed, Action::publish},
    {ServerState::loading, Event::stop, ServerState::draining, Action::end_tree},
    {ServerState::ready, Event::start, ServerState::ready, Action::nothing},
    {ServerState::ready, Event::broke, ServerState::failed, Action::publish},
    {ServerState::ready, Event::stop, ServerState::draining, Action::end_tree},
    {ServerState::draining, Event::stop, ServerState::draining, Action::end_tree},
    {ServerState::draining, Event::broke, ServerState::draining, Action::nothing},
    {ServerState::draining, Event::gone, ServerState::stopped, Action::publish},
    {ServerState::failed, Event::start, ServerState::starting, Action::bring_up},
    {ServerState::failed, Event::stop, ServerState::stopped, Action::publish},
});

/// The step for an event, nothing if the event has no meaning in that state (a start while draining
/// waits for the end).
constexpr std::optional<Step> next(ServerState from, Event on) {
    for (const auto& step : life) {
        if (step.from == from && step.on == on) return step;
    }
    return std::nullopt;
}

constexpr bool handled_in_every_state(Event on) {
    for (const auto state :
         {ServerState::stopped,
          ServerState::starting,
          ServerState::loading,
          ServerState::ready,
          ServerState::draining,
          ServerState::failed}) {
        if (!next(state, on)) return false;
    }
    return true;
}

static_assert(handled_in_every_state(Event::stop), "a server can be stopped in every state");

constexpr bool is_running(ServerState state) {
    return state != ServerState::stopped && state != ServerState::failed;
}

}  // namespace punie::server
