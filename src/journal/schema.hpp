#pragma once
// The tables and how they came about: migration N makes schema N of schema N - 1. A released
// migration is never changed; docs/journal.md describes the columns.

#include "journal/database.hpp"

namespace punie::journal {

/// What this Punie writes.
int newest_schema();

/// Brings a database to schema `target` (for tests: an older one). Several processes may do so at
/// once. Errors: state when it was made by a newer Punie or is of another program, io, disk_full.
Result<void> migrate(Database& database, int target = newest_schema());

}  // namespace punie::journal
