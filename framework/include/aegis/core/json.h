#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aegis/core/error.h"
#include "aegis/core/fields.h"

namespace aegis {

/// Appends `object` (of `type`) as JSON text. Bytes become base64, timestamps RFC 3339, durations
/// text such as "10s", a double that is not finite null.
void append_json(const Type& type, const void* object, std::string& out);

/// Appends `text` as a JSON string, quoted and escaped; invalid UTF-8 becomes U+FFFD.
void append_json(std::string_view text, std::string& out);

/// The JSON text of a described struct (or a vector or optional of such).
template <class T>
std::string to_json(const T& object) {
  std::string out;
  append_json(detail::type_of<T>(), &object, out);
  return out;
}

/// What reading a JSON text found.
struct JsonProblems {
  std::string syntax;              ///< not empty: the text is not JSON (or too deep); where and why
  std::vector<FieldError> fields;  ///< members that are unknown, of a wrong type, or break a rule
  bool none() const { return syntax.empty() && fields.empty(); }
  /// Throws Error(malformed) or ValidationError, unless there is nothing to say.
  void raise() const;
};

/// How a JSON object is read into a struct.
struct JsonReading {
  /// Members of the outermost object that may be named; null: every field.
  bool (*accepts)(const Field&) = nullptr;
  /// Set to whether a member was present, by field index of the outermost object; may be null.
  std::vector<bool>* present = nullptr;
  /// Leave absent members alone: no "is required" (a PATCH), also in structs inside the struct.
  /// What is new must be whole all the same: an element of an array, an optional that was empty.
  bool partial = false;
};

/// Reads JSON into `object` (of `type`): missing members keep their defaults, an unknown or
/// wrongly typed one is an error that names its JSON Pointer, and so is one that breaks a rule or
/// is given twice. At most 100 errors are told; after any, `object` is partly read. A member is
/// required when it says so or when its default breaks its own rules. The depth is limited to 32,
/// so that deep nesting cannot exhaust the stack.
JsonProblems read_json(std::string_view text, const Type& type, void* object,
                       JsonReading reading = {});

template <class T>
JsonProblems from_json(std::string_view text, T& object) {
  return read_json(text, detail::type_of<T>(), &object);
}

/// Appends what breaks the rules of the fields of `object`, with pointers below `pointer`, up to
/// 100 errors. Beside the rules, text must be UTF-8 without U+0000: PostgreSQL stores no other.
void validate(const Object& description, const void* object, std::vector<FieldError>& errors,
              std::string_view pointer = "");

/// Appends what breaks `rules` in the one value at `member`, named `pointer`.
void validate(const Type& type, const Rules& rules, const void* member,
              std::vector<FieldError>& errors, std::string_view pointer);

/// Whether a JSON body must name this field (see read_json).
bool is_required(const Object& description, const Field& field);

/// Reads a scalar from text (a path segment, a query parameter, a setting) into `object`; for an
/// optional, an empty text is null. Rules are not checked: see validate.
/// Answers an empty string, or what is wrong, e.g. "must be an integer".
std::string read_text(std::string_view text, const Type& type, void* object);

/// A scalar as text, the way read_text reads it; empty for null.
std::string write_text(const Type& type, const void* object);

}  // namespace aegis
