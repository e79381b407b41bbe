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

/// Fills members from an object; keeps the first fault and goes on, the caller looks at the end.
class MemberReader {
public:
    MemberReader(const json::object& from, std::string path, std::string& fault)
        : from_(from), path_(std::move(path)), fault_(fault) {}

    template <typename T>
    void operator()(std::string_view name, T& member) {
        if (const auto* value = from_.if_contains(name))
            read(*value, fmt::format("{}/{}", path_, name), member);
    }

private:
    void blame(const std::string& path, std::string_view wanted) {
        if (fault_.empty()) fault_ = fmt::format("{}: expected {}", path, wanted);
    }

    void read(const json::value& value, const std::string& path, std::string& text) {
        if (!value.is_string()) return blame(path, "a text");
        text = value.as_string();
    }

    void read(const json::value& value, const std::string& path, bool& yes) {
        if (!value.is_bool()) return blame(path, "true or false");
        yes = value.as_bool();
    }

    void read(const json::value& value, const std::string& path, double& number) {
        if (value.is_null()) {
            number = std::numeric_limits<double>::quiet_NaN();
        } else if (value.is_number()) {
            number = value.to_number<double>();
        } else {
            blame(path, "a number");
        }
    }

    template <std::integral Number>
    void read(const json::value& value, const std::string& path, Number& number) {
        boost::system::error_code bad;
        const auto read = value.to_number<Number>(bad);
        if (bad) return blame(path, "a whole number");
        number = read;
    }

    void read(const json::value& value, const std::string& path, json::array& list) {
        if (!value.is_array()) return blame(path, "a list");
        list = value.as_array();
    }

    void read(const json::value& value, const std::string& path, Tone& tone) {
        const auto* found = std::ranges::find_if(tones, [&](const auto& known) {
            return value.is_string() && value.as_string() == known.second;
        });
        if (found == tones.end()) return blame(path, "good, bad, unsure or failed");
        tone = found->first;
    }

    template <typename T>
    void read(const json::value& value, const std::string& path, std::optional<T>& maybe) {
        read(value, path, maybe.emplace());
    }

    template <typename T>
    void read(const json::value& value, const std::string& path, std::vector<T>& parts) {
        if (!value.is_array()) return blame(path, "a list");
        parts.reserve(value.as_array().size());
        for (const auto& one : value.as_array()) {
            read(one, fmt::format("{}/{}", path, parts.size()), parts.emplace_back());
        }
    }

    template <typename Part>
        requires std::is_class_v<Part>
    void read(const json::value& value, const std::string& path, Part& part) {
        if (!value.is_object()) return blame(path, "an object");
        walk(part, MemberReader(value.as_object(), path, fault_));
    }

    const json::object& from_;
    std::string path_;
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
    walk(data, MemberReader(value.as_object(), "", fault));
    if (fault.empty()) fault = check_indices(data);
    if (!fault.empty()) return fail(ErrorCode::protocol, "report: " + fault);
    return data;
}

}  // namespace punie::report
