// The forms for people and programs: what must be in them, and what an answer must never become.

#include "report/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "report/runs_page.hpp"
#include "unit/report/sample_data.hpp"

namespace punie::report {

namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string script = "</script><script>hacked()</script><!-- <img src=x onerror=hacked()>";

ReportData hostile_data() {
    auto data = sample_data();
    data.title = script;
    data.verdict = script + " {{data}}";
    data.variants[0].name = script;
    data.notes[0].text = script;
    data.findings[0].message = script;
    data.prompts[0].id = script;
    data.prompts[0].samples[0].text = script + "\xE2\x80\xA8\x1b[31m" + std::string(1, '\0');
    data.prompts[0].samples[0].reason = script;
    data.commands[0].text = script;
    return data;
}

std::size_t times(std::string_view text, std::string_view words) {
    std::size_t count = 0;
    for (auto at = text.find(words); at != std::string_view::npos; at = text.find(words, at + 1))
        ++count;
    return count;
}

/// The JSON of a block of the page.
json::value block(const std::string& page, const std::string& id) {
    const auto mark = "<script type=\"application/json\" id=\"" + id + "\">";
    const auto at = page.find(mark);
    EXPECT_NE(at, std::string::npos) << id;
    const auto end = page.find("</script>", at);
    auto value = parse_json(page.substr(at + mark.size(), end - at - mark.size()));
    EXPECT_TRUE(value) << id;
    return value ? *value : json::value();
}

TEST(RenderHtml, SaysTheVerdictBeforeAnyScriptRuns) {
    const auto page = render_html(sample_data());
    EXPECT_THAT(page, StartsWith("<!doctype html>"));
    const auto verdict = page.find("The tuned model is better.");
    EXPECT_LT(verdict, page.find("<script"));
    EXPECT_THAT(page, HasSubstr("data-tone=\"good\""));
    EXPECT_THAT(page, HasSubstr("<title>Home tools</title>"));
    EXPECT_THAT(page, Not(HasSubstr("{{")));
}

TEST(RenderHtml, NamesNothingOutside) {
    const auto page = render_html(sample_data());
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    EXPECT_EQ(times(page, "src=\""), 0U);
    EXPECT_EQ(times(page, "url("), 0U);
    EXPECT_EQ(times(page, "@import"), 0U);
    EXPECT_EQ(times(page, "<link"), 1U) << "the empty icon only";
}

TEST(RenderHtml, AnAnswerEndsNoScriptAndStartsNone) {
    const auto plain = render_html(sample_data());
    const auto page = render_html(hostile_data());
    EXPECT_EQ(times(page, "<script"), times(plain, "<script"));
    EXPECT_EQ(times(page, "</script"), times(plain, "</script"));
    EXPECT_EQ(times(page, "<!--"), times(plain, "<!--"));
    EXPECT_EQ(times(page, "<img"), 0U);
}

TEST(RenderHtml, CarriesEveryTextUnchanged) {
    const auto data = hostile_data();
    const auto page = render_html(data);
    const auto head = block(page, "punie-head");
    EXPECT_EQ(head.at("title").as_string(), script);
    EXPECT_EQ(head.at("index").at("ids").at(0).as_string(), script);
    EXPECT_EQ(head.at("index").at("excerpts").at(0).as_string(), "Turn on the light.");
    const auto answers = block(page, "punie-block-0");
    EXPECT_EQ(
        answers.at("prompts").at(0).at("samples").at(0).at("text").as_string(),
        data.prompts[0].samples[0].text
    );
}

TEST(RenderHtml, ColumnsFitTogether) {
    const auto index = block(render_html(sample_data()), "punie-head").at("index");
    EXPECT_EQ(to_text(index.at("samples")), "[2]");
    EXPECT_EQ(to_text(index.at("variant")), "[0,1]");
    EXPECT_EQ(to_text(index.at("state")), "[0,0]");
    EXPECT_EQ(to_text(index.at("flags")), "[2,1]") << "unparsed, passed";
    EXPECT_EQ(to_text(index.at("groups")), "[\"lights\"]");
}

TEST(RenderHtml, PutsAHundredPromptsInABlockAndRepeatsNoMessage) {
    auto data = sample_data();
    data.prompts.assign(250, sample_prompt());
    const auto page = render_html(data);
    EXPECT_EQ(block(page, "punie-block-0").at("prompts").as_array().size(), 100U);
    EXPECT_EQ(block(page, "punie-block-2").at("prompts").as_array().size(), 50U);
    EXPECT_THAT(page, Not(HasSubstr("punie-block-3")));
    EXPECT_EQ(block(page, "punie-block-1").at("messages").as_array().size(), 2U);
    EXPECT_EQ(block(page, "punie-block-1").at("tools").as_array().size(), 1U);
}

TEST(RenderHtml, WorksWithoutAnything) {
    const auto page = render_html(ReportData{});
    EXPECT_EQ(block(page, "punie-head").at("index").at("ids").as_array().size(), 0U);
}

TEST(Renderers, AreTheSameEachTime) {
    for (const auto render : {render_html, render_markdown, render_json, render_junit, render_csv})
        EXPECT_EQ(render(hostile_data()), render(hostile_data()));
}

TEST(RenderMarkdown, HasWhatAPullRequestNeeds) {
    const auto text = render_markdown(sample_data());
    EXPECT_THAT(text, StartsWith("# Home tools\n\n**✅ The tuned model is better.**\n"));
    EXPECT_THAT(text, HasSubstr("| base | 0.0 % (10.0 to 90.0) | wilson | 2 | 1 | 0 | 1 | 0 |"));
    EXPECT_THAT(
        text,
        HasSubstr("| tuned against base | +66.1 points (50.0 to 80.0) | p < 0.001 | "
                  "mcnemar\\_exact | 40 / 1 / 19 | 12.0 points | 20 |")
    );
    EXPECT_THAT(text, HasSubstr("| tuned | 20 | 2.500 to 0.500 | 2.600 to 2.600 | 10 | 1.20 GB |"));
    EXPECT_THAT(text, HasSubstr("| error | D203 | train.jsonl:17 |"));
    EXPECT_THAT(text, HasSubstr("- the experiment: `punie run e.yaml`"));
}

TEST(RenderMarkdown, TellsWhatWasLost) {
    auto data = sample_data();
    std::swap(data.differences[0].baseline, data.differences[0].other);
    EXPECT_THAT(
        render_markdown(data),
        HasSubstr("## Lost by base against tuned\n\n- `light-on`: no call came\n")
    );
}

TEST(RenderMarkdown, TellsWhatTheOnlyVariantDidNotPass) {
    auto data = sample_data();
    data.variants.resize(1);
    data.differences.clear();
    data.prompts[0].samples.resize(1);
    EXPECT_THAT(
        render_markdown(data), HasSubstr("## Not passed\n\n- `light-on` (answered): no call came\n")
    );
}

TEST(RenderMarkdown, IsNeverMarkupOfAnAnswer) {
    auto data = hostile_data();
    data.commands.clear();  // in a code span, where markup is text
    data.prompts[0].id = "a`<b>";
    data.verdict = "a | b\nc `d` [e](f)";
    const auto text = render_markdown(data);
    EXPECT_THAT(text, HasSubstr(R"(a \| b c \`d\` \[e\](f))"));
    EXPECT_THAT(text, Not(HasSubstr("<script")));
    EXPECT_THAT(text, Not(HasSubstr("<img")));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(RenderJunit, KeepsFailuresErrorsAndSkippedApart) {
    auto data = sample_data();
    auto& samples = data.prompts[0].samples;
    samples[0].reason = "expected <on>";
    samples.push_back({.variant = 1, .number = 1, .state = "failed", .error = "timeout"});
    samples.push_back({.variant = 1, .number = 2, .state = "not_asked"});
    const auto text = render_junit(data);
    EXPECT_THAT(
        text,
        HasSubstr("<testsuites name=\"Home tools\" tests=\"4\" failures=\"1\" errors=\"1\" "
                  "skipped=\"1\" time=\"0.750\">")
    );
    EXPECT_THAT(
        text, HasSubstr("<failure type=\"unparsed\" message=\"expected &lt;on&gt;\">I cannot")
    );
    EXPECT_THAT(text, HasSubstr("name=\"light-on #2\""));
    EXPECT_THAT(text, HasSubstr("<error type=\"failed\" message=\"timeout\"/>"));
    EXPECT_THAT(text, HasSubstr("<skipped message=\"not asked\"/>"));
    EXPECT_THAT(
        text,
        HasSubstr("<testcase classname=\"tuned.single-call\" name=\"light-on\" "
                  "time=\"0.500\"/>")
    );
}

TEST(RenderCsv, QuotesAndDefusesFormulas) {
    auto data = sample_data();
    data.prompts[0].samples[0].text = "=SUM(\"a\",1)\nsecond line";
    const auto text = render_csv(data);
    EXPECT_THAT(text, StartsWith("prompt,group,category,variant,sample,state,score,passed,"));
    EXPECT_THAT(text, HasSubstr("\"'=SUM(\"\"a\"\",1)\nsecond line\""));
    EXPECT_THAT(
        text,
        HasSubstr("\"light-on\",\"lights\",\"single-call\",\"tuned\",0,\"answered\","
                  "1,1,0,0.500,12,\"\",\"set_light({\"\"on\"\":true})\",\"set_light "
                  "as expected\"\r\n")
    );
}

TEST(RunsPage, LinksRunsWithAReportAndEscapesTheRest) {
    const auto page = render_runs_page(
        ".punie",
        {{.id = "eval-1", .kind = "eval", .name = "<b>x</b>", .state = "failed", .started = "today"
         },
         {.id = "experiment-2",
          .kind = "experiment",
          .state = "done",
          .note = "a & b",
          .has_report = true}}
    );
    EXPECT_THAT(page, HasSubstr("<span>&lt;b&gt;x&lt;/b&gt;</span>"));
    EXPECT_THAT(page, HasSubstr("<a href=\"/report/experiment-2\">experiment-2</a>"));
    EXPECT_THAT(page, HasSubstr("<small>a &amp; b</small>"));
    EXPECT_THAT(page, HasSubstr("2 runs, 1 with a report"));
    EXPECT_THAT(page, Not(HasSubstr("<b>")));
}

TEST(RunsPage, SaysWhatToDoWhenThereIsNothing) {
    EXPECT_THAT(render_runs_page(".punie", {}), HasSubstr("punie init"));
}

}  // namespace

}  // namespace punie::report
