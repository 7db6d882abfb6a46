#include "aegis/http/reply.h"

#include <algorithm>

#include "http/bad_route.h"
#include "http/uri.h"

namespace aegis {

void Reply<std::string>::describe(Endpoint& e) {
  e.reply_media = "text/plain; charset=utf-8";
}

void Reply<Response>::describe(Endpoint& e) {
  e.reply_media = "*/*";
}

void Reply<void>::describe(Endpoint& e) {
  e.status = 204;
}

namespace detail {
namespace {

const Field* primary_key(const Object& object) {
  const auto key = std::find_if(object.fields.begin(), object.fields.end(),
                                [](const Field& field) { return field.rules.primary_key; });
  return key == object.fields.end() ? nullptr : &*key;
}

}  // namespace

void describe_reply(Endpoint& endpoint, const Type& type) {
  endpoint.reply = &type;
}

void describe_created(Endpoint& endpoint, const Type& type) {
  if (!primary_key(type.object())) {
    http::bad_route(endpoint, "the handler answers Created<" + std::string(type.object().name) +
                                  ">, which has no primary key to make a Location of.");
  }
  endpoint.status = 201;
  endpoint.reply = &type;
  endpoint.replies_location = true;
}

Response json_reply(const Type& type, const void* object) {
  std::string body;
  append_json(type, object, body);
  return Response::json(std::move(body));
}

Response created_reply(const Request& request, const Type& type, const void* object) {
  const Field& key = *primary_key(type.object());
  std::string location(request.path);
  if (!location.ends_with('/')) location += '/';
  location += http::percent_encode(write_text(*key.type, key.of(object)));
  Response reply = json_reply(type, object);
  reply.set_status(201).set_header("Location", std::move(location));
  return reply;
}

Response absent_reply(const Request& request) {
  return problem(404, "There is nothing at " + std::string(request.path) + ".");
}

template <>
awaitable<Response> reply(const Request&, awaitable<Response> running) {
  return running;
}

template <>
awaitable<Response> reply(const Request&, awaitable<void> running) {
  co_await std::move(running);
  co_return Response(204);
}

template <>
awaitable<Response> reply(const Request&, awaitable<std::string> running) {
  co_return Response::text(co_await std::move(running));
}

}  // namespace detail
}  // namespace aegis
