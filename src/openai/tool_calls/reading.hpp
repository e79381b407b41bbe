#pragma once
// What the text formats share: a place in the text, JSON that begins somewhere, calls made of it.
// For the files of this folder.

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "openai/tool_calls/answer_types.hpp"

namespace punie::openai::tool_calls {

inline constexpr auto npos = std::string_view::npos;

/// The answer's text. `find` remembers what it found: asked for the same token from places further
/// and further on, the whole text is searched once, so that a hundred thousand opening tags without
/// a closing one cost no more than one.
class Source {
public:
    explicit Source(std::string_view text) : text_(text) {}

    std::string_view text() const { return text_; }

    std::size_t size() const { return text_.size(); }

    /// Whether `token` stands at `at`.
    bool has(std::size_t at, std::string_view token) const {
        return text_.size() >= at && text_.substr(at).starts_with(token);
    }

    /// First place from `from` on; npos if none. `token` must be a constant.
    std::size_t find(std::string_view token, std::size_t from);

    /// The `closing` from `from` on behind which the text ends or, after white space, one of
    /// `followers` stands: one inside a value is not its end. npos if none. All must be constants.
    std::size_t find_closing(
        std::string_view closing,
        std::size_t from,
        std::initializer_list<std::string_view> followers
    );

    /// First place from `at` on that is no white space; the text's end if none.
    std::size_t skip_space(std::size_t at) const;

    std::string_view slice(std::size_t from, std::size_t to) const {
        return text_.substr(from, to - from);
    }

private:
    struct Found {
        std::string_view token;
        std::size_t from;
        std::size_t at;
    };

    std::string_view text_;
    std::vector<Found> found_;
};

/// What a format made of the text from a marker on.
struct Piece {
    std::size_t end = 0;  ///< where the text goes on
    std::vector<AnswerCall> calls{};
    std::string text{};  ///< visible (harmony's final channel)
    std::string thinking{};
    bool thinking_cut = false;
};

/// One text format.
struct Format {
    std::string_view name;
    /// What a call of it begins with; two bytes or more.
    std::vector<std::string_view> markers;
    /// What stands at `at`, where `marker` was found; nothing if that is no call of this format.
    std::optional<Piece> (*read)(Source& source, std::size_t at, std::string_view marker) = nullptr;
    /// For formats without markers: the calls that the whole visible answer (trimmed) is; none if
    /// it is anything else.
    std::vector<AnswerCall> (*read_whole)(std::string_view visible) = nullptr;
};

/// All formats, in the order in which they are tried.
const std::vector<Format>& formats();

/// JSON that begins at a place.
struct JsonAt {
    enum class State { whole, cut, bad };
    State state = State::bad;
    json::value value{};
    std::size_t end = 0;    ///< behind the value; where reading stopped otherwise
    std::string problem{};  ///< of cut and bad
};

/// Reads one JSON object, array or string. Never goes back behind `end`.
JsonAt read_json_at(std::string_view text, std::size_t at);

/// The members or elements of valid JSON text (an object or array): names without their quotes and
/// values as written.
struct JsonPart {
    std::string_view name;
    std::string_view value;
};

std::vector<JsonPart> parts_of(std::string_view json_text);

/// Calls from JSON as read from `text` at `begin`: an object {"name", "arguments"} in any of its
/// spellings, or a list of them. Cut or broken JSON becomes one call with a problem.
std::vector<AnswerCall> calls_from_json(
    const JsonAt& read, std::string_view text, std::size_t begin, std::string_view path
);

/// Whether an object is a call ({"name", "arguments"} or one of its spellings) and nothing else.
bool looks_like_call(const json::value& value);

/// Fills `arguments`, `raw_arguments` and `problem`. Text is opened (arguments as a JSON string,
/// twice encoded too); null and empty text are no arguments.
void set_arguments(AnswerCall& call, const json::value* arguments, std::string_view raw);

/// A call whose JSON arguments begin at `at`; `end` is set behind them (or where reading stopped).
AnswerCall call_with_json(
    Source& source, std::string name, std::size_t at, std::string_view path, std::size_t& end
);

/// Calls between the tags of a section, which may be left out around them.
struct SectionTags {
    std::string_view section;
    std::string_view end_section;
    std::string_view opening;  ///< of one call
    std::string_view path;
};

/// The section or the bare calls at `at`. `read_call` reads one from behind its opening and moves
/// the place behind it.
Piece read_section(
    Source& source,
    std::size_t at,
    const SectionTags& tags,
    AnswerCall (*read_call)(Source& source, std::size_t& at)
);

/// A call that is none, with what can be told of it.
AnswerCall broken_call(
    std::string name, std::string_view raw, std::string_view path, std::string problem
);

/// Length of the name of a function at the text's start: letters, digits, `_`, `-`, `.`.
std::size_t name_length(std::string_view text);

/// JSON or a Python literal, if the whole text is one.
std::optional<json::value> literal_from(std::string_view text);

inline constexpr std::string_view cut_problem = "cut off in the middle of the call";

}  // namespace punie::openai::tool_calls
