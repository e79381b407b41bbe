#pragma once
// What is wrong with a file, collected: a person puts twenty things right at once, not one after
// the other.

#include <punie/error.hpp>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/tree.hpp"

namespace punie::tree {

struct Fault {
    Place place;
    std::string path;  ///< "expect[0].tool_call.name", "" for the whole file
    std::string message;
};

class Faults {
public:
    /// The same fault at the same place counts once (a template with a thousand rows).
    void add(const Place& place, std::string_view path, std::string_view message);

    /// No fault, but worth a word in `suite lint`.
    void note(const Place& place, std::string_view path, std::string_view message);

    bool any() const { return count_ > 0; }

    /// Nothing more would be shown: the reader may stop.
    bool full() const { return count_ > most_shown; }

    const std::vector<Fault>& notes() const { return notes_; }

    /// One line each "suite.yaml:12:5: expect[0].number: ..."; at most twenty.
    Error error() const;

    /// Appended to each message while it is set: which row of variables was in use.
    void set_row(std::string row) { row_ = std::move(row); }

private:
    static constexpr std::size_t most_shown = 20;

    std::size_t count_ = 0;
    std::vector<Fault> faults_;
    std::vector<Fault> notes_;
    std::set<std::string> seen_;
    std::string row_;
};

/// "suite.yaml:12:5: path: message".
std::string to_line(const Fault& fault);

}  // namespace punie::tree
