// A schema's text into nodes. No recursion: what refers is queued, so that neither depth nor a ring
// of references matters.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>

#include "base/json_equal.hpp"
#include "base/json_schema_node.hpp"
#include "base/text.hpp"

namespace punie::schema {

namespace {

constexpr std::array type_names = {
    std::pair{null_type, std::string_view("null")},
    std::pair{boolean_type, std::string_view("boolean")},
    std::pair{integer_type, std::string_view("integer")},
    std::pair{number_type, std::string_view("number")},
    std::pair{string_type, std::string_view("string")},
    std::pair{array_type, std::string_view("array")},
    std::pair{object_type, std::string_view("object")},
};

/// A schema inside the document: its text, what its references are relative to, where it stands.
struct Place {
    const json::value* value = nullptr;
    std::string base;
    std::string pointer;  ///< "#/properties/room", for messages
};

std::string_view without_fragment(std::string_view uri) {
    return uri.substr(0, uri.find('#'));
}

/// "%25" and the like; what is no escape stays.
std::string percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        const auto* digits = text.data() + i + 1;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
            out += static_cast<char>(byte);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string pointer_decoded(std::string_view token) {
    std::string out;
    out.reserve(token.size());
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1'))
            out += token[++i] == '0' ? '~' : '/';
        else
            out += token[i];
    }
    return out;
}

/// ECMA 262 writes \u00e9 where RE2 writes \x{00e9}.
std::string as_re2(std::string_view pattern) {
    std::string out;
    out.reserve(pattern.size());
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '\\' || i + 1 == pattern.size()) {
            out += pattern[i];
            continue;
        }
        if (pattern[i + 1] == 'u' && i + 5 < pattern.size() && pattern[i + 2] != '{') {
            out += fmt::format("\\x{{{}}}", pattern.substr(i + 2, 4));
            i += 5;
            continue;
        }
        out += pattern[i];
        out += pattern[++i];
    }
    return out;
}

const json::value* child(const json::value& value, std::string_view token) {
    if (const auto* object = value.if_object()) return object->if_contains(token);
    const auto* array = value.if_array();
    std::size_t index = 0;
    const auto* end = token.data() + token.size();
    if (array == nullptr || std::from_chars(token.data(), end, index).ptr != end) return nullptr;
    return index < array->size() ? &(*array)[index] : nullptr;
}

/// Keywords whose value is a schema, a list of schemas, or schemas by name.
constexpr std::array<std::string_view, 9> schema_keywords = {
    "additionalItems",
    "contains",
    "additionalProperties",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "items"
};
constexpr std::array<std::string_view, 4> list_keywords = {"allOf", "anyOf", "oneOf", "items"};
constexpr std::array<std::string_view, 5> map_keywords = {
    "properties", "patternProperties", "definitions", "$defs", "dependencies"
};

class Compiler {
public:
    Compiler() : out_(std::make_shared<Compiled>()) {}

    Result<std::shared_ptr<const Compiled>> run(const json::value& schema) {
        add_document(schema, "");
        out_->root = node_for({&schema, base_of(schema, ""), "#"});
        while (!queue_.empty() && !error_) {
            auto [node, place] = std::move(queue_.back());
            queue_.pop_back();
            fill(*node, place);
        }
        if (error_) return std::unexpected(*std::move(error_));
        return std::shared_ptr<const Compiled>(std::move(out_));
    }

private:
    void fault(const Place& place, std::string_view keyword, std::string_view what) {
        if (error_) return;
        const auto at = keyword.empty()
                            ? place.pointer
                            : fmt::format("{}/{}", place.pointer, pointer_token(keyword));
        error_ = Error(ErrorCode::invalid_argument, fmt::format("{}: {}", at, what));
    }

    // Where every $id of a document leads to.
    void add_document(const json::value& root, const std::string& uri) {
        documents_.emplace(uri, &root);
        std::vector<std::pair<const json::value*, std::string>> pending{{&root, uri}};
        while (!pending.empty()) {
            auto [value, outer] = std::move(pending.back());
            pending.pop_back();
            const auto* object = value->if_object();
            if (object == nullptr || object->contains("$ref")) continue;
            const auto base = base_of(*value, outer);
            if (base != outer) documents_.emplace(base, value);
            for (const auto& member : *object) add_children(member, base, pending);
        }
    }

