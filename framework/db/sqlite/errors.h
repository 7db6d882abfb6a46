#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <string_view>

#include "aegis/core/error.h"

namespace aegis::db::sqlite {

/// What SQLite reports, as an Error that says what happened and what to do.
class Failure : public Error {
 public:
  /// `code` is an extended result code, `detail` SQLite's own message.
  Failure(int code, std::string_view detail, std::string_view sql,
          const std::filesystem::path& file);
  /// The connection's latest code and message.
  Failure(sqlite3* connection, std::string_view sql, const std::filesystem::path& file);

  /// SQLITE_BUSY and the like, without the extension.
  int primary_code() const { return code_ & 0xff; }
  /// The file is the trouble, not the statement: open it anew, it may be put right meanwhile.
  bool is_about_file() const;
  /// The statement was ended before its time, or the wait for a lock was.
  bool is_interruption() const;

 private:
  int code_;
};

/// What work after close() is told.
Error closed_error();

}  // namespace aegis::db::sqlite
