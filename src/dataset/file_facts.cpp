#include "dataset/file_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/text.hpp"
#include "dataset/bytes.hpp"

namespace punie::dataset {

namespace {

constexpr std::size_t most_systems = 256;
constexpr std::size_t most_tools = 4096;
constexpr std::size_t most_answers = 64;
constexpr std::size_t shown_bytes = 60;

std::string quoted(std::string_view text) {
    auto cut = text.substr(0, text.find('\n'));
    const bool whole = cut.size() == text.size() && cut.size() <= shown_bytes;
    if (cut.size() > shown_bytes) cut = cut.substr(0, shown_bytes);
    return fmt::format("\"{}{}\"", printable(cut), whole ? "" : "...");
}

std::string lines_of(const Habit& habit) {
    return fmt::format(
        "line{} {}{}",
        habit.rows > 1 ? "s" : "",
        fmt::join(habit.lines, ", "),
        habit.rows > habit.lines.size() ? " ..." : ""
    );
}

/// Both happen: neither is an exception that was meant, nor a handful of rows that says nothing.
bool mixed(const Habit& one, const Habit& other, std::size_t least) {
    constexpr double few = 0.02;
    const auto all = one.rows + other.rows;
    return all >= least && one.rows > 0 && other.rows > 0 &&
           static_cast<double>(std::min(one.rows, other.rows)) >= few * static_cast<double>(all);
}

double percent(std::size_t part, std::size_t all) {
    return all == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

void Habit::add(std::size_t line, std::string_view text) {
    constexpr std::size_t most_lines = 3;
    if (lines.size() < most_lines) lines.push_back(line);
    if (rows == 0) example = std::string(text.substr(0, 200));
    ++rows;
}

void FileFacts::add(const RowFacts& row, std::size_t line) {
    ++rows_;
    if (row.format == Format::none) {
        mixed_ = mixed_ || first_format_ != Format::none;
        return;
    }
    if (first_format_ == Format::none) first_format_ = row.format;
    mixed_ = mixed_ || row.format != first_format_;
    add_answer(row, line);
    if (row.format != Format::chat) return;
    ++chat_rows_;
    add_system(row, line);
    (row.thinks ? thinking_ : not_thinking_).add(line);
    add_calls(row, line);
    add_tools(row, line);
}

std::string FileFacts::format_name() const {
    return mixed_ ? "mixed" : std::string(name_of(first_format_));
}

void FileFacts::add_system(const RowFacts& row, std::size_t line) {
    if (!row.system) return without_system_.add(line);
    with_system_.add(line, *row.system);
    const auto key = hash_bytes(row.system->data(), row.system->size());
    const auto found = systems_.find(key);
    if (found != systems_.end()) {
        ++found->second.rows;
    } else if (systems_.size() < most_systems) {
        WordHasher words;
        words.start(false);
        words.add(*row.system);
        systems_.emplace(key, Prompt{1, line, words.hash()});
    }
}

void FileFacts::add_calls(const RowFacts& row, std::size_t line) {
    for (const auto& call : row.calls) {
        call.preamble ? preamble_.add(line, call.example) : no_preamble_.add(line);
        call.written ? written_calls_.add(line) : structured_calls_.add(line);
    }
    if (row.string_arguments > 0) string_arguments_.add(line);
    if (row.object_arguments > 0) object_arguments_.add(line);
    for (const auto name : row.called) {
        if (const auto found = tools_.find(name); found != tools_.end()) {
            ++found->second.calls;
        } else if (tools_.size() < most_tools) {
            tools_.emplace(name, ToolUse{.calls = 1});
        }
    }
}

void FileFacts::add_tools(const RowFacts& row, std::size_t line) {
    if (row.tools == nullptr || row.tools->tools.empty()) return;
    (row.calls.empty() ? not_calling_ : calling_).add(line);
    for (const auto& tool : row.tools->tools) {
        const auto found = tools_.find(tool->name);
        if (found == tools_.end()) {
            if (tools_.size() < most_tools)
                tools_.emplace(tool->name, ToolUse{.declared = 1, .definition = tool->definition});
            continue;
        }
        auto& use = found->second;
        ++use.declared;
        if (use.definition == 0) use.definition = tool->definition;
        if (use.definition == tool->definition) continue;
        ++use.definitions;
        if (use.other_line == 0) use.other_line = line;
    }
}

/// Misra-Gries 1982, "Finding repeated elements": an answer of more than 1/64 of the rows is kept.
void FileFacts::add_answer(const RowFacts& row, std::size_t line) {
    if (row.answer_hash == 0) return;
    ++answered_rows_;
    answer_characters_ += row.answer_characters;
    const auto length = static_cast<std::size_t>(std::bit_width(row.answer_characters));
    ++answers_of_length_.at(length);
    characters_of_length_.at(length) += row.answer_characters;
    const auto found = std::ranges::find(answer_keys_, row.answer_hash);
    if (found != answer_keys_.end()) {
        auto& answer = answers_[static_cast<std::size_t>(found - answer_keys_.begin())];
        if (answer.text.empty()) answer.text = std::string(row.answer.substr(0, 200));
        ++answer.count;
        return;
    }
    if (answers_.size() < most_answers) {
        answer_keys_.push_back(row.answer_hash);
        answers_.push_back({1, line});
        return;
    }
    std::size_t kept = 0;
    for (std::size_t place = 0; place < answers_.size(); ++place) {
        if (--answers_[place].count == 0) continue;
        if (kept != place) {
            answer_keys_[kept] = answer_keys_[place];
            answers_[kept] = std::move(answers_[place]);
        }
        ++kept;
    }
    answer_keys_.resize(kept);
    answers_.resize(kept);
}

void FileFacts::judge_system(FindingLog& log, std::string_view file) const {
    constexpr std::size_t enough = 8;
    if (mixed(with_system_, without_system_, enough)) {
        log.add(
            {file},
            {.code = "D319",
             .message = fmt::format(
                 "{} of {} rows have a system message ({}), {} have none ({})",
                 with_system_.rows,
                 chat_rows_,
                 lines_of(with_system_),
                 without_system_.rows,
                 lines_of(without_system_)
             )}
        );
    }
    if (mixed(thinking_, not_thinking_, enough)) {
        log.add(
            {file},
            {.code = "D321",
             .message = fmt::format(
                 "{} of {} rows think ({}), {} do not ({})",
                 thinking_.rows,
                 chat_rows_,
                 lines_of(thinking_),
                 not_thinking_.rows,
                 lines_of(not_thinking_)
             )}
        );
    }
    std::map<std::uint64_t, std::vector<Prompt>> spellings;
    for (const auto& [key, prompt] : systems_) spellings[prompt.words].push_back(prompt);
    for (auto& [words, prompts] : spellings) {
        if (prompts.size() < 2) continue;
        std::ranges::sort(prompts, {}, &Prompt::line);
        log.add(
            {file, prompts[1].line},
            {.code = "D322",
             .message = fmt::format(
                 "the same system prompt is written in {} ways, first in line {}",
                 prompts.size(),
                 prompts[0].line
             )}
        );
    }
}

void FileFacts::judge_calls(FindingLog& log, std::string_view file) const {
    constexpr std::size_t enough = 6;
    if (mixed(preamble_, no_preamble_, enough)) {
        const auto all = preamble_.rows + no_preamble_.rows;
        log.add(
            {file},
            {.code = "D417",
             .message = fmt::format(
                 "{} of {} tool calls ({:.0f} %) have a preamble such as {} ({}), {} have none "
                 "({})",
                 preamble_.rows,
                 all,
                 percent(preamble_.rows, all),
                 quoted(preamble_.example),
                 lines_of(preamble_),
                 no_preamble_.rows,
                 lines_of(no_preamble_)
             )}
        );
    }
    if (written_calls_.rows > 0 && structured_calls_.rows > 0) {
        log.add(
            {file, written_calls_.lines.front()},
            {.code = "D418",
             .message = fmt::format(
                 "{} calls are written into the content ({}), {} are in tool_calls ({})",
                 written_calls_.rows,
                 lines_of(written_calls_),
                 structured_calls_.rows,
                 lines_of(structured_calls_)
             )}
        );
    }
    if (string_arguments_.rows == 0) return;
    const bool both = object_arguments_.rows > 0;
    log.add(
        {file, string_arguments_.lines.front()},
        {.code = both ? "D410" : "D411",
         .field = "messages[].tool_calls[].function.arguments",
         .message = both ? fmt::format(
                               "{} rows have arguments as strings ({}), {} as objects ({})",
                               string_arguments_.rows,
                               lines_of(string_arguments_),
                               object_arguments_.rows,
                               lines_of(object_arguments_)
                           )
                         : fmt::format(
                               "{} rows have arguments as JSON strings ({})",
                               string_arguments_.rows,
                               lines_of(string_arguments_)
                           )}
    );
}

void FileFacts::judge_tools(FindingLog& log, std::string_view file) const {
    constexpr std::size_t enough = 20;
    constexpr double nearly_all = 0.9;
    std::size_t calls = 0;
    std::size_t declared = 0;
    for (const auto& [name, use] : tools_) {
        calls += use.calls;
        declared += use.declared > 0 ? 1 : 0;
        if (use.declared > 0 && use.calls == 0 && calling_.rows > 0)
            log.add(
                {file},
                {.code = "D420",
                 .field = name,
                 .message =
                     fmt::format("{} is declared in {} rows and never called", name, use.declared)}
            );
        if (use.definitions > 1) {
            log.add(
                {file, use.other_line},
                {.code = "D422",
                 .field = name,
                 .message = fmt::format(
                     "{} is declared in {} rows in another way than before",
                     name,
                     use.definitions - 1
                 )}
            );
        }
    }
    if (calls >= enough && declared >= 2) {
        for (const auto& [name, use] : tools_) {
            if (static_cast<double>(use.calls) > nearly_all * static_cast<double>(calls))
                log.add(
                    {file},
                    {.code = "D704",
                     .field = name,
                     .message = fmt::format(
                         "{} has {} of {} calls ({:.0f} %)",
                         name,
                         use.calls,
                         calls,
                         percent(use.calls, calls)
                     )}
                );
        }
    }
    if (calling_.rows >= enough && not_calling_.rows == 0)
        log.add(
            {file},
            {.code = "D706",
             .message = fmt::format("all {} rows with tools call one", calling_.rows)}
        );
}

void FileFacts::judge_answers(FindingLog& log, std::string_view file) const {
    constexpr std::size_t enough = 20;
    constexpr double many = 0.5;
    constexpr double most = 0.5;
    if (answered_rows_ < enough) return;
    for (const auto& answer : answers_) {
        if (static_cast<double>(answer.count) < many * static_cast<double>(answered_rows_))
            continue;
        log.add(
            {file, answer.line},
            {.code = "D707",
             .field = quoted(answer.text),
             .message = fmt::format(
                 "at least {} of {} answers are {}",
                 answer.count,
                 answered_rows_,
                 quoted(answer.text)
             )}
        );
    }
    // The longest 5 % of the answers, by powers of two.
    std::uint64_t rows = 0;
    std::uint64_t characters = 0;
    for (std::size_t length = answers_of_length_.size(); length-- > 0;) {
        const auto more = rows + answers_of_length_.at(length);
        constexpr double long_ones = 0.05;
        if (static_cast<double>(more) > long_ones * static_cast<double>(answered_rows_)) break;
        rows = more;
        characters += characters_of_length_.at(length);
    }
    constexpr std::size_t enough_for_lengths = 40;
    if (answered_rows_ >= enough_for_lengths && rows > 0 &&
        static_cast<double>(characters) > most * static_cast<double>(answer_characters_)) {
        log.add(
            {file},
            {.code = "D708",
             .message = fmt::format(
                 "the {} longest answers of {} have {:.0f} % of all characters",
                 rows,
                 answered_rows_,
                 percent(characters, answer_characters_)
             )}
        );
    }
}

void FileFacts::judge(FindingLog& log, std::string_view file) const {
    judge_system(log, file);
    judge_calls(log, file);
    judge_tools(log, file);
    judge_answers(log, file);
}

}  // namespace punie::dataset
