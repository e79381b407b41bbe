#pragma once
// Whether a text that is still growing may become a call. Pure.

#include <cstddef>
#include <string_view>

#include "translate/tool_set.hpp"

namespace punie::translate {

/// Follows one answer. Text that can be no part of a call is let go; from the place on where one
/// may begin, text is kept until that is decided.
class CallWatch {
public:
    /// `tools` must outlive this.
    explicit CallWatch(const ToolSet& tools) : tools_(&tools) {}

    /// How many bytes at the front of `kept` can be no part of a call. `kept` is what the last call
    /// did not let go, and what has come since.
    std::size_t let_go(std::string_view kept);

    /// The kept text begins as a call does; it may be long before that is decided. False: a few
    /// bytes more will tell.
    bool in_call() const { return in_call_; }

private:
    std::size_t step(std::string_view rest);
    std::size_t think(std::string_view rest);
    std::size_t pass(std::string_view rest, std::size_t count);
    std::size_t take_thinking_tag(std::string_view rest);
    bool may_be_call(std::string_view rest, std::string_view marker);
    bool may_be_whole_call(std::string_view rest);
    bool worth_reading(std::string_view rest);

    const ToolSet* tools_;
    bool in_call_ = false;
    bool at_start_ = true;  // nothing visible was let go so far
    bool thought_ = false;
    bool before_thinking_ = true;      // at_start_ when the open block began
    bool own_line_ = true;             // only blanks stand before, in this line
    char last_ = '\n';                 // the byte before
    std::string_view thinking_until_;  // closing tag of the open block; "" none
    std::size_t tried_ = 0;            // length at which the kept text was read last
};

}  // namespace punie::translate
