#include "base/tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/text.hpp"

namespace punie::tree {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
    while (at < text.size() && is_digit(text[at])) ++at;
    return at;
}

/// The number grammar of RFC 8259, section 6.
bool is_json_number(std::string_view text) {
    std::size_t at = text.starts_with('-') ? 1 : 0;
    auto end = skip_digits(text, at);
    if (end == at || (text[at] == '0' && end - at > 1)) return false;
    if (end < text.size() && text[end] == '.') {
        at = end + 1;
        end = skip_digits(text, at);
        if (end == at) return false;
    }
    if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
        at = end + 1;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        end = skip_digits(text, at);
        if (end == at) return false;
    }
    return end == text.size();
}

json::value number_from(const std::string& text) {
    json::error_code error;
    auto value = json::parse(text, error);
    return error ? json::value(text) : value;
}

std::string shortened(std::string_view text) {
    constexpr std::size_t longest = 40;
    const auto shown = printable(text.substr(0, longest));
    return text.size() > longest ? shown + "..." : shown;
}

}  // namespace

const Node* Node::find(std::string_view name) const {
    const auto found = std::ranges::find(members, name, &NodeMember::name);
    return found == members.end() ? nullptr : &found->value;
}

Node plain_scalar(std::string text, Place place) {
    Node node;
    node.place = std::move(place);
    if (text.empty() || text == "null" || text == "~")
        node.kind = Node::Kind::null;
    else if (text == "true" || text == "false")
        node.kind = Node::Kind::boolean;
    else if (is_json_number(text))
        node.kind = Node::Kind::number;
    else
        node.kind = Node::Kind::text;
    node.text = std::move(text);
    return node;
}

Node text_node(std::string text, Place place) {
    Node node;
    node.kind = Node::Kind::text;
    node.quoted = true;
    node.place = std::move(place);
    node.text = std::move(text);
    return node;
}

json::value to_json(const Node& node) {
    switch (node.kind) {
        case Node::Kind::null:
            return nullptr;
        case Node::Kind::boolean:
            return node.text == "true";
        case Node::Kind::number:
            return number_from(node.text);
        case Node::Kind::text:
            return json::string(node.text);
        case Node::Kind::list: {
            json::array array;
            array.reserve(node.items.size());
            for (const auto& item : node.items) array.push_back(to_json(item));
            return array;
        }
        case Node::Kind::map:
            break;
    }
    json::object object;
    for (const auto& [name, place, value] : node.members) object[name] = to_json(value);
    return object;
}

std::string describe(const Node& node) {
    switch (node.kind) {
        case Node::Kind::null:
            return "nothing";
        case Node::Kind::boolean:
            return node.text;
        case Node::Kind::number:
            return fmt::format("the number {}", shortened(node.text));
        case Node::Kind::text:
            return fmt::format("the text \"{}\"", shortened(node.text));
        case Node::Kind::list:
            return "a list";
        case Node::Kind::map:
            break;
    }
    return "a mapping";
}

namespace {

std::string unescaped(std::string_view token) {
    std::string text;
    text.reserve(token.size());
    for (std::size_t i = 0; i < token.size(); ++i) {
        const bool escape = token[i] == '~' && i + 1 < token.size();
        if (escape && token[i + 1] == '0') text += '~';
        if (escape && token[i + 1] == '1') text += '/';
        if (escape)
            ++i;
        else
            text += token[i];
    }
    return text;
}

const Node* step(const Node& node, std::string_view token) {
    if (node.kind == Node::Kind::map) return node.find(unescaped(token));
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
    const bool valid =
        error == std::errc{} && end == token.data() + token.size() && index < node.items.size();
    return valid ? &node.items[index] : nullptr;
}

}  // namespace

const Node& at_pointer(const Node& node, std::string_view pointer) {
    const Node* at = &node;
    while (pointer.starts_with('/')) {
        pointer.remove_prefix(1);
        const auto token = pointer.substr(0, pointer.find('/'));
        const auto* next = step(*at, token);
        if (next == nullptr) break;
        at = next;
        pointer.remove_prefix(token.size());
    }
    return *at;
}

}  // namespace punie::tree
