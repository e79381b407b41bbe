#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "eval/suite_parts.hpp"

namespace punie::eval {

namespace {

constexpr Range weights = {1e-6, 1e6, "above 0 to 1000000"};

bool is_scorer(std::string_view name) {
    static const auto known = scorer_names();
    return std::ranges::find(known, name) != known.end();
}

/// What stood under the scorer's name, with what stood beside it: `number: 135, tolerance: 0` is
/// {"value": 135, "tolerance": 0}.
Node parameters_of(const Node& expectation, const NodeMember& scorer) {
    Node beside;
    beside.kind = Node::Kind::map;
    beside.place = scorer.value.place;
    const bool is_map = scorer.value.kind == Node::Kind::map;
    if (is_map)
        beside.members = scorer.value.members;
    else
        beside.members.push_back({"value", scorer.place, scorer.value});
    const auto own = beside.members.size();
    for (const auto& member : expectation.members) {
        if (&member != &scorer && member.name != "weight") beside.members.push_back(member);
    }
    return beside.members.size() == own ? scorer.value : beside;
}

/// The scorer's own message begins with a JSON pointer when it means a part of the parameters.
struct Blame {
    std::string_view pointer;
    std::string_view message;
};

Blame split_message(std::string_view message) {
    if (!message.starts_with('/')) return {{}, message};
    const auto colon = message.find(": ");
    if (colon == std::string_view::npos) return {{}, message};
    return {message.substr(0, colon), message.substr(colon + 2)};
}

/// "/calls/0/name" as "calls[0].name".
std::string as_path(std::string_view pointer) {
    std::string path;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        const auto token = pointer.substr(0, pointer.find('/'));
        const bool index = !token.empty() &&
                           std::ranges::all_of(token, [](char c) { return c >= '0' && c <= '9'; });
        path += index ? fmt::format("[{}]", token) : fmt::format(".{}", token);
        pointer.remove_prefix(token.size());
    }
    return path;
}

/// Reads the expectations of one prompt.
class ExpectationReader {
public:
    ExpectationReader(const json::array& tools, Faults& faults) : tools_(tools), faults_(faults) {}

    void add(const Node& node, const std::string& path) {
        if (node.kind != Node::Kind::map || node.members.empty()) {
            faults_.add(
                node.place,
                path,
                fmt::format(
                    "expected a scorer with its value, such as {{contains: Paris}}, found {}",
                    node.kind == Node::Kind::map ? "an empty mapping" : describe(node)
                )
            );
            return;
        }
        const bool theirs = node.find("type") != nullptr &&
                            std::ranges::none_of(node.members, [](const NodeMember& member) {
                                return is_scorer(member.name);
                            });
        if (!theirs) {
            add_own(node, path);
            return;
        }
        const auto own = from_promptfoo(node);
        if (own)
            add_own(*own, path);
        else
            faults_.add(node.find("type")->place, path + ".type", own.error().message());
    }

    std::vector<Expectation> take() { return std::move(expectations_); }

private:
    const NodeMember* scorer_of(const Node& node, const std::string& path) {
        const NodeMember* scorer = nullptr;
        for (const auto& member : node.members) {
            if (!is_scorer(member.name)) continue;
            if (scorer != nullptr) {
                faults_.add(
                    member.place,
                    path,
                    fmt::format(
                        "{} and {} in one expectation; write an entry of the list for each",
                        scorer->name,
                        member.name
                    )
                );
                return nullptr;
            }
            scorer = &member;
        }
        if (scorer != nullptr) return scorer;
        const auto& first = node.members.front().name == "weight" && node.members.size() > 1
                                ? node.members[1]
                                : node.members.front();
        faults_.add(
            first.place,
            path,
            fmt::format(
                "unknown scorer `{}`; {}",
                printable(first.name),
                suggestion(first.name, scorer_names())
            )
        );
        return nullptr;
    }

    void add_own(const Node& node, const std::string& path) {
        const auto* scorer = scorer_of(node, path);
        if (scorer == nullptr) return;
        const Fields fields(node, path, faults_);
        const auto weight = fields.number("weight", weights);
        const auto parameters = parameters_of(node, *scorer);
        Expectation expectation;
        expectation.scorer = scorer->name;
        expectation.parameters = to_json(parameters);
        expectation.weight = weight.value_or(1);
        ScorerContext context;
        context.tools = tools_.empty() ? nullptr : &tools_;
        auto judge = make_scorer(scorer->name, expectation.parameters, context);
        if (!judge) {
            blame(judge.error(), parameters, path + "." + scorer->name);
            return;
        }
        expectation.judge = *std::move(judge);
        expectations_.push_back(std::move(expectation));
    }

    void blame(const Error& error, const Node& parameters, const std::string& path) {
        const auto [pointer, message] = split_message(error.message());
        const auto& at = at_pointer(parameters, pointer);
        const auto hint = error.hint().empty() ? std::string{} : fmt::format(" ({})", error.hint());
        faults_.add(at.place, path + as_path(pointer), fmt::format("{}{}", message, hint));
    }

    const json::array& tools_;
    Faults& faults_;
    std::vector<Expectation> expectations_;
};

}  // namespace

std::vector<Expectation> read_expectations(
    const Node& node, const std::string& path, const json::array& tools, Faults& faults
) {
    ExpectationReader reader(tools, faults);
    if (node.kind != Node::Kind::list) {
        reader.add(node, path);
        return reader.take();
    }
    if (node.items.empty())
        faults.add(node.place, path, "the list is empty: nothing would be judged");
    for (std::size_t i = 0; i < node.items.size(); ++i)
        reader.add(node.items[i], fmt::format("{}[{}]", path, i));
    return reader.take();
}

}  // namespace punie::eval
