// Gemma. FunctionGemma: <start_function_call>call:get_weather{city:<escape>Paris<escape>}
// <end_function_call>; Gemma 4: <|tool_call>call:get_weather{city:<|"|>Paris<|"|>}<tool_call|>,
// both with nested maps and lists. Gemma 3: a ```tool_code block of Python calls.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "openai/tool_calls/all_formats.hpp"
#include "openai/tool_calls/python.hpp"

namespace punie::openai::tool_calls {

namespace {

constexpr std::string_view path = "gemma";
constexpr std::string_view code = "```tool_code";
constexpr int deepest = 64;

struct Tokens {
    std::string_view opening;
    std::string_view closing;
    std::string_view quote;
};

constexpr std::array families = {
    Tokens{"<start_function_call>", "<end_function_call>", "<escape>"},
    Tokens{"<|tool_call>", "<tool_call|>", "<|\"|>"},
};

/// {key:value,...}: keys without quotes, strings between two quote tokens.
class MapReader {
public:
    MapReader(Source& source, std::size_t at, std::string_view quote)
        : source_(source), at_(at), quote_(quote) {}

    std::size_t at() const { return at_; }

    /// Nothing: cut or broken, see `cut`.
    std::optional<json::value> value(int depth = 0) {
        at_ = source_.skip_space(at_);
        if (depth > deepest || at_ == source_.size()) return std::nullopt;
        if (source_.has(at_, quote_)) return quoted();
        if (source_.has(at_, "{")) return map(depth);
        if (source_.has(at_, "[")) return list(depth);
        if (source_.has(at_, "\"")) return json_string();
        return bare();
    }

    bool cut() const { return at_ >= source_.size(); }

private:
    std::optional<json::value> quoted() {
        const auto begin = at_ + quote_.size();
        const auto end = source_.find(quote_, begin);
        at_ = end == npos ? source_.size() : end + quote_.size();
        if (end == npos) return std::nullopt;
        return json::value(source_.slice(begin, end));
    }

    std::optional<json::value> json_string() {
        auto read = read_json_at(source_.text(), at_);
        at_ = read.end;
        if (read.state != JsonAt::State::whole) return std::nullopt;
        return std::move(read.value);
    }

    std::optional<json::value> bare() {
        const auto rest = source_.text().substr(at_);
        const auto end = std::min(rest.find_first_of(",}]<\n"), rest.size());
        at_ += end;
        if (at_ == source_.size()) return std::nullopt;
        const auto text = trim(rest.substr(0, end));
        auto literal = parse_json(text);
        return literal ? *std::move(literal) : json::value(text);
    }

    std::optional<json::value> map(int depth) {
        json::object object;
        ++at_;
        while (true) {
            at_ = source_.skip_space(at_);
            if (take("}")) return json::value(std::move(object));
            auto name = key();
            if (!name) return std::nullopt;
            auto item = value(depth + 1);
            if (!item) return std::nullopt;
            object.insert_or_assign(*name, *std::move(item));
            at_ = source_.skip_space(at_);
            if (!take(",") && !source_.has(at_, "}")) return std::nullopt;
        }
    }

    std::optional<json::value> list(int depth) {
        json::array array;
        ++at_;
        while (true) {
            at_ = source_.skip_space(at_);
            if (take("]")) return json::value(std::move(array));
            auto item = value(depth + 1);
            if (!item) return std::nullopt;
            array.push_back(*std::move(item));
            at_ = source_.skip_space(at_);
            if (!take(",") && !source_.has(at_, "]")) return std::nullopt;
        }
    }

    std::optional<std::string> key() {
        if (source_.has(at_, quote_) || source_.has(at_, "\"")) {
            const auto name = source_.has(at_, quote_) ? quoted() : json_string();
            at_ = source_.skip_space(at_);
            if (!name || !take(":")) return std::nullopt;
            return std::string(name->get_string());
        }
        const auto rest = source_.text().substr(at_);
        const auto end = std::min(rest.find_first_of(":,{}[]<"), rest.size());
        at_ += end;
        if (!take(":")) return std::nullopt;
        return std::string(trim(rest.substr(0, end)));
    }

