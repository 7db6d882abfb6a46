#pragma once

#include <optional>
#include <string>
#include <vector>

#include "db/migrations/diff.h"
#include "db/migrations/folder.h"

namespace aegis::db {

struct RevisionRequest {
  std::string message;  ///< "weigh shields"
  Intent intent{};
  bool allow_destructive = false;
  bool empty = false;  ///< without statements: for SQL of one's own
};

struct WrittenRevision {
  Revision revision{};
  std::vector<std::string> summary{};  ///< what it changes
  std::vector<std::string> files{};
};

/// Writes the migration from the folder's schema to that of the models, for every dialect, and
/// schema.json anew. Nothing when there is no difference. Throws Error(invalid) where diff() does,
/// and when data would be lost that nobody allowed to be lost.
std::optional<WrittenRevision> write_revision(const MigrationFolder& folder, const Schema& models,
                                              const RevisionRequest& request);

}  // namespace aegis::db
