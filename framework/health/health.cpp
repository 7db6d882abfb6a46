#include "aegis/health/health.h"

#include <fmt/format.h>

#include <algorithm>

#include "aegis/core/json.h"

namespace aegis {

namespace {

struct JsonAppender {
  std::string& out;
  void operator()(bool v) const { out += v ? "true" : "false"; }
  void operator()(std::int64_t v) const { out += std::to_string(v); }
  void operator()(double v) const { out += fmt::format("{:.2f}", v); }
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
    std::visit(JsonAppender{out}, metadata[i].second);
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

void append_names(const std::vector<ComponentHealth>& components, bool healthy, std::string& out) {
  std::vector<std::string> names;
  for (const auto& part : components) {
    if ((part.worst() != HealthStatus::unhealthy) == healthy) names.push_back(part.name);
  }
  JsonAppender{out}(names);
}

std::string coloured(HealthStatus status, bool colours) {
  static constexpr std::string_view codes[] = {"\x1b[32m", "\x1b[36m", "\x1b[33m", "\x1b[31m"};
  if (!colours) return std::string(to_string(status));
  return fmt::format("{}{}\x1b[0m", codes[static_cast<std::size_t>(status)], to_string(status));
}

void append_text(const ComponentHealth& part, std::size_t depth, bool colours, std::string& out) {
  const std::string indent(depth * 2, ' ');
  out += fmt::format("{}{} [{}]", indent, part.name, coloured(part.worst(), colours));
  if (!part.message.empty()) out += " " + part.message;
  if (part.response_time_ms > 0) out += fmt::format(" ({:.1f} ms)", part.response_time_ms);
  out += '\n';
  for (const auto& [key, value] : part.metadata) {
    out += fmt::format("{}  {}: {}\n", indent, key, plain(value));
  }
  for (const auto& sub : part.sub_components) append_text(sub, depth + 1, colours, out);
}

}  // namespace

std::string_view to_string(HealthStatus status) {
  switch (status) {
    case HealthStatus::healthy: return "healthy";
    case HealthStatus::info: return "info";
    case HealthStatus::warning: return "warning";
    case HealthStatus::unhealthy: return "unhealthy";
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
    out += R"(,"components":)";
    append_components(components, out);
    out += R"(,"system_info":)";
    append_metadata(system_info, out);
    const auto good = std::count_if(components.begin(), components.end(), [](const auto& part) {
      return part.worst() != HealthStatus::unhealthy;
    });
    const auto all = static_cast<double>(std::max<std::size_t>(components.size(), 1));
    out += R"(,"healthy_components":)";
    append_names(components, true, out);
    out += R"(,"unhealthy_components":)";
    append_names(components, false, out);
    out += fmt::format(R"(,"health_percentage":{:.1f})",
                       components.empty() ? 100.0 : 100.0 * static_cast<double>(good) / all);
  }
  out += "}\n";
  return out;
}

std::string HealthReport::text(bool detailed, bool colours) const {
  std::string out = fmt::format("{} {} [{}] {}\n", service, version, coloured(status(), colours),
                                to_string(timestamp));
  for (const auto& part : components) {
    if (detailed) {
      append_text(part, 1, colours, out);
    } else {
      out += fmt::format("  {} [{}] {}\n", part.name, coloured(part.worst(), colours),
                         part.message);
    }
  }
  return out;
}

}  // namespace aegis
