// A line of a training file: parsed, checked, repaired. The parser agrees with Boost.JSON about
// what is JSON (but for what Python allows too), places lie inside the line, and a repaired row is
// stable.
#include <boost/json.hpp>

#include "dataset/codes.hpp"
#include "dataset/json_row.hpp"
#include "dataset/repair.hpp"
#include "dataset/row_check.hpp"
#include "fuzz_input.hpp"

namespace {

using punie::fuzz::require;
namespace dataset = punie::dataset;

void compare_with_boost(
    const dataset::RowParser& parser, const dataset::Node* row, std::string_view line
) {
    boost::system::error_code error;
    boost::json::parse_options options;
    options.max_depth = 250;
    const auto value = boost::json::parse(line, error, {}, options);
    // JSON by the grammar, and Python reads it (as infinity); only Boost.JSON cannot hold it.
    if (error == boost::json::error::exponent_overflow) return;
    if (row == nullptr) {
        const auto code = parser.faults().back().code;
        require(error.failed() || code == "D126", "what we refuse, Boost.JSON refuses");
        return;
    }
    if (parser.faults().empty())
        require(!error.failed(), "what we take without a word, Boost.JSON takes");
}

void check(const dataset::RowParser& parser, const dataset::Node& row) {
    static dataset::RowChecker checker({.mask_prompt = true, .emails = true});
    checker.check(parser, row, dataset::Format::chat);
    for (const auto& finding : checker.findings()) {
        require(!finding.message.empty(), "a finding has a message");
        require(dataset::code_info(finding.code).code == finding.code, "its code is in the table");
        if (finding.node != nullptr)
            require(finding.node->end <= parser.line().size(), "it is in the line");
    }
}

void repair(const dataset::RowParser& parser, const dataset::Node& row) {
    std::map<std::string, std::size_t> repairs;
    const auto text = dataset::repair_row(parser, row, repairs);
    if (repairs.empty()) {
        require(text == parser.line(), "without a repair nothing changes");
        return;
    }
    static dataset::RowParser again;
    require(again.parse(text) != nullptr, "a repaired row is a row");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static dataset::RowParser parser;
    const auto line = punie::fuzz::text_of(data, size);
    if (line.find('\n') != std::string_view::npos) return 0;
    const auto* row = parser.parse(line);
    for (const auto& fault : parser.faults()) {
        require(fault.column >= 1 && fault.column <= line.size() + 1, "a fault is in the line");
        require(!fault.message.empty(), "a fault has a message");
    }
    compare_with_boost(parser, row, line);
    if (row == nullptr) {
        require(!parser.faults().empty(), "a refusal has a reason");
        return 0;
    }
    check(parser, *row);
    repair(parser, *row);
    return 0;
}
