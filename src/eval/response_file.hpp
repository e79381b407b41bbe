#pragma once
// A growing responses.jsonl: what is in it already, and each new record appended whole.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "eval/record.hpp"

namespace punie::eval {

/// Open for appending, by one process at a time (a lock on the file). Each record is one write of
/// one line, so a SIGKILL leaves at most a torn last line, which `open` takes away. `sync` makes
/// what is there durable against power loss. Thread: one at a time.
class ResponseFile {
public:
    /// Opens or makes the file; `on_record` sees every record that it has. Errors: io, disk_full,
    /// state (another process writes it), protocol (a line in the middle that is no record).
    static Result<ResponseFile> open(
        const std::filesystem::path& file,
        const std::function<void(const ResponseRecord&)>& on_record = {}
    );

    ResponseFile(ResponseFile&& other) noexcept;
    ResponseFile& operator=(ResponseFile&& other) noexcept;
    ResponseFile(const ResponseFile&) = delete;
    ResponseFile& operator=(const ResponseFile&) = delete;
    ~ResponseFile();

    /// Samples that need not be asked again: answered or cut. Failed and refused ones are asked
    /// again; the later record of a sample is the one that counts.
    const std::set<std::pair<std::string, int>>& finished() const { return finished_; }

    /// Samples of another suite (asked_hash) than `suite_hash`; a file must not mix them.
    bool has_other_suite(const std::string& suite_hash) const;

    Result<void> append(const ResponseRecord& record);
    Result<void> sync();

private:
    explicit ResponseFile(std::filesystem::path file, int descriptor)
        : file_(std::move(file)), descriptor_(descriptor) {}

    Result<void> take_stock(const std::function<void(const ResponseRecord&)>& on_record);
    Result<void> mend_end(std::uintmax_t whole, std::uintmax_t size);

    std::filesystem::path file_;
    int descriptor_ = -1;
    std::set<std::pair<std::string, int>> finished_;
    std::set<std::string> suites_;
};

}  // namespace punie::eval
