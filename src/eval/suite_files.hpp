#pragma once
// `file://` in a suite: files of its own folder and below, each read once.

#include <punie/error.hpp>

#include <filesystem>
#include <map>
#include <string>

#include "eval/suite_faults.hpp"
#include "eval/suite_node.hpp"

namespace punie::eval {

class SuiteFiles {
public:
    explicit SuiteFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

    static bool is_reference(const Node& node);

    /// The list that the reference's file holds (.jsonl, .json, .csv, .yaml). Faults: a path that
    /// leaves the folder (absolute, "..", a link that points outside), a file that is missing or
    /// wrong. The result lives as long as this object; null after a fault.
    const Node* read_list(const Node& reference, std::string_view path, Faults& faults);

private:
    Result<std::filesystem::path> resolve(std::string_view reference) const;
    Result<std::string> read(const std::filesystem::path& file) const;

    std::filesystem::path folder_;
    std::map<std::string, Node> lists_;
};

}  // namespace punie::eval
