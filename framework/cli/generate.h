#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aegis::cli {

struct GenerateOptions {
  std::string kind{};  ///< handler, model, resource or job
  std::string name{};
  std::vector<std::string> fields{};
  bool dry_run = false;
};

/// `aegis generate`: adds a part, with a test, to the project in the current folder and registers
/// it in app/application.cpp. Throws UsageError, before anything is written.
int generate(const GenerateOptions& options);

/// The kinds there are.
std::vector<std::string_view> part_kinds();

}  // namespace aegis::cli
