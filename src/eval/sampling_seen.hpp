#pragma once
// How answers were drawn, as far as their requests tell: a score without that cannot be repeated.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "eval/record.hpp"

namespace punie::eval {

/// Takes the records of a file, one by one.
class SamplingSeen {
public:
    void add(const ResponseRecord& record);

    /// As Plan::sampling_hash has it for the same requests; "" when a record came without its
    /// request, or none was taken: nothing is known then.
    std::string hash() const;

    /// What makes the score one of many: a temperature that the server chose, or one sample a
    /// prompt at a temperature over 0. A sentence each.
    std::vector<std::string> notes() const;

private:
    std::set<std::string> samplings_;
    std::map<std::string, std::set<int>> sampled_;  ///< prompt, at a temperature over 0 -> samples
    std::size_t records_ = 0;
    std::size_t without_request_ = 0;
    std::size_t unsaid_ = 0;  ///< requests that leave the temperature to the server
    double highest_ = 0;      ///< temperature
};

}  // namespace punie::eval
