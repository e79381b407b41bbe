#include "base/faults.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"

namespace punie::tree {

std::string to_line(const Fault& fault) {
    std::string where = fault.place.file ? *fault.place.file : std::string("the text");
    if (fault.place.line > 0)
        where = fmt::format("{}:{}:{}", where, fault.place.line, fault.place.column);
    // keys and texts of the file stand in the message: they must not drive the terminal
    return printable(
        fault.path.empty() ? fmt::format("{}: {}", where, fault.message)
                           : fmt::format("{}: {}: {}", where, fault.path, fault.message)
    );
}

void Faults::add(const Place& place, std::string_view path, std::string_view message) {
    const auto key = fmt::format("{}:{}:{}:{}", place.line, place.column, path, message);
    if (full() || !seen_.insert(key).second) return;
    ++count_;
    if (faults_.size() < most_shown)
        faults_.push_back({place, std::string(path), fmt::format("{}{}", message, row_)});
}

void Faults::note(const Place& place, std::string_view path, std::string_view message) {
    const auto key = fmt::format("note {}:{}:{}", place.line, place.column, path);
    if (notes_.size() >= 1000 || !seen_.insert(key).second) return;
    notes_.push_back({place, std::string(path), std::string(message)});
}

Error Faults::error() const {
    std::vector<std::string> lines;
    lines.reserve(faults_.size() + 1);
    for (const auto& fault : faults_) lines.push_back(to_line(fault));
    if (full()) lines.emplace_back("... and more; put these right first");
    return {ErrorCode::invalid_argument, fmt::format("{}", fmt::join(lines, "\n"))};
}

}  // namespace punie::tree
