#pragma once

#include <memory>

#include "db/sqlite/link.h"

namespace aegis::db::sqlite {

/// The statement's rows: outside a transaction by parts, on a connection of its own; otherwise all
/// at once, since a statement cannot stay open between two turns of the writer. Link and statement
/// must outlive it.
std::unique_ptr<RowStream> make_stream(SqliteLink& link, const Statement& statement);

}  // namespace aegis::db::sqlite
