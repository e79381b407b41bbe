// The JSON Schema of the YAML form. Hand-made of small parts, so that an editor's words are ours.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "eval/suite_parts.hpp"

namespace punie::eval {

namespace {

using Object = json::object;

Object with(Object schema, std::string_view description) {
    schema["description"] = description;
    return schema;
}

Object text(std::string_view description) {
    return with({{"type", "string"}}, description);
}

Object number(double least, double most, std::string_view description) {
    return with({{"type", "number"}, {"minimum", least}, {"maximum", most}}, description);
}

Object whole(std::int64_t least, std::int64_t most, std::string_view description) {
    return with({{"type", "integer"}, {"minimum", least}, {"maximum", most}}, description);
}

Object list_of(Object items) {
    return {{"type", "array"}, {"items", std::move(items)}};
}

Object any_of(json::array choices) {
    return {{"anyOf", std::move(choices)}};
}

Object reference(std::string_view name) {
    return {{"$ref", fmt::format("#/definitions/{}", name)}};
}

Object closed(Object properties) {
    return {
        {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}
    };
}

/// "{{name}}" alone stands for a value of any type.
Object variable() {
    return {{"type", "string"}, {"pattern", R"(^\{\{.*\}\}$)"}};
}

Object file_reference() {
    return {{"type", "string"}, {"pattern", "^file://[^/]"}};
}

Object or_variable(Object schema) {
    auto description = schema["description"];
    schema.erase("description");
    auto result = any_of({std::move(schema), variable()});
    result["description"] = std::move(description);
    return result;
}

void add_sampling(Object& properties) {
    properties["temperature"] = or_variable(number(0, 2, "0: the likeliest token always"));
    properties["top_p"] = or_variable(number(0, 1, "Draw from the likeliest tokens of this share"));
    properties["top_k"] =
        or_variable(whole(0, 1'000'000, "Draw from so many likeliest tokens; 0: from all"));
    properties["min_p"] =
        or_variable(number(0, 1, "Leave out tokens less likely than this share of the likeliest"));
    properties["repetition_penalty"] = or_variable(number(0, 10, "Over 1: repeating costs"));
    properties["max_tokens"] = or_variable(whole(1, 1'000'000, "Longest answer in tokens"));
    properties["seed"] =
        or_variable(whole(0, 9'007'199'254'740'991, "Of the first sample; sample n gets seed + n"));
    properties["stop"] = with(
        any_of({Object{{"type", "string"}}, list_of({{"type", "string"}})}),
        "Texts that end the answer"
    );
    properties["extra"] =
        with({{"type", "object"}}, "Further fields of the request, sent as they are");
}

Object tool() {
    const auto function = [] {
        auto schema = closed({
            {"name", Object{{"type", "string"}, {"pattern", "^[A-Za-z0-9_.-]{1,64}$"}}},
            {"description", text("What it does")},
            {"parameters", with({{"type", "object"}}, "JSON Schema of its arguments")},
            {"strict", Object{{"type", "boolean"}}},
        });
        schema["required"] = json::array{"name"};
        return schema;
    };
    auto whole_form = closed({{"type", Object{{"const", "function"}}}, {"function", function()}});
    whole_form["required"] = json::array{"function"};
    return any_of({
        with({{"type", "string"}}, "Name of one of the tools in `defaults`"),
        function(),
        std::move(whole_form),
    });
}

Object message() {
    auto schema = closed({
        {"role", Object{{"enum", {"system", "user", "assistant", "tool"}}}},
        {"content", Object{{"type", {"string", "array", "null"}}}},
        {"tool_calls", list_of({{"type", "object"}})},
        {"tool_call_id", Object{{"type", "string"}}},
        {"name", Object{{"type", "string"}}},
    });
    schema["required"] = json::array{"role"};
    return schema;
}

/// What a scorer's mapping may hold: that may stand beside it too.
void collect_properties(const json::value& schema, Object& into) {
    if (const auto* properties = member(schema, "properties"); properties != nullptr) {
        if (const auto* object = properties->if_object()) {
            for (const auto& [name, value] : *object) into.emplace(name, value);
        }
    }
    for (const auto* name : {"anyOf", "oneOf", "allOf"}) {
        const auto* choices = member(schema, name);
        const auto* list = choices == nullptr ? nullptr : choices->if_array();
        if (list == nullptr) continue;
        for (const auto& choice : *list) collect_properties(choice, into);
    }
}

Object scorer_form(const std::string& name, const json::value& schema) {
    Object properties;
    collect_properties(schema, properties);
    properties.erase("value");
    properties[name] = any_of({schema, variable()});
    properties["weight"] = reference("weight");
    auto form = closed(std::move(properties));
    form["required"] = json::array{json::value(name)};
    return form;
}

Object promptfoo_form() {
    json::array types;
    for (const auto& type : promptfoo_types()) types.emplace_back(type);
    Object form = {
        {"type", "object"},
        {"properties",
         Object{{"type", Object{{"enum", std::move(types)}}}, {"weight", reference("weight")}}},
        {"required", json::array{"type"}}
    };
    return with(std::move(form), "promptfoo's form of an assertion");
}

Object expectation() {
    json::array forms;
    for (const auto& [name, schema] : scorer_schemas()) forms.push_back(scorer_form(name, schema));
    forms.push_back(promptfoo_form());
    return any_of(std::move(forms));
}

Object expectations(std::string_view description) {
    auto several = list_of(reference("expectation"));
    several["minItems"] = 1;
    return with(any_of({std::move(several), reference("expectation")}), description);
}

/// Fields of a prompt that `defaults` may have too.
Object shared_properties() {
    const Object name = {{"type", {"string", "number"}}};
    Object properties = {
        {"group", with(name, "Related prompts share one: errors are clustered by it")},
        {"category", with(name, "Results are also shown by category")},
        {"system", text("System prompt; \"\" is none")},
        {"prompt", text("The user's message")},
        {"tools",
         with(
             any_of({list_of(reference("tool")), file_reference()}), "Tools that the model may call"
         )},
        {"expect", expectations("What the answer is judged by")},
        {"assert", expectations("The same as `expect`")},
        {"repeats", or_variable(whole(1, 10'000, "Samples of the prompt"))},
    };
    add_sampling(properties);
    return properties;
}

Object prompt() {
    auto properties = shared_properties();
    properties["id"] =
        with({{"type", {"string", "number"}}}, "Stable name; variants of a model are paired by it");
    properties["description"] = text("For people; not sent");
    properties["metadata"] = with({{"type", "object"}}, "For people and programs; not sent");
    properties["messages"] = with(
        any_of({list_of(reference("message")), variable()}), "A conversation, instead of `prompt`"
    );
    properties["input"] = with(
        any_of({Object{{"type", "string"}}, list_of(reference("message"))}),
        "The same as `prompt` or `messages`"
    );
    properties["target"] = with(
        any_of({Object{{"type", {"string", "number"}}}, list_of({{"type", "string"}})}),
        "Text that the answer must contain, or several of which one suffices"
    );
    properties["vars"] = with(
        any_of({
            file_reference(),
            Object{{"type", "object"}},
            list_of({{"type", "object"}}),
        }),
        "Variables for {{name}}: one row, a list of rows (a prompt each), or a file of rows"
    );
    return closed(std::move(properties));
}

Object defaults() {
    auto properties = shared_properties();
    properties["vars"] = with({{"type", "object"}}, "Variables that every prompt knows");
    return with(closed(std::move(properties)), "What holds for prompts that do not say otherwise");
}

Object gates() {
    return with(
        closed({
            {"accuracy",
             with(
                 any_of({
                     Object{
                         {"type", "string"},
                         {"pattern", R"(^\s*>=\s*[0-9.]+(\s+at lower bound)?\s*$)"}
                     },
                     Object{{"type", "number"}, {"minimum", 0}, {"maximum", 1}},
                 }),
                 "\">= 0.8\", or \">= 0.8 at lower bound\" of the interval"
             )},
            {"no_regression",
             with(
                 list_of({{"type", "string"}}), "Categories that must not get worse in a comparison"
             )},
        }),
        "Limits that decide the exit code"
    );
}

}  // namespace

json::object suite_schema() {
    const auto prompts = [] {
        auto list = list_of(reference("prompt"));
        list["minItems"] = 1;
        return list;
    };
    auto schema = closed({
        {"suite", with({{"type", {"string", "number"}}}, "Name of the suite")},
        {"version", whole(0, 1'000'000'000, "For people; what counts is the hash")},
        {"description", text("For people")},
        {"defaults", defaults()},
        {"prompts", with(prompts(), "What is asked")},
        {"tests", with(prompts(), "The same as `prompts`")},
        {"gates", gates()},
    });
    schema["anyOf"] = {
        Object{{"required", json::array{"prompts"}}}, Object{{"required", json::array{"tests"}}}
    };
    Object result = {
        {"$schema", "http://json-schema.org/draft-07/schema#"},
        {"title", "A suite of prompts for punie eval"},
    };
    for (auto& [name, value] : schema) result[name] = std::move(value);
    result["definitions"] = Object{
        {"prompt", prompt()},
        {"message", message()},
        {"tool", tool()},
        {"expectation", expectation()},
        {"weight",
         with(
             {{"type", "number"}, {"exclusiveMinimum", 0}, {"maximum", 1e6}},
             "Its share in the prompt's score; 1 when left out"
         )},
    };
    return result;
}

}  // namespace punie::eval
