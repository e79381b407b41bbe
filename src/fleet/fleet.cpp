#include "fleet/fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/files.hpp"
#include "fleet/fleet_impl.hpp"

namespace punie::fleet {

namespace {

constexpr Milliseconds word_every{1'000};  // to those who wait

std::filesystem::path memory_file(const GatewayConfig& config) {
    const auto folder = config.state_folder.empty() ? cache_folder() : config.state_folder;
    return folder / "models.json";
}

SteadyTime now_steady() {
    return std::chrono::steady_clock::now();
}

Refusal unknown(const std::string& model) {
    return {
        Refusal::Kind::unknown_model,
        Error(ErrorCode::not_found, fmt::format("there is no model {}", model))
            .with_hint("GET /v1/models and `punie ps` list those there are")
    };
}

/// Whether another model may stand in.
bool may_fall_back(Refusal::Kind kind) {
    switch (kind) {
        case Refusal::Kind::backing_off:
        case Refusal::Kind::does_not_fit:
        case Refusal::Kind::start_failed:
        case Refusal::Kind::queue_full:
        case Refusal::Kind::deadline:
            return true;
        case Refusal::Kind::unknown_model:
        case Refusal::Kind::not_allowed:
        case Refusal::Kind::poisoned:
        case Refusal::Kind::closing:
        case Refusal::Kind::cancelled:
            break;
    }
    return false;
}

std::optional<Refusal> bar(const Ask& ask, const Named& named) {
    if (!ask.bar) return std::nullopt;
    auto error = ask.bar(named.served_name);
    if (!error) return std::nullopt;
    return Refusal{Refusal::Kind::not_allowed, *std::move(error)};
}

}  // namespace

Fleet::Impl::Impl(asio::any_io_executor on, GatewayConfig configuration, FleetOptions with)
    : executor(std::move(on)),
      config(std::move(configuration)),
      options(std::move(with)),
      catalog(config),
      remembered(memory_file(config)),
      scheduler({memory_budget_of(config), config.queue, config.groups}, plans(), now_steady()),
      event_happened(executor),
      changed(executor),
      timer(executor) {}

// ---------------------------------------------------------------- asks

/// One ask in the scheduler's hands: whatever becomes of its coroutine, nothing waits for it in
/// vain.
class Fleet::Impl::Asking {
public:
    Asking(Fleet::Impl& fleet, const Named& named, const Ask& ask)
        : fleet_(fleet), id_(++fleet.last_id) {
        AskFacts facts;
        facts.model = named.model->name;
        facts.adapter = named.adapter.native();
        facts.client = ask.client;
        facts.priority = ask.priority;
        facts.bytes = ask.body_bytes;
        facts.wait = ask.wait;
        facts.deaths = ask.deaths;
        fleet_.pending.emplace(id_, &waiter_);
        fleet_.scheduler.ask(id_, std::move(facts), now_steady());
        fleet_.perform();
    }

    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

    ~Asking() {
        fleet_.pending.erase(id_);
        if (!taken_) fleet_.finish(id_);
    }

    AskId id() const { return id_; }

    Pending& waiter() { return waiter_; }

    bool decided() const { return waiter_.outcome.has_value(); }

