#pragma once
// Secrets out of what is kept: keys of known makers by their prefixes, values of members and
// assignments whose name says that they are secret, passwords in addresses. Pure. No guessing by
// randomness alone: it takes hashes and identifiers for secrets.

#include <string>
#include <string_view>

#include "base/json.hpp"

namespace punie::gateway {

inline constexpr std::string_view redacted_mark = "[redacted]";

/// "Authorization: Bearer sk-..." becomes "Authorization: [redacted]".
std::string redact_text(std::string_view text);

/// Every text below `value`; members named like "api_key" or "password" lose their value whole.
void redact(json::value& value);

}  // namespace punie::gateway
