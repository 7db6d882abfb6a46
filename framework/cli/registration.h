#pragma once

#include <span>
#include <string>
#include <string_view>

namespace aegis::cli {

/// app/application.cpp with an #include of each header, in its place among the others, and with
/// `statement` at the end of configure(). Throws UsageError when it has no configure() that ends
/// with a } of its own line.
std::string register_part(std::string_view application, std::span<const std::string> headers,
                          std::string_view statement);

}  // namespace aegis::cli
