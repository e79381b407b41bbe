#include "dataset/report_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/files.hpp"
#include "dataset/codes.hpp"

namespace punie::dataset {

namespace fs = std::filesystem;

namespace {

json::value split_as_json(const SplitReport& split) {
    return {
        {"split", split.split},
        {"file", split.file},
        {"bytes", split.bytes},
        {"rows", split.rows},
        {"bad_rows", split.bad_rows},
        {"format", split.format},
        {"exact_tokens", split.exact_tokens},
        {"tokens", split.tokens},
        {"trained_tokens", split.trained_tokens},
        {"longest", split.longest},
        {"rows_too_long", split.rows_too_long},
        {"rows_untrained", split.rows_untrained},
        {"rows_left_over", split.rows_left_over},
        {"batches", split.batches},
        {"padding_share", split.padding_share},
    };
}

json::value finding_as_json(const Finding& finding) {
    const auto& info = code_info(finding.code);
    return {
        {"code", finding.code},
        {"severity", name_of(finding.severity)},
        {"file", finding.file},
        {"line", finding.line},
        {"column", finding.column},
        {"field", finding.field},
        {"message", finding.message},
        {"why", info.why},
        {"fix", info.fix},
        {"repairable", info.repairable},
        {"fingerprint", finding.fingerprint},
    };
}

/// RFC 3986: what may stand in a path stays, all else is percent-encoded.
std::string as_uri(const fs::path& path) {
    std::string uri;
    for (const char byte : path.generic_string()) {
        const auto value = static_cast<unsigned char>(byte);
        const bool plain = std::isalnum(value) != 0 ||
                           std::string_view("-._~/").find(byte) != std::string_view::npos;
        uri += plain && value < 0x80 ? std::string(1, byte) : fmt::format("%{:02X}", value);
    }
    return uri;
}

json::value rule_of(const CodeInfo& info) {
    return {
        {"id", info.code},
        {"shortDescription", {{"text", info.title}}},
        {"fullDescription", {{"text", info.why}}},
        {"help", {{"text", info.fix}}},
        {"defaultConfiguration", {{"level", name_of(info.severity)}}},
    };
}

json::value result_of(const Finding& finding, const fs::path& folder) {
    const auto place = std::ranges::find(all_codes(), finding.code, &CodeInfo::code);
    json::object physical = {{"artifactLocation", {{"uri", as_uri(folder / finding.file)}}}};
    if (finding.line > 0) {
        json::object region = {{"startLine", finding.line}};
        if (finding.column > 0) region["startColumn"] = finding.column;
        physical["region"] = std::move(region);
    }
    const auto text = finding.field.empty() ? finding.message
                                            : fmt::format("{}: {}", finding.field, finding.message);
    return {
        {"ruleId", finding.code},
        {"ruleIndex", place - all_codes().begin()},
        {"level", name_of(finding.severity)},
        {"message", {{"text", fmt::format("{} ({})", text, code_info(finding.code).why)}}},
        {"locations", json::array{{{"physicalLocation", std::move(physical)}}}},
        {"partialFingerprints", {{"punie/v1", finding.fingerprint}}},
    };
}

}  // namespace

json::value report_as_json(const DataReport& report) {
    json::array splits;
    for (const auto& split : report.splits) splits.push_back(split_as_json(split));
    json::array findings;
    findings.reserve(report.findings.size());
    for (const auto& finding : report.findings) findings.push_back(finding_as_json(finding));
    json::object counts;
    for (const auto& [code, count] : report.counts) counts[code] = count;
    return {
        {"event", "validated"},
        {"ok", report.usable()},
        {"errors", report.errors},
        {"warnings", report.warnings},
        {"notes", report.notes},
        {"accepted", report.accepted},
        {"seconds", report.seconds},
        {"splits", std::move(splits)},
        {"counts", std::move(counts)},
        {"findings", std::move(findings)},
    };
}

std::string report_as_sarif(const DataReport& report, const fs::path& place) {
    const bool single = report.splits.size() == 1 && place.filename() == report.splits.front().file;
    const auto folder = single ? place.parent_path() : place;
    json::array rules;
    for (const auto& info : all_codes()) rules.push_back(rule_of(info));
    json::array results;
    results.reserve(report.findings.size());
    for (const auto& finding : report.findings) results.push_back(result_of(finding, folder));
    const json::value driver = {{"name", "punie dataset validate"}, {"rules", std::move(rules)}};
    const json::value run = {
        {"tool", {{"driver", driver}}},
        {"results", std::move(results)},
        {"columnKind", "utf16CodeUnits"},
    };
    return to_text(
               {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                {"version", "2.1.0"},
                {"runs", json::array{run}}}
           ) +
           "\n";
}

std::string baseline_text(const DataReport& report) {
    std::string text = "{\"punie_baseline\": 1, \"findings\": [\n";
    std::set<std::string> written;
    for (const auto& finding : report.findings) {
        if (!written.insert(finding.fingerprint).second) continue;
        const json::value line = {
            {"fingerprint", finding.fingerprint},
            {"code", finding.code},
            {"file", finding.file},
            {"message", finding.message},
        };
        if (written.size() > 1) text += ",\n";
        text += to_text(line);
    }
    return text + "\n]}\n";
}

Result<std::set<std::string>> read_baseline(const fs::path& file) {
    const auto text = read_text(file);
    if (!text) return std::unexpected(text.error());
    const auto value = parse_json(*text);
    if (!value) return std::unexpected(Error(value.error()).in(file.native()));
    const auto* findings = member(*value, "findings");
    if (integer_member(*value, "punie_baseline") != 1 || findings == nullptr ||
        !findings->is_array()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is no baseline of punie dataset validate", file.native()),
            "write one with --write-baseline"
        );
    }
    std::set<std::string> known;
    for (const auto& finding : findings->get_array()) {
        if (auto fingerprint = string_member(finding, "fingerprint"))
            known.insert(*std::move(fingerprint));
    }
    return known;
}

}  // namespace punie::dataset
