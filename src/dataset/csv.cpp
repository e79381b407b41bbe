#include "dataset/csv.hpp"

#include <fmt/format.h>

namespace punie::dataset {

CsvReader::CsvReader(const std::filesystem::path& file) : in_(file, std::ios::binary) {
    if (!in_) fault_ = fmt::format("cannot read {}", file.native());
    constexpr std::string_view bom = "\xEF\xBB\xBF";
    std::string start(bom.size(), '\0');
    in_.read(start.data(), static_cast<std::streamsize>(start.size()));
    if (start != bom) {
        in_.clear();
        in_.seekg(0);
    }
}

/// One field; `ends_record_` tells whether the record ends behind it. False at a fault.
bool CsvReader::field(std::string& text) {
    bool quoted = in_.peek() == '"';
    const auto opened = line_;
    if (quoted) in_.get();
    while (true) {
        const int byte = in_.get();
        if (byte == std::ifstream::traits_type::eof()) {
            if (quoted) fault_ = fmt::format("line {}: the quote is never closed", opened);
            ends_record_ = true;
            return !quoted;
        }
        if (byte == '\n') ++line_;
        if (quoted && byte == '"') {
            if (in_.peek() == '"') {
                text += static_cast<char>(in_.get());
                continue;
            }
            quoted = false;
            continue;
        }
        if (!quoted && (byte == ',' || byte == '\n')) {
            ends_record_ = byte == '\n';
            if (ends_record_ && text.ends_with('\r')) text.pop_back();
            return true;
        }
        text += static_cast<char>(byte);
    }
}

std::optional<std::vector<std::string>> CsvReader::next() {
    while (fault_.empty() && in_.peek() != std::ifstream::traits_type::eof()) {
        begun_ = line_;
        ends_record_ = false;
        std::vector<std::string> fields;
        while (!ends_record_) {
            std::string text;
            if (!field(text)) return std::nullopt;
            fields.push_back(std::move(text));
        }
        if (fields.size() > 1 || !fields.front().empty()) return fields;
    }
    return std::nullopt;
}

}  // namespace punie::dataset
