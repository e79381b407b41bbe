#pragma once
// One file, from its first byte to its last: lines -> rows -> findings, duplicates, leaks.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataset/file_facts.hpp"
#include "dataset/finding_log.hpp"
#include "dataset/folder.hpp"
#include "dataset/lengths.hpp"
#include "dataset/line_reader.hpp"
#include "dataset/row_check.hpp"
#include "dataset/seen.hpp"
#include "dataset/validate.hpp"

namespace punie::dataset {

/// What is remembered of a file for the files after it.
struct Remembered {
    explicit Remembered(DataFile of) : file(std::move(of)) {}

    static constexpr std::size_t most_prompts = 1'000'000;

    DataFile file;
    SeenTable rows;
    SeenTable prompts{most_prompts};
    NearIndex near;
};

class FileCheck {
public:
    /// `before`: the files that were read already.
    FileCheck(
        const DataFile& file,
        const ValidateOptions& options,
        FindingLog& log,
        const std::vector<std::unique_ptr<Remembered>>& before
    );

    /// Errors: cancelled, io in the middle of the file.
    Result<void> run(const std::function<void(std::uint64_t)>& on_bytes);

    SplitReport report() const;

    const FileFacts& facts() const { return facts_; }

    std::unique_ptr<Remembered> take_remembered() { return std::move(remembered_); }

private:
    bool sniff(const Line& line);
    void take_line(Line& line);
    void take_faults(const Line& line, bool readable);
    void take_row(const Line& line, const Node& row);
    void prefetch() const;
    void take_findings(const Line& line, const Node& row);
    void look_for_leaks(const Line& line, const Node& row, std::uint64_t line_hash);
    bool look_for_leak(
        const Line& line, const Node& row, std::uint64_t line_hash, const Remembered& other
    );
    void look_for_twins(const Line& line, const Node& row, std::uint64_t line_hash);
    void look_for_near_twin(const Line& line, const Node& row);
    bool really_near(
        const Node& row, const NearIndex::Row& candidate, const std::filesystem::path& file
    );
    void judge_length(const Line& line);
    void add(const Line& line, FindingLog::Words words);

    const DataFile& file_;
    const ValidateOptions& options_;
    FindingLog& log_;
    const std::vector<std::unique_ptr<Remembered>>& before_;
    std::unique_ptr<Remembered> remembered_;
    RowParser parser_;
    RowParser other_parser_;  ///< for the row that a near one is compared with
    RowChecker checker_;
    FileFacts facts_;
    RowLengths lengths_;
    std::uint64_t line_hash_ = 0;
    std::size_t lines_ = 0;
    std::size_t bad_rows_ = 0;
    std::size_t rows_too_long_ = 0;
    std::size_t rows_untrained_ = 0;
    std::size_t verified_ = 0;
    bool stopped_ = false;  ///< this is no file of rows
};

}  // namespace punie::dataset
