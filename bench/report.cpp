// What a report of 100,000 answers costs: its page, its JSON, and reading that again.

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>

#include "report/render.hpp"

namespace punie::report {
namespace {

constexpr std::size_t prompts = 10'000;
constexpr int samples = 5;
constexpr std::size_t variants = 2;

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    double sum = 0;
    for (const auto& time : {usage.ru_utime, usage.ru_stime})
        sum += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    return sum;
}

Sample sample_of(std::size_t prompt, std::size_t variant, int number) {
    const auto town = fmt::format("Town {}", prompt % 97);
    Sample sample{
        .variant = variant,
        .number = number,
        .passed = (prompt * 7 + variant * 3 + static_cast<std::size_t>(number)) % 3 != 0,
        .text = fmt::format("The capital of country {} is {}, as far as I know it.", prompt, town),
        .seconds = 0.25 + number / 100.0,
        .completion_tokens = 20 + number
    };
    sample.score = sample.passed ? 1 : 0;
    sample.reason = fmt::format("'{}' is {}", town, sample.passed ? "there" : "missing");
    sample.judgements = {
        {.scorer = "contains",
         .score = sample.score,
         .passed = sample.passed,
         .reason = sample.reason}
    };
    return sample;
}

ReportData big_report() {
    ReportData data{.title = "big", .verdict = "two is better than one", .suite = "big"};
    data.variants.resize(variants);
    data.prompts.reserve(prompts);
    for (std::size_t at = 0; at < prompts; ++at) {
        auto& prompt = data.prompts.emplace_back();
        prompt.id = fmt::format("p{:05}", at);
        prompt.group = fmt::format("g{}", at / 10);
        prompt.category = fmt::format("c{}", at % 5);
        prompt.messages = {
            json::object{{"role", "system"}, {"content", "You answer in one sentence."}},
            json::object{
                {"role", "user"}, {"content", fmt::format("What is the capital of country {}?", at)}
            }
        };
        prompt.expectations = {{.scorer = "contains", .text = R"({"value":"Town"})"}};
        for (std::size_t variant = 0; variant < variants; ++variant) {
            for (int number = 0; number < samples; ++number)
                prompt.samples.push_back(sample_of(at, variant, number));
        }
    }
    return data;
}

std::string measured(const char* what, const std::function<std::string()>& work) {
    const double cpu = cpu_seconds();
    const auto began = std::chrono::steady_clock::now();
    auto text = work();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
    fmt::print(
        "{:<20} {:6.3f} s wall {:6.3f} s CPU {:6.1f} MB\n",
        what,
        wall.count(),
        cpu_seconds() - cpu,
        static_cast<double>(text.size()) / 1e6
    );
    return text;
}

}  // namespace
}  // namespace punie::report

int main() {
    using namespace punie::report;
    const auto data = big_report();
    measured("page", [&] { return render_html(data); });
    const auto json = measured("report.json", [&] { return render_json(data); });
    measured("report.json, read", [&] {
        if (report_from_text(json)->prompts.size() != prompts) std::abort();
        return json;
    });
    measured("Markdown", [&] { return render_markdown(data); });
    measured("CSV", [&] { return render_csv(data); });
    return 0;
}
