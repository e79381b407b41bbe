#pragma once
// What a value of a call or of JSON may be: written down in a suite, matched against answers.

#include <re2/re2.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eval/scorers/parameters.hpp"

namespace punie::eval::scorers {

/// How rules are read.
struct RuleOptions {
    bool ignore_case = false;
    bool extra_members = false;  ///< objects may have members that are not named
};

/// 1 and 1.0 are equal, 1 and "1" are not, nor are 1 and true. One of:
///   5, "x", true, null   exactly this
///   [a, b]               any of these (a list inside is itself the value; "" inside: may be
///   absent) {value: x}           exactly x, whatever it is: for lists, and for objects that look
///   like a rule {any: true}          anything {optional: rule}     may be absent; {optional:
///   true}: anything, or absent {regex: p}           text in which RE2 finds p; {contains: t}: text
///   with t in it {number: n, tolerance: t, relative: r} {a: rule, b: rule}   an object with these
///   members
struct ValueRule {
    enum class Kind { exact, any, pattern, contains, number, one_of, object };

    Kind kind = Kind::exact;
    json::value value{};
    std::shared_ptr<const re2::RE2> pattern{};
    double tolerance = 0;
    double relative = 0;
    std::vector<ValueRule> options{};
    std::vector<std::pair<std::string, ValueRule>> members{};
    bool optional = false;
    RuleOptions how{};

    bool fits(const json::value& found) const;

    /// "\"kitchen\"", "true or 1", "a number 5 ± 0.1": for reasons.
    std::string wanted() const;
};

/// Errors: invalid_argument, its message with the pointer first.
Result<ValueRule> read_rule(
    const json::value& value, const std::string& pointer, const RuleOptions& options
);

}  // namespace punie::eval::scorers
