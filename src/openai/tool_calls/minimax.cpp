// MiniMax M2: <minimax:tool_call><invoke name="f"><parameter name="k">v</parameter></invoke>
// </minimax:tool_call>; the same with <function_calls> around it, which models learnt elsewhere.

#include <algorithm>
#include <array>

#include "openai/tool_calls/all_formats.hpp"
#include "openai/tool_calls/invokes.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "minimax";

struct Family {
    std::string_view opening;
    std::string_view closing;
    InvokeTags tags;
};

constexpr InvokeTags plain = {path, "<invoke", "</invoke>", "<parameter", "</parameter>"};

constexpr std::array families = {
    Family{"<minimax:tool_call>", "</minimax:tool_call>", plain},
    Family{"<function_calls>", "</function_calls>", plain},
    Family{
        "<atem:function_calls>",
        "</atem:function_calls>",
        {path, "<atem:invoke", "</atem:invoke>", "<atem:parameter", "</atem:parameter>"}
    },
};

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    const auto* family = std::ranges::find(families, marker, &Family::opening);
    Piece piece{at + marker.size()};
    piece.calls = read_invokes(source, piece.end, family->tags);
    const auto behind = source.skip_space(piece.end);
    if (source.has(behind, family->closing)) piece.end = behind + family->closing.size();
    if (!piece.calls.empty()) return piece;
    if (behind < source.size()) return std::nullopt;
    piece.calls.push_back(broken_call("", "", path, std::string(cut_problem)));
    piece.end = source.size();
    return piece;
}

}  // namespace

Format minimax() {
    return {
        .name = path,
        .markers = {families[0].opening, families[1].opening, families[2].opening},
        .read = read
    };
}

}  // namespace punie::openai::tool_calls
