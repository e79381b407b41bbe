#include "eval/suite_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"

namespace punie::eval {

std::string joined(std::string_view path, std::string_view name) {
    if (path.empty()) return std::string(name);
    return name.empty() ? std::string(path) : fmt::format("{}.{}", path, name);
}

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
    const auto close = nearest(name, known);
    return close ? fmt::format("did you mean `{}`?", *close)
                 : fmt::format("there is {}", join_or(known));
}

const Node* Fields::find(std::string_view name) const {
    const auto* found = node_.find(name);
    return found == nullptr || found->kind == Node::Kind::null ? nullptr : found;
}

void Fields::allow_only(std::span<const std::string_view> names) const {
    for (const auto& member : node_.members) {
        if (std::ranges::find(names, member.name) != names.end()) continue;
        const std::vector<std::string> known(names.begin(), names.end());
        faults_.add(
            member.place,
            path_,
            fmt::format(
                "unknown key `{}`; {}", printable(member.name), suggestion(member.name, known)
            )
        );
    }
}

std::optional<std::string> Fields::text(std::string_view name, bool or_number) const {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    const bool fits =
        found->kind == Node::Kind::text || (or_number && found->kind == Node::Kind::number);
    if (fits) return found->text;
    fault(
        *found,
        name,
        fmt::format(
            "expected text, found {}{}",
            describe(*found),
            found->is_scalar() ? " (put it in quotes)" : ""
        )
    );
    return std::nullopt;
}

std::optional<double> Fields::number(std::string_view name, const Range& range) const {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    if (found->kind == Node::Kind::number) {
        const auto value = to_json(*found).to_number<double>();
        if (value >= range.least && value <= range.most) return value;
    }
    fault(
        *found,
        name,
        fmt::format("expected a number from {}, found {}", range.words, describe(*found))
    );
    return std::nullopt;
}

std::optional<std::int64_t> Fields::integer(std::string_view name, const Range& range) const {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    if (found->kind == Node::Kind::number) {
        const auto value = to_json(*found);
        const auto* whole = value.if_int64();
        if (whole != nullptr && static_cast<double>(*whole) >= range.least &&
            static_cast<double>(*whole) <= range.most)
            return *whole;
    }
    fault(
        *found,
        name,
        fmt::format("expected a whole number from {}, found {}", range.words, describe(*found))
    );
    return std::nullopt;
}

std::vector<std::string> Fields::texts(std::string_view name) const {
    const auto* found = find(name);
    if (found == nullptr) return {};
    if (found->kind == Node::Kind::text) return {found->text};
    std::vector<std::string> values;
    const bool fits =
        found->kind == Node::Kind::list && std::ranges::all_of(found->items, [](const Node& item) {
            return item.kind == Node::Kind::text;
        });
    if (!fits) {
        fault(*found, name, fmt::format("expected a list of texts, found {}", describe(*found)));
        return values;
    }
    values.reserve(found->items.size());
    for (const auto& item : found->items) values.push_back(item.text);
    return values;
}

void Fields::fault(const Node& at, std::string_view name, std::string_view message) const {
    faults_.add(at.place, path_of(name), message);
}

}  // namespace punie::eval
