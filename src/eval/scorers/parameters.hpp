#pragma once
// The value under a scorer's name, read with a place in every fault.

#include <punie/error.hpp>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace punie::eval::scorers {

/// Reads members of an object; a value that is none counts as {"value": it}. The first fault is
/// kept; `error` then also reports members that nobody asked for.
class Parameters {
public:
    /// `pointer`: where the value stands, "" for the whole.
    explicit Parameters(const json::value& value, std::string pointer = {});

    /// The member, or null.
    const json::value* get(std::string_view name);

    bool flag(std::string_view name, bool otherwise);
    /// A number from `least` on.
    std::optional<double> number(std::string_view name, double least);
    /// A whole number from 0.
    std::optional<std::size_t> count(std::string_view name);
    std::optional<std::string> text(std::string_view name);
    /// A string, number or truth value as text, or a list of them.
    std::vector<std::string> texts(std::string_view name);
    /// One of `allowed`, the first where it is absent.
    std::string choice(std::string_view name, const std::vector<std::string>& allowed);

    /// Notes a fault at the member (at the whole value for "").
    void fault(std::string_view name, std::string_view message);

    /// "/calls/0/name".
    std::string at(std::string_view name) const;

    std::optional<Error> error() const;

private:
    json::object object_;
    std::string pointer_;
    bool is_object_;
    std::set<std::string, std::less<>> known_;
    std::optional<Error> error_;
};

}  // namespace punie::eval::scorers
