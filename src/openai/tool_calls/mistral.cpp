// Mistral: [TOOL_CALLS] [{"name": ..., "arguments": {...}}] (up to tokenizer 7), and
// [TOOL_CALLS]name[ARGS]{...} for each call since 11; [CALL_ID]... may stand between. There is no
// closing token.

#include "openai/tool_calls/all_formats.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "mistral";
constexpr std::string_view opening = "[TOOL_CALLS]";
constexpr std::string_view args = "[ARGS]";
constexpr std::string_view call_id = "[CALL_ID]";

/// Behind "[CALL_ID]abc", if it stands at `at`.
std::size_t skip_call_id(const Source& source, std::size_t at) {
    if (!source.has(at, call_id)) return at;
    at += call_id.size();
    return at + name_length(source.text().substr(at));
}

std::optional<AnswerCall> read_named(Source& source, std::size_t& at) {
    const auto length = name_length(source.text().substr(at));
    if (length == 0) return std::nullopt;
    std::string name(source.slice(at, at + length));
    auto place = source.skip_space(skip_call_id(source, source.skip_space(at + length)));
    if (source.has(place, args)) place = source.skip_space(place + args.size());
    const bool cut = place == source.size() || args.starts_with(source.text().substr(place));
    if (cut) {
        at = source.size();
        return broken_call(std::move(name), "", path, std::string(cut_problem));
    }
    if (!source.has(place, "{")) return std::nullopt;
    return call_with_json(source, std::move(name), place, path, at);
}

/// The next call, where one more begins behind white space and tokens.
std::size_t next_call(const Source& source, std::size_t at) {
    at = source.skip_space(at);
    if (source.has(at, opening)) return source.skip_space(at + opening.size());
    const auto length = name_length(source.text().substr(at));
    const auto behind = source.skip_space(at + length);
    const bool named = source.has(behind, args) || source.has(behind, call_id);
    return length > 0 && named ? at : npos;
}

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    auto place = source.skip_space(at + marker.size());
    Piece piece;
    if (source.has(place, "[") || source.has(place, "{")) {
        const auto read = read_json_at(source.text(), place);
        piece.calls = calls_from_json(read, source.text(), place, path);
        piece.end = read.end;
        return piece;
    }
    if (place == source.size()) {
        piece.end = place;
        piece.calls.push_back(broken_call("", "", path, std::string(cut_problem)));
        return piece;
    }
    while (place != npos) {
        auto call = read_named(source, place);
        if (!call) break;
        piece.end = place;
        const bool broken = !call->problem.empty();
        piece.calls.push_back(*std::move(call));
        place = broken ? npos : next_call(source, place);
    }
    if (piece.calls.empty()) return std::nullopt;
    return piece;
}

}  // namespace

Format mistral() {
    return {.name = path, .markers = {opening}, .read = read};
}

}  // namespace punie::openai::tool_calls
