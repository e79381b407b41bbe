#include "gateway/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <span>
#include <unordered_map>

#include "gateway/self_usage.hpp"

namespace punie::gateway {

namespace {

// Buckets of vLLM's metrics of the same meaning, thinned out: dashboards made for one read the
// other.
constexpr std::array duration_bounds{
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0
};
constexpr std::array first_bounds{
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0
};
constexpr std::array between_bounds{
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 5.0
};
constexpr std::array queue_bounds{
    0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0
};

/// Routes and models come from the configuration; should they ever be more, the rest is "other".
constexpr std::size_t most_series = 2'000;
constexpr std::size_t most_codes = 100;

template <std::size_t Count>
class Histogram {
public:
    explicit constexpr Histogram(const std::array<double, Count>& bounds) : bounds_(&bounds) {}

    void add(double value, std::uint64_t times = 1) {
        const auto place = std::ranges::lower_bound(*bounds_, value) - bounds_->begin();
        counts_[static_cast<std::size_t>(place)] += times;
        sum_ += value * static_cast<double>(times);
    }

    std::span<const double> bounds() const { return *bounds_; }

    std::span<const std::uint64_t> counts() const { return counts_; }

    double sum() const { return sum_; }

    bool empty() const {
        return std::ranges::all_of(counts_, [](std::uint64_t count) { return count == 0; });
    }

private:
    const std::array<double, Count>* bounds_;
    std::array<std::uint64_t, Count + 1> counts_{};  // each bound's own, then those above all
    double sum_ = 0;
};

struct SeriesName {
    std::string route;
    std::string model;
};

struct SeriesView {
    std::string_view route;
    std::string_view model;
};

struct SeriesHash {
    using is_transparent = void;

    std::size_t operator()(const SeriesView& name) const {
        constexpr std::size_t odd = 0x9e3779b97f4a7c15ULL;
        const std::hash<std::string_view> hash;
        return (hash(name.route) * odd) ^ hash(name.model);
    }

    std::size_t operator()(const SeriesName& name) const {
        return (*this)(SeriesView{name.route, name.model});
    }
};

struct SeriesEqual {
    using is_transparent = void;

    bool operator()(const auto& a, const auto& b) const {
        return std::string_view(a.route) == std::string_view(b.route) &&
               std::string_view(a.model) == std::string_view(b.model);
    }
};

struct Series {
    std::vector<std::pair<int, std::uint64_t>> statuses;  // few: found faster than by hash
    Histogram<duration_bounds.size()> duration{duration_bounds};
    Histogram<first_bounds.size()> first{first_bounds};
    Histogram<between_bounds.size()> between{between_bounds};
    Histogram<queue_bounds.size()> queue{queue_bounds};
    std::uint64_t tokens_in = 0, tokens_out = 0, bytes_in = 0, bytes_out = 0;
    std::uint64_t torn = 0, retried = 0;

    void add(const RequestRecord& record) {
        const auto status =
            std::ranges::find(statuses, record.status, &std::pair<int, std::uint64_t>::first);
        if (status == statuses.end()) {
            statuses.emplace_back(record.status, 1);
        } else {
            ++status->second;
        }
        duration.add(record.total);
        queue.add(record.waited);
        if (record.stream && record.first_byte) {
            first.add(*record.first_byte);
            // Each token counts, as in vLLM; how they were spread within one answer is not kept.
            if (record.events > 1)
                between.add(
                    (record.total - *record.first_byte) / static_cast<double>(record.events - 1),
                    record.events - 1
                );
        }
        tokens_in += record.tokens_in;
        tokens_out += record.tokens_out;
        bytes_in += record.bytes_in;
        bytes_out += record.bytes_out;
        torn += record.torn ? 1 : 0;
        retried += record.attempts > 1 ? static_cast<std::uint64_t>(record.attempts - 1) : 0;
    }
};

/// A label's value: backslash, quote and line end have escapes, nothing else has.
std::string escaped(std::string_view value) {
    std::string text;
    text.reserve(value.size());
    for (const char byte : value) {
        if (byte == '\\') {
            text += "\\\\";
        } else if (byte == '"') {
            text += "\\\"";
        } else if (byte == '\n') {
            text += "\\n";
        } else {
            text += byte;
        }
    }
    return text;
}

/// The exposition format, a metric family at a time.
class Page {
public:
    template <typename... Arguments>
    void sample(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
        text_ += '\n';
    }

    void family(std::string_view name, std::string_view type, std::string_view help) {
        sample("# HELP {} {}", name, help);
        sample("# TYPE {} {}", name, type);
    }

    template <typename Number>
    void single(std::string_view name, std::string_view type, std::string_view help, Number value) {
        family(name, type, help);
        sample("{} {}", name, value);
    }

