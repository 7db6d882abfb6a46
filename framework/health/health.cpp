#include "aegis/health/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aegis/core/json.h"
#include "core/secret.h"

namespace aegis {

namespace {

struct JsonAppender {
  std::string& out;
  void operator()(bool v) const { out += v ? "true" : "false"; }
  void operator()(std::int64_t v) const { out += std::to_string(v); }
  void operator()(double v) const { out += std::isfinite(v) ? fmt::format("{:.2f}", v) : "null"; }
  void operator()(const std::string& v) const { append_json(v, out); }
  void operator()(const std::vector<std::string>& v) const {
    out += '[';
    for (std::size_t i = 0; i < v.size(); ++i) {
      if (i != 0) out += ',';
      append_json(v[i], out);
    }
    out += ']';
  }
};

const HealthValue hidden = std::string("***");

const HealthValue& shown(const std::pair<std::string, HealthValue>& entry) {
  return names_a_secret(entry.first) ? hidden : entry.second;
}

std::string plain(const HealthValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  std::string out;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const auto& item : *list) out += (out.empty() ? "" : ", ") + item;
  } else {
    std::visit(JsonAppender{out}, value);
  }
  return out;
}

void append_key(std::string_view key, std::string& out) {
  append_json(key, out);
  out += ':';
}

void append_metadata(const std::vector<std::pair<std::string, HealthValue>>& metadata,
                     std::string& out) {
  out += '{';
  for (std::size_t i = 0; i < metadata.size(); ++i) {
    if (i != 0) out += ',';
    append_key(metadata[i].first, out);
    std::visit(JsonAppender{out}, shown(metadata[i]));
  }
  out += '}';
}

void append_components(const std::vector<ComponentHealth>& components, std::string& out) {
  out += '{';
  for (std::size_t i = 0; i < components.size(); ++i) {
    const ComponentHealth& part = components[i];
    if (i != 0) out += ',';
    append_key(part.name, out);
    out += R"({"name":)";
    append_json(part.name, out);
    out += R"(,"healthy":)";
    out += part.worst() == HealthStatus::unhealthy ? "false" : "true";
    out += R"(,"status":)";
    append_json(to_string(part.worst()), out);
    out += R"(,"message":)";
    append_json(part.message, out);
    out += fmt::format(R"(,"response_time_ms":{:.2f},"metadata":)", part.response_time_ms);
    append_metadata(part.metadata, out);
    out += R"(,"sub_components":)";
    append_components(part.sub_components, out);
    out += '}';
  }
  out += '}';
}

// The names of components and of their direct parts ("system.memory"), as Aegis Stack counts them.
struct Names {
  std::vector<std::string> healthy{}, unhealthy{};

  explicit Names(const std::vector<ComponentHealth>& components) {
    for (const auto& component : components) {
      add(component, component.name);
      for (const auto& part : component.sub_components) {
        add(part, component.name + "." + part.name);
      }
    }
  }
  double percentage() const {
    const std::size_t all = healthy.size() + unhealthy.size();
    if (all == 0) return 100;
    return 100.0 * static_cast<double>(healthy.size()) / static_cast<double>(all);
  }

 private:
  void add(const ComponentHealth& part, std::string name) {
    (part.worst() == HealthStatus::unhealthy ? unhealthy : healthy).push_back(std::move(name));
  }
};

std::string coloured(HealthStatus status, bool colours) {
  static constexpr std::string_view codes[] = {"\x1b[32m", "\x1b[36m", "\x1b[33m", "\x1b[31m"};
  if (!colours) return std::string(to_string(status));
  return fmt::format("{}{}\x1b[0m", codes[static_cast<std::size_t>(status)], to_string(status));
}

void append_line(const ComponentHealth& part, bool colours, std::string& out) {
  out += fmt::format("{} [{}]", part.name, coloured(part.worst(), colours));
  if (!part.message.empty()) out += " " + part.message;
}

void append_tree(const ComponentHealth& part, std::size_t depth, bool colours, std::string& out) {
  const std::string indent(depth * 2, ' ');
  out += indent;
  append_line(part, colours, out);
  if (part.response_time_ms > 0) out += fmt::format(" ({:.1f} ms)", part.response_time_ms);
  out += '\n';
  for (const auto& entry : part.metadata) {
    out += fmt::format("{}  {}: {}\n", indent, entry.first, plain(shown(entry)));
  }
  for (const auto& sub : part.sub_components) append_tree(sub, depth + 1, colours, out);
}

}  // namespace

std::string_view to_string(HealthStatus status) {
  switch (status) {
    case HealthStatus::healthy:
      return "healthy";
    case HealthStatus::info:
      return "info";
    case HealthStatus::warning:
      return "warning";
    case HealthStatus::unhealthy:
      return "unhealthy";
  }
  return "unknown";
}

HealthStatus ComponentHealth::worst() const {
  HealthStatus found = status;
  for (const auto& part : sub_components) found = std::max(found, part.worst());
  return found;
}

HealthStatus HealthReport::status() const {
  HealthStatus found = HealthStatus::healthy;
  for (const auto& part : components) found = std::max(found, part.worst());
  return found;
}

std::string HealthReport::json(bool detailed) const {
  std::string out = R"({"healthy":)";
  out += healthy() ? "true" : "false";
  out += R"(,"status":)";
  append_json(to_string(status()), out);
  out += R"(,"service":)";
  append_json(service, out);
  out += R"(,"version":)";
  append_json(version, out);
  out += R"(,"timestamp":)";
  append_json(to_string(timestamp), out);
  if (detailed) {
    const Names names(components);
    out += R"(,"components":)";
    append_components(components, out);
    out += R"(,"system_info":)";
    append_metadata(system_info, out);
    out += R"(,"healthy_components":)";
    JsonAppender{out}(names.healthy);
    out += R"(,"unhealthy_components":)";
    JsonAppender{out}(names.unhealthy);
    out += fmt::format(R"(,"health_percentage":{:.1f})", names.percentage());
  }
  out += "}\n";
  return out;
}

std::string HealthReport::text(bool detailed, bool colours) const {
  std::string out = fmt::format("{} {} [{}] {}\n", service, version, coloured(status(), colours),
                                to_string(timestamp));
  for (const auto& part : components) {
    if (detailed) {
      append_tree(part, 1, colours, out);
    } else {
      out += "  ";
      append_line(part, colours, out);
      out += '\n';
    }
  }
  return out;
}

}  // namespace aegis
