#pragma once
// Comma-separated values, RFC 4180: quoted fields with line ends and doubled quotes.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace punie::dataset {

class CsvReader {
public:
    explicit CsvReader(const std::filesystem::path& file);

    /// The next record; nothing at the end or at a fault. Empty lines are passed over.
    std::optional<std::vector<std::string>> next();

    /// Where the last record began, from 1.
    std::size_t line() const { return begun_; }

    /// What was wrong; "" if nothing.
    const std::string& fault() const { return fault_; }

private:
    bool field(std::string& text);

    std::ifstream in_;
    std::size_t line_ = 1;
    std::size_t begun_ = 1;
    bool ends_record_ = false;
    std::string fault_;
};

}  // namespace punie::dataset
