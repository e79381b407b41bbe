#pragma once
// Words that follow the numbers, and numbers as people read them.

#include <string>
#include <string_view>

#include "compare/comparison.hpp"

namespace punie::compare {

/// "61.0 %".
std::string percent(double share);
/// "+12.0", "-3.5": hundredths of a score.
std::string points(double difference);
/// "54.1 to 67.5 %", or "" when there is no interval.
std::string interval_text(const Figure& figure);
/// "+4.1 to +19.9".
std::string points_interval(const Figure& figure);
/// "p = 0.077", "p < 0.0001".
std::string p_text(double p);
/// "exact McNemar test", for people.
std::string_view spelled(std::string_view method);

struct Naming {
    const std::string& baseline;
    const std::string& other;
};

/// One sentence: who is better by how much and how sure; or that this suite could not show a
/// difference, and what it could have shown; or that there are too few prompts.
std::string words_for(const Difference& difference, Naming names, const Comparison& frame);

/// too few, better, worse or no visible difference. Better and worse need both: p (corrected where
/// there is a family) below alpha, and an interval that leaves out 0.
Claim claim_of(const Difference& difference, double alpha);

}  // namespace punie::compare
