#include "compare/read_scores.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/files.hpp"
#include "base/text.hpp"
#include "compare/readers/readers.hpp"

namespace punie::compare {

namespace {

enum class Rows { none, plain, lm_eval, responses };

constexpr std::string_view zip_start = "PK\x03\x04";
constexpr std::string_view expected =
    "expected rows {\"prompt\": ..., \"score\": ...}, samples of lm-evaluation-harness, a JSON log "
    "of Inspect, an output of promptfoo, or responses.jsonl";

std::string_view first_line(std::string_view text) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = trim(text.substr(0, end));
        if (!line.empty() || end == std::string_view::npos) return line;
        text.remove_prefix(end + 1);
    }
    return {};
}

bool has(const json::value& row, std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(names, [&](std::string_view name) {
        return member(row, name) != nullptr;
    });
}

Rows rows_of(const json::value& row) {
    if (has(row, {"doc_id"}) && has(row, {"resps", "filtered_resps", "doc", "target"}))
        return Rows::lm_eval;
    if (has(row, {"response", "answer"}) && has(row, {"prompt", "prompt_id", "id", "custom_id"}) &&
        !has(row, {"score"}))
        return Rows::responses;
    if (has(row, {"prompt", "score"})) return Rows::plain;
    return Rows::none;
}

Rows rows_of(std::string_view text) {
    const auto head = parse_json(first_line(text));
    return head ? rows_of(*head) : Rows::none;
}

std::unexpected<Error> unknown(const Input& input, std::string_view what) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{}: {}, {}", input.file, what, expected),
        "see docs/statistics.md for the formats"
    );
}

Result<std::vector<ScoreTable>> parse_document(const Input& input, const ReadOptions& options) {
    const auto document = parse_json(input.text);
    if (!document) {
        // Rows whose first line is broken: say what is wrong there.
        if (first_line(input.text).size() > 1 && first_line(input.text).front() == '{')
            return read_plain(input);
        return unknown(input, document.error().message());
    }
    if (has(*document, {"eval"}) && has(*document, {"samples", "plan"}))
        return read_inspect(input, *document, options);
    if (has(*document, {"results"}) && has(*document, {"evalId", "config"}))
        return read_promptfoo(input, *document);
    return unknown(input, fmt::format("found {}", shown(*document)));
}

/// What a variant is called: lm-evaluation-harness writes MODEL/samples_TASK_TIME.jsonl, where the
/// folder says more than the file.
std::string name_from(const std::filesystem::path& file) {
    auto stem = file.stem().native();
    const auto folder = file.parent_path().filename().native();
    return stem.starts_with("samples_") && !folder.empty() ? folder : stem;
}

}  // namespace

bool holds_responses(std::string_view text) {
    return rows_of(text) == Rows::responses;
}

Result<std::vector<ScoreTable>> parse_scores(
    std::string_view text, const std::filesystem::path& file, const ReadOptions& options
) {
    const Input input{.text = text, .file = file.native(), .stem = name_from(file)};
    if (text.starts_with(zip_start))
        return fail(
            ErrorCode::unsupported,
            fmt::format("{}: a zip file (an Inspect log in the .eval format?)", input.file),
            fmt::format(
                "convert it: inspect log convert {} --to json --output-dir logs-json",
                shell_quoted({input.file})
            )
        );
    if (trim(text).empty()) return unknown(input, "the file is empty");
    switch (rows_of(text)) {
        case Rows::plain:
            return read_plain(input);
        case Rows::lm_eval:
            return read_lm_eval(input, options);
        case Rows::responses:
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("{}: answers that are not judged yet", input.file),
                "name the suite that judges them: --suite SUITE"
            );
        case Rows::none:
            break;
    }
    return parse_document(input, options);
}

Result<std::vector<ScoreTable>> read_scores(
    const std::filesystem::path& file, const ReadOptions& options
) {
    const auto text = read_text(file);
    if (!text) return std::unexpected(text.error());
    return parse_scores(*text, file, options);
}

}  // namespace punie::compare
