// An answer's text taken apart and judged. The first byte chooses: all formats, one of them, or a
// whole response body.
#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <vector>

#include "eval/scorer.hpp"
#include "fuzz_input.hpp"
#include "openai/tool_calls/answer.hpp"

using punie::fuzz::require;
namespace openai = punie::openai;
namespace json = boost::json;

namespace {

void check(const openai::Answer& answer) {
    const auto known = openai::tool_call_formats();
    require(answer.calls_path.empty() == answer.calls.empty(), "a path where there are calls");
    require(!answer.lost_calls || answer.calls.empty(), "lost calls are none");
    for (const auto& call : answer.calls) {
        const bool own =
            call.path == "structured" || std::ranges::find(known, call.path) != known.end();
        require(own, "the path is known");
        require(
            !call.problem.empty() || call.arguments.is_object(), "a whole call has its arguments"
        );
        require(!call.problem.empty() || !call.name.empty(), "a whole call has a name");
        require(openai::typed_arguments(call, nullptr) == call.arguments, "no schema, no types");
    }
}

using Scorers = std::vector<std::shared_ptr<const punie::eval::Scorer>>;

Scorers make_scorers() {
    struct Parameters {
        std::string_view name;
        std::string_view value;
    };

    static constexpr Parameters all[] = {
        {"tool_call", R"({"calls":[{"name":"a","arguments":{"x":[1,"b"]}},"b"],"extra":"allow"})"},
        {"no_tool_call", "true"},
        {"keywords", R"({"any":["a","b"],"whole_words":true})"},
        {"equals", R"({"value":"a","normalise":true})"},
        {"contains", R"({"value":"É","ignore_case":true})"},
        {"regex", R"("a+b")"},
        {"json", R"({"paths":{"$.a[0]":1}})"},
        {"number", R"({"value":5,"which":"any"})"},
        {"choice", R"({"value":"B","options":["one","two"]})"},
    };
    Scorers scorers;
    for (const auto& [name, value] : all) {
        auto made = punie::eval::make_scorer(name, json::parse(value), {});
        require(made.has_value(), "the scorer is made");
        scorers.push_back(*std::move(made));
    }
    return scorers;
}

void judge(const openai::Answer& answer) {
    static const auto scorers = make_scorers();
    for (const auto& scorer : scorers) {
        const auto judgement = scorer->judge(answer);
        require(judgement.score >= 0 && judgement.score <= 1, "a score is from 0 to 1");
        require(judgement.passed == (judgement.score == 1), "only all right is right");
        require(!judgement.reason.empty(), "there is a reason");
        require(judgement.reason.size() < 4000, "a reason is a sentence");
        require(!judgement.passed || !judgement.unparsed, "what is not understood does not pass");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto text = punie::fuzz::text_of(data + 1, size - 1);
    const auto formats = openai::tool_call_formats();
    const std::size_t choice = data[0] % (formats.size() + 2);
    if (choice == formats.size()) {
        json::error_code error;
        const auto body = json::parse(text, error);
        if (error) return 0;
        const auto answer = openai::read_response(body);
        check(answer);
        judge(answer);
        return 0;
    }
    const auto answer =
        openai::read_text_answer(text, choice < formats.size() ? formats[choice] : std::string{});
    check(answer);
    judge(answer);
    return 0;
}
