#pragma once
// The table of all codes: one row each, the source of docs/dataset-findings.md.
//
// D1xx files and JSON, D2xx formats, D3xx conversations, D4xx tools, D5xx text, D6xx duplicates and
// leaks, D7xx lengths and balance, D8xx secrets, D9xx with a model's tokenizer and template.
// A code never changes its meaning and is never used again.

#include <span>
#include <string>
#include <string_view>

#include "dataset/finding.hpp"

namespace punie::dataset {

struct CodeInfo {
    std::string_view code;
    Severity severity;
    std::string_view title;
    std::string_view why;     ///< what it does to training
    std::string_view fix;     ///< what to do about it
    bool repairable = false;  ///< `--fix` does it
};

/// All codes, in their order.
std::span<const CodeInfo> all_codes();

/// The row of `code`; it must exist.
const CodeInfo& code_info(std::string_view code);

/// docs/dataset-findings.md, whole.
std::string codes_as_markdown();

}  // namespace punie::dataset
