#include "dataset/finding_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.hpp"
#include "dataset/bytes.hpp"
#include "dataset/codes.hpp"

namespace punie::dataset {

namespace {

std::string fingerprint_of(const FindingLog::Place& place, const FindingLog::Words& words) {
    const auto key = fmt::format("{}\n{}\n{}\n{}", words.code, place.file, words.field, place.row);
    return fmt::format("{:016x}", hash_bytes(key.data(), key.size()));
}

}  // namespace

bool FindingLog::full(std::string_view code) const {
    if (most_ == 0 || !accepted_set_.empty()) return false;
    const auto found = counts_.find(code);
    return found != counts_.end() && found->second >= most_;
}

void FindingLog::count_only(std::string_view code, Severity severity) {
    const auto found = counts_.find(code);
    found == counts_.end() ? void(counts_.emplace(code, 1)) : void(++found->second);
    ++of_severity_.at(static_cast<std::size_t>(severity));
}

void FindingLog::add(const Place& place, Words words) {
    auto fingerprint = fingerprint_of(place, words);
    if (accepted_set_.contains(fingerprint)) {
        ++accepted_;
        return;
    }
    const auto severity = words.severity.value_or(code_info(words.code).severity);
    count_only(words.code, severity);
    if (most_ > 0 && counts_.find(words.code)->second > most_) return;
    findings_.push_back(
        {.code = std::string(words.code),
         .severity = severity,
         .file = std::string(place.file),
         .line = place.line,
         .column = words.column,
         .field = printable(words.field),
         .message = printable(words.message),
         .fingerprint = std::move(fingerprint)}
    );
}

std::vector<Finding> FindingLog::take(const std::vector<std::string>& files) {
    const auto rank = [&](const Finding& finding) {
        const auto place = std::ranges::find(files, finding.file);
        return place == files.end() ? 0 : 1 + (place - files.begin());
    };
    std::ranges::sort(findings_, [&](const Finding& one, const Finding& other) {
        return std::forward_as_tuple(
                   rank(one), one.file, one.line, one.code, one.field, one.message
               ) <
               std::forward_as_tuple(
                   rank(other), other.file, other.line, other.code, other.field, other.message
               );
    });
    return std::move(findings_);
}

}  // namespace punie::dataset
