#pragma once

#include <string>
#include <vector>

#include "db/dialect.h"
#include "db/migrations/diff.h"

namespace aegis::db {

/// The statements that make a difference, in order, without their semicolons.
std::vector<std::string> sqlite_steps(const Dialect& dialect, const SchemaDiff& diff);
std::vector<std::string> postgresql_steps(const Dialect& dialect, const SchemaDiff& diff);

/// As `dialect` asks for.
std::vector<std::string> steps(const Dialect& dialect, const SchemaDiff& diff);

/// The renames, which both databases write alike.
std::string rename_statement(const SchemaDiff::Rename& rename);

}  // namespace aegis::db
