// promptfoo's assertions (promptfoo.dev, "Assertions & metrics") as ours.

#include <fmt/format.h>

#include <array>
#include <functional>
#include <map>

#include "base/text.hpp"
#include "eval/suite_parts.hpp"

namespace punie::eval {

namespace {

Node map_of(const Place& place, std::vector<NodeMember> members) {
    Node node;
    node.kind = Node::Kind::map;
    node.place = place;
    node.members = std::move(members);
    return node;
}

NodeMember named(std::string name, Node value) {
    auto place = value.place;
    return {std::move(name), std::move(place), std::move(value)};
}

/// promptfoo compares with case in `contains`, without in `icontains`.
Node with_case(Node value, bool ignore_case) {
    if (!ignore_case) return value;
    const auto place = value.place;
    auto ignore = plain_scalar("true", place);
    return map_of(
        place, {named("value", std::move(value)), named("ignore_case", std::move(ignore))}
    );
}

Node keywords(std::string_view which, const Node& value, bool ignore_case) {
    auto list = value;
    if (value.kind != Node::Kind::list) {
        list = Node{};
        list.kind = Node::Kind::list;
        list.place = value.place;
        list.items.push_back(value);
    }
    const auto place = value.place;
    auto ignore = plain_scalar(ignore_case ? "true" : "false", place);
    return map_of(
        place, {named(std::string(which), std::move(list)), named("ignore_case", std::move(ignore))}
    );
}

using Mapping = std::function<NodeMember(const Node& value)>;

const std::map<std::string, Mapping, std::less<>>& mappings() {
    static const std::map<std::string, Mapping, std::less<>> known = {
        {"equals", [](const Node& value) { return named("equals", value); }},
        {"contains", [](const Node& value) { return named("contains", with_case(value, false)); }},
        {"icontains", [](const Node& value) { return named("contains", with_case(value, true)); }},
        {"regex", [](const Node& value) { return named("regex", value); }},
        {"contains-all",
         [](const Node& value) { return named("keywords", keywords("all", value, false)); }},
        {"icontains-all",
         [](const Node& value) { return named("keywords", keywords("all", value, true)); }},
        {"contains-any",
         [](const Node& value) { return named("keywords", keywords("any", value, false)); }},
        {"icontains-any",
         [](const Node& value) { return named("keywords", keywords("any", value, true)); }},
        {"not-contains",
         [](const Node& value) { return named("keywords", keywords("none", value, false)); }},
        {"not-icontains",
         [](const Node& value) { return named("keywords", keywords("none", value, true)); }},
        {"is-json",
         [](const Node& value) {
             if (value.kind == Node::Kind::null)
                 return named("json", plain_scalar("true", value.place));
             return named("json", map_of(value.place, {named("schema", value)}));
         }}
    };
    return known;
}

std::string why_not(std::string_view type) {
    static const std::map<std::string, std::string, std::less<>> reasons = {
        {"javascript", "runs code"},
        {"python", "runs code"},
        {"llm-rubric", "asks another model"},
        {"model-graded-closedqa", "asks another model"},
        {"factuality", "asks another model"},
        {"similar", "needs embeddings"},
        {"webhook", "calls another server"},
        {"cost", "is about money, not about the answer"},
        {"latency", "is about time, not about the answer"}
    };
    const auto found = reasons.find(type);
    if (found == reasons.end()) return "has no counterpart here";
    return fmt::format("{}, which a suite here does not", found->second);
}

}  // namespace

std::vector<std::string> promptfoo_types() {
    std::vector<std::string> types;
    types.reserve(mappings().size());
    for (const auto& [type, mapping] : mappings()) types.push_back(type);
    return types;
}

Result<Node> from_promptfoo(const Node& node) {
    const auto& type = *node.find("type");
    const auto mapping = mappings().find(type.text);
    if (mapping == mappings().end()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "promptfoo's \"{}\" {}; of its assertions there are {}",
                printable(type.text),
                why_not(type.text),
                join_or(promptfoo_types())
            )
        );
    }
    const auto* value = node.find("value");
    auto scorer = mapping->second(value == nullptr ? plain_scalar("", type.place) : *value);
    auto result = map_of(node.place, {std::move(scorer)});
    for (const auto& member : node.members) {
        if (member.name != "type" && member.name != "value") result.members.push_back(member);
    }
    return result;
}

}  // namespace punie::eval
