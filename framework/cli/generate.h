#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aegis::cli {

struct GenerateOptions {
  std::string kind{};  ///< handler, model, resource, job, schedule or migration
  std::string name{};
  std::vector<std::string> details{};  ///< fields, or a schedule's timing
  bool dry_run = false;
  bool json = false;
};

/// `aegis generate`: adds a part, with a test, to the project in the current folder and registers
/// it in app/application.cpp or app/scheduler/schedules.cpp; all or nothing. A migration is written
/// by the project's own `make migration`. Throws UsageError, before anything is written.
int generate(const GenerateOptions& options);

/// The kinds there are.
std::vector<std::string_view> part_kinds();

}  // namespace aegis::cli
