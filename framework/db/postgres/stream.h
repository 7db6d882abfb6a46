#pragma once

#include <memory>

#include "db/postgres/link.h"

namespace aegis::db::postgres {

/// The statement's rows by a cursor of the server's, which is part of the link's transaction. Link
/// and statement must outlive it.
std::unique_ptr<RowStream> make_stream(PostgresLink& link, const Statement& statement, int number);

}  // namespace aegis::db::postgres
