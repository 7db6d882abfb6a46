// `aegis doctor`: what a project is built with.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>

#include "cli/files.h"
#include "cli/finding.h"
#include "cli/process.h"
#include "cli/temporary_folder.h"
#include "cli/version.h"
#include "embedded/coroutine_probes.h"
#include "embedded/project_template.h"

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  return read_file(path.string()).value_or("");
}

/// What stands between `begin` and the next of `ends` in the text, or "".
std::string between(std::string_view text, std::string_view begin, std::string_view ends) {
  const auto at = text.find(begin);
  if (at == text.npos) return "";
  text.remove_prefix(at + begin.size());
  return std::string(text.substr(0, text.find_first_of(ends)));
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

/// A variable of CMake's cache, in one of the project's build folders.
std::string cached(std::string_view variable) {
  for (const char* preset : {"dev", "release"}) {
    const std::string cache = read(fs::path("build") / preset / "CMakeCache.txt");
    const std::string value =
        between(between(cache, fmt::format("\n{}:", variable), "\n"), "=", "\n");
    if (!value.empty()) return value;
  }
  return "";
}

// --- The compiler

std::string compiler() {
  if (const std::string chosen = cached("CMAKE_CXX_COMPILER"); !chosen.empty()) return chosen;
  const std::string preset = between(read("CMakePresets.json"), R"("CMAKE_CXX_COMPILER": ")", "\"");
  return preset.empty() ? "clang++-19" : preset;
}

struct Probe {
  std::string_view name, fault;
};
// As in cmake/CoroutineProbe.cmake, which refuses the compiler at configure time.
constexpr Probe probes[] = {
    {"awaited_condition", "`if (co_await f())` in a coroutine without locals never completes"},
    {"awaited_temporary", "a temporary in the same expression as `co_await` is destroyed twice"},
};

Finding check_compiler() {
  const std::string command = compiler();
  const Answer version = run_and_read({command, "--version"});
  const std::string mend = "apt-get install clang-19";
  if (version.code == no_such_program) {
    return {"compiler", Verdict::problem, fmt::format("there is no {}", command), mend};
  }
  const TemporaryFolder folder(fs::temp_directory_path());
  for (const auto& file : embedded::coroutine_probes()) {
    write_file(folder.path() / file.name, file.content);
  }
  for (const auto& [name, fault] : probes) {
    const std::string program = (folder.path() / name).string();
    if (run_quietly({command, "-std=c++20", "-o", program, program + ".cpp"}) != 0) {
      return {"compiler", Verdict::problem,
              fmt::format("{} does not compile C++20 coroutines", command), mend};
    }
    if (run_quietly({program}) != 0) {
      return {"compiler", Verdict::problem,
              fmt::format("{} miscompiles coroutines: {}", command, fault), mend};
    }
  }
  return {"compiler", Verdict::ok,
          fmt::format("{}: {}; compiles coroutines rightly", command, first_line(version.text))};
}

// --- Tools

struct Tool {
  std::string_view name, package;
  Verdict without;
  std::string_view effect;  // of its absence
};
constexpr Tool tools[] = {
    {"ninja", "ninja-build", Verdict::problem, "nothing can be built"},
    {"make", "make", Verdict::problem, "there is no `make serve`"},
    {"git", "git", Verdict::warning, "`aegis init` makes no repository"},
    {"ccache", "ccache", Verdict::warning, "what was compiled before is compiled again"},
    {"mold", "mold", Verdict::warning, "linking takes longer"},
};

Finding check_tool(const Tool& tool) {
  const Answer answer = run_and_read({std::string(tool.name), "--version"});
  if (answer.code == 0) {
    std::string version = first_line(answer.text);
    if (tool.name == "ninja") version = "ninja " + version;
    return {std::string(tool.name), Verdict::ok, std::move(version)};
  }
  return {std::string(tool.name), tool.without, fmt::format("not installed: {}", tool.effect),
          fmt::format("apt-get install {}", tool.package)};
}

Finding check_cmake() {
  const Answer answer = run_and_read({"cmake", "--version"});
  const std::string version = between(answer.text, "version ", "\n");
  if (answer.code != 0) {
    return {"cmake", Verdict::problem, "not installed: nothing can be built",
            "apt-get install cmake"};
  }
  if (version_of(version) < version_of("3.25")) {
    return {"cmake", Verdict::problem, fmt::format("{}, which is older than 3.25", version),
            "apt-get install cmake"};
  }
  return {"cmake", Verdict::ok, fmt::format("cmake {}", version)};
}

