#include "eval/suite_lint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "base/text.hpp"
#include "eval/suite_parts.hpp"

namespace punie::eval {

namespace {

constexpr std::size_t enough_prompts = 20;  // below, `compare` says "too few to tell"
constexpr std::size_t enough_groups = 5;
constexpr double near = 0.9;  // shared word triples of two prompts

LintFinding of_suite(std::string code, LintSeverity severity, std::string message) {
    return {std::move(code), severity, 0, {}, std::move(message)};
}

LintFinding of_prompt(
    const Prompt& prompt, std::string code, LintSeverity severity, std::string message
) {
    return {std::move(code), severity, prompt.line, prompt.id, std::move(message)};
}

using Findings = std::vector<LintFinding>;

void check_size(const Suite& suite, Findings& findings) {
    std::set<std::string> groups;
    std::size_t alone = 0;
    for (const auto& prompt : suite.prompts) {
        if (prompt.group.empty())
            ++alone;
        else
            groups.insert(prompt.group);
    }
    if (suite.prompts.size() < enough_prompts)
        findings.push_back(of_suite(
            "few-prompts",
            LintSeverity::warning,
            fmt::format(
                "{} prompts: a comparison by fewer than {} is too few to tell",
                suite.prompts.size(),
                enough_prompts
            )
        ));
    if (groups.empty()) {
        findings.push_back(of_suite(
            "no-groups",
            LintSeverity::note,
            "no prompt has a `group`: every prompt counts as independent of the others"
        ));
        return;
    }
    if (alone > 0)
        findings.push_back(of_suite(
            "some-groups",
            LintSeverity::warning,
            fmt::format(
                "{} of {} prompts have no `group`, the others have: each of those counts as a "
                "group "
                "of its own",
                alone,
                suite.prompts.size()
            )
        ));
    if (groups.size() + alone < enough_groups)
        findings.push_back(of_suite(
            "few-groups",
            LintSeverity::warning,
            fmt::format(
                "{} groups: errors are clustered by group, and fewer than {} are too few to tell",
                groups.size() + alone,
                enough_groups
            )
        ));
}

openai::Answer text_answer(std::string text) {
    openai::Answer answer;
    answer.text = std::move(text);
    answer.finish_reason = "stop";
    return answer;
}

bool all_pass(const Prompt& prompt, const openai::Answer& answer) {
    return std::ranges::all_of(prompt.expect, [&](const Expectation& expectation) {
        return expectation.judge->judge(answer).passed;
    });
}

void check_trivial(const Prompt& prompt, Findings& findings) {
    if (all_pass(prompt, text_answer(""))) {
        findings.push_back(of_prompt(
            prompt, "trivial", LintSeverity::warning, "an empty answer meets every expectation"
        ));
        return;
    }
    if (all_pass(prompt, text_answer(asked_text_of(prompt))))
        findings.push_back(of_prompt(
            prompt,
            "echo",
            LintSeverity::warning,
            "an answer that only repeats the question meets every expectation"
        ));
}

const Expectation* expectation_by(const Prompt& prompt, std::string_view scorer) {
    const auto found = std::ranges::find(prompt.expect, scorer, &Expectation::scorer);
    return found == prompt.expect.end() ? nullptr : &*found;
}

/// The texts that `equals` accepts.
std::vector<std::string> accepted_texts(const json::value& parameters) {
    const auto* inner = member(parameters, "value");
    const auto& value = inner == nullptr ? parameters : *inner;
    std::vector<std::string> texts;
    if (value.is_string()) texts.emplace_back(value.get_string());
    if (const auto* list = value.if_array()) {
        for (const auto& item : *list) {
            if (item.is_string()) texts.emplace_back(item.get_string());
        }
    }
    return texts;
}

void check_meetable(const Prompt& prompt, Findings& findings) {
    const auto* call = expectation_by(prompt, "tool_call");
    if (call != nullptr && expectation_by(prompt, "no_tool_call") != nullptr)
        findings.push_back(of_prompt(
            prompt,
            "unmeetable",
            LintSeverity::error,
            "tool_call and no_tool_call: no answer meets both"
        ));
    // without a system prompt either, the model cannot know them
    const bool told =
        !prompt.tools.empty() ||
        (!prompt.messages.empty() && string_member(prompt.messages.front(), "role") == "system");
    if (call != nullptr && !told)
        findings.push_back(of_prompt(
            prompt,
            "no-tools",
            LintSeverity::warning,
            "a tool call is expected, but the prompt offers no tools, and no system prompt names "
            "any"
        ));
    const auto* equals = expectation_by(prompt, "equals");
    if (equals == nullptr || prompt.expect.size() == 1) return;
    const auto texts = accepted_texts(equals->parameters);
    const bool met = texts.empty() || std::ranges::any_of(texts, [&](const std::string& text) {
                         return all_pass(prompt, text_answer(text));
                     });
    if (!met)
        findings.push_back(of_prompt(
            prompt,
            "unmeetable",
            LintSeverity::error,
            "the text of `equals` does not meet the other expectations"
        ));
}

void check_sampling(const Prompt& prompt, Findings& findings) {
    if (prompt.sampling.temperature.value_or(0) > 0 && prompt.repeats == 1)
        findings.push_back(of_prompt(
            prompt,
            "sampled-once",
            LintSeverity::note,
            fmt::format(
                "temperature {} with one sample: the next run gives another score; set `repeats`, "
                "or temperature 0",
                *prompt.sampling.temperature
            )
        ));
}

/// Hashes of each three words in a row; of all words when there are fewer.
std::set<std::size_t> word_triples(const std::string& text) {
    std::vector<std::string_view> words;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = std::min(rest.find(' '), rest.size());
        words.push_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    std::set<std::size_t> triples;
    const std::hash<std::string_view> hash;
    for (std::size_t i = 0; i + 2 < words.size(); ++i) {
        const auto* begin = words[i].data();
        const auto* end = words[i + 2].data() + words[i + 2].size();
        triples.insert(hash({begin, static_cast<std::size_t>(end - begin)}));
    }
    if (triples.empty()) triples.insert(hash(text));
    return triples;
}

/// Pairs that share most of their word triples, found through an index of them.
class NearDuplicates {
public:
    explicit NearDuplicates(const Suite& suite) : suite_(suite) {}

