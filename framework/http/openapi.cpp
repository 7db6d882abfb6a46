#include "http/openapi.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>

#include "http/status.h"

namespace aegis {
namespace {

namespace json = boost::json;

json::value text(std::string_view value) {
  return json::string(value);
}

void indent(const json::value& value, std::size_t depth, std::string& out) {
  const auto list = [&](const auto& items, char open, char close, auto&& write) {
    if (items.empty()) {
      out.append({open, close});
      return;
    }
    out += open;
    bool first = true;
    for (const auto& item : items) {
      out.append(first ? "\n" : ",\n").append(2 * depth + 2, ' ');
      first = false;
      write(item);
    }
    out.append("\n").append(2 * depth, ' ') += close;
  };
  if (const auto* object = value.if_object()) {
    list(*object, '{', '}', [&](const auto& member) {
      out.append(json::serialize(json::string(member.key()))).append(": ");
      indent(member.value(), depth + 1, out);
    });
  } else if (const auto* array = value.if_array()) {
    list(*array, '[', ']', [&](const auto& element) { indent(element, depth + 1, out); });
  } else if (const auto* number = value.if_double()) {
    out += to_json(*number);  // Boost.JSON would write 5E-1
  } else {
    out += json::serialize(value);
  }
}

/// The schemas of C++ types: structs go to components/schemas, once each, and are referred to.
class Schemas {
 public:
  Schemas() { names_.insert("Problem"); }

  json::object of(const Type& type) { return of(type, Rules{}); }

  json::object of(const Type& type, const Rules& rules) {
    if (type.kind == Kind::object && !type.nullable) return reference(type.object(), false);
    if (!type.to_cell && type.nullable) {
      return {{"anyOf", json::array{of(type.element(), rules), json::object{{"type", "null"}}}}};
    }
    json::object schema = type.kind == Kind::array ? array(type) : scalar(type, rules);
    if (type.nullable) {
      schema["type"] = json::array{schema["type"], "null"};
      if (auto* choices = schema.if_contains("enum")) choices->as_array().push_back(nullptr);
    }
    return schema;
  }

  /// `field` of `object`, with its documentation and, unless it is required, its default.
  json::object of(const Object& object, const Field& field) {
    json::object schema = of(*field.type, field.rules);
    if (!is_required(object, field)) {
      std::string written;
      append_json(*field.type, field.of(object.defaults()), written);
      if (written != "null") schema["default"] = json::parse(written);
    }
    return document(std::move(schema), field);
  }

  /// All members of `object` may be absent, and its key cannot be named.
  json::object patch_of(const Type& type) { return reference(type.object(), true); }

