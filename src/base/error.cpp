#include <fmt/format.h>
#include <punie/error.hpp>

#include <array>
#include <utility>

namespace punie {

std::string_view name_of(ErrorCode code) {
    static constexpr std::array names = {
        "invalid_argument",
        "not_found",
        "unsupported",
        "program_missing",
        "model_invalid",
        "adapter_mismatch",
        "port_in_use",
        "foreign_server",
        "exited",
        "out_of_memory",
        "disk_full",
        "timeout",
        "cancelled",
        "connection",
        "http_status",
        "protocol",
        "io",
        "state",
    };
    static_assert(names.size() == static_cast<std::size_t>(ErrorCode::state) + 1);
    return names.at(static_cast<std::size_t>(code));
}

Error Error::in(std::string_view where) && {
    message_ = fmt::format("{}: {}", where, message_);
    return std::move(*this);
}

Error Error::with_hint(std::string hint) && {
    hint_ = std::move(hint);
    return std::move(*this);
}

Error Error::with_log(std::vector<std::string> lines) && {
    log_tail_ = std::move(lines);
    return std::move(*this);
}

Error Error::with_exit_status(std::string status) && {
    exit_status_ = std::move(status);
    return std::move(*this);
}

Error Error::with_http_status(int status) && {
    http_status_ = status;
    return std::move(*this);
}

std::string Error::describe() const {
    std::string text = message_;
    if (!log_tail_.empty()) {
        text += "\n  its last lines:";
        for (const auto& line : log_tail_) text += fmt::format("\n  | {}", line);
    }
    if (!hint_.empty()) text += fmt::format("\nhint: {}", hint_);
    return text;
}

std::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint) {
    return std::unexpected(Error(code, std::move(message)).with_hint(std::move(hint)));
}

}  // namespace punie
