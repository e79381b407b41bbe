#pragma once
// The top level of a request's JSON body, found without building it: which members it has and where
// their values stand, so that a few can be replaced and all other bytes stay as they are. Pure.

#include <punie/error.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/message.hpp"

namespace punie::gateway {

/// One member of the object: [begin, end) is its value's place in the body.
struct Member {
    std::string name;  ///< without escapes: "mod\u0065l" is "model", as the server will read it
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::string text;  ///< the value without blanks between its parts, if it is short, else ""
};

/// What a scan found.
struct BodyTop {
    std::vector<Member> members;
    std::uint64_t open = 0;  ///< place of the object's "{"
    std::uint64_t parts =
        0;  ///< members, elements and containers in all depths: what a tree of it costs

    const Member* find(std::string_view name) const;
    /// The member's value if it is a JSON string.
    std::optional<std::string> text(std::string_view name) const;
    /// Whether the member is `true`.
    bool is_true(std::string_view name) const;
};

/// Fed with a body in any pieces; the same bytes give the same result however they are cut.
/// Memory: bounded, whatever the body.
class BodyScan {
public:
    static constexpr std::size_t most_members = 256;
    static constexpr std::size_t longest_kept = 512;  ///< bytes of a value that are kept
    static constexpr std::size_t longest_name = 256;

    BodyScan();
    ~BodyScan();
    BodyScan(const BodyScan&) = delete;
    BodyScan& operator=(const BodyScan&) = delete;

    /// Errors: invalid_argument: no JSON (says at which byte), no object, a name twice (the server
    /// might take the other one), too many members.
    Result<void> feed(std::string_view bytes);
    Result<BodyTop> end();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The splices that give the members these values (JSON texts): replaced where they stand, put in
/// front where they are missing. Sorted by place.
std::vector<relay::Splice> splices_for(
    const BodyTop& top, const std::vector<std::pair<std::string, std::string>>& values
);

}  // namespace punie::gateway
