#include "eval/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/hash.hpp"
#include "base/text.hpp"

namespace punie::eval {

namespace {

constexpr int default_max_tokens = 512;

/// `*` in `pattern` stands for any text. Each part between stars is looked for once, behind the
/// part before it: no pattern takes more than pattern times text.
bool matches(std::string_view pattern, std::string_view text) {
    const auto first = pattern.find('*');
    if (first == std::string_view::npos) return pattern == text;
    if (!text.starts_with(pattern.substr(0, first))) return false;
    text.remove_prefix(first);
    pattern.remove_prefix(first + 1);
    while (true) {
        const auto star = pattern.find('*');
        if (star == std::string_view::npos) return text.ends_with(pattern);
        const auto part = pattern.substr(0, star);
        const auto at = text.find(part);
        if (at == std::string_view::npos) return false;
        text.remove_prefix(at + part.size());
        pattern.remove_prefix(star + 1);
    }
}

bool wanted(const Prompt& prompt, const std::vector<std::string>& only) {
    if (only.empty()) return true;
    return std::ranges::any_of(only, [&](const std::string& pattern) {
        return matches(pattern, prompt.id) || matches(pattern, prompt.group) ||
               matches(pattern, prompt.category);
    });
}

Result<void> check(const PlanOptions& options) {
    if (options.repeats && (*options.repeats < 1 || *options.repeats > 10'000)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("repeats: {} was given; allowed is 1 to 10000", *options.repeats)
        );
    }
    if (options.max_tokens && *options.max_tokens < 1) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("max_tokens: {} was given; allowed is 1 or more", *options.max_tokens)
        );
    }
    const auto temperature = options.temperature.value_or(0);
    if (std::isnan(temperature) || temperature < 0 || temperature > 2) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("temperature: {} was given; allowed is 0 to 2", temperature)
        );
    }
    for (const auto& [name, text] : options.request_defaults) {
        if (parse_json(text)) continue;
        return fail(
            ErrorCode::invalid_argument, fmt::format("{}: \"{}\" is no JSON value", name, text)
        );
    }
    return {};
}

/// Everything of a request body that decides how tokens are drawn.
json::object sampling_of(const Prompt& prompt, const PlanOptions& options) {
    const auto& asked = prompt.sampling;
    json::object fields;
    fields["temperature"] = options.temperature.value_or(asked.temperature.value_or(0.0));
    fields["max_tokens"] =
        options.max_tokens.value_or(asked.max_tokens.value_or(default_max_tokens));
    if (asked.top_p) fields["top_p"] = *asked.top_p;
    if (asked.top_k) fields["top_k"] = *asked.top_k;
    if (asked.min_p) fields["min_p"] = *asked.min_p;
    if (asked.repetition_penalty) fields["repetition_penalty"] = *asked.repetition_penalty;
    if (!asked.stop.empty()) {
        json::array stop;
        stop.reserve(asked.stop.size());
        for (const auto& text : asked.stop) stop.emplace_back(text);
        fields["stop"] = std::move(stop);
    }
    for (const auto& [name, value] : asked.extra) fields[name] = value;
    for (const auto& [name, text] : options.request_defaults) {
        if (fields.contains(name)) continue;
        if (auto value = parse_json(text)) fields[name] = std::move(*value);
    }
    return fields;
}

std::optional<std::uint64_t> first_seed(const Prompt& prompt, const PlanOptions& options) {
    if (options.seed) return options.seed;
    if (prompt.sampling.seed) return prompt.sampling.seed;
    const auto temperature = options.temperature.value_or(prompt.sampling.temperature.value_or(0));
    if (temperature > 0) return 1;
    return std::nullopt;
}

json::object body_of(
    const Prompt& prompt,
    const json::object& sampling,
    std::optional<std::uint64_t> seed,
    const std::string& model
) {
    json::object body;
    if (!model.empty()) body["model"] = model;
    body["messages"] = prompt.messages;
    if (!prompt.tools.empty()) body["tools"] = prompt.tools;
    for (const auto& [name, value] : sampling) body[name] = value;
    if (seed) body["seed"] = *seed;
    return body;
}

Error nothing_to_ask(const Suite& suite, const PlanOptions& options) {
    if (suite.prompts.empty())
        return {ErrorCode::invalid_argument, fmt::format("{} has no prompts", suite.name)};
    return Error(
               ErrorCode::invalid_argument,
               fmt::format(
                   "only: no prompt of {} matches {}", suite.name, fmt::join(options.only, ", ")
               )
    )
        .with_hint("`punie suite show` lists ids, groups and categories");
}

}  // namespace

Result<Plan> make_plan(const Suite& suite, const PlanOptions& options) {
    if (auto fine = check(options); !fine) return std::unexpected(std::move(fine).error());
    Plan plan;
    std::set<std::string> samplings;
    for (std::size_t i = 0; i < suite.prompts.size(); ++i) {
        const auto& prompt = suite.prompts[i];
        if (!wanted(prompt, options.only)) continue;
        if (options.limit > 0 && plan.prompts == options.limit) break;
        ++plan.prompts;
        const auto sampling = sampling_of(prompt, options);
        const auto seed = first_seed(prompt, options);
        auto said = sampling;
        if (seed) said["seed"] = *seed;
        samplings.insert(to_text(said));
        const int repeats = options.repeats.value_or(prompt.repeats);
        for (int sample = 0; sample < repeats; ++sample) {
            auto own_seed = seed;
            if (own_seed) *own_seed += static_cast<std::uint64_t>(sample);
            plan.requests.push_back(
                {.prompt = i,
                 .sample = sample,
                 .body = body_of(prompt, sampling, own_seed, options.model)}
            );
        }
    }
    if (plan.requests.empty()) return std::unexpected(nothing_to_ask(suite, options));
    Sha256 hash;
    for (const auto& text : samplings) {
        hash.add_part(text);
        if (auto value = parse_json(text)) plan.samplings.push_back(std::move(*value));
    }
    plan.sampling_hash = hash.hex();
    return plan;
}

}  // namespace punie::eval
