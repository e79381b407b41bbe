#pragma once
// Declared tools, compiled once for all rows that share them.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json_schema.hpp"
#include "dataset/json_row.hpp"

namespace punie::dataset {

struct ToolSpec {
    std::string name;
    std::uint64_t definition = 0;  ///< hash of the whole declaration as it is written
    std::optional<JsonSchema> schema{};
    std::string schema_fault;  ///< why the parameters are no schema; "" if they are
};

struct ToolFault {
    std::string_view code;
    std::string message;
};

/// One list of tools as a row declares it.
struct ToolList {
    std::vector<std::shared_ptr<const ToolSpec>> tools;
    std::vector<ToolFault> faults;

    const ToolSpec* find(std::string_view name) const;
    std::vector<std::string> names() const;
};

/// Keeps the lists and the tools seen so far, at most 4096 of each (then it starts anew).
class ToolShelf {
public:
    /// `raw` is the text of `tools` in the row.
    std::shared_ptr<const ToolList> list_of(const Node& tools, std::string_view raw);

private:
    void read(const Node& tools, ToolList& list);
    void read_tool(const Node& tool, std::size_t index, ToolList& list);
    std::shared_ptr<const ToolSpec> spec_of(const Node& function, std::string_view name);

    std::unordered_map<std::uint64_t, std::shared_ptr<const ToolList>> lists_;
    std::unordered_map<std::uint64_t, std::shared_ptr<const ToolSpec>> specs_;
};

}  // namespace punie::dataset
