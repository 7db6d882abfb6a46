#pragma once

#include "aegis/core/json.h"
#include "aegis/http/endpoint.h"

/// How a handler's result becomes a response: by a Reply for its type. Specialise it for own types.
namespace aegis {

namespace detail {

void describe_reply(Endpoint& endpoint, const Type& type);
void describe_created(Endpoint& endpoint, const Type& type);
Response json_reply(const Type& type, const void* object);
/// 201 with a Location: the request's path and the object's primary key.
Response created_reply(const Request& request, const Type& type, const void* object);
Response absent_reply(const Request& request);

}  // namespace detail

/// A row that the handler made: 201 with a Location.
template <Described T>
struct Created {
  T value;
  Created(T v) : value(std::move(v)) {}  // NOLINT: co_return the row itself
};

/// Turns a handler's result of type R into a Response. A specialisation has:
///   static void describe(Endpoint&);       what it answers, for OpenAPI
///   static Response make(const Request&, const R& result);
template <class R>
struct Reply;

template <class T>
  requires(Described<T> || detail::Unwrap<T>::is_vector)
struct Reply<T> {
  static void describe(Endpoint& e) { detail::describe_reply(e, detail::type_of<T>()); }
  static Response make(const Request&, const T& object) {
    return detail::json_reply(detail::type_of<T>(), &object);
  }
};

template <Described T>
struct Reply<std::optional<T>> {
  static void describe(Endpoint& e) {
    detail::describe_reply(e, detail::type_of<T>());
    e.may_be_absent = true;
  }
  static Response make(const Request& r, const std::optional<T>& object) {
    return object ? detail::json_reply(detail::type_of<T>(), &*object) : detail::absent_reply(r);
  }
};

template <class T>
struct Reply<Created<T>> {
  static void describe(Endpoint& e) { detail::describe_created(e, detail::type_of<T>()); }
  static Response make(const Request& r, const Created<T>& row) {
    return detail::created_reply(r, detail::type_of<T>(), &row.value);
  }
};

template <>
struct Reply<std::string> {
  static void describe(Endpoint& e);
};

template <>
struct Reply<Response> {
  static void describe(Endpoint& e);
};

template <>
struct Reply<void> {
  static void describe(Endpoint& e);
};

namespace detail {

/// The reply to what `running` results in.
template <class R>
awaitable<Response> reply(const Request& request, awaitable<R> running) {
  co_return Reply<R>::make(request, co_await std::move(running));
}
template <>
awaitable<Response> reply(const Request& request, awaitable<Response> running);
template <>
awaitable<Response> reply(const Request& request, awaitable<void> running);
template <>
awaitable<Response> reply(const Request& request, awaitable<std::string> running);

}  // namespace detail
}  // namespace aegis
