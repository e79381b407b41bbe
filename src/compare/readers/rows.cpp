// What the readers of rows share.

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "compare/readers/readers.hpp"

namespace punie::compare {

namespace {

/// Python writes NaN and Infinity, which are no JSON: told apart, for it means a broken judgement.
std::string_view broken_number(std::string_view line) {
    for (const auto* word : {"NaN", "Infinity"}) {
        const auto at = line.find(word);
        if (at == std::string_view::npos || at == 0) continue;
        const char before = line[at - 1];
        if (before == ' ' || before == ':' || before == '-') return word;
    }
    return {};
}

std::unexpected<Error> bad_line(std::string_view line, const Error& error) {
    if (const auto word = broken_number(line); !word.empty())
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("found {}, expected a number from 0 to 1", word),
            "a judgement that failed is no score: leave the row out, or write null for no answer"
        );
    // parse_json counts lines of its own text, which is one line here.
    constexpr std::string_view own_line = "line 1, ";
    auto message = error.message();
    if (message.starts_with(own_line)) message.erase(0, own_line.size());
    return fail(ErrorCode::invalid_argument, std::move(message));
}

Result<void> one_row(
    std::string_view line, const std::function<Result<void>(const json::value& row)>& on_row
) {
    json::error_code error;
    const auto row = json::parse(json::string_view(line.data(), line.size()), error);
    if (error) {
        const auto place = parse_json(line);
        return bad_line(
            line,
            place ? Error(ErrorCode::invalid_argument, error.message()) : std::move(place).error()
        );
    }
    if (!row.is_object())
        return fail(
            ErrorCode::invalid_argument, fmt::format("found {}, expected an object", shown(row))
        );
    return on_row(row);
}

}  // namespace

Result<void> for_each_row(
    const Input& input, const std::function<Result<void>(const json::value& row)>& on_row
) {
    std::size_t number = 0;
    for (std::size_t at = 0; at < input.text.size();) {
        const auto end = std::min(input.text.find('\n', at), input.text.size());
        const auto line = trim(input.text.substr(at, end - at));
        ++number;
        at = end + 1;
        if (line.empty()) continue;
        if (auto done = one_row(line, on_row); !done)
            return std::unexpected(
                std::move(done).error().in(fmt::format("{}:{}", input.file, number))
            );
    }
    return {};
}

std::optional<std::string> id_member(const json::value& value, std::string_view name) {
    const auto* found = member(value, name);
    if (found == nullptr) return std::nullopt;
    if (found->is_string()) return std::string(found->get_string());
    if (found->is_int64()) return std::to_string(found->get_int64());
    if (found->is_uint64()) return std::to_string(found->get_uint64());
    return std::nullopt;
}

std::string shown(const json::value& value) {
    constexpr std::size_t most = 60;
    auto text = to_text(value);
    if (text.size() > most) text = text.substr(0, most) + "...";
    return printable(text);
}

std::optional<double> score_from(const json::value& value) {
    if (value.is_bool()) return value.get_bool() ? 1 : 0;
    if (!value.is_number()) return std::nullopt;
    const auto number = value.to_number<double>();
    if (!(number >= 0 && number <= 1)) return std::nullopt;
    return number;
}

bool is_full(double score) {
    return score >= 1 - 1e-9;
}

}  // namespace punie::compare
