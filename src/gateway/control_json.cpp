#include "gateway/control_json.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

namespace punie::gateway {

namespace {

json::array strings(const std::vector<std::string>& texts) {
    json::array list;
    list.reserve(texts.size());
    for (const auto& text : texts) list.emplace_back(text);
    return list;
}

template <typename T>
void put_if(json::object& object, std::string_view name, const std::optional<T>& value) {
    if (value) object[name] = *value;
}

void put_time(
    json::object& object,
    std::string_view name,
    const std::optional<std::chrono::system_clock::time_point>& time
) {
    if (time) object[name] = iso_time(*time);
}

json::object error_object(const Error& error) {
    json::object object{{"code", name_of(error.code())}, {"message", error.message()}};
    if (!error.hint().empty()) object["hint"] = error.hint();
    if (!error.exit_status().empty()) object["exit_status"] = error.exit_status();
    if (!error.log_tail().empty()) object["log"] = strings(error.log_tail());
    return object;
}

}  // namespace

std::string iso_time(std::chrono::system_clock::time_point time) {
    using namespace std::chrono;
    const auto when = floor<milliseconds>(time);
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const hh_mm_ss clock(when - day);
    return fmt::format(
        FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z"),
        int{date.year()},
        unsigned{date.month()},
        unsigned{date.day()},
        clock.hours().count(),
        clock.minutes().count(),
        clock.seconds().count(),
        clock.subseconds().count()
    );
}

json::object model_json(const fleet::ModelStatus& model) {
    json::object object{
        {"name", model.name},
        {"aliases", strings(model.aliases)},
        {"adapters", strings(model.adapters)},
        {"backend", name_of(model.backend)},
        {"path", model.path},
        {"state", name_of(model.state)},
        {"since", iso_time(model.since)},
        {"memory", model.memory},
        {"running", model.running},
        {"waiting", model.waiting},
        {"served", model.served},
        {"loads", model.loads},
        {"crashes", model.crashes},
        {"pinned", model.pinned}
    };
    if (!model.reason.empty()) object["reason"] = model.reason;
    if (!model.adapter_loaded.empty()) object["adapter_loaded"] = model.adapter_loaded;
    if (!model.url.empty()) object["url"] = model.url;
    if (model.pid != 0) object["pid"] = model.pid;
    if (model.error) object["error"] = error_object(*model.error);
    put_time(object, "unloads_at", model.unloads_at);
    put_time(object, "retries_at", model.retries_at);
    put_if(object, "memory_needed", model.memory_needed);
    put_if(object, "load_seconds", model.load_seconds);
    return object;
}

json::object event_json(const fleet::FleetEvent& event) {
    json::object object{
        {"number", event.number},
        {"time", iso_time(event.time)},
        {"what", event.what},
        {"text", event.text}
    };
    if (!event.model.empty()) object["model"] = event.model;
    if (event.state) object["state"] = name_of(*event.state);
    return object;
}

json::object request_json(std::uint64_t number, const RequestRecord& record) {
    json::object object{
        {"number", number},
        {"time", iso_time(record.time)},
        {"id", record.id},
        {"method", record.method},
        {"route", record.route},
        {"model", record.model},
        {"peer", record.peer},
        {"status", record.status},
        {"stream", record.stream},
        {"torn", record.torn},
        {"attempts", record.attempts},
        {"waited_s", record.waited},
        {"total_s", record.total},
        {"tokens_in", record.tokens_in},
        {"tokens_out", record.tokens_out},
        {"bytes_in", record.bytes_in},
        {"bytes_out", record.bytes_out}
    };
    if (!record.key.empty()) object["key"] = record.key;
    if (record.stream) object["events"] = record.events;
    put_if(object, "first_byte_s", record.first_byte);
    if (!record.error.empty()) object["error"] = record.error;
    if (!record.reason.empty()) object["reason"] = record.reason;
    return object;
}

json::object live_json(const LiveRequest& request, SteadyTime now) {
    json::object object{
        {"number", request.number},
        {"id", request.id},
        {"route", request.route},
        {"model", request.model},
        {"peer", request.peer},
        {"phase", request.phase},
        {"seconds", std::chrono::duration<double>(now - request.begun).count()},
        {"tokens", request.tokens}
    };
    if (!request.key.empty()) object["key"] = request.key;
    return object;
}

json::object failure_json(const Error& error) {
    return {{"error", error_object(error)}};
}

int status_of(const Error& error) {
    switch (error.code()) {
        case ErrorCode::not_found:
            return 404;
        case ErrorCode::invalid_argument:
            return 400;
        case ErrorCode::out_of_memory:
        case ErrorCode::disk_full:
            return 507;
        case ErrorCode::state:
            return 409;
        case ErrorCode::timeout:
            return 504;
        default:
            return 503;
    }
}

std::vector<std::string> lines_added(
    const std::vector<std::string>& before, const std::vector<std::string>& now
) {
    for (auto known = std::min(before.size(), now.size()); known > 0; --known) {
        const auto tail = before.end() - static_cast<std::ptrdiff_t>(known);
        const auto head = now.begin() + static_cast<std::ptrdiff_t>(known);
        if (std::equal(tail, before.end(), now.begin())) return {head, now.end()};
    }
    return now;
}

namespace {

std::string decoded(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned value = 0;
        if (text[at] == '%' && at + 2 < text.size()) {
            const auto* digits = text.data() + at + 1;
            const auto parsed = std::from_chars(digits, digits + 2, value, 16);
            if (parsed.ptr == digits + 2) {
                result += static_cast<char>(value);
                at += 2;
                continue;
            }
        }
        result += text[at] == '+' ? ' ' : text[at];
    }
    return result;
}

}  // namespace

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const auto part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), part.size() + 1));
        const auto sign = part.find('=');
        if (part.substr(0, sign) != name) continue;
        return sign == std::string_view::npos ? std::string{} : decoded(part.substr(sign + 1));
    }
    return std::nullopt;
}

}  // namespace punie::gateway
