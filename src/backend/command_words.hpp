#pragma once
// Builds an argument vector and refuses what the installed server does not know.

#include <punie/error.hpp>
#include <punie/server_command.hpp>
#include <punie/server_config.hpp>

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace punie::backend {

/// Collects words in order; the first thing that cannot be done becomes the error of `take`. Pure.
class CommandWords {
public:
    /// `server` is its name for a person ("mlx_lm.server").
    CommandWords(std::string_view server, const ServerCapabilities& capabilities);

    /// Words that need no flag: the program, a positional argument, a launcher's own.
    void word(std::string text) { words_.push_back(std::move(text)); }

    /// `field` of the configuration as the first of `flags` that the server knows, with a value;
    /// none known: an error that names the field, the version and `alternative`.
    void option(
        std::string_view field,
        std::initializer_list<std::string_view> flags,
        std::string value,
        std::string_view alternative = {}
    );

    /// The same for a value that may be absent.
    template <typename Number>
    void optional(
        std::string_view field,
        std::initializer_list<std::string_view> flags,
        const std::optional<Number>& value,
        std::string_view alternative = {}
    ) {
        if (value) option(field, flags, fmt::format("{}", *value), alternative);
    }

    /// What Punie wants and nobody asked for: left out where the server does not know the flag or
    /// the user's own words have it (or its short name).
    void wish(
        const ServerConfig& config,
        std::string_view flag,
        std::string_view short_name,
        std::string value
    );

    /// A flag without a value.
    void flag(std::string_view field, std::string_view name);

    /// A field that this server has nothing for.
    void refuse(std::string_view field, std::string_view alternative);

    /// The user's own words, last. Errors: invalid_argument when one repeats a flag that is already
    /// there (the server would listen elsewhere than Punie believes), abbreviations and the short
    /// names in `aliases` included.
    void extra(
        const ServerConfig& config,
        std::initializer_list<std::pair<std::string_view, std::string_view>> aliases = {}
    );

    Result<std::vector<std::string>> take();

private:
    std::string described() const;
    void remember(Error error);

    std::string_view server_;
    const ServerCapabilities& capabilities_;
    std::vector<std::string> words_;
    std::vector<std::string> used_flags_;
    std::optional<Error> error_;
};

/// A number as JSON text, with as many digits as it needs to be read back the same.
template <typename Number>
std::string json_number(Number value) {
    return fmt::format("{}", value);
}

}  // namespace punie::backend
