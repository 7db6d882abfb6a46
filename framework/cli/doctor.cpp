#include "cli/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "aegis/core/json.h"
#include "cli/finding.h"
#include "cli/project_name.h"
#include "cli/terminal.h"

namespace aegis::cli {

namespace {

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::warning:
      return "warning";
    case Verdict::problem:
      return "problem";
  }
  return "";
}

std::string coloured(Verdict verdict) {
  const std::string padded = fmt::format("{:<8}", name_of(verdict));
  if (!has_colours()) return padded;
  const int colour = verdict == Verdict::ok ? 32 : verdict == Verdict::warning ? 33 : 31;
  return fmt::format("\x1b[{}m{}\x1b[0m", colour, padded);
}

struct Check {
  std::string name{}, status{}, found{}, mend{};

  AEGIS_FIELDS(Check, (name), (status), (found), (mend))
};

/// For programs.
struct Report {
  bool healthy = false;
  std::vector<Check> checks{};

  AEGIS_FIELDS(Report, (healthy), (checks))
};

Report report(const Findings& findings, bool healthy) {
  Report report{.healthy = healthy};
  for (const auto& [name, verdict, found, mend] : findings) {
    report.checks.push_back({name, std::string(name_of(verdict)), found, mend});
  }
  return report;
}

}  // namespace

bool in_project() {
  return std::filesystem::exists("app/main.cpp") && std::filesystem::exists("CMakeLists.txt");
}

int doctor(bool json) {
  Findings findings = check_build();
  std::ranges::move(check_machine(), std::back_inserter(findings));
  const auto count = [&](Verdict verdict) {
    return std::ranges::count(findings, verdict, &Finding::verdict);
  };
  const auto problems = count(Verdict::problem), warnings = count(Verdict::warning);
  if (json) {
    fmt::print("{}\n", to_json(report(findings, problems == 0)));
    return problems == 0 ? 0 : 1;
  }
  fmt::print("{}\n", in_project()
                         ? fmt::format("The project {}", bold(project_name("CMakeLists.txt")))
                         : "This machine; no project is in this folder");
  for (const auto& [name, verdict, found, mend] : findings) {
    fmt::print("  {} {:<14} {}\n", coloured(verdict), name, found);
    if (!mend.empty()) fmt::print("{:>26}{}\n", "", bold(mend));
  }
  fmt::print("{}\n", problems + warnings == 0 ? "All is well."
                                              : fmt::format("{} problem{}, {} warning{}.", problems,
                                                            problems == 1 ? "" : "s", warnings,
                                                            warnings == 1 ? "" : "s"));
  return problems == 0 ? 0 : 1;
}

}  // namespace aegis::cli