// --- Debian's packages

using Groups = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// deploy/packages.txt: [group], then a package a line, with `command=NAME` where that one will do.
Groups package_groups() {
  std::string list = read("deploy/packages.txt");
  if (list.empty()) {
    for (const auto& file : embedded::project_template()) {
      if (file.name.ends_with("/deploy/packages.txt")) list = file.content;
    }
  }
  Groups groups;
  std::istringstream lines(list);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string package, condition;
    words >> package >> condition;
    if (package.starts_with('[')) {
      groups.push_back({between(package, "[", "]"), {}});
      continue;
    }
    const std::string command = between(condition, "command=", " ");
    if (package.empty() || groups.empty()) continue;
    if (!command.empty() && run_quietly({"which", command}) == 0) continue;
    groups.back().second.push_back(package);
  }
  return groups;
}

Findings check_packages() {
  Findings findings;
  for (const auto& [group, packages] : package_groups()) {
    if (group != "build" && group != "test" && group != "lint") continue;
    std::vector<std::string> query{"dpkg-query", "-W", "-f=${db:Status-Status} ${Package}\n"};
    query.insert(query.end(), packages.begin(), packages.end());
    const Answer answer = run_and_read(query);
    if (answer.code == no_such_program) {
      return {{"packages", Verdict::warning,
               "this is no Debian: what deploy/packages.txt names must come from elsewhere"}};
    }
    std::vector<std::string> missing;
    for (const auto& package : packages) {
      if (("\n" + answer.text).find(fmt::format("\ninstalled {}\n", package)) ==
          std::string::npos) {
        missing.push_back(package);
      }
    }
    if (missing.empty()) {
      findings.push_back({fmt::format("packages {}", group), Verdict::ok,
                          fmt::format("{} are installed", packages.size())});
    } else {
      findings.push_back({fmt::format("packages {}", group),
                          group == "build" ? Verdict::problem : Verdict::warning,
                          fmt::format("missing: {}", fmt::join(missing, ", ")),
                          fmt::format("apt-get install {}", fmt::join(missing, " "))});
    }
  }
  return findings;
}

// --- The installed library

/// Where find_package() looks, the first first.
std::vector<fs::path> prefixes() {
  std::vector<fs::path> found;
  if (const char* path = std::getenv("CMAKE_PREFIX_PATH")) {
    std::istringstream folders(path);
    for (std::string folder; std::getline(folders, folder, ':');) found.emplace_back(folder);
  }
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  if (program.parent_path().filename() == "bin")
    found.push_back(program.parent_path().parent_path());
  found.insert(found.end(), {"/usr/local", "/usr"});
  return found;
}

struct Library {
  std::string version;
  fs::path folder;
};

std::optional<Library> installed_library() {
  for (const auto& prefix : prefixes()) {
    for (const char* folder : {"lib", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "lib64"}) {
      const fs::path place = prefix / folder / "cmake/aegis";
      const std::string version =
          between(read(place / "aegisConfigVersion.cmake"), "set(PACKAGE_VERSION \"", "\"");
      if (!version.empty()) return Library{version, place};
    }
  }
  return std::nullopt;
}

Finding check_library() {
  if (const std::string source = cached("AEGIS_SOURCE"); !source.empty()) {
    return {"aegis", Verdict::ok, fmt::format("built from its sources in {}", source)};
  }
  const std::string wanted = between(read("CMakeLists.txt"), "find_package(aegis ", " )");
  const auto library = installed_library();
  if (!library) {
    return {"aegis", Verdict::problem, "the library is not installed: libaegis-dev",
            "make install    # in a clone of Aegis"};
  }
  const std::string found =
      fmt::format("{} in {}", library->version, library->folder.lexically_normal().string());
  const auto has = version_of(library->version), asks = version_of(wanted);
  // As its package says: SameMinorVersion.
  if (!wanted.empty() && (has[0] != asks[0] || has[1] != asks[1] || has[2] < asks[2])) {
    return {"aegis", Verdict::problem,
            fmt::format("{}, but the project is made for {}", found, wanted),
            fmt::format("install {}, or `aegis update` the project", wanted)};
  }
  return {"aegis", Verdict::ok, found};
}

}  // namespace

Findings check_build() {
  Findings findings{check_compiler(), check_cmake()};
  for (const auto& tool : tools) findings.push_back(check_tool(tool));
  std::ranges::move(check_packages(), std::back_inserter(findings));
  findings.push_back(check_library());
  return findings;
}

}  // namespace aegis::cli
