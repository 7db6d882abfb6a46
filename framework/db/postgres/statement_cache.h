#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aegis/core/type.h"
#include "db/postgres/libpq.h"

namespace aegis::db::postgres {

/// What one connection has prepared on the server: the least recently used one goes first.
///
/// A statement is prepared for the types of its values. A NULL has none: it fits what is prepared,
/// and where it came first, the statement is prepared once more when a value follows.
class StatementCache {
 public:
  struct Prepared {
    std::string sql;
    std::vector<Oid> types{};  ///< 0: the server finds out
    std::uint64_t number = 0;
    std::string name{};  ///< on the server
  };

  /// `limit` 0: nothing is prepared ahead.
  explicit StatementCache(std::size_t limit) : limit_(limit) {}

  bool enabled() const { return limit_ > 0; }

  /// The statement prepared for such values; null when there is none.
  Prepared* find(std::string_view sql, std::span<const Cell> values);
  /// A new one, which the caller prepares on the server.
  Prepared& add(std::string_view sql, std::span<const Cell> values);
  /// The server does not have it: it could not be prepared, or is gone.
  void forget(std::uint64_t number);
  /// None of them is wanted any more.
  void discard_all();
  /// The server has none of them any more.
  void clear();

  /// A statement that is not wanted any more and is still on the server; 0: none.
  std::uint64_t take_discarded();
  /// It is still there after all.
  void put_back_discarded(std::uint64_t number) { discarded_.push_back(number); }

 private:
  using List = std::list<Prepared>;
  void erase(List::iterator which, bool discard);

  std::size_t limit_;
  List statements_;  ///< most recently used first
  std::unordered_map<std::string_view, List::iterator> by_text_;
  std::vector<std::uint64_t> discarded_;
  std::uint64_t last_number_ = 0;
};

/// A prepared statement's name on the server.
std::string statement_name(std::uint64_t number);

}  // namespace aegis::db::postgres
