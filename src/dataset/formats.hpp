#pragma once
// What kind of row this is: one of mlx_lm's own, or one that can be made into one.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataset/json_row.hpp"

namespace punie::dataset {

enum class Format { none, chat, completion, text };

/// "chat", "prompt/completion", "text", "".
std::string_view name_of(Format format);

/// As mlx_lm's create_dataset decides it: prompt and completion before messages before text.
Format format_of(const Node& row);

/// Rows of other tools that `punie dataset convert` reads.
enum class Foreign {
    none,
    sharegpt,      ///< {"conversations": [{"from": "human", "value": ...}]}
    alpaca,        ///< {"instruction", "input", "output"}
    preference,    ///< {"prompt", "chosen", "rejected"}
    input_output,  ///< {"input", "output"}, {"question", "answer"}, {"query", "response"} ...
};

struct ForeignRow {
    Foreign kind = Foreign::none;
    std::string_view prompt_key{};  ///< of input_output
    std::string_view answer_key{};
};

ForeignRow foreign_row(const Node& row);

/// Turns under conversations, or turns of from and value under messages.
bool is_sharegpt(const Node& row);

/// The usual names of question and answer: {"input", "output"} ...
std::span<const std::pair<std::string_view, std::string_view>> question_answer_keys();

/// The wanted key that `key` was probably meant to be: another case, a letter more, less, wrong or
/// swapped (two of them in long words).
std::optional<std::string> meant_key(std::string_view key, const std::vector<std::string>& wanted);

/// The standard role that `role` stands for elsewhere ("human" -> "user"); "" if there is none.
std::string_view standard_role(std::string_view role);

bool is_known_role(std::string_view role);

}  // namespace punie::dataset
