#include "openai/tool_calls/tagged_json.hpp"

#include "base/text.hpp"

namespace punie::openai::tool_calls {

std::optional<Piece> read_tagged_json(
    Source& source, std::size_t begin, std::string_view closing, std::string_view path
) {
    const auto first = source.skip_space(begin);
    if (first == source.size()) {
        Piece piece{first};
        piece.calls.push_back(broken_call("", "", path, std::string(cut_problem)));
        return piece;
    }
    if (!source.has(first, "[") && !source.has(first, "{")) return std::nullopt;
    const auto read = read_json_at(source.text(), first);
    Piece piece{read.end};
    piece.calls = calls_from_json(read, source.text(), first, path);
    if (read.state == JsonAt::State::cut || closing.empty()) return piece;
    const auto close = source.find(closing, read.end);
    if (close == npos) return piece;
    const bool junk = !trim(source.slice(read.end, close)).empty();
    if (junk && read.state == JsonAt::State::whole) return piece;  // another call's closing token
    piece.end = close + closing.size();
    return piece;
}

}  // namespace punie::openai::tool_calls
