#pragma once
// A schema as it is checked: inside of base/json_schema.*, for nobody else.

#include <re2/re2.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_schema.hpp"

namespace punie::schema {

/// The types of draft 7, as bits. `integer` is a number without fraction.
enum Type : unsigned {
    no_type = 0,
    null_type = 1,
    boolean_type = 2,
    integer_type = 4,
    number_type = 8,
    string_type = 16,
    array_type = 32,
    object_type = 64,
};

struct Node;

struct Dependency {
    std::string name;
    std::vector<std::string> names{};  ///< members that must be there too
    const Node* node = nullptr;        ///< or what the object must fit
};

struct PatternProperty {
    std::unique_ptr<re2::RE2> pattern;
    const Node* node = nullptr;
};

using Limit = std::optional<json::value>;  ///< a number, with its digits
using Count = std::optional<std::size_t>;

/// One (sub)schema. Null pointers and empty optionals: the keyword is absent.
struct Node {
    std::optional<bool> verdict;      ///< the schemas `true` and `false`
    const Node* reference = nullptr;  ///< $ref; nothing beside it counts

    unsigned types = no_type;
    std::optional<json::array> choices;  ///< enum
    std::optional<json::value> fixed;    ///< const

    Limit minimum;
    Limit maximum;
    Limit above;  ///< exclusiveMinimum
    Limit below;  ///< exclusiveMaximum
    Limit multiple_of;

    Count min_length;
    Count max_length;
    std::unique_ptr<re2::RE2> pattern;
    std::string format;

    const Node* items = nullptr;
    std::vector<const Node*> tuple;
    const Node* additional_items = nullptr;
    const Node* contains = nullptr;
    Count min_items;
    Count max_items;
    bool unique = false;

    std::map<std::string, const Node*, std::less<>> properties;
    std::vector<PatternProperty> pattern_properties;
    const Node* additional_properties = nullptr;
    const Node* property_names = nullptr;
    std::vector<std::string> required;
    std::vector<Dependency> dependencies;
    Count min_properties;
    Count max_properties;

    std::vector<const Node*> all_of;
    std::vector<const Node*> any_of;
    std::vector<const Node*> one_of;
    const Node* negated = nullptr;
    const Node* condition = nullptr;
    const Node* then = nullptr;
    const Node* otherwise = nullptr;
};

/// All nodes of a schema; addresses stay.
struct Compiled {
    std::deque<Node> nodes;
    const Node* root = nullptr;
};

/// Errors: invalid_argument, with the place in the schema ("#/properties/room/type: ...").
Result<std::shared_ptr<const Compiled>> compile(const json::value& schema);

/// Findings, at most `limit` (at least one looked for).
std::vector<std::string> check(
    const Compiled& compiled, const json::value& value, std::size_t limit
);

/// Whether text is of the format; formats that are not known fit.
bool fits_format(std::string_view format, std::string_view text);

/// "a string", "an integer or null": for messages.
std::string type_words(unsigned types);

std::optional<Type> type_from(std::string_view name);

/// RFC 3986, 5.2: `reference` as seen from `base`; the fragment stays.
std::string resolve_uri(std::string_view base, std::string_view reference);

/// The draft-07 meta-schema, which schemas may refer to.
const json::value& draft7();

inline constexpr std::string_view draft7_uri = "http://json-schema.org/draft-07/schema";

}  // namespace punie::schema
