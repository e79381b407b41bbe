#include <fmt/format.h>

#include <iterator>

#include "report/render.hpp"
#include "report/words.hpp"

namespace punie::report {

namespace {

/// A spreadsheet runs what begins with one of these (CWE-1236).
constexpr std::string_view formula_starts = "=+-@\t\r";

std::string field(std::string_view text) {
    std::string quoted = "\"";
    quoted.reserve(text.size() + 3);
    if (!text.empty() && formula_starts.contains(text.front())) quoted += '\'';
    for (const char byte : text) {
        if (byte == '"') quoted += '"';
        quoted += byte;
    }
    quoted += '"';
    return quoted;
}

std::string calls_text(const Sample& sample) {
    std::string text;
    for (const auto& call : sample.calls) {
        fmt::format_to(
            std::back_inserter(text), "{}{}({})", text.empty() ? "" : " ", call.name, call.arguments
        );
    }
    return text;
}

}  // namespace

std::string render_csv(const ReportData& data) {
    std::string out =
        "prompt,group,category,variant,sample,state,score,passed,unparsed,seconds,tokens,answer,"
        "calls,reason\r\n";
    for (const auto& prompt : data.prompts) {
        for (const auto& sample : prompt.samples) {
            fmt::format_to(
                std::back_inserter(out),
                "{},{},{},{},{},{},{},{},{},{:.3f},{},{},{},{}\r\n",
                field(prompt.id),
                field(prompt.group),
                field(prompt.category),
                field(data.variants[sample.variant].name),
                sample.number,
                field(sample.state),
                sample.score,
                sample.passed ? 1 : 0,
                sample.unparsed ? 1 : 0,
                sample.seconds,
                sample.completion_tokens,
                field(sample.text),
                field(calls_text(sample)),
                field(why(sample))
            );
        }
    }
    return out;
}

}  // namespace punie::report
