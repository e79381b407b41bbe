#pragma once
// Which model is loaded next, which one makes room, who is admitted and who is refused: pure. A
// state, an event and `now` make another state and actions, which fleet.cpp performs.
//
//   stopped -> claimed -> loading -> ready -> draining -> stopping -> stopped
//
// claimed: memory is kept for it, others still give theirs back. draining: it answers what runs and
// takes nothing more. stopping: nothing of it counts as gone until `server_ended` says so; the next
// load waits for that. Endpoints that are not ours know stopped and ready only.
//
// Promises (tests/unit/fleet/scheduler_model_test.cpp checks them over random histories):
//  - what is loaded never needs more than the budget; one model never has two servers;
//  - every ask ends in an admission or a refusal by its deadline;
//  - nobody is admitted to a server that is not ready, nor with another adapter beside running
//  ones;
//  - nobody waits longer than `fairness` behind requests for another model that came later (then
//  the
//    other drains), and nothing waits that could be served.

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "fleet/ask.hpp"
#include "fleet/line.hpp"
#include "fleet/room.hpp"
#include "server/backoff.hpp"

namespace punie::fleet {

/// What must be known of a model.
struct Plan {
    std::string name;
    std::string identity{};                 ///< another one means: its process must be another one
    bool ours = true;                       ///< false: an endpoint that is not ours, always there
    bool one_adapter = false;               ///< its server holds one adapter at a time (mlx)
    std::optional<std::uint64_t> memory{};  ///< bytes, as configured: believed
    std::optional<std::uint64_t> remembered{};     ///< bytes, as measured by an earlier run
    std::optional<std::uint64_t> estimate{};       ///< bytes, from its files, until measured
    std::optional<std::uint64_t> restart_above{};  ///< bytes
    std::optional<Milliseconds> ttl{};
    bool pin = false;
    bool preload = false;
    int parallel = 32;
    int priority = 0;
};

struct Rules {
    std::uint64_t budget = 0;
    QueueSpec queue{};
    std::vector<Group> groups{};
};

/// One ask, its names already looked up.
struct AskFacts {
    std::string model;
    std::string adapter{};
    std::string client{};
    int priority = 0;
    std::uint64_t bytes = 0;
    std::optional<Milliseconds> wait{};
    int deaths = 0;
};

enum class Phase { stopped, claimed, loading, ready, draining, stopping };

/// Why a server has to go; the order is that of precedence.
enum class Away { idle, evicted, memory, changed, unloaded, suspect, removed, closing };

namespace action {

struct Start {
    std::string model;
    std::uint64_t generation;
};

struct Stop {
    std::string model;
    bool force;  ///< SIGKILL at once: answers had their time
};

/// Somebody says that it broke: does its process live, does it answer?
struct Check {
    std::string model;
    std::uint64_t generation;
};

struct Admit {
    AskId ask;
    std::uint64_t generation;
};

/// A load that was asked for is done.
struct Loaded {
    AskId ask;
};

struct Refuse {
    AskId ask;
    Refusal refusal;
};

/// Something for the event log.
struct Note {
    std::string model;
    std::string what;
    std::string text;
};

}  // namespace action

using Action = std::variant<
    action::Start,
    action::Stop,
    action::Check,
    action::Admit,
    action::Loaded,
    action::Refuse,
    action::Note>;

/// One model's state; for showing.
struct Slot {
    Plan plan;
    Phase phase = Phase::stopped;
    std::string reason{};          ///< of the phase
    std::optional<Error> error{};  ///< why it failed
    Line line{};
    std::vector<AskId> loads{};  ///< waiters for "loaded", oldest first
    int running = 0;
    std::string adapter{};  ///< that its server holds
    std::uint64_t generation = 0;
    std::uint64_t served = 0;
    std::uint64_t started = 0;
    std::uint64_t crashes = 0;
    std::uint64_t ends = 0;                   ///< how often its server ended
    std::uint64_t held = 0;                   ///< bytes now
    std::uint64_t reserved = 0;               ///< bytes kept for it while it does not stand still
    std::optional<std::uint64_t> measured{};  ///< the most that it ever held
    SteadyTime since{};                       ///< of the phase
    SteadyTime claimed_at{};
    SteadyTime ready_since{};
    SteadyTime adapter_since{};
    SteadyTime last_used{};
    std::optional<SteadyTime> retry_at{};

    bool wanted = false;  ///< to be loaded without a request
    SteadyTime wanted_since{};
    bool kept = false;     ///< pinned and preloaded: comes back after a crash
    bool suspect = false;  ///< somebody said it broke; being checked
    bool removed = false;  ///< not configured any more
    bool refuses = false;  ///< a crash loop: who asks is refused until retry_at
    std::optional<SteadyTime> restart_since{};  ///< over restart_above since
    Away away = Away::idle;
    std::string for_claim{};               ///< of evicted: who wants its memory
    std::optional<SteadyTime> drain_by{};  ///< answers may go on until then
    server::Backoff backoff{};

    bool live() const { return phase != Phase::stopped && phase != Phase::claimed; }

    bool leaving() const { return phase == Phase::draining || phase == Phase::stopping; }
};

/// Not thread-safe. After each event `take_actions` must be called and `next_time` looked at.
class Scheduler {
public:
    Scheduler(Rules rules, const std::vector<Plan>& plans, SteadyTime now);