    static void add_children(
        const json::key_value_pair& member,
        const std::string& base,
        std::vector<std::pair<const json::value*, std::string>>& pending
    ) {
        const std::string_view key = member.key();
        const auto& value = member.value();
        if (value.is_object() && std::ranges::find(schema_keywords, key) != schema_keywords.end())
            pending.emplace_back(&value, base);
        if (value.is_array() && std::ranges::find(list_keywords, key) != list_keywords.end()) {
            for (const auto& item : value.get_array()) pending.emplace_back(&item, base);
        }
        if (value.is_object() && std::ranges::find(map_keywords, key) != map_keywords.end()) {
            for (const auto& item : value.get_object()) pending.emplace_back(&item.value(), base);
        }
    }

    /// The base of what stands inside `value`. "#name" names the schema and changes no base.
    static std::string base_of(const json::value& value, const std::string& outer) {
        const auto id = string_member(value, "$id");
        if (!id || member(value, "$ref") != nullptr) return outer;
        auto uri = resolve_uri(outer, *id);
        if (uri.ends_with('#')) uri.pop_back();
        return uri;
    }

    const Node* node_for(const Place& place) {
        const auto [found, added] = nodes_.try_emplace(place.value, nullptr);
        if (added) {
            found->second = &out_->nodes.emplace_back();
            queue_.emplace_back(found->second, place);
        }
        return found->second;
    }

    const Node* node_in(const Place& place, const json::value& value, std::string_view step) {
        return node_for(
            {&value, base_of(value, place.base), fmt::format("{}/{}", place.pointer, step)}
        );
    }

    const Node* node_of(const Place& place, std::string_view keyword) {
        const auto* value = member(*place.value, keyword);
        return value == nullptr ? nullptr : node_in(place, *value, keyword);
    }

    void fill(Node& node, const Place& place) {
        if (const auto* verdict = place.value->if_bool()) {
            node.verdict = *verdict;
            return;
        }
        if (!place.value->is_object()) {
            fault(
                place,
                "",
                fmt::format(
                    "a schema is an object, true or false, not {}", describe_json(*place.value)
                )
            );
            return;
        }
        if (const auto* reference = member(*place.value, "$ref")) {
            node.reference = follow(place, *reference);
            return;
        }
        fill_values(node, place);
        fill_limits(node, place);
        fill_array(node, place);
        fill_object(node, place);
        fill_combined(node, place);
    }

    const Node* follow(const Place& place, const json::value& reference) {
        const auto* text = reference.if_string();
        if (text == nullptr) {
            fault(place, "$ref", "should be a string");
            return nullptr;
        }
        const auto uri = resolve_uri(place.base, std::string_view(*text));
        const auto document = without_fragment(uri);
        const auto fragment =
            percent_decoded(uri.substr(std::min(uri.size(), document.size() + 1)));
        if (document == draft7_uri && !documents_.contains(std::string(draft7_uri)))
            add_document(draft7(), std::string(draft7_uri));
        const bool pointer = fragment.empty() || fragment.starts_with('/');
        const auto found = documents_.find(pointer ? std::string(document) : uri);
        if (found == documents_.end()) {
            const bool own = document == without_fragment(place.base);
            fault(
                place,
                "$ref",
                fmt::format(
                    "\"{}\" {}",
                    printable(*text),
                    own ? "leads nowhere in this schema"
                        : "is outside of this schema, and nothing is fetched"
                )
            );
            return nullptr;
        }
        Place target{found->second, base_of(*found->second, std::string(document)), uri};
        return walk(place, target, fragment.starts_with('/') ? fragment : "");
    }

    const Node* walk(const Place& from, Place target, std::string_view pointer) {
        while (!pointer.empty()) {
            pointer.remove_prefix(1);
            const auto token = pointer.substr(0, pointer.find('/'));
            pointer.remove_prefix(token.size());
            target.value = child(*target.value, pointer_decoded(token));
            if (target.value == nullptr) {
                fault(from, "$ref", fmt::format("there is no {}", printable(target.pointer)));
                return nullptr;
            }
            target.base = base_of(*target.value, target.base);
        }
        return node_for(target);
    }

