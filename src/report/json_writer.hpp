#pragma once
// Parts of a report as JSON objects: empty texts and lists, false and missing values are left out.

#include <cmath>
#include <concepts>

#include "report/report_fields.hpp"

namespace punie::report {

/// `storage` is where the whole value lives; the default is the heap.
template <typename Part>
json::value part_json(const Part& part, const json::storage_ptr& storage = {});

/// Puts the members that `walk` names into an object.
class MemberWriter {
public:
    explicit MemberWriter(json::object& into) : into_(into) {}

    void operator()(std::string_view name, const std::string& text) {
        if (!text.empty()) into_[name] = text;
    }

    void operator()(std::string_view name, const json::array& list) {
        if (!list.empty()) into_[name] = list;
    }

    void operator()(std::string_view name, Tone tone) { into_[name] = name_of(tone); }

    void operator()(std::string_view name, bool yes) {
        if (yes) into_[name] = true;
    }

    /// A diverged loss is no JSON number: null.
    void operator()(std::string_view name, double number) {
        into_[name] = std::isfinite(number) ? json::value(number) : json::value(nullptr);
    }

    template <std::integral Number>
    void operator()(std::string_view name, Number number) {
        into_[name] = number;
    }

    template <typename T>
    void operator()(std::string_view name, const std::optional<T>& value) {
        if (value) (*this)(name, *value);
    }

    template <typename T>
    void operator()(std::string_view name, const std::vector<T>& parts) {
        if (parts.empty()) return;
        json::array list(into_.storage());
        list.reserve(parts.size());
        for (const auto& part : parts) list.push_back(part_json(part, into_.storage()));
        into_[name] = std::move(list);
    }

    template <typename Part>
        requires std::is_class_v<Part>
    void operator()(std::string_view name, const Part& part) {
        into_[name] = part_json(part, into_.storage());
    }

private:
    json::object& into_;
};

template <typename Part>
json::value part_json(const Part& part, const json::storage_ptr& storage) {
    if constexpr (std::same_as<Part, std::string>) {
        return json::value(json::string_view(part), storage);
    } else {
        json::object object(storage);
        walk(part, MemberWriter(object));
        return object;
    }
}

}  // namespace punie::report