  /// All structs, in the order in which they were met, and Problem.
  json::object take_components() {
    components_["Problem"] = json::parse(R"({
      "type": "object",
      "description": "What went wrong (RFC 9457).",
      "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
          "type": "array",
          "description": "Each input that breaks a rule.",
          "items": {
            "type": "object",
            "properties": {
              "pointer": {
                "type": "string",
                "description": "A JSON Pointer into the body, or path/, query/ or header/ and the name of a parameter."
              },
              "detail": {"type": "string"}
            },
            "required": ["pointer", "detail"]
          }
        }
      },
      "required": ["type", "title", "status"]
    })");
    return std::move(components_);
  }

 private:
  static json::object document(json::object schema, const Field& field) {
    if (field.rules.primary_key && field.type->nullable) schema["readOnly"] = true;
    if (!field.rules.doc.empty()) schema["description"] = text(field.rules.doc);
    return schema;
  }

  json::object array(const Type& type) {
    return {{"type", "array"}, {"items", of(type.element())}};
  }

  static json::object scalar(const Type& type, const Rules& rules) {
    json::object schema;
    switch (type.kind) {
      case Kind::boolean:
        schema["type"] = "boolean";
        break;
      case Kind::integer:
        schema["type"] = "integer";
        put_integer_limits(type, rules, schema);
        break;
      case Kind::real:
        schema = {{"type", "number"}, {"format", "double"}};
        if (rules.ge_real) schema["minimum"] = *rules.ge_real;
        if (rules.le_real) schema["maximum"] = *rules.le_real;
        if (rules.ge) schema["minimum"] = *rules.ge;
        if (rules.le) schema["maximum"] = *rules.le;
        break;
      case Kind::bytes:
        schema = {{"type", "string"}, {"contentEncoding", "base64"}};
        break;
      case Kind::timestamp:
        schema = {{"type", "string"}, {"format", "date-time"}};
        break;
      case Kind::duration:
        schema = {{"type", "string"}, {"pattern", "^-?[0-9]+(ms|s|m|h|d)$"}};
        break;
      default:
        schema["type"] = "string";
        if (rules.min_length) schema["minLength"] = *rules.min_length;
        if (rules.max_length) schema["maxLength"] = *rules.max_length;
        if (rules.choice_count > 0) {
          json::array choices;
          for (const auto choice : rules.one_of()) choices.push_back(text(choice));
          schema["enum"] = std::move(choices);
        }
    }
    return schema;
  }

  static void put_integer_limits(const Type& type, const Rules& rules, json::object& schema) {
    using Int32 = std::numeric_limits<std::int32_t>;
    using Int64 = std::numeric_limits<std::int64_t>;
    const bool is_int32 = type.min == Int32::min() && type.max == Int32::max();
    const bool is_int64 = type.min == Int64::min() && type.max == Int64::max();
    if (is_int32) schema["format"] = "int32";
    if (is_int64) schema["format"] = "int64";
    const bool format_says = is_int32 || is_int64;
    if (rules.ge || !format_says) {
      schema["minimum"] = std::max(type.min, rules.ge.value_or(Int64::min()));
    }
    if (rules.le || !format_says) {
      schema["maximum"] = std::min(type.max, rules.le.value_or(Int64::max()));
    }
  }

  json::object reference(const Object& object, bool is_patch) {
    auto [known, is_new] = known_.try_emplace({&object, is_patch});
    if (is_new) {
      known->second = free_name(std::string(object.name) + (is_patch ? "Patch" : ""));
      const std::string name = known->second;
      components_[name] = nullptr;  // holds the place while its own members are described
      components_[name] = is_patch ? patch(object) : whole(object);
    }
    return {{"$ref", "#/components/schemas/" + known_.at({&object, is_patch})}};
  }

  std::string free_name(const std::string& name) {
    std::string free = name;
    for (int number = 2; !names_.insert(free).second; ++number) {
      free = name + std::to_string(number);
    }
    return free;
  }

  json::object whole(const Object& object) {
    json::object properties;
    json::array required;
    for (const auto& field : object.fields) {
      properties[field.name] = of(object, field);
      if (is_required(object, field)) required.push_back(text(field.name));
    }
    json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) schema["required"] = std::move(required);
    return schema;
  }

  json::object patch(const Object& object) {
    json::object properties;
    for (const auto& field : object.fields) {
      if (field.rules.primary_key) continue;
      properties[field.name] = document(of(*field.type, field.rules), field);
    }
    return {{"type", "object"}, {"properties", std::move(properties)}};
  }

  std::map<std::pair<const Object*, bool>, std::string> known_;
  std::set<std::string> names_;
  json::object components_;
};

/// "/files/{path*}" is "/files/{path}" to OpenAPI.
std::string path_of(const Endpoint& endpoint) {
  std::string path = endpoint.path;
  std::erase(path, '*');
  return path;
}

class Document {
 public:
  Document(std::string_view title, std::string_view version, std::string_view description) {
    info_ = {{"title", text(title)}, {"version", text(version)}};
    if (!description.empty()) info_["description"] = text(description);
  }

  void add(const Endpoint& endpoint) {
    std::string method(to_string(endpoint.method));
    std::transform(method.begin(), method.end(), method.begin(),
                   [](char c) { return static_cast<char>(c - 'A' + 'a'); });
    auto& path = paths_[path_of(endpoint)];
    if (path.is_null()) path.emplace_object();
    path.as_object()[method] = operation(endpoint, method);
  }

  std::string write() {
    json::object document{
        {"openapi", "3.1.0"}, {"info", std::move(info_)}, {"paths", std::move(paths_)}};
    document["components"] = json::object{{"schemas", schemas_.take_components()}};
    std::string out;
    indent(document, 0, out);
    return out += '\n';
  }

 private:
  json::object operation(const Endpoint& endpoint, const std::string& method) {
    json::object operation{{"operationId", operation_id(endpoint, method)}};
    if (!endpoint.summary_text.empty()) operation["summary"] = endpoint.summary_text;
    if (!endpoint.tags.empty()) {
      operation["tags"] = json::array(endpoint.tags.begin(), endpoint.tags.end());
    }
    if (json::array all = parameters(endpoint); !all.empty()) operation["parameters"] = all;
    if (endpoint.body) operation["requestBody"] = request_body(endpoint);
    operation["responses"] = responses(endpoint);
    return operation;
  }

