// Boost.JSON's parser calls a handler that fills the described struct at once, without a tree of
// values in between: so a duplicate key is seen (a tree keeps the last), nothing but the struct is
// allocated, and a number is converted from its own text (Boost 1.81 rounds some doubles wrongly).
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "aegis/core/json.h"
#include "core/describe/place.h"
#include "core/describe/suggest.h"
#include "core/describe/text.h"
#include "core/describe/utf8.h"
#include "core/describe/validate.h"

namespace aegis {
namespace {

namespace json = boost::json;
using boost::system::error_code;
using detail::Place;

constexpr std::size_t max_depth = 32;

/// Boost.JSON's handler. Every on_… answers true: a wrong value is noted, and reading goes on.
class Reader {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  Reader(const Type& type, void* object, const JsonReading& reading,
         std::vector<FieldError>& errors)
      : root_type_(type), root_(object), reading_(reading), errors_(errors) {}

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_null(error_code&) {
    const Slot slot = next();
    if (!slot.type) return true;
    if (!slot.type->nullable) {
      fail("must not be null");
    } else if (slot.type->from_cell) {
      slot.type->from_cell(Cell{}, slot.value);
    } else {
      slot.type->reset(slot.value);
    }
    return true;
  }

  bool on_bool(bool value, error_code&) {
    scalar(Kind::boolean, value);
    return true;
  }

  bool on_int64(std::int64_t value, json::string_view text, error_code&) {
    number(text, Cell{value});
    return true;
  }
  bool on_uint64(std::uint64_t, json::string_view text, error_code&) {
    number(text, {});
    return true;
  }
  bool on_double(double, json::string_view text, error_code&) {
    number(text, {});
    return true;
  }
  bool on_number_part(json::string_view, error_code&) { return true; }  // only of several buffers

  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    parts_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view last, std::size_t, error_code&) {
    string(joined(last));
    parts_.clear();
    return true;
  }

  bool on_array_begin(error_code&) {
    begin(Kind::array);
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    end();
    return true;
  }

  bool on_object_begin(error_code&) {
    begin(Kind::object);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    parts_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view last, std::size_t, error_code&) {
    if (skipping_ == 0) key(joined(last));
    parts_.clear();
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    if (skipping_ == 0) require_members();
    end();
    return true;
  }

  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  /// An object or array that is open.
  struct Frame {
    const Object* object;  // of an object
    const Type* array;     // of an array
    void* value;           // the C++ object or array
    const Field* field;    // whose value comes next; null: nobody's
    std::uint64_t seen;    // the fields named so far, a bit each
    bool partial;          // absent members are left alone
    Place child;           // what is read now
  };

  /// Where the next JSON value goes; without a type: nowhere.
  struct Slot {
    const Type* type = nullptr;
    void* value = nullptr;
    const Rules* rules = nullptr;
  };

  Slot next() {
    static constexpr Rules none{};
    if (skipping_ > 0) return {};
    if (depth_ == 0) return {&root_type_, root_, &none};
    Frame& frame = frames_[depth_ - 1];
    if (frame.array) {
      ++frame.child.index;
      return {&frame.array->element(), frame.array->append(frame.value), &none};
    }
    if (!frame.field) return {};
    return {frame.field->type, frame.field->of(frame.value), &frame.field->rules};
  }

  const Place& place() const { return depth_ == 0 ? root_place_ : frames_[depth_ - 1].child; }
  bool full() const { return errors_.size() >= detail::max_errors; }
  void fail(std::string_view message) { add_error(errors_, place(), std::string{message}); }

  std::string_view joined(json::string_view last) {
    if (parts_.empty()) return {last.data(), last.size()};
    return parts_.append(last.data(), last.size());
  }

  void store(const Slot& slot, const Cell& cell) {
    switch (slot.type->from_cell(cell, slot.value)) {
      case CellStatus::ok:
        return detail::validate_value(*slot.type, *slot.rules, slot.value, errors_, place());
      case CellStatus::out_of_range:
        return fail(detail::range_of(*slot.type));
      case CellStatus::null:
      case CellStatus::wrong_kind:
        return fail(detail::expectation(slot.type->kind));
    }
  }

  void scalar(Kind kind, const Cell& cell) {
    const Slot slot = next();
    if (!slot.type) return;
    if (slot.type->kind != kind) return fail(detail::expectation(slot.type->kind));
    store(slot, cell);
  }

  /// `integer` is null when the number is not one of 64 signed bits.
  void number(json::string_view raw, const Cell& integer) {
    const Slot slot = next();
    if (!slot.type) return;
    const std::string_view text{raw.data(), raw.size()};
    if (slot.type->kind == Kind::real) {
      double value = 0;
      auto problem = detail::read_real(text, value);
      return problem.empty() ? store(slot, value) : fail(problem);
    }
    if (slot.type->kind != Kind::integer) return fail(detail::expectation(slot.type->kind));
    if (!std::holds_alternative<std::monostate>(integer)) return store(slot, integer);
    if (text.find_first_of(".eE") == text.npos) return fail(detail::range_of(*slot.type));
    // 1.0 and 1e2 are integers, too, to JSON Schema; up to where a double is exact.
    constexpr double exact = 1LL << std::numeric_limits<double>::digits;
    double value = 0;
    const bool readable = detail::read_real(text, value).empty();
    if (readable && std::trunc(value) == value && std::abs(value) < exact) {
      return store(slot, static_cast<std::int64_t>(value));
    }
    fail(detail::expectation(Kind::integer));
  }

