// Calls that are written as JSON, in the spellings that models use.

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "openai/tool_calls/reading.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::size_t deepest = 64;

constexpr std::array<std::string_view, 4> name_keys = {"name", "function", "tool_name", "tool"};
constexpr std::array<std::string_view, 4> argument_keys = {
    "arguments", "parameters", "args", "input"
};

/// End of the string whose opening quote stands at `at`: behind its closing quote.
std::size_t string_end(std::string_view text, std::size_t at) {
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '"')
            return at + 1;
    }
    return text.size();
}

/// End of the value at `at` in valid JSON.
std::size_t value_end(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at = string_end(text, at);
            if (depth == 0) return at;
            continue;
        }
        if (c == '{' || c == '[') ++depth;
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
        ++at;
        if ((c == '}' || c == ']') && --depth == 0) return at;
    }
    return at;
}

/// `"name": "..."` somewhere in JSON that does not parse.
std::string name_in(std::string_view text) {
    for (const std::string_view key : {"\"name\"", "\"tool_name\"", "\"function\""}) {
        const auto found = text.find(key);
        if (found == npos) continue;
        auto at = text.find_first_not_of(" \t\r\n:", found + key.size());
        if (at == npos || text[at] != '"') continue;
        const auto end = string_end(text, at++);
        const bool closed = end - at >= 1 && text[end - 1] == '"';
        return std::string(text.substr(at, end - at - (closed ? 1 : 0)));
    }
    return {};
}

/// What stands behind `"arguments":` in JSON that does not parse.
std::string_view arguments_in(std::string_view text) {
    for (const std::string_view key : {"\"arguments\"", "\"parameters\""}) {
        const auto found = text.find(key);
        if (found == npos) continue;
        const auto at = text.find_first_not_of(" \t\r\n:", found + key.size());
        return at == npos ? std::string_view{} : text.substr(at);
    }
    return {};
}

const json::value* first_of(const json::object& object, std::span<const std::string_view> keys) {
    for (const auto key : keys) {
        if (const auto* value = object.if_contains(key)) return value;
    }
    return nullptr;
}

std::string_view raw_of(std::string_view text, std::span<const std::string_view> keys) {
    const auto parts = parts_of(text);
    for (const auto key : keys) {
        // Of a member that stands twice the last one counts, as in Python and Boost.
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
            if (part->name == key) return part->value;
        }
    }
    return {};
}

AnswerCall call_from_object(
    const json::object& object, std::string_view text, std::string_view path
) {
    // {"type": "function", "function": {"name", "arguments"}}
    for (const std::string_view wrapper : {"function", "tool"}) {
        const auto* inner = object.if_contains(wrapper);
        if (inner == nullptr || !inner->is_object()) continue;
        const std::array keys = {wrapper};
        return call_from_object(inner->get_object(), raw_of(text, keys), path);
    }
    AnswerCall call;
    call.path = path;
    const auto* name = first_of(object, name_keys);
    if (name != nullptr && name->is_string()) call.name = name->get_string();
    set_arguments(call, first_of(object, argument_keys), raw_of(text, argument_keys));
    if (call.name.empty() && call.problem.empty()) call.problem = "it has no name";
    return call;
}

}  // namespace

JsonAt read_json_at(std::string_view text, std::size_t at) {
    JsonAt result;
    result.end = at;
    if (at >= text.size()) {
        result.state = JsonAt::State::cut;
        result.problem = cut_problem;
        return result;
    }
    json::parse_options options;
    options.max_depth = deepest;
    json::stream_parser parser({}, options);
    json::error_code error;
    const auto rest = text.substr(at);
    result.end = at + parser.write_some(rest.data(), rest.size(), error);
    if (error) {
        result.problem = fmt::format("its JSON is broken: {}", error.message());
    } else if (!parser.done()) {
        result.state = JsonAt::State::cut;
        result.problem = cut_problem;
    } else {
        result.state = JsonAt::State::whole;
        result.value = parser.release();
        // The parser goes over white space behind the value.
        while (std::string_view(" \t\r\n").contains(text[result.end - 1])) --result.end;
    }
    return result;
}

std::vector<JsonPart> parts_of(std::string_view text) {
    std::vector<JsonPart> parts;
    const bool object = text.starts_with('{');
    std::size_t at = 1;
    while (true) {
        at = text.find_first_not_of(" \t\r\n,", at);
        if (at == npos || text[at] == '}' || text[at] == ']') return parts;
        JsonPart part;
        if (object) {
            const auto end = string_end(text, at);
            part.name = text.substr(at + 1, end - at - 2);
            at = text.find_first_not_of(" \t\r\n:", end);
            if (at == npos) return parts;
        }
        const auto end = value_end(text, at);
        if (end == at) return parts;
        part.value = trim(text.substr(at, end - at));
        parts.push_back(part);
        at = end;
    }
}

