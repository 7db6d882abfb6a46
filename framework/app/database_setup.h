#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "db/migrations/folder.h"

namespace aegis {

/// Brings the database to where the application needs it. Tries again for as long as the database
/// is away, so that the process can start first, answer what it can, and say in /health what is
/// wrong.
class DatabaseSetup {
 public:
  struct Options {
    /// Without a folder with migrations, what is missing is created from the models.
    std::string migrations_dir;
    /// Whether migrations are applied here; otherwise somebody else is waited for.
    bool upgrade = false;
  };

  /// All must outlive the setup. Throws Error(invalid) for bad files of migrations.
  DatabaseSetup(Runtime& runtime, Database& database, const std::vector<const Table*>& tables,
                const Options& options);

  /// Ends when everything is there, or with the exception that no further attempt would mend.
  awaitable<void> run();

  /// Why the database cannot be used yet; empty when it can. Any thread.
  std::string why_not_ready() const;

  /// Null without migrations, which a database in memory never has.
  const db::MigrationFolder* migrations() const {
    return in_memory_ || folder_.revisions().empty() ? nullptr : &folder_;
  }

 private:
  awaitable<std::string> attempt();
  awaitable<void> upgrade();
  void tell(std::string state);

  Runtime& runtime_;
  Database& database_;
  const std::vector<const Table*>& tables_;
  db::MigrationFolder folder_;
  bool in_memory_;
  bool upgrade_;
  std::string failure_{};  ///< why no upgrade is tried again
  mutable std::mutex mutex_;
  std::string why_not_ready_ = "the database is being prepared";
};

}  // namespace aegis
