#include "http/route_tree.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "http/bad_route.h"
#include "http/uri.h"

namespace aegis::http {
namespace {

/// A path, split into its segments, which were then decoded: an encoded slash splits nothing.
class Path {
 public:
  explicit Path(std::string_view path) {
    if (!path.starts_with('/')) return;
    bool is_plain = true;  // what decoding would leave as it is
    for (const char c : path) is_plain &= c != '%' && static_cast<signed char>(c) > 0;
    if (!is_plain) decoded_.reserve(path.size());  // so that views into it stay
    do {
      path.remove_prefix(1);
      std::string_view segment = path.substr(0, path.find('/'));
      path.remove_prefix(segment.size());
      if (!is_plain && !decode(segment)) return;
      if (segment == "." || segment == "..") return;
      segments_.push_back(segment);
    } while (!path.empty());
    readable_ = true;
  }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

  bool readable() const { return readable_; }
  std::span<const std::string_view> segments() const {
    return {segments_.data(), segments_.size()};
  }

 private:
  bool decode(std::string_view& segment) {
    std::string buffer;
    const auto text = percent_decode(segment, Plus::literal, buffer);
    if (!text) return false;
    const std::size_t begin = decoded_.size();
    decoded_ += *text;
    segment = std::string_view(decoded_).substr(begin);
    return true;
  }

  boost::container::small_vector<std::string_view, 16> segments_;
  std::string decoded_;
  bool readable_ = false;
};

/// One segment of a pattern.
struct PatternSegment {
  enum class Kind : std::uint8_t { literal, parameter, rest } kind;
  std::string_view text;  ///< the literal, or the parameter's name
};

bool is_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
}

PatternSegment parse_segment(const Endpoint& endpoint, std::string_view text, bool last) {
  using enum PatternSegment::Kind;
  if (text.starts_with('{') && text.ends_with('}')) {
    std::string_view name = text.substr(1, text.size() - 2);
    const bool rest = name.ends_with('*');
    if (rest) name.remove_suffix(1);
    if (!is_name(name)) {
      bad_route(endpoint,
                "a parameter is {name}, of letters, digits and _, not " + std::string(text) + ".");
    }
    if (rest && !last)
      bad_route(endpoint, std::string(text) + " takes all the rest: nothing may follow.");
    return {rest ? PatternSegment::Kind::rest : parameter, name};
  }
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
    return std::string_view("{}%?#\\").find(c) != std::string_view::npos ||
           static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
  });
  if (!plain || text == "." || text == ".." || (text.empty() && !last)) {
    bad_route(endpoint, "\"" + std::string(text) +
                            "\" is no segment of a pattern: a segment is plain text, written "
                            "without percent-encoding, or one parameter, {name}.");
  }
  return {literal, text};
}

std::vector<PatternSegment> parse_pattern(const Endpoint& endpoint) {
  std::string_view path = endpoint.path;
  if (!path.starts_with('/')) bad_route(endpoint, "a pattern starts with a slash.");
  std::vector<PatternSegment> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view text = path.substr(0, path.find('/'));
    path.remove_prefix(text.size());
    segments.push_back(parse_segment(endpoint, text, path.empty()));
  }
  return segments;
}

/// Whether {name*} may take these segments: no slash in them but those between, so that what the
/// handler gets has the segments that were checked; and none empty, but the last.
bool fits_rest(std::span<const std::string_view> segments) {
  if (segments.front().empty()) return false;
  return std::all_of(segments.begin(), segments.end(), [&](const std::string_view& segment) {
    return segment.find('/') == std::string_view::npos &&
           (!segment.empty() || &segment == &segments.back());
  });
}

std::size_t index(Method method) {
  return static_cast<std::size_t>(method);
}

}  // namespace

RouteTree::RouteTree() = default;
RouteTree::~RouteTree() = default;

void RouteTree::insert(const Endpoint& endpoint) {
  auto route = std::make_unique<Route>();
  route->endpoint = &endpoint;
  Node* node = &root_;
  Methods* methods = nullptr;
  std::size_t position = 0;
  for (const auto& segment : parse_pattern(endpoint)) {
    if (segment.kind == PatternSegment::Kind::literal) {
      auto& next = node->literals[std::string(segment.text)];
      if (!next) next = std::make_unique<Node>();
      node = next.get();
    } else {
      for (const auto& [_, name] : route->parameters) {
        if (name == segment.text) bad_route(endpoint, "the pattern names {" + name + "} twice.");
      }
      route->parameters.push_back({position, std::string(segment.text)});
      if (segment.kind == PatternSegment::Kind::rest) {
        route->takes_rest = true;
        methods = &node->rest;
        break;
      }
      if (!node->parameter) node->parameter = std::make_unique<Node>();
      node = node->parameter.get();
    }
    ++position;
  }
  if (!methods) methods = &node->here;

  for (const auto& wanted : endpoint.parameters) {
    const auto& known = route->parameters;
    if (wanted.in == ParameterIn::path && std::none_of(known.begin(), known.end(), [&](auto& one) {
          return one.name == wanted.name;
        })) {
      const std::string name(wanted.name);
      bad_route(endpoint,
                "the handler takes Path<\"" + name + "\">, and the pattern has no {" + name + "}.");
    }
  }
  auto& place = (*methods)[index(endpoint.method)];
  if (place) {
    throw Error(Errc::internal,
                name_of(endpoint) + " is already taken by " + name_of(*place->endpoint) + ".");
  }
  place = std::move(route);
}

/// Calls `visit` with the methods of each pattern that fits, the most literal first, until it
/// answers true.
template <class Visit>
bool RouteTree::visit_matches(const Node& node, Segments segments, const Visit& visit) {
  if (segments.empty()) return visit(node.here);
  const std::string_view first = segments.front();
  const auto literal = node.literals.find(first);
  if (literal != node.literals.end() &&
      visit_matches(*literal->second, segments.subspan(1), visit)) {
    return true;
  }
  if (node.parameter && !first.empty() &&
      visit_matches(*node.parameter, segments.subspan(1), visit)) {
    return true;
  }
  return fits_rest(segments) && visit(node.rest);
}

const Endpoint* RouteTree::find(Request& request) const {
  request.path_parameters.clear();
  const Method method = request.method == Method::head ? Method::get : request.method;
  if (method == Method::other) return nullptr;
  const Path path(request.path);
  if (!path.readable()) return nullptr;

  const Route* route = nullptr;
  visit_matches(root_, path.segments(), [&](const Methods& methods) {
    route = methods[index(method)].get();
    return route != nullptr;
  });
  if (!route) return nullptr;

  for (const auto& [position, name] : route->parameters) {
    request.path_parameters.push_back({name, std::string(path.segments()[position])});
  }
  if (route->takes_rest) {
    std::string& value = request.path_parameters.back().value;
    for (const auto segment : path.segments().subspan(route->parameters.back().segment + 1)) {
      value.append("/").append(segment);
    }
  }
  return route->endpoint;
}

unsigned RouteTree::methods_at(std::string_view text) const {
  const Path path(text);
  unsigned found = 0;
  if (!path.readable()) return found;
  visit_matches(root_, path.segments(), [&](const Methods& methods) {
    for (std::size_t i = 0; i < methods.size(); ++i) {
      if (methods[i]) found |= 1U << i;
    }
    return false;
  });
  return found;
}

bool is_readable(std::string_view path) {
  return Path(path).readable();
}

}  // namespace aegis::http
