#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aegis::cli {

/// A member of a model or a job, given as name:type[:optional][:unique][:indexed].
struct Field {
  std::string name;
  std::string_view type;     ///< in C++
  std::string_view example;  ///< a value as JSON
  bool optional = false;
  std::string attributes{};  ///< ", unique"
};

/// What may stand behind a field's name, and what behind its type.
std::vector<std::string_view> field_types();
std::vector<std::string_view> field_words();

/// Throws UsageError for an unknown type or word, for a name that comes twice and for a taken one.
std::vector<Field> fields_of(std::span<const std::string> words,
                             std::span<const std::string_view> taken);

/// "  std::string title{};\n" for each.
std::string members_of(std::span<const Field> fields);

/// `head`, which ends with "(", and the parts, in lines of at most 100 columns that begin below the
/// first part; ")" at the end.
std::string wrapped(std::string_view head, std::span<const std::string> parts);

}  // namespace aegis::cli
