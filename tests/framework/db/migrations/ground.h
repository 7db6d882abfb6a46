#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../../../support/temporary_folder.h"
#include "../../core/run.h"
#include "../models.h"
#include "aegis/core/error.h"
#include "aegis/core/runtime.h"
#include "db/migrations/folder.h"
#include "db/migrations/migrator.h"
#include "db/migrations/revision.h"

/// The ground of the migration tests: a folder of migrations and an empty database of one kind.

using aegis::awaitable, aegis::Database, aegis::Session, aegis::Errc, aegis::Error;
using aegis::table_of;
using aegis::db::Schema, aegis::db::Intent, aegis::db::ColumnSchema, aegis::db::TableSchema;

/// "sqlite", "postgresql".
std::vector<std::string> migration_databases();

/// Guild, Shield and Member, who refers to both.
Schema guild_schema();

/// The table or column of that name.
TableSchema& table(Schema& schema, std::string_view name);
ColumnSchema& column(Schema& schema, std::string_view table, std::string_view name);
/// With the indexes on it alone.
void drop_column(Schema& schema, std::string_view table, std::string_view name);

class Ground {
 public:
  explicit Ground(const std::string& kind);
  ~Ground();

  /// What the next revision makes of the models.
  Schema models = guild_schema();

  /// Writes a revision. Answers what it changes, a line each; none: there was nothing to do.
  std::vector<std::string> revise(const std::string& message, const Intent& intent = {},
                                  bool allow_destructive = false);
  /// An empty revision with this SQL for each database.
  void write_sql(const std::string& message, const std::string& up, const std::string& down);
  void upgrade(std::optional<std::int64_t> to = std::nullopt);
  void downgrade(std::int64_t to, bool allow_destructive = false);
  /// How the database differs from its migrations.
  std::vector<std::string> drift();
  /// How it differs from what would be created for that schema.
  std::vector<std::string> difference_from(const Schema& schema);
  aegis::db::MigrationState state();

  /// Runs the statements in one transaction, foreign keys enforced.
  void run_sql(const std::string& sql);
  /// The first value of the first row, a text; "NULL", or "" without a row.
  std::string value(const std::string& sql);

  /// A guild, three shields of which one was deleted, and two members.
  void insert_rows();
  /// That they are as insert_rows() left them.
  void check_rows();

  aegis::db::MigrationFolder folder() const { return aegis::db::MigrationFolder(migrations()); }
  std::filesystem::path migrations() const { return path() / "migrations"; }
  std::filesystem::path path() const { return temporary_.path(); }
  const std::string& url() const { return url_; }
  /// "sqlite" or "postgresql": how the files are called.
  const std::string& dialect() const { return dialect_; }

  /// What the migrator said.
  std::vector<std::string> said{};

 private:
  void wait(awaitable<void> task) { run(io_, std::move(task)); }

  boost::asio::io_context io_{1};
  aegis::Runtime runtime_{{.threads = 1, .handle_signals = false}};
  TemporaryFolder temporary_{};
  std::string dialect_, url_, server_database_{};
  std::unique_ptr<Database> database_;   ///< as an application opens it
  std::unique_ptr<Database> migrating_;  ///< as the migrator does
};

/// The message with which `call` is refused.
template <class F>
std::string refusal(F call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no refusal";
}

/// Whether `text` has `part`; says both if not.
boost::test_tools::predicate_result has(const std::string& text, std::string_view part);

/// One text, a line each.
std::string lines(const std::vector<std::string>& all);