  void string(std::string_view text) {
    const Slot slot = next();
    if (!slot.type) return;
    switch (slot.type->kind) {
      case Kind::text:
        return store(slot, text);
      case Kind::bytes:
      case Kind::timestamp:
      case Kind::duration: {
        auto problem = detail::read_value(text, *slot.type, slot.value);
        if (!problem.empty()) return fail(problem);
        return detail::validate_value(*slot.type, *slot.rules, slot.value, errors_, place());
      }
      default:
        return fail(detail::expectation(slot.type->kind));
    }
  }

  void begin(Kind kind) {
    if (skipping_ > 0) {
      ++skipping_;
      return;
    }
    const Slot slot = next();
    if (!slot.type || slot.type->kind != kind) {
      if (slot.type) fail(detail::expectation(slot.type->kind));
      skipping_ = 1;
      return;
    }
    const Type* type = slot.type;
    void* value = slot.value;
    bool partial = depth_ == 0 ? reading_.partial : frames_[depth_ - 1].partial;
    if (depth_ > 0 && frames_[depth_ - 1].array) partial = false;  // an element is always new
    if (type->nullable) {
      const bool keep = partial && type->peek(value);
      partial = keep;
      value = keep ? const_cast<void*>(type->peek(value)) : type->emplace(value);
      type = &type->element();
    }
    const Place* parent = &place();
    Frame& frame = frames_[depth_++];
    frame = {nullptr, nullptr, value, nullptr, 0, partial, {parent, {}, Place::by_name}};
    if (kind == Kind::array) {
      frame.array = type;  // by_name + 1 is 0, the first element's index
      type->clear(value);
    } else {
      frame.object = &type->object();
      if (depth_ == 1 && reading_.present) {
        reading_.present->assign(frame.object->fields.size(), false);
      }
    }
  }

  void end() {
    if (skipping_ > 0) {
      --skipping_;
    } else {
      --depth_;
    }
  }

  bool accepts(const Field& field) const {
    return depth_ > 1 || !reading_.accepts || reading_.accepts(field);
  }

  void key(std::string_view name) {
    Frame& frame = frames_[depth_ - 1];
    const auto fields = frame.object->fields;
    // Members mostly come in the order of the struct's.
    const std::size_t expected =
        frame.field ? static_cast<std::size_t>(frame.field - fields.data()) + 1 : 0;
    const Field* field = expected < fields.size() && fields[expected].name == name
                             ? &fields[expected]
                             : frame.object->find(name);
    frame.child.name = name;
    frame.field = nullptr;
    if (!field || !accepts(*field)) return fail("unknown field" + suggestion(name, fields));
    frame.child.name = field->name;
    const auto index = static_cast<std::size_t>(field - fields.data());
    const std::uint64_t bit = std::uint64_t{1} << index;  // AEGIS_FIELDS takes up to 48
    if (frame.seen & bit) return fail("is given more than once");
    frame.seen |= bit;
    frame.field = field;
    if (depth_ == 1 && reading_.present) (*reading_.present)[index] = true;
  }

  std::string suggestion(std::string_view name, std::span<const Field> fields) const {
    if (full()) return {};  // nobody will see it, and a sender must not make us search for nothing
    std::vector<std::string_view> known;
    for (const auto& field : fields) {
      if (accepts(field)) known.push_back(field.name);
    }
    return detail::did_you_mean(name, known);
  }

  void require_members() {
    Frame& frame = frames_[depth_ - 1];
    if (frame.partial || full()) return;
    std::uint64_t bit = 1;
    for (const auto& field : frame.object->fields) {
      if (!(frame.seen & bit) && accepts(field) && is_required(*frame.object, field)) {
        frame.child.name = field.name;
        fail("is required");
      }
      bit <<= 1;
    }
  }

  const Type& root_type_;
  void* root_;
  const JsonReading reading_;
  std::vector<FieldError>& errors_;
  Place root_place_;
  std::size_t depth_ = 0;     // of frames_ in use
  std::size_t skipping_ = 0;  // open objects and arrays that go nowhere
  std::string parts_;         // of a key or string with escapes
  std::array<Frame, max_depth> frames_;
};

/// "line 2, column 7": both from 1, in characters.
std::string position(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const auto line_start = newline == before.npos ? 0 : newline + 1;
  std::size_t line = 1;
  for (const char c : before) line += c == '\n';
  const auto column = detail::inspect_utf8(before.substr(line_start)).characters + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::string describe_error(const error_code& error, std::string_view text, std::size_t offset) {
  std::string what = error.message();
  if (error == json::error::incomplete) {
    const bool empty = text.find_first_not_of(" \t\r\n") == text.npos;
    what = empty ? "the text is empty" : "the text ends too early";
    offset = text.size();
  } else if (error == json::error::too_deep) {
    what = "nested deeper than " + std::to_string(max_depth) + " levels";
  } else if (offset < text.size() && detail::utf8_character(text.substr(offset)) == 0) {
    what = "not valid UTF-8";
  }
  return position(text, offset) + ": " + what;
}

}  // namespace

JsonProblems read_json(std::string_view text, const Type& type, void* object, JsonReading reading) {
  JsonProblems problems;
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<Reader> parser{options, type, object, reading, problems.fields};
  error_code error;
  const std::size_t offset = parser.write_some(false, text.data(), text.size(), error);
  if (!error && offset < text.size()) error = json::error::extra_data;
  if (error) problems = {.syntax = describe_error(error, text, offset), .fields = {}};
  return problems;
}

void JsonProblems::raise() const {
  if (!syntax.empty()) throw Error(Errc::malformed, "not valid JSON: " + syntax);
  if (!fields.empty()) throw ValidationError(fields);
}

}  // namespace aegis