    void find(Findings& findings) {
        for (std::size_t i = 0; i < suite_.prompts.size(); ++i) {
            const auto triples = word_triples(normalised(asked_text_of(suite_.prompts[i])));
            look(i, triples, findings);
            for (const auto triple : triples) {
                auto& having = index_[triple];
                if (having.size() < most_a_triple) having.push_back(i);
            }
            sizes_.push_back(triples.size());
        }
    }

private:
    /// A triple of many prompts comes from a template and tells nothing.
    static constexpr std::size_t most_a_triple = 200;

    void look(std::size_t at, const std::set<std::size_t>& triples, Findings& findings) {
        std::map<std::size_t, std::size_t> shared;
        for (const auto triple : triples) {
            const auto having = index_.find(triple);
            if (having == index_.end()) continue;
            for (const auto other : having->second) ++shared[other];
        }
        for (const auto& [other, count] : shared) {
            const auto all = triples.size() + sizes_[other] - count;
            if (static_cast<double>(count) < near * static_cast<double>(all)) continue;
            report(suite_.prompts[at], suite_.prompts[other], findings);
            return;
        }
    }

    static void report(const Prompt& prompt, const Prompt& other, Findings& findings) {
        const bool same = canonical_json(prompt.messages) == canonical_json(other.messages) &&
                          canonical_json(prompt.tools) == canonical_json(other.tools);
        const bool related = !prompt.group.empty() && prompt.group == other.group;
        if (!same && related) return;
        findings.push_back(of_prompt(
            prompt,
            same ? "duplicate" : "near-duplicate",
            same ? LintSeverity::warning : LintSeverity::note,
            same
                ? fmt::format("asks the same as {}", other.id)
                : fmt::format(
                      "asks nearly the same as {}; related prompts should share a `group`", other.id
                  )
        ));
    }

    const Suite& suite_;
    std::unordered_map<std::size_t, std::vector<std::size_t>> index_;
    std::vector<std::size_t> sizes_;
};

}  // namespace

std::string_view name_of(LintSeverity severity) {
    switch (severity) {
        case LintSeverity::note:
            return "note";
        case LintSeverity::warning:
            return "warning";
        case LintSeverity::error:
            break;
    }
    return "error";
}

std::string normalised(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        const bool letter = static_cast<unsigned char>(c) >= 0x80 || (c >= 'a' && c <= 'z') ||
                            (c >= '0' && c <= '9');
        if (c >= 'A' && c <= 'Z')
            result += static_cast<char>(c - 'A' + 'a');
        else if (letter)
            result += c;
        else if (!result.empty() && result.back() != ' ')
            result += ' ';
    }
    if (result.ends_with(' ')) result.pop_back();
    return result;
}

std::string asked_text_of(const Prompt& prompt) {
    if (prompt.messages.empty()) return {};
    return string_member(prompt.messages.back(), "content").value_or("");
}

Result<std::vector<LintFinding>> lint_suite(
    const SuiteWithNotes& read, const std::vector<std::filesystem::path>& against
) {
    Findings findings;
    check_size(read.suite, findings);
    for (const auto& note : read.notes)
        findings.push_back({"yaml-word", LintSeverity::warning, note.line, {}, note.message});
    for (const auto& prompt : read.suite.prompts) {
        check_meetable(prompt, findings);
        check_trivial(prompt, findings);
        check_sampling(prompt, findings);
    }
    NearDuplicates(read.suite).find(findings);
    auto leaks = find_leaks(read.suite, against);
    if (!leaks) return std::unexpected(std::move(leaks).error());
    std::ranges::move(*leaks, std::back_inserter(findings));
    std::ranges::sort(findings, {}, [](const LintFinding& finding) {
        return std::tie(finding.line, finding.prompt, finding.code, finding.message);
    });
    return findings;
}

}  // namespace punie::eval
