#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "aegis/db/database.h"

namespace aegis {

/// Creates what is missing in the database. Tries again for as long as the database is away, so
/// that the process can start first, answer what it can, and say in /health what is wrong.
class DatabaseSetup {
 public:
  /// Both must outlive the setup.
  DatabaseSetup(Database& database, const std::vector<const Table*>& tables)
      : database_(database), tables_(tables) {}

  /// Ends when everything is there, or with the exception that no further attempt would mend.
  awaitable<void> run();

  /// Why the database cannot be used yet; empty when it can. Any thread.
  std::string why_not_ready() const;

 private:
  void tell(std::string state);

  Database& database_;
  const std::vector<const Table*>& tables_;
  mutable std::mutex mutex_;
  std::string why_not_ready_ = "the database is being prepared";
};

}  // namespace aegis