    void fill_values(Node& node, const Place& place) {
        if (const auto* type = member(*place.value, "type")) {
            if (const auto* list = type->if_array()) {
                for (const auto& one : *list) add_type(node, place, one);
            } else {
                add_type(node, place, *type);
            }
        }
        if (const auto* choices = member(*place.value, "enum")) {
            if (const auto* list = choices->if_array())
                node.choices = *list;
            else
                fault(
                    place, "enum", fmt::format("should be an array, is {}", describe_json(*choices))
                );
        }
        if (const auto* fixed = member(*place.value, "const")) node.fixed = *fixed;
    }

    void add_type(Node& node, const Place& place, const json::value& name) {
        const auto* text = name.if_string();
        const auto type = text == nullptr ? std::nullopt : type_from(*text);
        if (type) {
            node.types |= *type;
            return;
        }
        std::vector<std::string> known;
        known.reserve(type_names.size());
        for (const auto& entry : type_names) known.emplace_back(entry.second);
        fault(
            place,
            "type",
            fmt::format("{} is no JSON type; there are {}", short_json(name), join_or(known))
        );
    }

    void limit(Limit& limit, const Place& place, std::string_view keyword) {
        const auto* value = member(*place.value, keyword);
        if (value == nullptr) return;
        if (!value->is_number())
            fault(place, keyword, fmt::format("should be a number, is {}", describe_json(*value)));
        limit = *value;
    }

    void count(Count& count, const Place& place, std::string_view keyword) {
        const auto* value = member(*place.value, keyword);
        if (value == nullptr) return;
        if (!value->is_number() || !is_whole_number(*value) || value->to_number<double>() < 0) {
            fault(
                place,
                keyword,
                fmt::format("should be a whole number from 0, is {}", describe_json(*value))
            );
            return;
        }
        count = static_cast<std::size_t>(std::min(value->to_number<double>(), 1e15));
    }

    std::unique_ptr<re2::RE2> regex(
        const Place& place, std::string_view keyword, std::string_view text
    ) {
        re2::RE2::Options options;
        options.set_log_errors(false);
        auto pattern = std::make_unique<re2::RE2>(as_re2(text), options);
        if (!pattern->ok())
            fault(
                place,
                keyword,
                fmt::format(
                    "the pattern \"{}\" is not understood: {} (RE2's syntax; no "
                    "lookahead, no back references)",
                    shortened(printable(text), 80),
                    pattern->error()
                )
            );
        return pattern;
    }

    void fill_limits(Node& node, const Place& place) {
        limit(node.minimum, place, "minimum");
        limit(node.maximum, place, "maximum");
        limit(node.above, place, "exclusiveMinimum");
        limit(node.below, place, "exclusiveMaximum");
        limit(node.multiple_of, place, "multipleOf");
        if (node.multiple_of && node.multiple_of->is_number() &&
            !(node.multiple_of->to_number<double>() > 0))
            fault(place, "multipleOf", "should be a number over 0");
        count(node.min_length, place, "minLength");
        count(node.max_length, place, "maxLength");
        if (const auto* pattern = member(*place.value, "pattern")) {
            if (const auto* text = pattern->if_string())
                node.pattern = regex(place, "pattern", *text);
            else
                fault(
                    place,
                    "pattern",
                    fmt::format("should be a string, is {}", describe_json(*pattern))
                );
        }
        node.format = string_member(*place.value, "format").value_or("");
    }

    std::vector<const Node*> list_of(const Place& place, std::string_view keyword) {
        std::vector<const Node*> list;
        const auto* value = member(*place.value, keyword);
        if (value == nullptr) return list;
        const auto* array = value->if_array();
        if (array == nullptr || (array->empty() && keyword != "items")) {
            fault(place, keyword, "should be an array with at least one schema");
            return list;
        }
        list.reserve(array->size());
        for (std::size_t i = 0; i < array->size(); ++i)
            list.push_back(node_in(place, (*array)[i], fmt::format("{}/{}", keyword, i)));
        return list;
    }

