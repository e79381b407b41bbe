#include "report/report_data.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

#include <boost/json.hpp>

#include "report/json_writer.hpp"

namespace punie::report {

namespace {

constexpr std::array<std::pair<Tone, std::string_view>, 4> tones = {
    {{Tone::good, "good"}, {Tone::bad, "bad"}, {Tone::unsure, "unsure"}, {Tone::failed, "failed"}}
};

/// Where a value stands. Its text is made for a fault only: a report has a million values.
struct Place {
    const Place* parent = nullptr;
    std::string_view name{};  ///< of a member
    std::size_t index = 0;    ///< of an element, when there is no name

    std::string pointer() const {
        if (parent == nullptr) return {};
        return name.empty() ? fmt::format("{}/{}", parent->pointer(), index)
                            : fmt::format("{}/{}", parent->pointer(), name);
    }
};

/// Fills members from an object; keeps the first fault and goes on, the caller looks at the end.
class MemberReader {
public:
    MemberReader(const json::object& from, const Place& place, std::string& fault)
        : from_(from), place_(place), fault_(fault) {}

    template <typename T>
    void operator()(std::string_view name, T& member) {
        if (const auto* value = from_.if_contains(name))
            read(*value, Place{.parent = &place_, .name = name}, member);
    }

private:
    void blame(const Place& place, std::string_view wanted) {
        if (fault_.empty()) fault_ = fmt::format("{}: expected {}", place.pointer(), wanted);
    }

    void read(const json::value& value, const Place& place, std::string& text) {
        if (!value.is_string()) return blame(place, "a text");
        text = value.as_string();
    }

    void read(const json::value& value, const Place& place, bool& yes) {
        if (!value.is_bool()) return blame(place, "true or false");
        yes = value.as_bool();
    }

    void read(const json::value& value, const Place& place, double& number) {
        if (value.is_null()) {
            number = std::numeric_limits<double>::quiet_NaN();
        } else if (value.is_number()) {
            number = value.to_number<double>();
        } else {
            blame(place, "a number");
        }
    }

    template <std::integral Number>
    void read(const json::value& value, const Place& place, Number& number) {
        boost::system::error_code bad;
        const auto read = value.to_number<Number>(bad);
        if (bad) return blame(place, "a whole number that is not too large");
        number = read;
    }

    void read(const json::value& value, const Place& place, json::array& list) {
        if (!value.is_array()) return blame(place, "a list");
        list = value.as_array();
    }

    void read(const json::value& value, const Place& place, Tone& tone) {
        const auto* found = std::ranges::find_if(tones, [&](const auto& known) {
            return value.is_string() && value.as_string() == known.second;
        });
        if (found == tones.end()) return blame(place, "good, bad, unsure or failed");
        tone = found->first;
    }

    template <typename T>
    void read(const json::value& value, const Place& place, std::optional<T>& maybe) {
        read(value, place, maybe.emplace());
    }

    template <typename T>
    void read(const json::value& value, const Place& place, std::vector<T>& parts) {
        if (!value.is_array()) return blame(place, "a list");
        parts.reserve(value.as_array().size());
        for (const auto& one : value.as_array()) {
            const Place element{.parent = &place, .index = parts.size()};
            read(one, element, parts.emplace_back());
        }
    }

    template <typename Part>
        requires std::is_class_v<Part>
    void read(const json::value& value, const Place& place, Part& part) {
        if (!value.is_object()) return blame(place, "an object");
        walk(part, MemberReader(value.as_object(), place, fault_));
    }

    const json::object& from_;
    const Place& place_;
    std::string& fault_;
};

/// Indices that renderers follow without looking again.
std::string check_indices(const ReportData& data) {
    const auto known = data.variants.size();
    for (std::size_t at = 0; at < data.differences.size(); ++at) {
        const auto& difference = data.differences[at];
        if (difference.baseline >= known || difference.other >= known)
            return fmt::format(
                "/differences/{}: names variant {} of {}",
                at,
                std::max(difference.baseline, difference.other),
                known
            );
    }
    for (std::size_t at = 0; at < data.prompts.size(); ++at) {
        for (const auto& sample : data.prompts[at].samples) {
            if (sample.variant >= known)
                return fmt::format(
                    "/prompts/{}/samples: names variant {} of {}", at, sample.variant, known
                );
        }
    }
    return {};
}

}  // namespace

std::string_view name_of(Tone tone) {
    return std::ranges::find(tones, tone, &std::pair<Tone, std::string_view>::first)->second;
}

json::value to_json(const ReportData& data) {
    json::object object{{"format", "punie-report"}, {"version", 1}};
    walk(data, MemberWriter(object));
    return object;
}

Result<ReportData> report_from_json(const json::value& value) {
    if (string_member(value, "format") != "punie-report") {
        return fail(
            ErrorCode::protocol,
            "this JSON is no report of Punie: expected an object with \"format\": \"punie-report\"",
            "name the report.json in a run's folder"
        );
    }
    const auto version = integer_member(value, "version").value_or(0);
    if (version != 1) {
        return fail(
            ErrorCode::protocol,
            fmt::format("the report has version {}, this Punie reads version 1", version),
            "use the Punie that wrote it, or a newer one"
        );
    }
    ReportData data;
    std::string fault;
    const Place whole;
    walk(data, MemberReader(value.as_object(), whole, fault));
    if (fault.empty()) fault = check_indices(data);
    if (!fault.empty()) return fail(ErrorCode::protocol, "report: " + fault);
    return data;
}

Result<ReportData> report_from_text(std::string_view text) {
    // The parsed values live until they are read: an arena spares a million small allocations.
    json::monotonic_resource arena;
    boost::system::error_code bad;
    const auto value = json::parse(text, bad, &arena);
    if (!bad) return report_from_json(value);
    auto explained = parse_json(text);  // the same fault, with its place in words
    if (!explained) return std::unexpected(std::move(explained).error());
    return report_from_json(*explained);
}

}  // namespace punie::report
