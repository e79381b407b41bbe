#include "cli/compare_sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/files.hpp"
#include "base/json.hpp"
#include "eval/score_run.hpp"
#include "eval/suite.hpp"
#include "journal/journal.hpp"
#include "pipeline/evaluate.hpp"

namespace punie::cli {

namespace {

namespace fs = std::filesystem;
using Tables = std::vector<compare::ScoreTable>;

Result<Tables> from_responses(const fs::path& file, const std::string& suite_file) {
    if (suite_file.empty())
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{}: answers that are not judged yet", file.native()),
            "name the suite that judges them: --suite SUITE"
        );
    const auto suite = eval::read_suite(suite_file);
    if (!suite) return std::unexpected(suite.error());
    const auto scored = eval::score_responses(*suite, file);
    if (!scored) return std::unexpected(scored.error());
    const auto folder = fs::absolute(file).parent_path().filename().native();
    auto table = pipeline::score_table(
        *suite, *scored, file.stem() == "responses" ? folder : file.stem().native()
    );
    table.source = file.native();
    return Tables{std::move(table)};
}

Result<Tables> from_file(const fs::path& file, const SourceOptions& options) {
    const auto text = read_text(file);
    if (!text) return std::unexpected(text.error());
    if (compare::holds_responses(*text)) return from_responses(file, options.suite);
    return compare::parse_scores(*text, file, options.read);
}

compare::Identity identity_from(const journal::Run& run) {
    const auto hashes = parse_json(run.hashes_json);
    if (!hashes) return {};
    const auto hash = [&hashes](std::string_view name) {
        return string_member(*hashes, name).value_or("");
    };
    return {
        .suite_hash = hash("suite"),
        .sampling_hash = hash("sampling"),
        .template_hash = hash("template"),
        .backend = hash("backend")
    };
}

/// Answered and cut samples were judged; refused, failed and not asked ones have no answer.
void add_answer(compare::ScoreTable& table, const journal::AnswerRow& answer) {
    const bool cut = answer.state == "cut";
    if (answer.state != "answered" && !cut) {
        ++table.unanswered;
        return;
    }
    table.cut += cut ? 1 : 0;
    table.unparsed += answer.unparsed ? 1 : 0;
    table.scores.push_back(
        {.prompt = answer.prompt,
         .group = answer.group,
         .category = answer.category,
         .sample = answer.sample,
         .score = answer.score,
         .passed = answer.passed}
    );
}

Result<Tables> from_run(journal::Journal& journal, const std::string& reference) {
    const auto run = journal.find(reference);
    if (!run) return std::unexpected(run.error());
    if (run->kind != "eval")
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is a {} run: only eval runs have scores", run->id, run->kind),
            "punie journal list --kind eval"
        );
    const auto answers = journal.answers(run->id);
    if (!answers) return std::unexpected(answers.error());
    compare::ScoreTable table{
        .name = run->name.empty() ? run->id : run->name,
        .source = run->id,
        .format = "punie",
        .identity = identity_from(*run)
    };
    table.scores.reserve(answers->size());
    for (const auto& answer : *answers) add_answer(table, answer);
    if (run->state != journal::RunState::done)
        table.notes.push_back(
            fmt::format("the run is not complete: {}", journal::name_of(run->state))
        );
    return Tables{std::move(table)};
}

bool looks_like_a_file(const std::string& argument) {
    const auto extension = fs::path(argument).extension();
    return argument.find('/') != std::string::npos || extension == ".json" ||
           extension == ".jsonl" || extension == ".eval";
}

}  // namespace

Result<Tables> tables_of(const std::string& argument, const SourceOptions& options) {
    std::error_code ignored;
    const fs::path file(argument);
    if (fs::is_directory(file, ignored))
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is a folder", argument),
            "name the score file, or the responses.jsonl, in it"
        );
    if (fs::exists(file, ignored)) return from_file(file, options);
    if (looks_like_a_file(argument))
        return fail(ErrorCode::not_found, fmt::format("{}: no such file", argument));
    const auto folder = journal::find_journal_folder(fs::current_path());
    if (!fs::exists(folder / "journal.db", ignored))  // opening would make one
        return fail(
            ErrorCode::not_found,
            fmt::format("{}: no such file, and there is no journal here", argument),
            "name score files, or run `punie eval` first"
        );
    auto journal = journal::Journal::open(folder);
    if (!journal) return std::unexpected(std::move(journal).error());
    return from_run(*journal, argument);
}

Result<void> name_tables(Tables& tables, const std::vector<std::string>& names) {
    if (names.size() > tables.size())
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} names for {} variants", names.size(), tables.size())
        );
    std::set<std::string> taken;
    for (std::size_t at = 0; at < names.size(); ++at) {
        tables[at].name = names[at];
        if (!taken.insert(names[at]).second)
            return fail(
                ErrorCode::invalid_argument, fmt::format("two variants named \"{}\"", names[at])
            );
    }
    for (std::size_t at = names.size(); at < tables.size(); ++at) {
        const auto plain = tables[at].name;
        for (int number = 2; !taken.insert(tables[at].name).second; ++number)
            tables[at].name = fmt::format("{} ({})", plain, number);
    }
    return {};
}

}  // namespace punie::cli
