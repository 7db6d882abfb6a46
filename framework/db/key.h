#pragma once

#include "aegis/db/table.h"

namespace aegis::db {

/// Throws Error(not_found), "shield 42 does not exist".
[[noreturn]] void throw_not_found(const Table& table, const Cell& key);
/// For a query by other conditions.
[[noreturn]] void throw_not_found(const Table& table);

/// The key of `row`. Throws Error(invalid) when it is empty.
Cell key_of(const Table& table, const void* row);

/// Whether the database is to give the row its key: it is an empty optional integer. Throws
/// Error(invalid) for an empty key of another kind.
bool needs_key(const Table& table, const void* row);

/// Stores a key that the database gave. Throws Error(internal) when the member cannot hold it.
void store_key(const Table& table, void* row, const Cell& key);

}  // namespace aegis::db
