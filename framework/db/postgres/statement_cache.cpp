#include "db/postgres/statement_cache.h"

#include <algorithm>

#include "db/postgres/codec.h"

namespace aegis::db::postgres {
namespace {

bool is_null(const Cell& cell) {
  return std::holds_alternative<std::monostate>(cell);
}

bool fit(std::span<const Oid> types, std::span<const Cell> values) {
  if (types.size() != values.size()) return false;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] != type_of(values[i]) && !is_null(values[i])) return false;
  }
  return true;
}

}  // namespace

StatementCache::Prepared* StatementCache::find(std::string_view sql, std::span<const Cell> values) {
  const auto found = by_text_.find(sql);
  if (found == by_text_.end() || !fit(found->second->types, values)) return nullptr;
  statements_.splice(statements_.begin(), statements_, found->second);
  return &statements_.front();
}

StatementCache::Prepared& StatementCache::add(std::string_view sql, std::span<const Cell> values) {
  Prepared fresh{.sql = std::string(sql), .number = ++last_number_};
  fresh.name = statement_name(fresh.number);
  for (const Cell& value : values) fresh.types.push_back(type_of(value));
  if (const auto found = by_text_.find(sql); found != by_text_.end()) {
    const auto& before = found->second->types;
    for (std::size_t i = 0; i < std::min(values.size(), before.size()); ++i) {
      if (is_null(values[i])) fresh.types[i] = before[i];
    }
    erase(found->second, true);
  }
  while (statements_.size() >= limit_) erase(std::prev(statements_.end()), true);
  statements_.push_front(std::move(fresh));
  by_text_.emplace(statements_.front().sql, statements_.begin());
  return statements_.front();
}

void StatementCache::forget(std::uint64_t number) {
  const auto found = std::ranges::find(statements_, number, &Prepared::number);
  if (found != statements_.end()) erase(found, false);
  std::erase(discarded_, number);
}

void StatementCache::discard_all() {
  while (!statements_.empty()) erase(statements_.begin(), true);
}

void StatementCache::clear() {
  statements_.clear();
  by_text_.clear();
  discarded_.clear();
}

std::uint64_t StatementCache::take_discarded() {
  if (discarded_.empty()) return 0;
  const std::uint64_t number = discarded_.back();
  discarded_.pop_back();
  return number;
}

void StatementCache::erase(List::iterator which, bool discard) {
  if (discard) discarded_.push_back(which->number);
  by_text_.erase(which->sql);
  statements_.erase(which);
}

std::string statement_name(std::uint64_t number) {
  return "s" + std::to_string(number);
}

}  // namespace aegis::db::postgres
