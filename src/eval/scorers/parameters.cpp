#include "eval/scorers/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"

namespace punie::eval::scorers {

namespace {

/// What a person writes for text: 5 is "5".
std::optional<std::string> as_text(const json::value& value) {
    if (const auto* text = value.if_string()) return std::string(*text);
    if (value.is_number() || value.is_bool()) return short_json(value);
    return std::nullopt;
}

}  // namespace

Parameters::Parameters(const json::value& value, std::string pointer)
    : pointer_(std::move(pointer)), is_object_(value.is_object()) {
    if (is_object_)
        object_ = value.get_object();
    else
        object_["value"] = value;
}

std::string Parameters::at(std::string_view name) const {
    if (name.empty() || (!is_object_ && name == "value")) return pointer_;
    return fmt::format("{}/{}", pointer_, pointer_token(name));
}

void Parameters::fault(std::string_view name, std::string_view message) {
    if (error_) return;
    const auto place = at(name);
    error_ = Error(
        ErrorCode::invalid_argument,
        place.empty() ? std::string(message) : fmt::format("{}: {}", place, message)
    );
}

const json::value* Parameters::get(std::string_view name) {
    known_.emplace(name);
    return object_.if_contains(name);
}

bool Parameters::flag(std::string_view name, bool otherwise) {
    const auto* value = get(name);
    if (value == nullptr) return otherwise;
    if (value->is_bool()) return value->get_bool();
    fault(name, fmt::format("should be true or false, is {}", describe_json(*value)));
    return otherwise;
}

std::optional<double> Parameters::number(std::string_view name, double least) {
    const auto* value = get(name);
    if (value == nullptr) return std::nullopt;
    const auto number = value->is_number() ? value->to_number<double>() : least - 1;
    if (value->is_number() && number >= least) return number;
    fault(name, fmt::format("should be a number from {}, is {}", least, describe_json(*value)));
    return std::nullopt;
}

std::optional<std::size_t> Parameters::count(std::string_view name) {
    const auto* value = get(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_int64() && value->get_int64() >= 0)
        return static_cast<std::size_t>(value->get_int64());
    fault(name, fmt::format("should be a whole number from 0, is {}", describe_json(*value)));
    return std::nullopt;
}

std::optional<std::string> Parameters::text(std::string_view name) {
    const auto* value = get(name);
    if (value == nullptr) return std::nullopt;
    auto text = as_text(*value);
    if (!text) fault(name, fmt::format("should be text, is {}", describe_json(*value)));
    return text;
}

std::vector<std::string> Parameters::texts(std::string_view name) {
    std::vector<std::string> texts;
    const auto* value = get(name);
    if (value == nullptr) return texts;
    const auto* list = value->if_array();
    const json::array alone{*value};
    for (const auto& item : list == nullptr ? alone : *list) {
        if (auto text = as_text(item))
            texts.push_back(*std::move(text));
        else
            fault(
                name, fmt::format("should be text or a list of texts, has {}", describe_json(item))
            );
    }
    if (list != nullptr && list->empty()) fault(name, "the list is empty");
    return texts;
}

std::string Parameters::choice(std::string_view name, const std::vector<std::string>& allowed) {
    const auto* value = get(name);
    if (value == nullptr) return allowed.front();
    if (const auto* text = value->if_string();
        text != nullptr && std::ranges::find(allowed, std::string_view(*text)) != allowed.end())
        return std::string(*text);
    fault(name, fmt::format("should be {}, is {}", join_or(allowed), describe_json(*value)));
    return allowed.front();
}

std::optional<Error> Parameters::error() const {
    if (error_) return error_;
    for (const auto& member : object_) {
        const std::string name(member.key());
        if (known_.contains(name)) continue;
        const std::vector<std::string> names(known_.begin(), known_.end());
        const auto near = nearest(name, names);
        const auto place = fmt::format("{}/{}", pointer_, pointer_token(name));
        if (!is_object_)
            return Error(
                ErrorCode::invalid_argument,
                fmt::format("should be an object, is {}", describe_json(member.value()))
            );
        return Error(
            ErrorCode::invalid_argument,
            near ? fmt::format("{}: unknown key; did you mean {}?", place, *near)
                 : fmt::format("{}: unknown key; there are {}", place, join_or(names))
        );
    }
    return std::nullopt;
}

}  // namespace punie::eval::scorers
