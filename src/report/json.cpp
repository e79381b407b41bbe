#include "report/json_text.hpp"
#include "report/render.hpp"

namespace punie::report {

namespace {

/// A line each: indenting a hundred thousand answers would double their file.
void put_prompts(JsonText& text, const std::vector<Prompt>& prompts) {
    text.name("prompts");
    text.open('[');
    for (const auto& prompt : prompts) {
        text.element();
        text.value_on_one_line(prompt);
    }
    text.close(']');
}

}  // namespace

std::string render_json(const ReportData& data) {
    std::string out;
    JsonText text(out, {.indented = true});
    text.open('{');
    text.name("format");
    text.value("punie-report");
    text.name("version");
    text.value(1);
    walk_head(data, text.members());
    if (!data.prompts.empty()) put_prompts(text, data.prompts);
    text.close('}');
    out += '\n';
    return out;
}

}  // namespace punie::report