  /// get_shields_by_id
  std::string operation_id(const Endpoint& endpoint, const std::string& method) {
    std::string id = method;
    for (const char c : path_of(endpoint)) {
      if (c == '/') {
        id += '_';
      } else if (c == '{') {
        id += "by_";
      } else if (c != '}') {
        id += c;
      }
    }
    const std::string name = id;
    for (int number = 2; !operation_ids_.insert(id).second; ++number) {
      id = name + "_" + std::to_string(number);
    }
    return id;
  }

  json::array parameters(const Endpoint& endpoint) {
    json::array all;
    std::set<std::string_view> described;
    for (const auto& parameter : endpoint.parameters) {
      json::object one{{"name", text(parameter.name)}};
      switch (parameter.in) {
        case ParameterIn::path:
          one["in"] = "path";
          described.insert(parameter.name);
          break;
        case ParameterIn::query:
          one["in"] = "query";
          break;
        case ParameterIn::header:
          one["in"] = "header";
          break;
      }
      if (parameter.required) one["required"] = true;
      if (parameter.field && !parameter.field->rules.doc.empty()) {
        one["description"] = text(parameter.field->rules.doc);
      }
      one["schema"] = parameter_schema(parameter);
      all.push_back(std::move(one));
    }
    // OpenAPI wants to know of those too that the handler does not take.
    std::string_view rest = endpoint.path;
    for (std::size_t open; (open = rest.find('{')) != std::string_view::npos;) {
      std::string_view name = rest.substr(open + 1, rest.find('}') - open - 1);
      rest.remove_prefix(open + 1);
      if (name.ends_with('*')) name.remove_suffix(1);
      if (described.contains(name)) continue;
      all.push_back({{"name", text(name)},
                     {"in", "path"},
                     {"required", true},
                     {"schema", {{"type", "string"}}}});
    }
    return all;
  }

  json::object parameter_schema(const Parameter& parameter) {
    json::object schema = parameter.field ? schemas_.of(*parameter.object, *parameter.field)
                                          : schemas_.of(*parameter.type);
    // An absent parameter is how null is sent.
    if (parameter.type->nullable) schema["type"] = json::value(schema["type"].as_array()[0]);
    schema.erase("description");  // is the parameter's
    return schema;
  }

  json::object request_body(const Endpoint& endpoint) {
    const json::object media{{"schema", endpoint.body_is_patch ? schemas_.patch_of(*endpoint.body)
                                                               : schemas_.of(*endpoint.body)}};
    json::object content{{"application/json", media}};
    if (endpoint.body_is_patch) content["application/merge-patch+json"] = media;
    return {{"required", true}, {"content", std::move(content)}};
  }

  json::object responses(const Endpoint& endpoint) {
    json::object all;
    all[endpoint.reply_media == "*/*" ? "2XX" : std::to_string(endpoint.status)] =
        success(endpoint);
    const auto has_path_parameters = endpoint.path.find('{') != std::string::npos;
    const bool writes = endpoint.body != nullptr;
    if (has_path_parameters || endpoint.may_be_absent) {
      all["404"] = problem_reply("There is no such thing.");
    }
    if (writes) all["409"] = problem_reply("It contradicts what is stored.");
    if (writes || !endpoint.parameters.empty()) {
      all["422"] = problem_reply("An input breaks a rule; `errors` names each.");
    }
    all["default"] = problem_reply("Any other problem.");
    return all;
  }

  json::object success(const Endpoint& endpoint) {
    json::object reply{{"description", text(http::reason(endpoint.status))}};
    if (endpoint.replies_location) {
      reply["headers"] = {{"Location",
                           {{"description", "Where the new one is."},
                            {"schema", {{"type", "string"}, {"format", "uri-reference"}}}}}};
    }
    if (endpoint.reply) {
      reply["content"] = {{"application/json", {{"schema", schemas_.of(*endpoint.reply)}}}};
    } else if (!endpoint.reply_media.empty() && endpoint.reply_media != "*/*") {
      json::object content;
      content[endpoint.reply_media] = {{"schema", {{"type", "string"}}}};
      reply["content"] = std::move(content);
    }
    return reply;
  }

  static json::object problem_reply(std::string_view description) {
    return {
        {"description", text(description)},
        {"content",
         {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
  }

  json::object info_, paths_;
  std::set<std::string> operation_ids_;
  Schemas schemas_;
};

}  // namespace

std::string openapi(std::string_view title, std::string_view version, const Router& router,
                    std::string_view description) {
  Document document(title, version, description);
  for (const auto& endpoint : router.endpoints()) {
    if (!endpoint->hidden) document.add(*endpoint);
  }
  return document.write();
}

}  // namespace aegis
