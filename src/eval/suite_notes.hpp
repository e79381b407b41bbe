#pragma once
// A suite together with what is allowed in it but often not meant.

#include <string>
#include <vector>

#include "eval/suite_data.hpp"

namespace punie::eval {

struct SuiteNote {
    int line = 0;
    std::string message;
};

struct SuiteWithNotes {
    Suite suite;
    std::vector<SuiteNote> notes;
};

/// As read_suite and parse_suite.
Result<SuiteWithNotes> read_suite_with_notes(const std::filesystem::path& file);
Result<SuiteWithNotes> parse_suite_with_notes(
    std::string_view text, const std::filesystem::path& file
);

}  // namespace punie::eval
