#pragma once
// Everything that can be said of one row by itself.
//
//   RowParser -> Node tree -> RowChecker -> findings of the row (with the node they are about)
//                                        -> RowFacts: what the checks over the whole file need
//
// The checker keeps buffers between rows and a table of the tools it has seen (rows of one data set
// share a few lists of tools: each is compiled once).

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/finding.hpp"
#include "dataset/formats.hpp"
#include "dataset/json_row.hpp"
#include "dataset/marks.hpp"
#include "dataset/tools.hpp"
#include "dataset/words.hpp"

namespace punie::dataset {

struct RowFinding {
    std::string_view code;
    const Node* node = nullptr;  ///< what it is about; nullptr: the row
    std::string message;
    std::optional<Severity> severity{};  ///< instead of the code's
    std::size_t column = 0;              ///< 0: where the node begins
};

struct RowCheckOptions {
    bool mask_prompt = false;
    bool emails = false;
    bool hashes = true;  ///< for duplicates
    bool near = true;    ///< sketches too
};

/// How one assistant message calls tools.
struct CallFacts {
    bool preamble = false;       ///< prose stands before the call
    bool written = false;        ///< the call is text in the content
    std::string_view example{};  ///< the preamble
};

/// What a row adds to the picture of its file. The views live as long as the row.
struct RowFacts {
    Format format = Format::none;
    std::size_t keys = 0;           ///< members of the row: what mlx_lm sorts by
    std::uint64_t hash = 0;         ///< of the conversation's words, roles and system prompt
    std::uint64_t prompt_hash = 0;  ///< of what stands before the last answer; 0: nothing
    std::uint64_t answer_hash = 0;  ///< of the last answer's bytes; 0: none
    std::string_view answer{};
    std::size_t answer_characters = 0;
    std::optional<Sketch> sketch{};
    std::size_t prompt_words = 0;
    std::size_t words = 0;
    std::size_t estimated_tokens = 0;
    std::size_t estimated_prompt_tokens = 0;
    std::optional<std::string_view> system{};
    bool has_assistant = false;
    bool thinks = false;
    std::vector<CallFacts> calls{};           ///< assistant messages with calls
    std::shared_ptr<const ToolList> tools{};  ///< declared by the row
    std::vector<std::string_view> called{};   ///< names
    std::size_t string_arguments = 0;
    std::size_t object_arguments = 0;
};

/// Roughly: 4 bytes of ASCII or 1.4 other characters are a token.
std::size_t estimate_tokens(std::string_view text);

class RowChecker {
public:
    explicit RowChecker(RowCheckOptions options);
    ~RowChecker();
    RowChecker(const RowChecker&) = delete;
    RowChecker& operator=(const RowChecker&) = delete;

    /// Looks at the row that `parser` has parsed; `file_format` is that of the file's first row.
    void check(const RowParser& parser, const Node& row, Format file_format);

    const std::vector<RowFinding>& findings() const { return findings_; }

    const RowFacts& facts() const { return facts_; }

private:
    friend class MessagesCheck;
    friend class ToolsCheck;

    void find(
        std::string_view code,
        const Node* node,
        std::string message,
        std::optional<Severity> severity = {}
    );
    void check_keys(const Node& object, const std::vector<std::string>& wanted);
    void check_unknown(const Node& row);
    void check_format(const Node& row, Format file_format);
    void check_completion(const Node& row);
    void check_text_row(const Node& row);
    bool check_string(const Node* value, std::string_view name);
    /// The text itself: marks, words, estimate.
    void take_text(const Node& node, std::string_view role);
    void judge_marks(const Node& node, std::string_view role);
    void check_borders(const Node& node, std::string_view role);

    RowCheckOptions options_;
    RowFacts facts_;
    std::vector<RowFinding> findings_;
    std::vector<TextMark> marks_;
    WordHasher words_;
    ToolShelf shelf_;
    const RowParser* parser_ = nullptr;
    std::uint64_t clean_system_ = 0;
    Signs signs_;                        ///< of the text taken last
    std::vector<std::string> harmless_;  ///< keys that are near to none of ours
};

/// The conversation without system prompts as one text: what near-duplicates are measured by.
std::string conversation_text(const Node& row);

}  // namespace punie::dataset
