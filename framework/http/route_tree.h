#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aegis/http/endpoint.h"

namespace aegis::http {

/// Routes by the segments of their patterns.
class RouteTree {
 public:
  RouteTree();
  ~RouteTree();

  /// Throws Error(internal), which names the route, when its pattern is bad or taken, or lacks a
  /// path parameter of the handler. `endpoint` must outlive the tree.
  void insert(const Endpoint& endpoint);

  /// The route for the request's path and method, its path parameters in the request; null when
  /// there is none.
  const Endpoint* find(Request& request) const;

  /// The methods that the path has routes for, as bits by Method; 0 when there are none.
  unsigned methods_at(std::string_view path) const;

 private:
  struct Route {
    const Endpoint* endpoint = nullptr;
    struct Parameter {
      std::size_t segment;
      std::string name;
    };
    std::vector<Parameter> parameters{};
    bool takes_rest = false;  ///< the last parameter takes all segments from its own on
  };
  using Methods = std::array<std::unique_ptr<const Route>, static_cast<std::size_t>(Method::other)>;
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  struct Node {
    std::unordered_map<std::string, std::unique_ptr<Node>, Hash, std::equal_to<>> literals;
    std::unique_ptr<Node> parameter;
    Methods here;  ///< of patterns that end here
    Methods rest;  ///< of patterns that go on with {name*}
  };
  using Segments = std::span<const std::string_view>;

  template <class Visit>
  static bool visit_matches(const Node& node, Segments segments, const Visit& visit);

  Node root_;
};

/// Whether `path` can be looked up: it starts with a slash, is rightly encoded and has no segment
/// "." or "..".
bool is_readable(std::string_view path);

}  // namespace aegis::http
