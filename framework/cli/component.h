#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aegis::cli {

/// One that can be chosen; the API is always there.
struct Component {
  std::string_view name, summary;
  std::vector<std::string_view> needs{};
  std::vector<std::string_view> engines{};  ///< the first is the usual one
};

std::span<const Component> components();

/// What a project is made of.
class Choice {
 public:
  /// From words such as "worker", "database[postgresql]", "database=sqlite", "postgres" or "api".
  /// Adds what they need. Throws UsageError.
  static Choice of(std::span<const std::string> words);

  /// This one and what `words` name besides, be it another engine. Throws UsageError.
  Choice with(std::span<const std::string> words) const;
  /// This one but for what `words` name. Throws UsageError, also where others need it.
  Choice without(std::span<const std::string> words) const;
  bool operator==(const Choice& other) const { return list() == other.list(); }

  /// Whether the template's part for `mark` belongs to it: a component, an engine, or either with a
  /// ! before it: where that is missing.
  bool has(std::string_view mark) const;

  /// Such as {"database=sqlite", "worker"}.
  std::vector<std::string> list() const;
  /// As --components takes it, such as "database=sqlite,worker".
  std::string words() const;
  /// For people, such as "API, database (SQLite), worker".
  std::string text() const;
  /// What was added, such as "database: worker needs it".
  const std::vector<std::string>& added() const { return added_; }

 private:
  void add(const Component& component);

  std::vector<std::string_view> names_{};
  std::string_view engine_{};
  std::vector<std::string> added_{};
};

}  // namespace aegis::cli
