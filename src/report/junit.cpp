// JUnit XML as Jenkins, GitLab and GitHub's reporters read it: testsuites, testsuite, testcase with
// failure, error or skipped.

#include <fmt/format.h>

#include <iterator>

#include "report/render.hpp"
#include "report/words.hpp"

namespace punie::report {

namespace {

struct Tally {
    std::size_t cases = 0;
    std::size_t failures = 0;
    std::size_t errors = 0;
    std::size_t skipped = 0;
    double seconds = 0;
};

bool unanswered(const Sample& sample) {
    return sample.state == "failed" || sample.state == "refused";
}

void count(const Sample& sample, Tally& tally) {
    ++tally.cases;
    tally.seconds += sample.seconds;
    if (sample.state == "not_asked") {
        ++tally.skipped;
    } else if (unanswered(sample)) {
        ++tally.errors;
    } else if (!sample.passed) {
        ++tally.failures;
    }
}

void put_case(
    std::string& out, const ReportData& data, const Prompt& prompt, const Sample& sample
) {
    const auto& category = prompt.category.empty() ? data.suite : prompt.category;
    const auto id =
        sample.number == 0 ? prompt.id : fmt::format("{} #{}", prompt.id, sample.number + 1);
    fmt::format_to(
        std::back_inserter(out),
        "    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3f}\"",
        xml_escaped(data.variants[sample.variant].name),
        xml_escaped(category),
        xml_escaped(id),
        sample.seconds
    );
    const auto reason = xml_escaped(why(sample));
    if (sample.state == "not_asked") {
        fmt::format_to(std::back_inserter(out), "><skipped message=\"not asked\"/></testcase>\n");
    } else if (unanswered(sample)) {
        fmt::format_to(
            std::back_inserter(out),
            "><error type=\"{}\" message=\"{}\"/></testcase>\n",
            sample.state,
            reason
        );
    } else if (!sample.passed) {
        fmt::format_to(
            std::back_inserter(out),
            "><failure type=\"{}\" message=\"{}\">{}</failure></testcase>\n",
            sample.unparsed ? "unparsed" : "score",
            reason,
            xml_escaped(sample.text)
        );
    } else {
        out += "/>\n";
    }
}

std::string attributes(const Tally& tally) {
    return fmt::format(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\"",
        tally.cases,
        tally.failures,
        tally.errors,
        tally.skipped,
        tally.seconds
    );
}

}  // namespace

std::string render_junit(const ReportData& data) {
    Tally all;
    std::string suites;
    for (std::size_t variant = 0; variant < data.variants.size(); ++variant) {
        Tally tally;
        std::string cases;
        for (const auto& prompt : data.prompts) {
            for (const auto& sample : prompt.samples) {
                if (sample.variant != variant) continue;
                count(sample, tally);
                count(sample, all);
                put_case(cases, data, prompt, sample);
            }
        }
        fmt::format_to(
            std::back_inserter(suites),
            "  <testsuite name=\"{}\" {}>\n{}  </testsuite>\n",
            xml_escaped(data.variants[variant].name),
            attributes(tally),
            cases
        );
    }
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" "
        "{}>\n{}</testsuites>\n",
        xml_escaped(data.title),
        attributes(all),
        suites
    );
}

}  // namespace punie::report
