#pragma once

#include <span>
#include <string>
#include <string_view>

namespace aegis::cli {

/// A source that parts are registered in.
struct Registry {
  std::string_view file;      ///< such as app/application.cpp
  std::string_view function;  ///< that lists them, up to its {
  std::string_view header;    ///< its own, which it includes first
};
inline constexpr Registry application_registry{"app/application.cpp",
                                               "void configure(aegis::App& app)", "application.h"};
inline constexpr Registry schedules_registry{
    "app/scheduler/schedules.cpp", "void schedules(Schedules& s)", "scheduler/schedules.h"};

/// The registry's `text` with an #include of each header, in its place among the others, and with
/// `statement` at the end of the function. Throws UsageError when it has no such function that ends
/// with a } of its own line.
std::string register_part(const Registry& registry, std::string_view text,
                          std::span<const std::string> headers, std::string_view statement);

}  // namespace aegis::cli
