#pragma once
// Reading a client's request field by field. The first fault is kept, with the place where it
// stands; reading goes on with defaults, so that the code reads like the protocol's page.

#include <punie/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace punie::translate {

/// The first fault of one request.
class Faults {
public:
    /// `path`: "messages[2].content"; `what`: what was found and what is allowed.
    void add(std::string_view path, std::string_view what);

    bool any() const { return first_.has_value(); }

    /// Call only when any().
    Error error() const { return *first_; }

private:
    std::optional<Error> first_;
};

/// An object of the request, and where it stands. Lives no longer than the request and its Faults.
class Fields {
public:
    /// A fault if `value` is no object; then every field is missing.
    Fields(const json::value& value, std::string path, Faults& faults);
    Fields(const json::object& object, Faults& faults);

    /// Missing and null are the same: nothing.
    const json::value* find(std::string_view name) const;
    /// Path of one of its fields, for messages.
    std::string path_of(std::string_view name) const;

    /// Fields of a type; nothing when they are missing. Another type is a fault.
    std::optional<std::string> text(std::string_view name) const;
    std::optional<std::int64_t> integer(std::string_view name) const;
    std::optional<bool> flag(std::string_view name) const;
    const json::value* number(std::string_view name) const;  ///< as written: 1 stays 1
    const json::object* object(std::string_view name) const;
    const json::array* array(std::string_view name) const;
    /// The objects of a list.
    std::vector<Fields> list(std::string_view name) const;

    /// As text(), but a missing or empty one is a fault.
    std::string needed_text(std::string_view name) const;

    void fault(std::string_view name, std::string_view what) const;
    /// "found X; expected Y".
    void wrong(std::string_view name, std::string_view expected) const;
    /// A fault if the field is there (and not null, false or empty): Punie cannot do it.
    void refuse(std::string_view name, std::string_view why) const;

    const std::string& path() const { return path_; }

    const json::object& value() const { return *object_; }

    Faults& faults() const { return *faults_; }

private:
    const json::object* object_;
    std::string path_;
    Faults* faults_;
};

/// "messages[2]" of "messages" and 2.
std::string indexed(std::string_view path, std::size_t index);

/// Copies the fields that mean the same in both, as they are, if they are numbers.
void copy_numbers(
    const Fields& from, std::initializer_list<std::string_view> names, json::object& to
);

}  // namespace punie::translate
