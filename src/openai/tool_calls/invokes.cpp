#include "openai/tool_calls/invokes.hpp"

#include <boost/json.hpp>

#include "base/text.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::size_t longest_tag = 400;

/// The value of an attribute inside a tag: name="x", name='x' or name=x.
std::string_view attribute(std::string_view tag, std::string_view name) {
    const auto found = tag.find(name);
    if (found == npos) return {};
    auto rest = tag.substr(found + name.size());
    if (!rest.starts_with('=')) return {};
    rest.remove_prefix(1);
    const bool quoted = rest.starts_with('"') || rest.starts_with('\'');
    if (!quoted) return rest.substr(0, rest.find_first_of(" \t\r\n"));
    const auto close = rest.find(rest.front(), 1);
    return rest.substr(1, close == npos ? npos : close - 1);
}

/// The attributes of the tag whose first word ends at `at`; `at` goes behind its bracket.
std::optional<std::string_view> rest_of_tag(const Source& source, std::size_t& at) {
    const auto bracket = source.text().substr(at, longest_tag).find('>');
    if (bracket == npos) return std::nullopt;
    const auto attributes = source.slice(at, at + bracket);
    at += bracket + 1;
    return attributes;
}

/// One line break at each end belongs to the layout.
std::string_view without_layout(std::string_view value) {
    if (value.starts_with('\n')) value.remove_prefix(1);
    if (value.ends_with('\n')) value.remove_suffix(1);
    return value;
}

bool read_parameter(
    Source& source, std::size_t& at, const InvokeTags& tags, AnswerCall& call, json::object& typed
) {
    at += tags.parameter.size();
    const auto attributes = rest_of_tag(source, at);
    const auto close =
        attributes ? source.find_closing(tags.end_parameter, at, {tags.parameter, tags.end_invoke})
                   : npos;
    if (close == npos) return false;
    const auto key = attribute(*attributes, "name");
    const auto value = without_layout(source.slice(at, close));
    at = source.skip_space(close + tags.end_parameter.size());
    if (key.empty()) {
        call.problem = "one of its parameters has no name";
        return true;
    }
    const auto is_string = attribute(*attributes, "string");
    if (is_string.empty()) {
        call.texts.insert_or_assign(key, value);
        typed.insert_or_assign(key, value);
    } else {
        auto literal = is_string == "true" ? std::nullopt : literal_from(value);
        typed.insert_or_assign(key, literal ? *std::move(literal) : json::value(value));
    }
    return true;
}

AnswerCall read_invoke(Source& source, std::size_t& at, const InvokeTags& tags) {
    AnswerCall call;
    call.path = tags.path;
    at += tags.invoke.size();
    const auto attributes = rest_of_tag(source, at);
    if (!attributes) {
        at = source.size();
        return broken_call("", "", tags.path, std::string(cut_problem));
    }
    call.name = attribute(*attributes, "name");
    const auto inside = at;
    json::object typed;
    at = source.skip_space(at);
    while (source.has(at, tags.parameter)) {
        if (read_parameter(source, at, tags, call, typed)) continue;
        call.raw_arguments = source.text().substr(inside);
        call.problem = cut_problem;
        at = source.size();
        return call;
    }
    call.raw_arguments = trim(source.slice(inside, at));
    if (source.has(at, tags.end_invoke)) {
        at += tags.end_invoke.size();
        call.arguments = std::move(typed);
        if (call.name.empty()) call.problem = "it has no name";
        return call;
    }
    call.problem = at == source.size() ? std::string(cut_problem)
                                       : std::string("a parameter or its end was expected");
    return call;
}

}  // namespace

std::vector<AnswerCall> read_invokes(Source& source, std::size_t& at, const InvokeTags& tags) {
    std::vector<AnswerCall> calls;
    auto place = source.skip_space(at);
    while (source.has(place, tags.invoke)) {
        calls.push_back(read_invoke(source, place, tags));
        at = place;
        place = source.skip_space(place);
    }
    return calls;
}

}  // namespace punie::openai::tool_calls