void set_arguments(AnswerCall& call, const json::value* arguments, std::string_view raw) {
    call.raw_arguments = raw;
    json::value opened;
    for (int level = 0; arguments != nullptr && arguments->is_string() && level < 3; ++level) {
        const std::string text(trim(std::string_view(arguments->get_string())));
        call.raw_arguments = text;
        if (text.empty()) {
            arguments = nullptr;
            break;
        }
        auto read = read_json_at(text, 0);
        if (read.state == JsonAt::State::whole && !trim(text).substr(read.end).empty()) {
            read.state = JsonAt::State::bad;
            read.problem = "there is more text behind its arguments";
        }
        if (read.state != JsonAt::State::whole) {
            const bool json = text.starts_with('{');
            call.problem = json ? read.problem
                                : fmt::format(
                                      "its arguments are text, not an object: {}",
                                      shortened(printable(text), 60)
                                  );
            return;
        }
        opened = std::move(read.value);
        arguments = &opened;
    }
    if (arguments == nullptr || arguments->is_null()) {
        call.arguments = json::object{};
        return;
    }
    if (arguments->is_object()) {
        call.arguments = *arguments;
        return;
    }
    call.problem = fmt::format("its arguments are {}, not an object", describe_json(*arguments));
}

bool looks_like_call(const json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr || object->size() > 4) return false;
    if (const auto* inner = object->if_contains("function");
        inner != nullptr && inner->is_object()) {
        const auto* type = object->if_contains("type");
        return (type == nullptr || *type == "function") && looks_like_call(*inner);
    }
    const auto* name = object->if_contains("name");
    if (name == nullptr) name = object->if_contains("function");
    const auto* arguments = object->if_contains("arguments");
    if (arguments == nullptr) arguments = object->if_contains("parameters");
    if (name == nullptr || arguments == nullptr || !name->is_string()) return false;
    const std::string_view text = name->get_string();
    if (text.empty() || name_length(text) != text.size()) return false;
    for (const auto& member : *object) {
        const auto key = member.key();
        const bool known = key == "name" || key == "function" || key == "arguments" ||
                           key == "parameters" || key == "id" || key == "type";
        if (!known) return false;
    }
    return arguments->is_object() || arguments->is_string();
}

AnswerCall broken_call(
    std::string name, std::string_view raw, std::string_view path, std::string problem
) {
    AnswerCall call;
    call.name = std::move(name);
    call.raw_arguments = raw;
    call.path = path;
    call.problem = std::move(problem);
    return call;
}

std::vector<AnswerCall> calls_from_json(
    const JsonAt& read, std::string_view text, std::size_t begin, std::string_view path
) {
    const auto own = text.substr(begin, read.end - begin);
    if (read.state != JsonAt::State::whole)
        return {broken_call(name_in(own), arguments_in(own), path, read.problem)};
    if (const auto* object = read.value.if_object()) return {call_from_object(*object, own, path)};
    const auto* array = read.value.if_array();
    if (array == nullptr)
        return {broken_call("", own, path, fmt::format("{} is no call", describe_json(read.value)))
        };
    std::vector<AnswerCall> calls;
    calls.reserve(array->size());
    const auto parts = parts_of(own);
    for (std::size_t i = 0; i < array->size() && i < parts.size(); ++i) {
        if (const auto* object = (*array)[i].if_object()) {
            calls.push_back(call_from_object(*object, parts[i].value, path));
            continue;
        }
        calls.push_back(broken_call(
            "", parts[i].value, path, fmt::format("{} is no call", describe_json((*array)[i]))
        ));
    }
    return calls;
}

AnswerCall call_with_json(
    Source& source, std::string name, std::size_t at, std::string_view path, std::size_t& end
) {
    const auto read = read_json_at(source.text(), at);
    end = read.end;
    AnswerCall call;
    call.name = std::move(name);
    call.path = path;
    const auto raw = source.slice(at, read.end);
    if (read.state == JsonAt::State::whole)
        set_arguments(call, &read.value, raw);
    else
        call = broken_call(std::move(call.name), raw, path, read.problem);
    if (call.name.empty() && call.problem.empty()) call.problem = "it has no name";
    return call;
}

}  // namespace punie::openai::tool_calls
