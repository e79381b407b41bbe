#pragma once
// Figures as a reader of a report sees them, the same in every format.

#include <string>
#include <string_view>

#include "report/report_data.hpp"

namespace punie::report {

/// "71.7 %".
std::string percent(double share);

/// "71.7 % (59.2 to 81.5)", or the value alone where there is no interval.
std::string percent_with_interval(const Estimate& estimate);

/// "+8.3 points (1.2 to 15.4)".
std::string points_with_interval(const Estimate& difference);

/// "p < 0.001", "p = 0.034"; "no test" for none.
std::string p_words(const std::optional<double>& p);

/// A text that is safe inside XML and HTML text and attributes: & < > " ' escaped, characters that
/// XML 1.0 forbids replaced by U+FFFD, invalid UTF-8 too.
std::string xml_escaped(std::string_view text);

/// Cut to about `bytes` at a character's end, with "..." then.
std::string shortened(std::string_view text, std::size_t bytes);

/// The one sentence why a sample was judged as it was: its reason, else its error.
const std::string& why(const Sample& sample);

}  // namespace punie::report
