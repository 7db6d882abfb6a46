#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace aegis::cli {

enum class Verdict : std::uint8_t { ok, warning, problem };

/// What `aegis doctor` says of one thing.
struct Finding {
  std::string name;
  Verdict verdict;
  std::string found;   ///< what is there, or not
  std::string mend{};  ///< a command that mends it; maybe ""
};

using Findings = std::vector<Finding>;

/// What a project is built with: compiler, tools, packages, the installed library.
Findings check_build();
/// What it runs on: settings, port, database, time zones, disk, locale.
Findings check_machine();

/// Whether the project that is asked about is in this folder; otherwise it is any.
bool in_project();

}  // namespace aegis::cli
