#pragma once
// Python's literals and calls with keyword arguments, as far as models write them. Own, because no
// Python runs here; nothing is evaluated.

#include "openai/tool_calls/reading.hpp"

namespace punie::openai::tool_calls {

/// Reads forward; after a failure `state` says whether the text ended too early (cut) or is
/// something else (bad).
class PythonReader {
public:
    PythonReader(std::string_view text, std::size_t at) : text_(text), at_(at) {}

    using State = JsonAt::State;

    std::size_t at() const { return at_; }

    State state() const { return state_; }

    const std::string& problem() const { return problem_; }

    /// One literal: strings, numbers, True/true, lists, tuples (as lists), dicts with string keys.
    std::optional<json::value> value(int depth = 0);

    /// `name(key=value, ...)`. A call that began (a name and its parenthesis) and went wrong comes
    /// back with a problem; nothing when this is no call.
    std::optional<AnswerCall> call(std::string_view path);

    /// `[call, call]`: none when it is anything else.
    std::vector<AnswerCall> call_list(std::string_view path);

    void skip_space();

    /// Goes over `token` if it stands here.
    bool take(std::string_view token);

    bool at_end() const { return at_ >= text_.size(); }

private:
    std::optional<json::value> string_value();
    bool one_string(std::string& out);
    bool escape(std::string& out);
    std::optional<json::value> number();
    std::optional<json::value> list(char close, int depth);
    std::optional<json::value> dict(int depth);
    std::optional<json::value> word();
    bool arguments(AnswerCall& call);
    std::nullopt_t fail(std::string_view what);

    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    std::string_view text_;
    std::size_t at_;
    State state_ = State::whole;
    std::string problem_;
};

}  // namespace punie::openai::tool_calls
