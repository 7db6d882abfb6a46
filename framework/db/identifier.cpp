#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "db/dialect.h"

namespace aegis::db {
namespace {

// The words that SQLite (https://sqlite.org/lang_keywords.html, less those its parser takes as
// names all the same) or PostgreSQL 15 (appendix C, the reserved ones) refuse as a column's name.
// clang-format off
constexpr auto reserved_words = std::to_array<std::string_view>({
    "add", "all", "alter", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
    "authorization", "autoincrement", "between", "binary", "both", "case", "cast", "check",
    "collate", "collation", "column", "commit", "concurrently", "constraint", "create", "cross",
    "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "default", "deferrable", "delete", "desc", "distinct",
    "do", "drop", "else", "end", "escape", "except", "exists", "false", "fetch", "for", "foreign",
    "freeze", "from", "full", "grant", "group", "having", "if", "ilike", "in", "index", "initially",
    "inner", "insert", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left",
    "like", "limit", "localtime", "localtimestamp", "natural", "not", "nothing", "notnull", "null",
    "offset", "on", "only", "or", "order", "outer", "over", "overlaps", "placing", "primary", "raise",
    "references", "returning", "right", "select", "session_user", "set", "similar", "some",
    "symmetric", "table", "tablesample", "then", "to", "trailing", "transaction", "true", "union",
    "unique", "update", "user", "using", "values", "variadic", "verbose", "when", "where",
    "window", "with"});
// clang-format on
static_assert(std::ranges::is_sorted(reserved_words));

bool is_plain(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || digit(c); }) &&
         !std::ranges::binary_search(reserved_words, name);
}

}  // namespace

std::string identifier(std::string_view name) {
  if (is_plain(name)) return std::string(name);
  std::string quoted = "\"";
  for (const char c : name) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + '"';
}

}  // namespace aegis::db
