#pragma once

#include <string>
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

}  // namespace aegis::cli
