#pragma once
// What a person writes for a run: an id, the beginning of one, or @last and its like.

#include <punie/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace punie::journal {

struct Reference {
    enum class Form { id, newest, baseline };
    Form form = Form::id;
    std::string id;        ///< of id: as written
    std::string kind;      ///< of newest: "eval" for "@last" and "@~N"
    std::size_t back = 0;  ///< of newest: how many before the newest one
};

/// "eval-7f3a", "7f3a", "@last", "@last-train", "@last-train~1", "@~2", "@baseline". Errors:
/// invalid_argument, with the forms that there are.
Result<Reference> parse_reference(std::string_view text);

}  // namespace punie::journal
