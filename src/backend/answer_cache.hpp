#pragma once
// What programs said about themselves, kept in the cache folder and valid as long as their files do
// not change.

#include <boost/json/value.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace punie::backend {

/// The answer kept for `key` if every watched file still has the modification time and size that it
/// had then. A missing, broken or stale file is no answer.
std::optional<boost::json::value> cached_answer(std::string_view key);

/// Keeps an answer; failing to write is not an error (the program is then asked again).
void keep_answer(
    std::string_view key,
    const boost::json::value& answer,
    const std::vector<std::filesystem::path>& watched
);

/// FNV-1a, 64 bits, in hexadecimal: a file name for a key, not a defence against an attacker.
std::string content_hash(std::string_view text);

}  // namespace punie::backend