    // events; ids are the caller's, each used once
    void ask(AskId id, AskFacts facts, SteadyTime now);
    /// A person wants it loaded, now, also out of a back-off.
    void load(AskId id, const std::string& model, SteadyTime now);
    /// The client left, or its answer ended.
    void leave(AskId id, SteadyTime now);
    /// Its server ended or refused the admitted request. `jitter` is 0 to 1, as everywhere.
    void broke(AskId id, const Error& error, SteadyTime now, double jitter);
    void unload(const std::string& model, bool force, SteadyTime now);
    void server_ready(const std::string& model, SteadyTime now);
    /// Nothing of it runs any more; the error if nobody asked for that.
    void server_ended(
        const std::string& model, std::optional<Error> error, SteadyTime now, double jitter
    );
    /// Of a Check.
    void server_answers(const std::string& model, std::uint64_t generation, SteadyTime now);
    void server_silent(
        const std::string& model, std::uint64_t generation, const Error& error, SteadyTime now
    );
    void memory(const std::string& model, std::uint64_t bytes, SteadyTime now);
    /// Models that are to be there from the beginning.
    void preload(SteadyTime now);
    void configure(Rules rules, const std::vector<Plan>& plans, SteadyTime now);
    void close(Milliseconds drain, SteadyTime now);
    void tick(SteadyTime now);

    std::vector<Action> take_actions() { return std::exchange(actions_, {}); }

    /// When `tick` is due; SteadyTime::max() if never.
    SteadyTime next_time() const { return next_; }

    const std::map<std::string, Slot, std::less<>>& slots() const { return slots_; }

    const Slot* find(std::string_view model) const;

    const Rules& rules() const { return rules_; }

    /// Bytes that are kept for what runs.
    std::uint64_t used() const;

    std::size_t waiting() const { return deadlines_.size(); }

    /// Bytes that it needs: as configured, else as measured, else as guessed.
    static std::optional<std::uint64_t> need(const Slot& slot);

    /// Place and reason of a waiting ask (state and times are the caller's to fill in).
    std::optional<Waiting> waiting(AskId id, SteadyTime now) const;

private:
    struct Known {  // an ask that waits or runs
        std::string model;
        AskFacts facts;
        SteadyTime since{};
        SteadyTime deadline{};
        std::uint64_t generation = 0;  // 0: waits
        bool is_load = false;
    };

    // scheduler.cpp: events
    void refuse(AskId id, Refusal::Kind kind, Error error, std::optional<Milliseconds> after = {});
    void refuse_waiting(Slot& slot, Refusal::Kind kind, const Error& error, SteadyTime now);
    bool forget_waiting(AskId id);
    bool admit_at_once(AskId id, Slot& slot, const AskFacts& facts, SteadyTime now);
    std::optional<Refusal> refusal_at_the_door(
        const Slot* slot, const AskFacts& facts, SteadyTime now
    ) const;
    void finish(Slot& slot, const Known& known, SteadyTime now);
    void failed(Slot& slot, const Error& error, SteadyTime now, double jitter);
    void endpoint_broke(Slot& slot, const Error& error, SteadyTime now, double jitter);
    void apply_plan(const Plan& plan, SteadyTime now);
    void note(const Slot& slot, std::string_view what, std::string text);

    // scheduler_steps.cpp: what follows
    void settle(SteadyTime now);
    void expire(SteadyTime now);
    bool settle_slot(Slot& slot, SteadyTime now);
    bool admit_waiting(Slot& slot, SteadyTime now);
    const InLine* next_in_line(const Slot& slot, SteadyTime now) const;
    std::optional<std::string> overdue_adapter(const Slot& slot, SteadyTime now) const;
    void admit(Slot& slot, AskId id, SteadyTime now);
    void begin_leaving(
        Slot& slot, Away why, std::string text, SteadyTime now, std::optional<SteadyTime> drain_by
    );
    void stop(Slot& slot, bool force, SteadyTime now);
    bool retire(Slot& slot, SteadyTime now);
    void enter(Slot& slot, Phase phase, std::string reason, SteadyTime now);

    void wake(SteadyTime at) { next_ = std::min(next_, at); }

    void compute_wakes(SteadyTime now);
    std::string why_waits(const Slot& slot, const std::string& adapter, SteadyTime now) const;

    // scheduler_loads.cpp: claims on memory
    struct Candidate {
        Slot* slot;
        SteadyTime since{};
        int priority = 0;
        bool by_person = false;
        bool by_request = false;
    };

    bool wants_load(const Slot& slot, SteadyTime now) const;
    std::vector<Candidate> candidates(SteadyTime now);
    std::vector<Occupant> occupants(const Candidate* candidate) const;
    SteadyTime may_leave(const Slot& slot, const Candidate& candidate) const;
    bool claim_memory(SteadyTime now);
    bool holds_now(
        const Newcomer& newcomer, const RoomPlan& plan, const Candidate& candidate, SteadyTime now
    ) const;
    void refuse_load(Slot& slot, const std::string& why, SteadyTime now);
    void claim(Slot& slot, const RoomPlan& plan, SteadyTime now);
    bool start_claimed(SteadyTime now);
    std::optional<std::string> room_is_claimed_by(const Slot& draining) const;
    void give_up_claim(Slot& slot, SteadyTime now);
    void make_space(SteadyTime now);

    Rules rules_;
    std::map<std::string, Slot, std::less<>> slots_;
    std::unordered_map<AskId, Known> asks_;
    std::set<std::pair<SteadyTime, AskId>> deadlines_;  ///< of those that wait
    std::uint64_t waiting_bytes_ = 0;
    std::map<std::string, std::string, std::less<>> why_;  ///< of candidates that must wait
    std::vector<Action> actions_;
    SteadyTime next_ = SteadyTime::max();
    std::uint64_t last_generation_ = 0;  ///< over all models: one may go and come back
    std::optional<SteadyTime> closing_by_{};
};

}  // namespace punie::fleet
