#include "journal/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace punie::journal {

namespace {

std::unexpected<Error> not_understood(std::string_view text, std::string_view why) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("run '{}': {}", printable(text), why),
        "a run is named by its id or the beginning of it, or by @last (newest eval), @last-train "
        "(newest of that kind), @~2 (second before @last), @baseline"
    );
}

bool is_kind(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || c == '-' || c == '_';
    });
}

}  // namespace

Result<Reference> parse_reference(std::string_view text) {
    if (text.empty()) return not_understood(text, "is empty");
    if (text.front() != '@') return Reference{.form = Reference::Form::id, .id = std::string(text)};
    if (text == "@baseline") return Reference{.form = Reference::Form::baseline};
    Reference reference{.form = Reference::Form::newest, .kind = "eval"};
    auto name = text.substr(1);
    if (const auto tilde = name.find('~'); tilde != std::string_view::npos) {
        const auto count = name.substr(tilde + 1);
        const auto [stop, error] =
            std::from_chars(count.data(), count.data() + count.size(), reference.back);
        if (error != std::errc() || stop != count.data() + count.size())
            return not_understood(text, "a number is expected after '~'");
        name = name.substr(0, tilde);
        if (name.empty()) return reference;
    }
    if (name == "last") return reference;
    if (!name.starts_with("last-") || !is_kind(name.substr(5)))
        return not_understood(text, "no such reference");
    reference.kind = name.substr(5);
    return reference;
}

}  // namespace punie::journal
