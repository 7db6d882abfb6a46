#include "db/sqlite/errors.h"

#include <fmt/format.h>

#include <string>

namespace aegis::db::sqlite {
namespace {

// "UNIQUE constraint failed: shield.name" → "shield.name"
std::string_view after_colon(std::string_view detail) {
  const auto colon = detail.find(": ");
  return colon == detail.npos ? std::string_view{} : detail.substr(colon + 2);
}

std::string shortened(std::string_view sql) {
  constexpr std::size_t limit = 300;
  return sql.size() <= limit ? std::string(sql) : fmt::format("{}…", sql.substr(0, limit));
}

Error constraint_error(int code, std::string_view detail) {
  const std::string_view what = after_colon(detail);
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      if (what.find(',') != what.npos) {
        return {Errc::conflict, fmt::format("{}: these values together are already taken", what)};
      }
      return {Errc::conflict, fmt::format("{}: this value is already taken", what)};
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_TRIGGER:  // ON DELETE RESTRICT
      if (!detail.starts_with("FOREIGN KEY")) break;
      return {
          Errc::conflict,
          "a row that is referred to does not exist, or a row to be removed is still referred to "
          "(foreign key)"};
    case SQLITE_CONSTRAINT_NOTNULL:
      return {Errc::invalid, fmt::format("{}: a value is required", what)};
    case SQLITE_CONSTRAINT_CHECK:
      return {Errc::invalid, fmt::format("a value breaks the rule {}", what)};
    case SQLITE_CONSTRAINT_DATATYPE:
      return {Errc::invalid, std::string(detail)};
    default:
      break;
  }
  return {Errc::conflict, std::string(detail)};
}

Error describe(int code, std::string_view detail, std::string_view sql,
               const std::filesystem::path& file) {
  const std::string name = file.empty() ? "in memory" : file.string();
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return constraint_error(code, detail);
    case SQLITE_MISMATCH:
      return {Errc::invalid, fmt::format("a value has the wrong type for its column ({})", detail)};
    case SQLITE_TOOBIG:
      return {Errc::too_large, fmt::format("a value or a statement is too large ({})", detail)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {
          Errc::unavailable,
          fmt::format("the database {} is locked by another process; try again, and if it lasts "
                      "end the process that holds it (fuser {})",
                      name, name)};
    case SQLITE_READONLY:
      if (code == SQLITE_READONLY_DBMOVED) {
        return {Errc::unavailable,
                fmt::format("the database file {} was moved or replaced while open", name)};
      }
      return {Errc::unavailable,
              fmt::format("the database {} cannot be written: make the file, its -wal and -shm and "
                          "their folder writable for the user that runs this process (chmod u+w "
                          "{}*), and check that the disk is not mounted read-only",
                          name, name)};
    case SQLITE_FULL:
      return {Errc::unavailable, fmt::format("the disk that holds the database {} is full", name)};
    case SQLITE_CORRUPT:
      return {
          Errc::unavailable,
          fmt::format("the database {} is damaged ({}): stop the process and restore a backup, or "
                      "salvage what is left with sqlite3's .recover",
                      name, detail)};
    case SQLITE_NOTADB:
      return {Errc::unavailable,
              fmt::format("the file {} is no SQLite database, or its beginning is damaged: check "
                          "DATABASE_URL, or restore a backup",
                          name)};
    case SQLITE_CANTOPEN:
      return {
          Errc::unavailable,
          fmt::format("the database {} cannot be opened: check that the path exists and that the "
                      "user that runs this process may read and write the file and its folder",
                      name)};
    case SQLITE_IOERR:
      return {Errc::unavailable,
              fmt::format("reading or writing the database {} failed ({}): check the disk", name,
                          detail)};
    case SQLITE_NOMEM:
      return {Errc::unavailable, "the database ran out of memory"};
    case SQLITE_INTERRUPT:
      return {Errc::timeout, "the statement was interrupted"};
    case SQLITE_AUTH:
      return {Errc::internal,
              fmt::format("this statement is not for a session to run: transactions are begun and "
                          "ended by the session itself, and ATTACH is not available: {}",
                          shortened(sql))};
    default:
      return {Errc::internal, fmt::format("SQL failed: {}, in: {}", detail, shortened(sql))};
  }
}

}  // namespace

Failure::Failure(int code, std::string_view detail, std::string_view sql,
                 const std::filesystem::path& file)
    : Error(describe(code, detail, sql, file)), code_(code) {}

Failure::Failure(sqlite3* connection, std::string_view sql, const std::filesystem::path& file)
    : Failure(sqlite3_extended_errcode(connection), sqlite3_errmsg(connection), sql, file) {}

Error closed_error() {
  return {Errc::unavailable, "the database is closed"};
}

bool Failure::is_interruption() const {
  return primary_code() == SQLITE_INTERRUPT || primary_code() == SQLITE_BUSY;
}

bool Failure::is_about_file() const {
  const int code = primary_code();
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_IOERR ||
         code == SQLITE_CANTOPEN;
}

}  // namespace aegis::db::sqlite
