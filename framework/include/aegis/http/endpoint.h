#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aegis/core/services.h"
#include "aegis/core/type.h"
#include "aegis/http/request.h"
#include "aegis/http/response.h"

namespace aegis {

namespace detail {
class Handler;
}

/// Where a handler's input comes from.
enum class ParameterIn : std::uint8_t { path, query, header };

/// A typed input of a handler.
struct Parameter {
  ParameterIn in;
  std::string_view name;
  const Type* type;
  bool required;
  const Field* field = nullptr;    ///< its rules and documentation, when it is a struct's member
  const Object* object = nullptr;  ///< that struct
};

/// A route: what the router needs to run a handler and OpenAPI to describe it, both derived from
/// the handler's type: each Binder and the Reply fill in their part of it when the route is added.
/// From then on it is read only.
struct Endpoint {
  struct Need {
    Services::Key key;
    std::string_view type;  ///< as the user wrote it
  };

  Method method = Method::get;
  std::string path{};  ///< the pattern: "/shields/{id}"
  std::vector<Parameter> parameters{};
  const Type* body = nullptr;  ///< the JSON body's type
  bool body_is_patch = false;
  int status = 200;                ///< of success
  const Type* reply = nullptr;     ///< the JSON reply's type
  std::string_view reply_media{};  ///< the content type of a reply that is not JSON
  bool replies_location = false;
  bool may_be_absent = false;  ///< can answer 404
  std::vector<Need> needs{};   ///< services that must be provided before the start
  std::string summary_text{};
  std::vector<std::string> tags{};
  bool hidden = false;  ///< not in OpenAPI

  std::unique_ptr<const detail::Handler> handler;

  Endpoint(Method method, std::string_view path, std::unique_ptr<const detail::Handler> handler);
  ~Endpoint();

  /// Binds the handler's inputs and runs it. What it throws becomes a reply, save a cancellation.
  awaitable<Response> answer(Request& request) const;

  /// One line for OpenAPI.
  Endpoint& summary(std::string text);
  Endpoint& tag(std::string name);
  /// Leaves the route out of OpenAPI.
  Endpoint& hide();
};

}  // namespace aegis
