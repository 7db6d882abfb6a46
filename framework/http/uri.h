// The parts of a URI that handlers get: percent-decoded, and nothing but UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aegis/core/function_ref.h"

namespace aegis::http {

enum class Plus : bool { literal, space };  ///< what '+' stands for: a space in queries

/// `text` without its percent-encoding, in `buffer` if there was one. Nothing when it is badly
/// encoded, or when what comes out holds a NUL or is not UTF-8.
std::optional<std::string_view> percent_decode(std::string_view text, Plus plus,
                                               std::string& buffer);

/// `text` as one path segment.
std::string percent_encode(std::string_view text);

/// What one query may hold.
inline constexpr std::size_t max_query_parameters = 100;

/// Calls `take(name, value)` for every parameter of `query`, in order. Answers what is wrong with
/// the query as a whole, or an empty text.
std::string read_query(std::string_view query,
                       FunctionRef<void(std::string_view name, std::string_view value)> take);

}  // namespace aegis::http
