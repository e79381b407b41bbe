#include "backend/command_words.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace punie::backend {

CommandWords::CommandWords(std::string_view server, const ServerCapabilities& capabilities)
    : server_(server), capabilities_(capabilities), words_(capabilities.program) {}

std::string CommandWords::described() const {
    return capabilities_.version.empty() ? std::string(server_)
                                         : fmt::format("{} {}", server_, capabilities_.version);
}

void CommandWords::remember(Error error) {
    if (!error_) error_ = std::move(error);
}

void CommandWords::option(
    std::string_view field,
    std::initializer_list<std::string_view> flags,
    std::string value,
    std::string_view alternative
) {
    for (const auto name : flags) {
        if (!capabilities_.flags.contains(std::string(name))) continue;
        used_flags_.emplace_back(name);
        words_.emplace_back(name);
        words_.push_back(std::move(value));
        return;
    }
    std::vector<std::string> wanted(flags.begin(), flags.end());
    remember(Error(
                 ErrorCode::unsupported,
                 fmt::format("{}: {} has no option {} for it", field, described(), join_or(wanted))
    )
                 .with_hint(
                     alternative.empty()
                         ? fmt::format("leave {} out or install a newer {}", field, server_)
                         : std::string(alternative)
                 ));
}

void CommandWords::wish(
    const ServerConfig& config,
    std::string_view flag,
    std::string_view short_name,
    std::string value
) {
    const bool said = std::ranges::any_of(config.extra_arguments(), [&](std::string_view word) {
        const auto name = word.substr(0, word.find('='));
        return name == flag || (!short_name.empty() && name == short_name);
    });
    if (said || !capabilities_.flags.contains(std::string(flag))) return;
    words_.emplace_back(flag);
    words_.push_back(std::move(value));
}

void CommandWords::flag(std::string_view field, std::string_view name) {
    if (capabilities_.flags.contains(std::string(name))) {
        used_flags_.emplace_back(name);
        words_.emplace_back(name);
        return;
    }
    remember(Error(
                 ErrorCode::unsupported,
                 fmt::format("{}: {} has no option {}", field, described(), name)
    )
                 .with_hint(fmt::format("leave {} out or install a newer {}", field, server_)));
}

void CommandWords::refuse(std::string_view field, std::string_view alternative) {
    remember(Error(ErrorCode::unsupported, fmt::format("{}: {} cannot do this", field, described()))
                 .with_hint(std::string(alternative)));
}

void CommandWords::extra(
    const ServerConfig& config,
    std::initializer_list<std::pair<std::string_view, std::string_view>> aliases
) {
    for (const auto& argument : config.extra_arguments()) {
        const auto name = std::string_view(argument).substr(0, argument.find('='));
        const auto repeats = [&](const std::string& used) {
            const bool alias = std::ranges::any_of(aliases, [&](const auto& pair) {
                return pair.first == name && pair.second == used;
            });
            // argparse takes any unambiguous beginning of a flag for the flag
            const bool beginning =
                name.size() > 2 && name.starts_with("--") && used.starts_with(name) &&
                (name == used || !capabilities_.flags.contains(std::string(name)));
            return alias || beginning;
        };
        const auto used = std::ranges::find_if(used_flags_, repeats);
        if (used != used_flags_.end()) {
            remember(
                Error(
                    ErrorCode::invalid_argument,
                    fmt::format(
                        "extra_arguments: {} repeats {}, which Punie sets itself", argument, *used
                    )
                )
                    .with_hint("set the field of the configuration instead")
            );
        }
        words_.push_back(argument);
    }
}

Result<std::vector<std::string>> CommandWords::take() {
    if (capabilities_.program.empty()) {
        return fail(
            ErrorCode::program_missing, fmt::format("{}: the program is not known", server_)
        );
    }
    if (error_) return std::unexpected(std::move(*error_));
    return std::move(words_);
}

}  // namespace punie::backend
