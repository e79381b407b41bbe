#include "eval/sampling_seen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "base/hash.hpp"
#include "base/json.hpp"

namespace punie::eval {

namespace {

/// What a request asks, and how the answer is carried; everything else decides how it is drawn.
constexpr std::array<std::string_view, 5> not_sampling = {
    "model", "messages", "tools", "stream", "stream_options"
};

/// The order in which make_plan begins, for requests from elsewhere: order is no sampling.
constexpr std::array<std::string_view, 7> first_fields = {
    "temperature", "max_tokens", "top_p", "top_k", "min_p", "repetition_penalty", "stop"
};

bool among(std::string_view name, std::span<const std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

/// 0 and 0.0 are one temperature; make_plan writes a fraction.
json::value in_one_form(std::string_view name, const json::value& value) {
    if (name == "temperature" && value.is_number()) return value.to_number<double>();
    return value;
}

std::string sampling_text(const ResponseRecord& record) {
    json::object said;
    if (record.suite_hash.empty()) {  // not from make_plan
        for (const auto name : first_fields) {
            if (const auto* value = record.request.if_contains(name))
                said[name] = in_one_form(name, *value);
        }
    }
    for (const auto& [name, value] : record.request) {
        if (name == "seed" || among(name, not_sampling) || said.contains(name)) continue;
        said[name] = in_one_form(name, value);
    }
    // Sample n has the seed of sample 0 plus n: one sampling, not several.
    if (const auto* seed = record.request.if_contains("seed"); seed != nullptr) {
        const auto* whole = seed->if_int64();
        said["seed"] = whole == nullptr ? *seed : json::value(*whole - record.sample);
    }
    return to_text(said);
}

}  // namespace

void SamplingSeen::add(const ResponseRecord& record) {
    ++records_;
    if (record.request.empty()) {
        ++without_request_;
        return;
    }
    samplings_.insert(sampling_text(record));
    const auto* said = record.request.if_contains("temperature");
    if (said == nullptr || !said->is_number()) {
        ++unsaid_;
        return;
    }
    const auto temperature = said->to_number<double>();
    if (temperature <= 0) return;
    highest_ = std::max(highest_, temperature);
    sampled_[record.prompt_id].insert(record.sample);
}

std::string SamplingSeen::hash() const {
    if (records_ == 0 || without_request_ > 0) return {};
    Sha256 hash;
    for (const auto& text : samplings_) hash.add_part(text);
    return hash.hex();
}

std::vector<std::string> SamplingSeen::notes() const {
    std::vector<std::string> notes;
    if (unsaid_ > 0)
        notes.push_back(fmt::format(
            "{} of {} requests do not say a temperature: the server's default decided, and asked "
            "again the score may be another; say temperature 0 (`punie eval` does), or ask several "
            "samples",
            unsaid_,
            records_
        ));
    const auto once = std::ranges::count_if(sampled_, [](const auto& prompt) {
        return prompt.second.size() == 1;
    });
    if (once > 0)
        notes.push_back(fmt::format(
            "{} prompts were sampled once at a temperature of up to {}: asked again the score will "
            "be another; --repeats 4 shows by how much, --temp 0 avoids it",
            once,
            highest_
        ));
    return notes;
}

}  // namespace punie::eval
