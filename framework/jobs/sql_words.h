#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "db/dialect.h"

namespace aegis::jobs {

/// How each database says what SQL has no common words for; of every statement $1 is the time to go
/// by, or NULL: the database's own.
struct SqlWords {
  db::Dialect::Id id;

  bool postgresql() const { return id == db::Dialect::Id::postgresql; }

  std::string now() const {
    return postgresql() ? "coalesce($1::timestamptz, statement_timestamp())"
                        : "coalesce($1, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))";
  }
  /// The moment that is `ms` milliseconds from now.
  std::string later(std::string_view ms) const {
    return postgresql()
               ? fmt::format("{} + {} * interval '1 millisecond'", now(), ms)
               : fmt::format("strftime('%Y-%m-%dT%H:%M:%f000Z', {}, ({} / 1000.0) || ' seconds')",
                             now(), ms);
  }
  std::string milliseconds_until(std::string_view moment) const {
    return postgresql()
               ? fmt::format("ceil(extract(epoch FROM {} - {}) * 1000)::bigint", moment, now())
               : fmt::format("CAST((julianday({}) - julianday({})) * 86400000 + 1 AS INTEGER)",
                             moment, now());
  }

  /// The text that parameter `n` is.
  std::string text(int n) const { return fmt::format("${}{}", n, postgresql() ? "::text" : ""); }
  /// `column` is one of the texts in the JSON array that parameter `n` is.
  std::string among_texts(std::string_view column, int n) const {
    return postgresql()
               ? fmt::format("{} = ANY (ARRAY(SELECT json_array_elements_text(${}::json)))", column,
                             n)
               : fmt::format("{} IN (SELECT value FROM json_each(${}))", column, n);
  }
  /// The same of numbers.
  std::string among_numbers(std::string_view column, int n) const {
    return postgresql()
               ? fmt::format("{} = ANY (ARRAY(SELECT json_array_elements_text(${}::json)::bigint))",
                             column, n)
               : among_texts(column, n);
  }
  /// `column` is one of the rows of `select`, which are locked unless others hold them. (An ARRAY
  /// is made once; the planner may run a plain IN again and again, and lock more each time.)
  std::string locked(std::string_view column, std::string_view select) const {
    return postgresql() ? fmt::format("{} = ANY (ARRAY({} FOR UPDATE SKIP LOCKED))", column, select)
                        : fmt::format("{} IN ({})", column, select);
  }
};

}  // namespace aegis::jobs
