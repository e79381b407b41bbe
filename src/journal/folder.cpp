// Where the journal is.

#include <cstdlib>

#include "journal/journal.hpp"

namespace punie::journal {

namespace fs = std::filesystem;

fs::path find_journal_folder(const fs::path& start) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    if (const char* named = std::getenv("PUNIE_JOURNAL"); named != nullptr && *named != '\0')
        return named;
    std::error_code ignored;  // a folder that cannot be looked into has no journal for us
    auto at = fs::absolute(start, ignored).lexically_normal();
    if (at.filename().empty() && at.has_parent_path() && at != at.root_path())
        at = at.parent_path();
    auto none = at / ".punie";
    while (true) {
        if (fs::is_directory(at / ".punie", ignored)) return at / ".punie";
        if (!at.has_parent_path() || at == at.parent_path()) return none;
        at = at.parent_path();
    }
}

}  // namespace punie::journal
