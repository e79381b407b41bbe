#pragma once
// A recorded command as the words that it was made of.

#include <punie/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace punie::journal {

/// The inverse of shell_quoted: words apart by blanks, '...' and "..." and \ as a shell reads them.
/// Nothing is expanded; what only a shell could do (|, >, $(...), ;) is refused where it stands
/// unquoted. Errors: invalid_argument.
Result<std::vector<std::string>> shell_words(std::string_view command);

}  // namespace punie::journal
