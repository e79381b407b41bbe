#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <limits>

#include "eval/suite_parts.hpp"

namespace punie::eval {

namespace {

constexpr double any_whole = 9e15;  // below 2^53: exact in a double
constexpr std::array<std::string_view, 9> names = {
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "max_tokens",
    "seed",
    "stop",
    "extra"
};
/// What the request carries anyway.
constexpr std::array<std::string_view, 7> taken = {
    "model", "messages", "tools", "stream", "stream_options", "n", "prompt"
};

void read_extra(const Fields& fields, json::object& extra) {
    const auto* found = fields.find("extra");
    if (found == nullptr) return;
    if (found->kind != Node::Kind::map) {
        fields.fault(
            *found,
            "extra",
            fmt::format("expected a mapping of request fields, found {}", describe(*found))
        );
        return;
    }
    for (const auto& member : found->members) {
        const bool own = std::ranges::find(names, member.name) != names.end();
        if (own || std::ranges::find(taken, member.name) != taken.end()) {
            fields.fault(
                member.value,
                "extra",
                fmt::format(
                    "`{}` {}",
                    member.name,
                    own ? "is a field of its own: write it beside `extra`" : "is set by Punie"
                )
            );
            continue;
        }
        extra[member.name] = to_json(member.value);
    }
}

}  // namespace

std::span<const std::string_view> sampling_names() {
    return names;
}

Sampling read_sampling(const Fields& fields, const Sampling& defaults) {
    auto sampling = defaults;
    const auto number = [&](std::string_view name, std::optional<double>& into, const Range& range
                        ) {
        if (const auto value = fields.number(name, range)) into = value;
    };
    const auto whole = [&](std::string_view name, std::optional<int>& into, const Range& range) {
        if (const auto value = fields.integer(name, range)) into = static_cast<int>(*value);
    };
    number("temperature", sampling.temperature, {0, 2, "0 to 2"});
    number("top_p", sampling.top_p, {std::numeric_limits<double>::min(), 1, "above 0 to 1"});
    number("min_p", sampling.min_p, {0, 1, "0 to 1"});
    number(
        "repetition_penalty",
        sampling.repetition_penalty,
        {std::numeric_limits<double>::min(), 10, "above 0 to 10"}
    );
    whole("top_k", sampling.top_k, {0, 1e6, "0 (off) to 1000000"});
    whole("max_tokens", sampling.max_tokens, {1, 1e6, "1 to 1000000"});
    if (const auto seed = fields.integer("seed", {0, any_whole, "0 up"}))
        sampling.seed = static_cast<std::uint64_t>(*seed);
    if (fields.find("stop") != nullptr) sampling.stop = fields.texts("stop");
    read_extra(fields, sampling.extra);
    return sampling;
}

}  // namespace punie::eval
