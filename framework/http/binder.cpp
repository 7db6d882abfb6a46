#include "aegis/http/binder.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <string>

#include "aegis/core/json.h"
#include "core/describe/place.h"
#include "core/describe/suggest.h"
#include "core/describe/utf8.h"
#include "http/bad_route.h"
#include "http/uri.h"

namespace aegis {

void BindErrors::malformed(std::string message) {
  refuse(400, std::move(message));
}

void BindErrors::invalid(std::string pointer, std::string message) {
  if (fields_.size() >= detail::max_errors) return;
  fields_.push_back({std::move(pointer), std::move(message)});
}

void BindErrors::refuse(int status, std::string message) {
  if (status_ != 0) return;  // the first one is told
  status_ = status;
  message_ = std::move(message);
}

Response BindErrors::response() const {
  if (status_ != 0) return problem(status_, message_);
  return problem(422, "The request breaks rules; `errors` names each place.", fields_);
}

namespace detail {
namespace {

std::string_view to_string(ParameterIn in) {
  switch (in) {
    case ParameterIn::path:
      return "path";
    case ParameterIn::query:
      return "query";
    case ParameterIn::header:
      break;
  }
  return "header";
}

std::string place_of(ParameterIn in, std::string_view name) {
  return std::string(to_string(in)) + "/" + shorten(name);
}

bool is_scalar(const Type& type) {
  return type.to_cell != nullptr;
}
bool is_list(const Type& type) {
  return type.kind == Kind::array && !type.nullable && is_scalar(type.element());
}

/// Refuses at the start what could never be read.
void add_parameter(Endpoint& endpoint, Parameter parameter) {
  const Type& type = *parameter.type;
  const std::string name =
      std::string(to_string(parameter.in)) + " parameter \"" + std::string(parameter.name) + "\"";
  if (!is_scalar(type) && !(parameter.in == ParameterIn::query && is_list(type))) {
    http::bad_route(endpoint,
                    "the " + name + " has a type that cannot be read from text; it takes a scalar" +
                        (parameter.in == ParameterIn::query ? " or a vector of scalars." : "."));
  }
  for (const auto& other : endpoint.parameters) {
    if (other.in == parameter.in && other.name == parameter.name) {
      http::bad_route(endpoint, "the handler asks for the " + name + " twice.");
    }
  }
  endpoint.parameters.push_back(parameter);
}

/// Reads the texts of one input into `value`.
class TextInput {
 public:
  TextInput(ParameterIn in, std::string_view name, const Type& type, void* value,
            BindErrors& errors)
      : in_(in), name_(name), type_(type), value_(value), errors_(errors) {}

  void take(std::string_view text) {
    const bool again = std::exchange(present_, true);
    if (type_.kind == Kind::array) {
      if (!again) type_.clear(value_);
      read(text, type_.element(), type_.append(value_));
    } else if (again) {
      fail("is given more than once");
    } else {
      read(text, type_, value_);
    }
  }
  void require() {
    if (!present_) fail("is required");
  }
  void fail(std::string message) {
    failed_ = true;
    errors_.invalid(place_of(in_, name_), std::move(message));
  }

  std::string_view name() const { return name_; }
  bool present() const { return present_; }
  bool failed() const { return failed_; }

 private:
  void read(std::string_view text, const Type& type, void* value) {
    std::string wrong = read_text(text, type, value);
    if (!wrong.empty()) fail(std::move(wrong));
  }