    bool take(std::string_view token) {
        if (!source_.has(at_, token)) return false;
        at_ += token.size();
        return true;
    }

    Source& source_;
    std::size_t at_;
    std::string_view quote_;
};

/// `at` is behind "call:" and goes behind the map.
AnswerCall read_call(Source& source, std::size_t& at, const Tokens& tokens) {
    const auto length = name_length(source.text().substr(at));
    std::string name(source.slice(at, at + length));
    at += length;
    const auto begin = at;
    if (!source.has(at, "{")) {
        const bool cut = at == source.size();
        return broken_call(
            std::move(name),
            "",
            path,
            cut ? std::string(cut_problem) : std::string("no { behind its name")
        );
    }
    MapReader reader(source, at, tokens.quote);
    auto arguments = reader.value();
    at = reader.at();
    const auto raw = source.slice(begin, at);
    if (!arguments) {
        return broken_call(
            std::move(name),
            raw,
            path,
            reader.cut() ? std::string(cut_problem) : std::string("its arguments are broken")
        );
    }
    AnswerCall call;
    call.name = std::move(name);
    call.path = path;
    call.raw_arguments = raw;
    call.arguments = *std::move(arguments);
    if (call.name.empty()) call.problem = "it has no name";
    return call;
}

std::optional<Piece> read_tokens(Source& source, std::size_t at, const Tokens& tokens) {
    auto place = source.skip_space(at + tokens.opening.size());
    Piece piece{place};
    if (place == source.size()) {
        piece.calls.push_back(broken_call("", "", path, std::string(cut_problem)));
        return piece;
    }
    while (source.has(place, "call:")) {
        place += std::string_view("call:").size();
        piece.calls.push_back(read_call(source, place, tokens));
        if (!piece.calls.back().problem.empty()) break;
        place = source.skip_space(place);
        if (source.has(place, ",")) place = source.skip_space(place + 1);
    }
    if (piece.calls.empty()) return std::nullopt;
    const auto close = source.find(tokens.closing, place);
    const auto next = source.find(tokens.opening, place);
    piece.end = place;
    if (close != npos && close < next) piece.end = close + tokens.closing.size();
    const bool junk = !trim(source.slice(place, std::min(close, source.size()))).empty();
    if (close != npos && close < next && junk && piece.calls.back().problem.empty())
        piece.calls.back().problem = "there is more text behind its arguments";
    return piece;
}

/// The calls of a block: one a line, a list, each perhaps inside print().
std::vector<AnswerCall> code_calls(std::string_view block) {
    PythonReader list(block, 0);
    if (auto calls = list.call_list(path); !calls.empty()) return calls;
    std::vector<AnswerCall> calls;
    PythonReader reader(block, 0);
    while (true) {
        reader.skip_space();
        if (reader.at_end()) return calls;
        const bool printed = reader.take("print(");
        auto call = reader.call(path);
        if (!call) return {};
        if (call->name.starts_with("default_api."))
            call->name.erase(0, std::string_view("default_api.").size());
        calls.push_back(*std::move(call));
        if (!calls.back().problem.empty()) return calls;
        reader.skip_space();
        if (printed && !reader.take(")")) return {};
        reader.take(";");
    }
}

std::optional<Piece> read_code(Source& source, std::size_t at) {
    const auto begin = at + code.size();
    const auto close = source.find("```", begin);
    const auto block = source.slice(begin, std::min(close, source.size()));
    Piece piece{close == npos ? source.size() : close + 3};
    piece.calls = code_calls(block);
    if (piece.calls.empty()) {
        piece.calls.push_back(broken_call(
            "",
            trim(block),
            path,
            close == npos ? std::string(cut_problem)
                          : fmt::format(
                                "its code is no call with named arguments: {}",
                                shortened(printable(trim(block)), 60)
                            )
        ));
    }
    return piece;
}

std::optional<Piece> read(Source& source, std::size_t at, std::string_view marker) {
    if (marker == code) return read_code(source, at);
    return read_tokens(source, at, *std::ranges::find(families, marker, &Tokens::opening));
}

}  // namespace

Format gemma() {
    return {
        .name = path, .markers = {families[0].opening, families[1].opening, code}, .read = read
    };
}

}  // namespace punie::openai::tool_calls
