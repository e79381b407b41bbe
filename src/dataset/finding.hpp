#pragma once
// What a check found: a stable code, a place, and words for a person.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace punie::dataset {

/// error: training stops or trains on the wrong thing. warning: it probably hurts. note: good to
/// know.
enum class Severity { error, warning, note };

/// "error", "warning", "note".
std::string_view name_of(Severity severity);

/// One finding at one place. Why it hurts and what repairs it belong to the code:
/// `code_info(code)`.
struct Finding {
    std::string code;  ///< "D120"; stable over versions, listed in docs/dataset-findings.md
    Severity severity = Severity::error;
    std::string
        file;  ///< the file's name inside the folder: "train.jsonl"; "" for the folder itself
    std::size_t line = 0;    ///< from 1; 0: the whole file
    std::size_t column = 0;  ///< byte of the line, from 1; 0: unknown
    std::string field;       ///< "messages[2].tool_calls[0].function.arguments"; "" for the row
    std::string message;     ///< what was found there
    std::string
        fingerprint;  ///< 16 hexadecimal digits; does not change when rows move to other lines
};

}  // namespace punie::dataset