    void fill_array(Node& node, const Place& place) {
        const auto* items = member(*place.value, "items");
        if (items != nullptr && items->is_array()) {
            node.tuple = list_of(place, "items");
            node.additional_items = node_of(place, "additionalItems");
        } else {
            node.items = node_of(place, "items");
        }
        node.contains = node_of(place, "contains");
        count(node.min_items, place, "minItems");
        count(node.max_items, place, "maxItems");
        node.unique = bool_member(*place.value, "uniqueItems").value_or(false);
    }

    const json::object* object_of(const Place& place, std::string_view keyword) {
        const auto* value = member(*place.value, keyword);
        if (value == nullptr) return nullptr;
        if (!value->is_object())
            fault(place, keyword, fmt::format("should be an object, is {}", describe_json(*value)));
        return value->if_object();
    }

    std::vector<std::string> names_of(
        const Place& place, std::string_view keyword, const json::value& value
    ) {
        std::vector<std::string> names;
        const auto* array = value.if_array();
        if (array == nullptr) {
            fault(
                place,
                keyword,
                fmt::format("should be an array of names, is {}", describe_json(value))
            );
            return names;
        }
        names.reserve(array->size());
        for (const auto& name : *array) {
            if (const auto* text = name.if_string())
                names.emplace_back(*text);
            else
                fault(
                    place,
                    keyword,
                    fmt::format("holds {} where a name should be", describe_json(name))
                );
        }
        return names;
    }

    void fill_object(Node& node, const Place& place) {
        if (const auto* properties = object_of(place, "properties")) {
            for (const auto& [name, value] : *properties)
                node.properties.emplace(
                    name, node_in(place, value, fmt::format("properties/{}", pointer_token(name)))
                );
        }
        if (const auto* patterns = object_of(place, "patternProperties")) {
            node.pattern_properties.reserve(patterns->size());
            for (const auto& [name, value] : *patterns)
                node.pattern_properties.push_back(
                    {regex(place, "patternProperties", name),
                     node_in(place, value, fmt::format("patternProperties/{}", pointer_token(name)))
                    }
                );
        }
        node.additional_properties = node_of(place, "additionalProperties");
        node.property_names = node_of(place, "propertyNames");
        if (const auto* required = member(*place.value, "required"))
            node.required = names_of(place, "required", *required);
        count(node.min_properties, place, "minProperties");
        count(node.max_properties, place, "maxProperties");
        if (const auto* dependencies = object_of(place, "dependencies")) {
            for (const auto& [name, value] : *dependencies)
                add_dependency(node, place, name, value);
        }
    }

    void add_dependency(
        Node& node, const Place& place, std::string_view name, const json::value& value
    ) {
        Dependency dependency{std::string(name)};
        const auto step = fmt::format("dependencies/{}", pointer_token(name));
        if (value.is_array())
            dependency.names = names_of(place, step, value);
        else
            dependency.node = node_in(place, value, step);
        node.dependencies.push_back(std::move(dependency));
    }

    void fill_combined(Node& node, const Place& place) {
        node.all_of = list_of(place, "allOf");
        node.any_of = list_of(place, "anyOf");
        node.one_of = list_of(place, "oneOf");
        node.negated = node_of(place, "not");
        node.condition = node_of(place, "if");
        node.then = node_of(place, "then");
        node.otherwise = node_of(place, "else");
    }

    std::shared_ptr<Compiled> out_;
    std::map<const json::value*, Node*> nodes_;
    std::vector<std::pair<Node*, Place>> queue_;
    std::map<std::string, const json::value*> documents_;
    std::optional<Error> error_;
};

}  // namespace

std::optional<Type> type_from(std::string_view name) {
    for (const auto& [type, known] : type_names) {
        if (known == name) return type;
    }
    return std::nullopt;
}

std::string type_words(unsigned types) {
    std::vector<std::string> words;
    for (const auto& [type, name] : type_names) {
        if ((types & type) == 0) continue;
        const bool vowel = std::string_view("aeiou").find(name.front()) != std::string_view::npos;
        words.push_back(
            type == null_type ? "null" : fmt::format("{} {}", vowel ? "an" : "a", name)
        );
    }
    return join_or(words);
}

Result<std::shared_ptr<const Compiled>> compile(const json::value& schema) {
    return Compiler().run(schema);
}

}  // namespace punie::schema