    void histogram(std::string_view name, std::string_view labels, const auto& histogram) {
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < histogram.bounds().size(); ++i) {
            below += histogram.counts()[i];
            sample("{}_bucket{{{},le=\"{}\"}} {}", name, labels, histogram.bounds()[i], below);
        }
        below += histogram.counts().back();
        sample("{}_bucket{{{},le=\"+Inf\"}} {}", name, labels, below);
        sample("{}_sum{{{}}} {}", name, labels, histogram.sum());
        sample("{}_count{{{}}} {}", name, labels, below);
    }

    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

constexpr std::array states{
    ServerState::stopped,
    ServerState::starting,
    ServerState::loading,
    ServerState::ready,
    ServerState::draining,
    ServerState::failed
};

/// What the fleet knows, a family a line.
struct ModelFamily {
    std::string_view name, type, help;
    std::optional<double> (*value)(const fleet::ModelStatus&);
};

constexpr auto model_families = std::to_array<ModelFamily>({
    {"punie_requests_running",
     "gauge",
     "Requests that a model is answering now.",
     [](const auto& model) -> std::optional<double> { return double(model.running); }},
    {"punie_queue_waiting",
     "gauge",
     "Requests that wait for a model now.",
     [](const auto& model) -> std::optional<double> { return double(model.waiting); }},
    {"punie_model_loads_total",
     "counter",
     "Loads of a model.",
     [](const auto& model) -> std::optional<double> { return double(model.loads); }},
    {"punie_model_crashes_total",
     "counter",
     "Ends of a model's server that nobody asked for.",
     [](const auto& model) -> std::optional<double> { return double(model.crashes); }},
    {"punie_model_load_seconds",
     "gauge",
     "How long the last load of a model took.",
     [](const auto& model) { return model.load_seconds; }},
    {"punie_model_memory_bytes",
     "gauge",
     "Memory of a model's processes now.",
     [](const auto& model) -> std::optional<double> { return double(model.memory); }},
    {"punie_model_memory_needed_bytes",
     "gauge",
     "Memory that a model needs, as configured or measured.",
     [](const auto& model) -> std::optional<double> {
         if (!model.memory_needed) return std::nullopt;
         return double(*model.memory_needed);
     }},
});

void write_models(Page& page, const fleet::Fleet& fleet) {
    const auto models = fleet.status();
    for (const auto& family : model_families) {
        page.family(family.name, family.type, family.help);
        for (const auto& model : models) {
            if (const auto value = family.value(model))
                page.sample(R"({}{{model="{}"}} {})", family.name, escaped(model.name), *value);
        }
    }
    page.family("punie_model_state", "gauge", "1 for the state that a model is in, 0 for others.");
    for (const auto& model : models) {
        const auto name = escaped(model.name);
        for (const auto state : states)
            page.sample(
                R"(punie_model_state{{model="{}",state="{}"}} {})",
                name,
                name_of(state),
                model.state == state ? 1 : 0
            );
    }
    page.single(
        "punie_memory_budget_bytes",
        "gauge",
        "Memory that models may take together.",
        fleet.memory_budget()
    );
    page.single(
        "punie_memory_used_bytes", "gauge", "Memory that models take now.", fleet.memory_used()
    );
}

void write_process(Page& page) {
    const auto usage = self_usage();
    page.single(
        "process_cpu_seconds_total",
        "counter",
        "Processor time of the gateway itself.",
        usage.cpu_seconds
    );
    page.single(
        "process_resident_memory_bytes",
        "gauge",
        "Resident memory of the gateway itself.",
        usage.resident
    );
    page.single(
        "process_virtual_memory_bytes",
        "gauge",
        "Address space of the gateway itself.",
        usage.virtual_bytes
    );
    page.single("process_open_fds", "gauge", "Open file descriptors.", usage.open_files);
    page.single("process_max_fds", "gauge", "Most file descriptors allowed.", usage.most_files);
    if (usage.start_time > 0)
        page.single(
            "process_start_time_seconds",
            "gauge",
            "Start of the gateway, in seconds since 1970.",
            fmt::format("{:.2f}", usage.start_time)
        );
}

}  // namespace

struct Metrics::Impl {
    std::unordered_map<SeriesName, Series, SeriesHash, SeriesEqual> series;
    std::map<std::string, std::uint64_t, std::less<>> errors;
    std::map<std::string, std::int64_t, std::less<>> in_flight;

    Series& of(const RequestRecord& record) {
        const SeriesView view{record.route, record.model};
        if (const auto found = series.find(view); found != series.end()) return found->second;
        if (series.size() >= most_series) return series[SeriesName{"other", "other"}];
        return series[SeriesName{record.route, record.model}];
    }

    void count_error(std::string_view code) {
        auto found = errors.find(code);
        if (found == errors.end())
            found = errors.try_emplace(errors.size() < most_codes ? std::string(code) : "other", 0)
                        .first;
        ++found->second;
    }

