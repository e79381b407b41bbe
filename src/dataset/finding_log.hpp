#pragma once
// Collects findings: all are counted, a bounded number of each code is kept, known ones are left
// out.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/finding.hpp"

namespace punie::dataset {

class FindingLog {
public:
    FindingLog(std::size_t most_of_a_code, const std::set<std::string>& accepted)
        : most_(most_of_a_code), accepted_set_(accepted) {}

    /// Where a finding is and what identifies its row whatever line it moves to.
    struct Place {
        std::string_view file;
        std::size_t line = 0;
        std::uint64_t row = 0;  ///< hash of the line; 0: the file
    };

    struct Words {
        std::string_view code;
        std::string field{};
        std::string message{};
        std::size_t column = 0;
        std::optional<Severity> severity{};
    };

    void add(const Place& place, Words words);

    /// Whether the text of another finding of this code would be kept. Without a baseline a code
    /// with enough of them is only counted: `count_only` does it.
    bool full(std::string_view code) const;
    void count_only(std::string_view code, Severity severity);

    std::size_t accepted() const { return accepted_; }

    const std::map<std::string, std::size_t, std::less<>>& counts() const { return counts_; }

    std::size_t count(Severity severity) const {
        return of_severity_.at(static_cast<std::size_t>(severity));
    }

    /// Sorted: files in the order of `files` (others first), then line, code and field.
    std::vector<Finding> take(const std::vector<std::string>& files);

private:
    std::size_t most_;
    const std::set<std::string>& accepted_set_;
    std::vector<Finding> findings_;
    std::map<std::string, std::size_t, std::less<>> counts_;
    std::array<std::size_t, 3> of_severity_{};
    std::size_t accepted_ = 0;
};

}  // namespace punie::dataset