  ParameterIn in_;
  std::string_view name_;
  const Type& type_;
  void* value_;
  BindErrors& errors_;
  bool present_ = false, failed_ = false;
};

bool must_be_present(const Type& type) {
  return !type.nullable && type.kind != Kind::array;
}

void read_query(const Request& request, BindErrors& errors,
                FunctionRef<void(std::string_view, std::string_view)> take) {
  std::string wrong = http::read_query(request.query, take);
  if (!wrong.empty()) errors.malformed(std::move(wrong));
}

/// application/json, or a type made of it such as application/merge-patch+json.
bool is_json(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  const auto ends = [&](std::string_view with) {
    return type.size() >= with.size() &&
           boost::beast::iequals(type.substr(type.size() - with.size()), with);
  };
  return boost::beast::iequals(type, "application/json") || ends("+json");
}

void read_body(const Request& request, const Type& type, void* value, const JsonReading& reading,
               BindErrors& errors) {
  const std::string_view content_type = request.header("Content-Type");
  if (!content_type.empty() && !is_json(content_type)) {
    return errors.refuse(415,
                         "The body must be application/json, not " + shorten(content_type) + ".");
  }
  if (request.body.empty()) return errors.malformed("The request needs a JSON body.");
  JsonProblems problems = read_json(request.body, type, value, reading);
  if (!problems.syntax.empty()) return errors.malformed(std::move(problems.syntax));
  for (auto& field : problems.fields) {
    errors.invalid(std::move(field.pointer), std::move(field.message));
  }
}

bool is_filled_by_the_database(const Field& field) {
  return field.rules.primary_key && field.type->nullable;
}

}  // namespace

void describe_parameter(Endpoint& endpoint, ParameterIn in, std::string_view name,
                        const Type& type) {
  add_parameter(endpoint, {in, name, &type, must_be_present(type)});
}

void bind_parameter(const Request& request, ParameterIn in, std::string_view name, const Type& type,
                    void* value, BindErrors& errors) {
  TextInput input(in, name, type, value, errors);
  switch (in) {
    case ParameterIn::path:
      input.take(request.path_parameter(name));
      break;
    case ParameterIn::query: {
      auto take = [&](std::string_view given, std::string_view text) {
        if (given == name) input.take(text);
      };
      read_query(request, errors, take);
      break;
    }
    case ParameterIn::header:
      for (const auto& header : request.headers) {
        if (boost::beast::iequals(header.name, name)) input.take(header.value);
      }
      break;
  }
  if (must_be_present(type)) input.require();
}

void describe_query(Endpoint& endpoint, const Object& object) {
  for (const auto& field : object.fields) {
    add_parameter(endpoint, {ParameterIn::query, field.name, field.type, is_required(object, field),
                             &field, &object});
  }
}

void bind_query(const Request& request, const Object& object, void* value, BindErrors& errors) {
  std::vector<TextInput> inputs;
  std::vector<std::string_view> known;
  for (const auto& field : object.fields) {
    inputs.emplace_back(ParameterIn::query, field.name, *field.type, field.of(value), errors);
    known.push_back(field.name);
  }
  // Those that the handler asks for beside the struct.
  const auto is_known_elsewhere = [&](std::string_view name) {
    const auto& all = request.endpoint->parameters;
    return std::any_of(all.begin(), all.end(), [&](const Parameter& other) {
      return other.in == ParameterIn::query && other.object != &object && other.name == name;
    });
  };
  auto take = [&](std::string_view name, std::string_view text) {
    const auto input = std::find_if(inputs.begin(), inputs.end(),
                                    [&](const auto& one) { return one.name() == name; });
    if (input != inputs.end()) return input->take(text);
    if (!is_known_elsewhere(name)) {
      errors.invalid(place_of(ParameterIn::query, name),
                     "unknown parameter" + did_you_mean(name, known));
    }
  };
  read_query(request, errors, take);

  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Field& field = object.fields[i];
    if (is_required(object, field)) inputs[i].require();
    if (inputs[i].present() && !inputs[i].failed()) {
      validate(*field.type, field.rules, field.of(value), errors.fields(),
               place_of(ParameterIn::query, field.name));
    }
  }
}

void describe_body(Endpoint& endpoint, const Type& type, bool is_patch) {
  if (endpoint.body) http::bad_route(endpoint, "the handler asks for two bodies.");
  if (is_safe(endpoint.method)) http::bad_route(endpoint, "a GET has no body to ask for.");
  endpoint.body = &type;
  endpoint.body_is_patch = is_patch;
}

void bind_body(const Request& request, const Type& type, void* value, BindErrors& errors) {
  const JsonReading reading{
      .accepts = [](const Field& field) { return !is_filled_by_the_database(field); }};
  read_body(request, type, value, reading, errors);
}

void bind_patch(const Request& request, const Type& type, void* value, std::vector<bool>& present,
                BindErrors& errors) {
  const JsonReading reading{.accepts = [](const Field& field) { return !field.rules.primary_key; },
                            .present = &present,
                            .partial = true};
  read_body(request, type, value, reading, errors);
}

void describe_service(Endpoint& endpoint, Services::Key key, std::string_view type) {
  endpoint.needs.push_back({key, type});
}

void* find_service(const Request& request, Services::Key key, std::string_view type) {
  void* object = request.services ? request.services->find(key) : nullptr;
  if (object == nullptr) {
    throw Error(Errc::internal, http::name_of(*request.endpoint) + " needs " + std::string(type) +
                                    ", which nobody provides (App::provide).");
  }
  return object;
}

}  // namespace detail
}  // namespace aegis
