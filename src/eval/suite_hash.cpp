#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "base/hash.hpp"
#include "eval/suite_parts.hpp"

namespace punie::eval {

namespace {

/// 1.0 and 1 are one number, whatever type they were read as.
void append_number(std::string& text, const json::value& value) {
    constexpr double exact = 9007199254740992.0;  // 2^53
    if (const auto* number = value.if_double();
        number != nullptr && std::trunc(*number) == *number && std::abs(*number) < exact) {
        text += fmt::format("{}", static_cast<std::int64_t>(*number));
        return;
    }
    text += json::serialize(value);
}

void append(std::string& text, const json::value& value);

void append_object(std::string& text, const json::object& object) {
    std::vector<const json::key_value_pair*> members;
    members.reserve(object.size());
    for (const auto& member : object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* member) { return member->key(); });
    text += '{';
    for (const auto* member : members) {
        if (member != members.front()) text += ',';
        text += json::serialize(member->key());
        text += ':';
        append(text, member->value());
    }
    text += '}';
}

void append(std::string& text, const json::value& value) {
    if (const auto* object = value.if_object()) {
        append_object(text, *object);
    } else if (const auto* array = value.if_array()) {
        text += '[';
        for (std::size_t i = 0; i < array->size(); ++i) {
            if (i > 0) text += ',';
            append(text, array->at(i));
        }
        text += ']';
    } else if (value.is_number()) {
        append_number(text, value);
    } else {
        text += json::serialize(value);
    }
}

json::object sampling_json(const Sampling& sampling) {
    json::object object = sampling.extra;
    const auto set = [&](std::string_view name, const auto& value) {
        if (value) object[name] = *value;
    };
    set("temperature", sampling.temperature);
    set("top_p", sampling.top_p);
    set("top_k", sampling.top_k);
    set("min_p", sampling.min_p);
    set("repetition_penalty", sampling.repetition_penalty);
    set("max_tokens", sampling.max_tokens);
    set("seed", sampling.seed);
    if (!sampling.stop.empty()) object["stop"] = json::value_from(sampling.stop);
    return object;
}

std::string asked_text(const Prompt& prompt) {
    return canonical_json(json::object{
        {"id", prompt.id},
        {"messages", prompt.messages},
        {"tools", prompt.tools},
        {"sampling", sampling_json(prompt.sampling)}
    });
}

std::string judged_text(const Prompt& prompt) {
    json::array expectations;
    expectations.reserve(prompt.expect.size());
    for (const auto& expectation : prompt.expect)
        expectations.push_back(json::object{
            {"scorer", expectation.scorer},
            {"parameters", expectation.parameters},
            {"weight", expectation.weight}
        });
    return canonical_json(json::object{
        {"group", prompt.group},
        {"category", prompt.category},
        {"repeats", prompt.repeats},
        {"expect", std::move(expectations)}
    });
}

std::string gates_text(const Suite& suite) {
    json::array gates;
    gates.reserve(suite.gates.size());
    for (const auto& gate : suite.gates)
        gates.push_back(json::object{
            {"metric", gate.metric}, {"at_least", gate.at_least}, {"lower_bound", gate.lower_bound}
        });
    return canonical_json(
        json::object{{"gates", gates}, {"no_regression", json::value_from(suite.no_regression)}}
    );
}

}  // namespace

std::string canonical_json(const json::value& value) {
    std::string text;
    append(text, value);
    return text;
}

void set_hashes(Suite& suite) {
    std::vector<const Prompt*> prompts;
    prompts.reserve(suite.prompts.size());
    for (const auto& prompt : suite.prompts) prompts.push_back(&prompt);
    std::ranges::sort(prompts, {}, &Prompt::id);  // the order of the file changes nothing
    Sha256 asked;
    Sha256 all;
    for (const auto* prompt : prompts) {
        const auto text = asked_text(*prompt);
        asked.add_part(text);
        all.add_part(text).add_part(judged_text(*prompt));
    }
    all.add_part(gates_text(suite));
    suite.asked_hash = asked.hex();
    suite.hash = all.hex();
}

}  // namespace punie::eval
