#pragma once

#include <string>
#include <string_view>

namespace aegis::cli {

/// "war-horn", "war_horn" and "WarHorn" as words, in the forms that code needs. Throws UsageError
/// for what can be no name in C++.
struct Name {
  explicit Name(std::string_view given);

  std::string kebab() const;  ///< war-horn: schedules

  std::string snake;   ///< war_horn: files, tables, members
  std::string pascal;  ///< WarHorn: types
  std::string plural;  ///< war_horns: routes
};

/// Throws UsageError for a name that would clash in the code of a part or the application.
void check_part_name(const Name& name);

}  // namespace aegis::cli