    /// What was decided.
    std::expected<Lease, Refusal> take(const Named& named, int deaths) {
        taken_ = true;
        if (!*waiter_.outcome) return std::unexpected(std::move(*waiter_.outcome).error());
        return fleet_.lease(id_, named, deaths);
    }

private:
    Fleet::Impl& fleet_;
    AskId id_;
    Pending waiter_;
    bool taken_ = false;
};

Task<std::expected<Lease, Refusal>> Fleet::Impl::admit(Ask ask) {
    const auto self = shared_from_this();
    const auto* found = catalog.find(ask.model);
    if (found == nullptr) co_return std::unexpected(unknown(ask.model));
    auto named = *found;
    if (auto barred = bar(ask, named)) co_return std::unexpected(*std::move(barred));
    const auto asked_for = named.model;
    std::optional<Refusal> first;
    for (std::size_t next = 0;; ++next) {
        Asking asking(*this, named, ask);
        if (!asking.decided() && !co_await wait_outcome(asking.id(), &asking.waiter(), &ask))
            co_return std::unexpected(Refusal{
                Refusal::Kind::cancelled, {ErrorCode::cancelled, "the client left while it waited"}
            });
        auto outcome = asking.take(named, ask.deaths);
        if (outcome || !may_fall_back(outcome.error().kind)) co_return outcome;
        if (!first) first = std::move(outcome).error();
        const auto* other = next_fallback(*asked_for, next, ask);
        if (other == nullptr) co_return std::unexpected(*std::move(first));
        named = *other;
    }
}

/// The first of the model's fallbacks, from `next` on, that is known and allowed; `next` becomes
/// its place.
const Named* Fleet::Impl::next_fallback(const ModelSpec& model, std::size_t& next, const Ask& ask)
    const {
    for (; next < model.fallbacks.size(); ++next) {
        const auto* other = catalog.find(model.fallbacks[next]);
        if (other != nullptr && !bar(ask, *other)) return other;
    }
    return nullptr;
}

Task<bool> Fleet::Impl::wait_outcome(AskId id, Pending* who, const Ask* ask) {
    auto& waiter = *who;
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    asio::steady_timer next_word(executor);
    waiter.timer = &next_word;
    bool left = false;
    while (!waiter.outcome && !left) {
        if (ask != nullptr && ask->on_wait) {
            if (auto news = news_of(id, now_steady()))
                left = !co_await ask->on_wait(*std::move(news));
        }
        const auto state = co_await asio::this_coro::cancellation_state;
        left = left || state.cancelled() != asio::cancellation_type::none;
        if (waiter.outcome || left) break;
        next_word.expires_after(word_every);
        co_await next_word.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    waiter.timer = nullptr;
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return waiter.outcome.has_value();
}

std::optional<Waiting> Fleet::Impl::news_of(AskId id, SteadyTime now) const {
    auto waiting = scheduler.waiting(id, now);
    if (!waiting) return std::nullopt;
    const auto* slot = scheduler.find(waiting->model);
    waiting->state = state_of(*slot);
    waiting->seconds_left = seconds_left(*slot, now);
    return waiting;
}

Lease Fleet::Impl::lease(AskId id, const Named& named, int deaths) {
    auto impl = std::make_shared<Lease::Impl>();
    impl->fleet = weak_from_this();
    impl->id = id;
    const auto& model = named.model->name;
    const auto* slot = scheduler.find(model);
    // An endpoint that is not ours is there without a start.
    auto& live = servers[model];
    if (!slot->plan.ours && (!live.served || live.served->generation != slot->generation))
        publish(named.model, slot->generation);
    impl->served = live.served;
    impl->name = named.served_name;
    impl->adapter = named.adapter;
    impl->deaths = deaths;
    return Lease(std::move(impl));
}

void Fleet::Impl::finish(AskId id) {
    scheduler.leave(id, now_steady());
    perform();
}

void Fleet::Impl::broke(AskId id, const Error& error) {
    scheduler.broke(id, error, now_steady(), jitter());
    perform();
}

// ---------------------------------------------------------------- leases

Lease::Impl::~Impl() {
    if (const auto owner = fleet.lock()) owner->finish(id);
}

Lease::Lease(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Lease::Lease(Lease&&) noexcept = default;
Lease& Lease::operator=(Lease&&) noexcept = default;
Lease::~Lease() = default;

const ModelSpec& Lease::model() const {
    return *impl_->served->spec;
}

const std::string& Lease::served_name() const {
    return impl_->name;
}

const std::string& Lease::base_url() const {
    return impl_->served->base_url;
}

const std::string& Lease::request_model() const {
    const auto& served = *impl_->served;
    const auto& name =
        impl_->adapter.empty() ? served.request_model : served.request_model_with_adapter;
    return name.empty() ? impl_->name : name;
}

std::span<const std::string_view> Lease::file_members() const {
    return impl_->served->file_members;
}

bool Lease::may_ask(std::string_view path) const {
    return std::ranges::none_of(impl_->served->closed_routes, [&](std::string_view closed) {
        return path.starts_with(closed) &&
               (path.size() == closed.size() || path[closed.size()] == '/');
    });
}

const std::filesystem::path& Lease::adapter() const {
    return impl_->adapter;
}

const std::string& Lease::api_key() const {
    return impl_->served->api_key;
}

const std::vector<std::pair<std::string, std::string>>& Lease::defaults() const {
    return impl_->served->defaults;
}

std::uint64_t Lease::generation() const {
    return impl_->served->generation;
}

bool Lease::broke(const Error& error) {
    ++impl_->deaths;
    if (const auto owner = impl_->fleet.lock()) owner->broke(impl_->id, error);
    return impl_->deaths < 2;
}

int Lease::deaths() const {
    return impl_->deaths;
}

// ---------------------------------------------------------------- the fleet

Fleet::Fleet(const asio::any_io_executor& executor, GatewayConfig config, FleetOptions options)
    : impl_(std::make_shared<Impl>(executor, std::move(config), std::move(options))) {}

/// Whoever did not close leaves servers behind: they are asked to go at once.
Fleet::~Fleet() {
    impl_->options.on_event = nullptr;
    impl_->closed = true;
    impl_->scheduler.close(Milliseconds{0}, now_steady());
    impl_->perform();
    impl_->timer.cancel();
}

std::optional<std::string> Fleet::name_of(std::string_view asked) const {
    const auto* found = impl_->catalog.find(asked);
    return found == nullptr ? std::nullopt : std::optional(found->served_name);
}

Task<std::expected<Lease, Refusal>> Fleet::admit(Ask ask) {
    return impl_->admit(std::move(ask));
}

Task<Result<void>> Fleet::load(std::string name) {
    const auto self = impl_;
    const auto* found = self->catalog.find(name);
    if (found == nullptr) co_return std::unexpected(unknown(name).error);
    const auto id = ++self->last_id;
    Pending waiter;
    self->pending.emplace(id, &waiter);
    self->scheduler.load(id, found->model->name, now_steady());
    self->perform();
    const bool done = waiter.outcome || co_await self->wait_outcome(id, &waiter, nullptr);
    self->pending.erase(id);
    if (!done) {
        self->finish(id);
        co_return fail(ErrorCode::cancelled, "nobody waits for the load any more");
    }
    if (!*waiter.outcome) co_return std::unexpected(waiter.outcome->error().error);
    co_return Result<void>{};
}

Task<Result<void>> Fleet::unload(std::string name, bool force) {
    const auto self = impl_;
    const auto* found = self->catalog.find(name);
    if (found == nullptr) co_return std::unexpected(unknown(name).error);
    const auto model = found->model->name;
    const auto* before = self->scheduler.find(model);
    const auto generation = before == nullptr ? 0 : before->generation;
    self->scheduler.unload(model, force, now_steady());
    self->perform();
    while (true) {
        const auto* slot = self->scheduler.find(model);
        const bool gone =
            slot == nullptr || slot->generation != generation || !slot->live() || !slot->plan.ours;
        if (gone) co_return Result<void>{};
        if (!co_await self->changed.wait())
            co_return fail(ErrorCode::cancelled, "nobody waits for the unload any more");
    }
}

Task<void> Fleet::run() {
    return impl_->run();
}

Task<void> Fleet::close(Milliseconds drain) {
    return impl_->close(drain);
}

Result<std::vector<std::string>> Fleet::apply(GatewayConfig config) {
    return impl_->apply(std::move(config));
}

const GatewayConfig& Fleet::config() const {
    return impl_->config;
}

std::uint64_t Fleet::memory_budget() const {
    return impl_->scheduler.rules().budget;
}

std::uint64_t Fleet::memory_used() const {
    return impl_->scheduler.used();
}

}  // namespace punie::fleet