    /// Sorted: two scrapes differ only where something happened.
    std::vector<std::pair<std::string, const Series*>> sorted() const {
        std::vector<std::pair<std::string, const Series*>> list;
        list.reserve(series.size());
        for (const auto& [name, one] : series)
            list.emplace_back(
                fmt::format(R"(route="{}",model="{}")", escaped(name.route), escaped(name.model)),
                &one
            );
        std::ranges::sort(list, {}, &std::pair<std::string, const Series*>::first);
        return list;
    }

    void write_requests(Page& page) const;
    void write_times(Page& page) const;
};

void Metrics::Impl::write_requests(Page& page) const {
    const auto list = sorted();
    page.family("punie_requests_total", "counter", "Finished requests.");
    for (const auto& [labels, one] : list) {
        auto statuses = one->statuses;
        std::ranges::sort(statuses);
        for (const auto& [status, count] : statuses)
            page.sample("punie_requests_total{{{},status=\"{}\"}} {}", labels, status, count);
    }
    page.family("punie_requests_in_flight", "gauge", "Requests that have no answer's end yet.");
    for (const auto& [route, count] : in_flight)
        page.sample("punie_requests_in_flight{{route=\"{}\"}} {}", escaped(route), count);

    struct Pair {
        std::string_view name, help, label;
        std::uint64_t Series::* in;
        std::uint64_t Series::* out;
    };

    static constexpr std::array pairs{
        Pair{
            "punie_tokens_total",
            "Tokens that servers counted.",
            "direction",
            &Series::tokens_in,
            &Series::tokens_out
        },
        Pair{
            "punie_request_bytes_total",
            "Bytes of bodies, from clients and to them.",
            "direction",
            &Series::bytes_in,
            &Series::bytes_out
        },
    };
    for (const auto& pair : pairs) {
        page.family(pair.name, "counter", pair.help);
        for (const auto& [labels, one] : list) {
            page.sample("{}{{{},{}=\"in\"}} {}", pair.name, labels, pair.label, one->*pair.in);
            page.sample("{}{{{},{}=\"out\"}} {}", pair.name, labels, pair.label, one->*pair.out);
        }
    }
    page.family("punie_requests_torn_total", "counter", "Answers without their proper end.");
    for (const auto& [labels, one] : list)
        page.sample("punie_requests_torn_total{{{}}} {}", labels, one->torn);
    page.family("punie_request_retries_total", "counter", "Requests sent to a server once more.");
    for (const auto& [labels, one] : list)
        page.sample("punie_request_retries_total{{{}}} {}", labels, one->retried);
    page.family("punie_request_errors_total", "counter", "Failed requests, by their error's code.");
    for (const auto& [code, count] : errors)
        page.sample("punie_request_errors_total{{code=\"{}\"}} {}", escaped(code), count);
}

void Metrics::Impl::write_times(Page& page) const {
    const auto list = sorted();
    page.family(
        "punie_request_duration_seconds", "histogram", "From a request's head to its answer's end."
    );
    for (const auto& [labels, one] : list)
        page.histogram("punie_request_duration_seconds", labels, one->duration);
    page.family(
        "punie_request_queue_seconds", "histogram", "How long a request waited for its model."
    );
    for (const auto& [labels, one] : list)
        page.histogram("punie_request_queue_seconds", labels, one->queue);
    page.family(
        "punie_time_to_first_token_seconds",
        "histogram",
        "From a streamed request's head to the first byte of its answer's body."
    );
    for (const auto& [labels, one] : list) {
        if (!one->first.empty())
            page.histogram("punie_time_to_first_token_seconds", labels, one->first);
    }
    page.family(
        "punie_inter_token_latency_seconds",
        "histogram",
        "Mean time between two events of a stream, counted once an event."
    );
    for (const auto& [labels, one] : list) {
        if (!one->between.empty())
            page.histogram("punie_inter_token_latency_seconds", labels, one->between);
    }
}

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}

Metrics::~Metrics() = default;

void Metrics::add(const RequestRecord& record) {
    impl_->of(record).add(record);
    if (!record.error.empty()) impl_->count_error(record.error);
}

void Metrics::begun(std::string_view route) {
    const auto found = impl_->in_flight.find(route);
    if (found != impl_->in_flight.end()) {
        ++found->second;
    } else {
        impl_->in_flight.emplace(std::string(route), 1);
    }
}

void Metrics::ended(std::string_view route) {
    if (const auto found = impl_->in_flight.find(route); found != impl_->in_flight.end())
        --found->second;
}

std::string Metrics::prometheus(const fleet::Fleet& fleet, std::size_t connections) const {
    Page page;
    page.family("punie_build_info", "gauge", "1; the version is its label.");
    page.sample("punie_build_info{{version=\"" PUNIE_VERSION "\"}} 1");
    impl_->write_requests(page);
    impl_->write_times(page);
    write_models(page, fleet);
    page.single("punie_connections", "gauge", "Open connections of clients.", connections);
    write_process(page);
    return page.take();
}

}  // namespace punie::gateway
