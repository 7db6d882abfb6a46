#pragma once

#include <string>

#include "aegis/db/database.h"

namespace aegis::db {

struct BackupPlan {
  DatabaseOptions database{};
  std::string folder{};  ///< made where there is none
  int keep = 7;          ///< how many copies stay
};

/// Copies the database into a new file while others use it, deletes the oldest copies, and answers
/// the file's path. A copy has its name only once it is complete. Blocks. Throws Error.
std::string back_up(const BackupPlan& plan);

}  // namespace aegis::db
