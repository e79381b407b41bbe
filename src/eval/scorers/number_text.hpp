#pragma once
// Numbers as people and models write them.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace punie::eval::scorers {

struct FoundNumber {
    double value = 0;      ///< 50 for "50 %"
    bool percent = false;  ///< a percent sign or word behind it
    std::size_t at = 0;    ///< in the text that was given to `numbers_in`
    std::size_t length = 0;
};

/// LaTeX and typography made plain: \frac{1}{2} is 1/2, 1{,}234 and thin spaces between digits are
/// gone, the minus sign is "-", \times 10^{5} is e5, ½ is 1/2. Text without any of it comes back as
/// it is.
std::string plain_numbers(std::string_view text);

/// All numbers, in their order: 1,234.5 and 1.234,5, 3,5 and 3.5, 1/2 and 1 1/2, 1e5, 10^5, -3, $5,
/// 5kg. Digits inside a word (CO2) are none.
std::vector<FoundNumber> numbers_in(std::string_view text);

/// The inside of the last \boxed{...}; empty if there is none.
std::string_view last_boxed(std::string_view text);

}  // namespace punie::eval::scorers
