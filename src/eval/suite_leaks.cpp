// Prompts of a suite that stand in training rows. The suite is indexed, the rows stream past.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <functional>
#include <unordered_map>

#include "base/files.hpp"
#include "base/text.hpp"
#include "eval/suite_lint.hpp"

namespace punie::eval {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t gram_words = 13;

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

/// Calls `on_gram` with each 13 words in a row of normalised text.
void each_gram(std::string_view text, const std::function<void(std::string_view)>& on_gram) {
    const auto words = words_of(text);
    for (std::size_t i = 0; i + gram_words <= words.size(); ++i) {
        const auto* begin = words[i].data();
        const auto& last = words[i + gram_words - 1];
        on_gram({begin, static_cast<std::size_t>(last.data() + last.size() - begin)});
    }
}

/// The texts of a row that stand for questions: what users say, the prompt, or the whole text.
std::vector<std::string> questions_of(const json::value& row) {
    std::vector<std::string> texts;
    const auto* messages = member(row, "messages");
    const auto* list = messages == nullptr ? nullptr : messages->if_array();
    if (list != nullptr) {
        for (const auto& message : *list) {
            if (string_member(message, "role") != "user") continue;
            if (auto content = string_member(message, "content"))
                texts.push_back(*std::move(content));
        }
    }
    for (const auto* name : {"prompt", "text"}) {
        if (auto text = string_member(row, name)) texts.push_back(*std::move(text));
    }
    return texts;
}

enum class Leak { none, words, normalised, exact };

struct Found {
    Leak leak = Leak::none;
    std::string where;
    std::size_t rows = 0;
};

class LeakSearch {
public:
    explicit LeakSearch(const Suite& suite) : suite_(suite), found_(suite.prompts.size()) {
        const std::hash<std::string_view> hash;
        for (std::size_t i = 0; i < suite.prompts.size(); ++i) {
            exact_.push_back(asked_text_of(suite.prompts[i]));
            const auto text = normalised(exact_.back());
            if (!text.empty()) whole_[text].push_back(i);
            each_gram(text, [&](std::string_view gram) { grams_[hash(gram)].push_back(i); });
        }
    }

    Result<void> read(const fs::path& file) {
        std::ifstream stream(file, std::ios::binary);
        if (!stream)
            return std::unexpected(errno_error(errno, fmt::format("cannot read {}", file.native()))
            );
        std::string line;
        for (std::size_t number = 1; std::getline(stream, line); ++number) {
            json::error_code error;
            const auto row = json::parse(line, error);
            if (error) continue;  // `punie dataset validate` names broken rows
            for (const auto& question : questions_of(row))
                compare(question, fmt::format("{}:{}", file.native(), number));
        }
        return {};
    }

    std::vector<LintFinding> findings() const {
        std::vector<LintFinding> findings;
        for (std::size_t i = 0; i < found_.size(); ++i) {
            const auto& found = found_[i];
            if (found.leak == Leak::none) continue;
            const auto& prompt = suite_.prompts[i];
            const auto more =
                found.rows > 1 ? fmt::format(" and {} more rows", found.rows - 1) : std::string{};
            const bool words = found.leak == Leak::words;
            findings.push_back(
                {words                       ? "leak-words"
                 : found.leak == Leak::exact ? "leak-exact"
                                             : "leak-normalised",
                 words ? LintSeverity::warning : LintSeverity::error,
                 prompt.line,
                 prompt.id,
                 fmt::format(
                     "the question {} training data: {}{}",
                     words ? "shares 13 words in a row with the"
                     : found.leak == Leak::normalised
                         ? "stands, but for case and punctuation, in the"
                         : "stands in the",
                     found.where,
                     more
                 )}
            );
        }
        return findings;
    }

private:
    void compare(const std::string& question, const std::string& where) {
        const auto text = normalised(question);
        if (const auto same = whole_.find(text); same != whole_.end()) {
            for (const auto prompt : same->second)
                note(prompt, question == exact_[prompt] ? Leak::exact : Leak::normalised, where);
            return;
        }
        if (grams_.empty()) return;
        const std::hash<std::string_view> hash;
        each_gram(text, [&](std::string_view gram) {
            const auto same = grams_.find(hash(gram));
            if (same == grams_.end()) return;
            for (const auto prompt : same->second) note(prompt, Leak::words, where);
        });
    }

    void note(std::size_t prompt, Leak leak, const std::string& where) {
        auto& found = found_[prompt];
        if (last_row_[prompt] != where) {
            ++found.rows;
            last_row_[prompt] = where;
        }
        if (leak <= found.leak) return;
        found.leak = leak;
        found.where = where;
    }

    const Suite& suite_;
    std::vector<Found> found_;
    std::vector<std::string> exact_;
    std::unordered_map<std::string, std::vector<std::size_t>> whole_;
    std::unordered_map<std::size_t, std::vector<std::size_t>> grams_;
    std::unordered_map<std::size_t, std::string> last_row_;
};

/// A folder's .jsonl files, by name.
Result<std::vector<fs::path>> files_of(const fs::path& path) {
    std::error_code error;
    if (!fs::is_directory(path, error)) return std::vector{path};
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(path, error)) {
        if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
    }
    if (error)
        return std::unexpected(
            errno_error(error.value(), fmt::format("cannot read {}", path.native()))
        );
    std::ranges::sort(files);
    if (files.empty())
        return fail(ErrorCode::not_found, fmt::format("{} has no .jsonl files", path.native()));
    return files;
}

}  // namespace

Result<std::vector<LintFinding>> find_leaks(
    const Suite& suite, const std::vector<fs::path>& against
) {
    if (against.empty()) return std::vector<LintFinding>{};
    LeakSearch search(suite);
    for (const auto& path : against) {
        const auto files = files_of(path);
        if (!files) return std::unexpected(files.error());
        for (const auto& file : *files) {
            if (auto read = search.read(file); !read)
                return std::unexpected(std::move(read).error());
        }
    }
    return search.findings();
}

}  // namespace punie::eval
