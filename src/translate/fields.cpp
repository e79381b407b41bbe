#include "translate/fields.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json_equal.hpp"

namespace punie::translate {

namespace {

const json::object nothing;

bool is_empty(const json::value& value) {
    if (const auto* flag = value.if_bool()) return !*flag;
    if (const auto* text = value.if_string()) return text->empty();
    if (const auto* list = value.if_array()) return list->empty();
    if (const auto* object = value.if_object()) return object->empty();
    return value.is_null();
}

}  // namespace

void Faults::add(std::string_view path, std::string_view what) {
    if (first_) return;
    const auto text = path.empty() ? std::string(what) : fmt::format("{}: {}", path, what);
    first_.emplace(ErrorCode::invalid_argument, text);
}

Fields::Fields(const json::value& value, std::string path, Faults& faults)
    : object_(value.if_object()), path_(std::move(path)), faults_(&faults) {
    if (object_ != nullptr) return;
    object_ = &nothing;
    faults.add(path_, fmt::format("found {}; expected an object", describe_json(value)));
}

Fields::Fields(const json::object& object, Faults& faults) : object_(&object), faults_(&faults) {}

const json::value* Fields::find(std::string_view name) const {
    const auto* value = object_->if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::string Fields::path_of(std::string_view name) const {
    if (path_.empty()) return std::string(name);
    return name.empty() ? path_ : fmt::format("{}.{}", path_, name);
}

std::optional<std::string> Fields::text(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const auto* text = value->if_string()) return std::string(*text);
    wrong(name, "a string");
    return std::nullopt;
}

std::optional<std::int64_t> Fields::integer(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const auto* number = value->if_int64()) return *number;
    const auto* fraction = value->if_double();  // 100.0 is what some languages write for 100
    constexpr double largest = 9e15;
    if (fraction != nullptr && is_whole_number(*value) && *fraction > -largest &&
        *fraction < largest)
        return static_cast<std::int64_t>(*fraction);
    wrong(name, "a whole number");
    return std::nullopt;
}

std::optional<bool> Fields::flag(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const auto* flag = value->if_bool()) return *flag;
    wrong(name, "true or false");
    return std::nullopt;
}

const json::value* Fields::number(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr || value->is_number()) return value;
    wrong(name, "a number");
    return nullptr;
}

const json::object* Fields::object(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr || value->is_object())
        return value == nullptr ? nullptr : &value->get_object();
    wrong(name, "an object");
    return nullptr;
}

const json::array* Fields::array(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr || value->is_array())
        return value == nullptr ? nullptr : &value->get_array();
    wrong(name, "a list");
    return nullptr;
}

std::vector<Fields> Fields::list(std::string_view name) const {
    std::vector<Fields> all;
    const auto* items = array(name);
    if (items == nullptr) return all;
    all.reserve(items->size());
    for (const auto& item : *items)
        all.emplace_back(item, indexed(path_of(name), all.size()), *faults_);
    return all;
}

std::string Fields::needed_text(std::string_view name) const {
    if (find(name) == nullptr) {
        fault(name, "is missing; a string is needed");
        return {};
    }
    auto value = text(name).value_or("");
    if (value.empty()) fault(name, "found \"\"; expected a string that is not empty");
    return value;
}

void Fields::fault(std::string_view name, std::string_view what) const {
    faults_->add(path_of(name), what);
}

void Fields::wrong(std::string_view name, std::string_view expected) const {
    const auto* value = find(name);
    const auto found = value == nullptr ? std::string("nothing") : describe_json(*value);
    fault(name, fmt::format("found {}; expected {}", found, expected));
}

void Fields::refuse(std::string_view name, std::string_view why) const {
    const auto* value = find(name);
    if (value == nullptr || is_empty(*value)) return;
    fault(name, fmt::format("is not supported here: {}", why));
}

std::string indexed(std::string_view path, std::size_t index) {
    return fmt::format("{}[{}]", path, index);
}

void copy_numbers(
    const Fields& from, std::initializer_list<std::string_view> names, json::object& to
) {
    for (const auto name : names) {
        if (const auto* value = from.number(name)) to[name] = *value;
    }
}

}  // namespace punie::translate
