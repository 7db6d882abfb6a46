#pragma once

#include "aegis/core/function_ref.h"
#include "aegis/core/json.h"
#include "aegis/http/endpoint.h"
#include "aegis/http/params.h"
#include "aegis/http/patch.h"

/// Turns a typed coroutine into an Endpoint: each parameter is bound by a Binder for its type, the
/// result becomes a reply by a Reply for its type. Both are open: specialise them for own types.
namespace aegis {

/// What is wrong with the inputs of one request; all of it is told in one reply.
class BindErrors {
 public:
  bool none() const { return malformed_.empty() && fields_.empty() && response_status_ == 0; }
  /// The body cannot be read at all: 400.
  void malformed(std::string message) { malformed_ = std::move(message); }
  /// An input breaks a rule: 422.
  void invalid(std::string pointer, std::string message) {
    fields_.push_back({std::move(pointer), std::move(message)});
  }
  /// Another status, e.g. 415.
  void refuse(int status, std::string message) {
    response_status_ = status;
    malformed_ = std::move(message);
  }
  Response response() const;
  std::vector<FieldError>& fields() { return fields_; }

 private:
  std::string malformed_{};
  std::vector<FieldError> fields_{};
  int response_status_ = 0;
};

namespace detail {
template <class>
inline constexpr bool never = false;

void bind_path(const Request& request, std::string_view name, const Type& type, void* value,
               BindErrors& errors);
void bind_query(const Request& request, std::string_view name, const Type& type, void* value,
                BindErrors& errors);
void bind_query_struct(const Request& request, const Object& object, void* value,
                       BindErrors& errors);
void bind_header(const Request& request, std::string_view name, const Type& type, void* value,
                 BindErrors& errors);
void bind_body(const Request& request, const Type& type, void* value, std::vector<bool>* patch,
               BindErrors& errors);
void describe_parameter(Endpoint& endpoint, ParameterIn in, std::string_view name,
                        const Type& type);
void describe_query_struct(Endpoint& endpoint, const Object& object);
Response json_reply(int status, const Type& type, const void* object);
/// 201 with a Location: the request's path and the object's primary key.
Response created_reply(const Request& request, const Object& object, const void* row);
Response absent_reply(const Request& request);
void* need_service(const Request& request, Services::Key key, std::string_view type);
}  // namespace detail

/// Binds one handler parameter. A specialisation has:
///   static void describe(Endpoint&);       what it reads, for start-up checks and OpenAPI
///   void bind(Request&, BindErrors&);      reads it
///   P get();                               the argument
/// and may have `awaitable<void> around(Request&, FunctionRef<awaitable<bool>()> run)`, which runs
/// the handler inside it: a session commits after `run` answered true (success).
template <class P>
struct Binder {
  static_assert(detail::never<P>,
                "Aegis cannot inject a handler parameter of this type; it injects Path, Query, "
                "QueryOf, Header, Body (by value), Service<T>, Session&, Database& and Request&.");
};

template <Literal Name, class T>
struct Binder<Path<Name, T>> {
  static void describe(Endpoint& e) {
    detail::describe_parameter(e, ParameterIn::path, Name.view(), detail::type_of<T>());
  }
  void bind(Request& r, BindErrors& errors) {
    detail::bind_path(r, Name.view(), detail::type_of<T>(), &value.value, errors);
  }
  Path<Name, T> get() { return std::move(value); }
  Path<Name, T> value{};
};

template <Literal Name, class T>
struct Binder<Query<Name, T>> {
  static void describe(Endpoint& e) {
    detail::describe_parameter(e, ParameterIn::query, Name.view(), detail::type_of<T>());
  }
  void bind(Request& r, BindErrors& errors) {
    detail::bind_query(r, Name.view(), detail::type_of<T>(), &value.value, errors);
  }
  Query<Name, T> get() { return std::move(value); }
  Query<Name, T> value{};
};

template <Literal Name, class T>
struct Binder<Header<Name, T>> {
  static void describe(Endpoint& e) {
    detail::describe_parameter(e, ParameterIn::header, Name.view(), detail::type_of<T>());
  }
  void bind(Request& r, BindErrors& errors) {
    detail::bind_header(r, Name.view(), detail::type_of<T>(), &value.value, errors);
  }
  Header<Name, T> get() { return std::move(value); }
  Header<Name, T> value{};
};

template <Described T>
struct Binder<QueryOf<T>> {
  static void describe(Endpoint& e) { detail::describe_query_struct(e, aegis::describe<T>()); }
  void bind(Request& r, BindErrors& errors) {
    detail::bind_query_struct(r, aegis::describe<T>(), &value.value, errors);
  }
  QueryOf<T> get() { return std::move(value); }
  QueryOf<T> value{};
};

template <class T>
struct Binder<Body<T>> {
  static void describe(Endpoint& e) { e.body = &detail::type_of<T>(); }
  void bind(Request& r, BindErrors& errors) {
    detail::bind_body(r, detail::type_of<T>(), &value.value, nullptr, errors);
  }
  Body<T> get() { return std::move(value); }
  Body<T> value{};
};

template <Described T>
struct Binder<Body<Patch<T>>> {
  static void describe(Endpoint& e) {
    e.body = &detail::type_of<T>();
    e.body_is_patch = true;
  }
  void bind(Request& r, BindErrors& errors) {
    detail::bind_body(r, detail::type_of<T>(), &value.value.values, &value.value.present, errors);
  }
  Body<Patch<T>> get() { return std::move(value); }
  Body<Patch<T>> value{};
};

template <class T>
struct Binder<Service<T>> {
  static void describe(Endpoint& e) {
    e.needs.push_back({Services::key<T>(), detail::type_name<T>()});
  }
  void bind(Request& r, BindErrors&) { object = r.services->find<T>(); }
  Service<T> get() { return {object}; }
  T* object = nullptr;
};

template <>
struct Binder<Request&> {
  static void describe(Endpoint&) {}
  void bind(Request& r, BindErrors&) { request = &r; }
  Request& get() { return *request; }
  Request* request = nullptr;
};
template <>
struct Binder<const Request&> : Binder<Request&> {};

/// A row that the handler made: 201 with a Location.
template <Described T>
struct Created {
  T value;
  Created(T v) : value(std::move(v)) {}  // NOLINT: co_return the row itself
};

/// Turns a handler's result into a Response.
template <class R>
struct Reply {
  static_assert(detail::never<R>,
                "Aegis cannot answer with a result of this type; it answers with a struct that has "
                "AEGIS_FIELDS, a vector, optional or Page of such, Created<T>, std::string, "
                "Response or void.");
};

template <class T>
  requires(Described<T> || detail::Unwrap<T>::is_vector)
struct Reply<T> {
  static void describe(Endpoint& e) { e.reply = &detail::type_of<T>(); }
  static Response make(const Request&, const T& object) {
    return detail::json_reply(200, detail::type_of<T>(), &object);
  }
};

template <Described T>
struct Reply<std::optional<T>> {
  static void describe(Endpoint& e) {
    e.reply = &detail::type_of<T>();
    e.may_be_absent = true;
  }
  static Response make(const Request& r, const std::optional<T>& object) {
    return object ? detail::json_reply(200, detail::type_of<T>(), &*object)
                  : detail::absent_reply(r);
  }
};

template <class T>
struct Reply<Created<T>> {
  static void describe(Endpoint& e) {
    e.reply = &detail::type_of<T>();
    e.status = 201;
    e.replies_location = true;
  }
  static Response make(const Request& r, const Created<T>& row) {
    return detail::created_reply(r, aegis::describe<T>(), &row.value);
  }
};

template <>
struct Reply<std::string> {
  static void describe(Endpoint& e) { e.reply_media = "text/plain; charset=utf-8"; }
  static Response make(const Request&, std::string text) { return Response::text(std::move(text)); }
};

template <>
struct Reply<Response> {
  static void describe(Endpoint& e) { e.reply_media = "*/*"; }
  static Response make(const Request&, Response response) { return response; }
};

template <>
struct Reply<void> {
  static void describe(Endpoint& e) { e.status = 204; }
};

namespace detail {

template <class P>
concept Scoped = requires(Binder<P> binder) { &Binder<P>::around; };

template <class B>
auto* scope_of(B& first, auto&... rest) {
  if constexpr (requires { &B::around; }) {
    return &first;
  } else {
    return scope_of(rest...);
  }
}

inline bool succeeded(const Response& response) { return response.status() < 400; }

template <class R, class F, class... P>
awaitable<Response> answer(const F& handler, Request& request, Binder<P>&... binders) {
  if constexpr (std::is_void_v<R>) {
    co_await handler(binders.get()...);
    co_return Response(204);
  } else {
    co_return Reply<R>::make(request, co_await handler(binders.get()...));
  }
}

/// Runs the handler; its inputs live in this coroutine's frame.
template <class R, class F, class... P>
awaitable<Response> call(const F& handler, Request& request, Binder<P>... binders) {
  BindErrors errors;
  (binders.bind(request, errors), ...);
  if (!errors.none()) co_return errors.response();
  if constexpr ((Scoped<P> || ...)) {
    static_assert((Scoped<P> + ...) == 1, "A handler can take one Session& only.");
    Response response;
    auto run = [&]() -> awaitable<bool> {
      response = co_await answer<R, F, P...>(handler, request, binders...);
      co_return succeeded(response);
    };
    co_await scope_of(binders...)->around(request, run);
    co_return response;
  } else {
    co_return co_await answer<R, F, P...>(handler, request, binders...);
  }
}

template <class F, class R, class... P>
void set_handler(Endpoint& endpoint, F handler, awaitable<R> (*)(P...)) {
  (Binder<P>::describe(endpoint), ...);
  Reply<R>::describe(endpoint);
  endpoint.invoke = [handler](Request& request) {
    return call<R, F, P...>(handler, request, Binder<P>{}...);
  };
}

template <class R, class... P>
awaitable<R> (*signature_of(awaitable<R> (*)(P...)))(P...);
template <class F, class R, class... P>
awaitable<R> (*signature_of(awaitable<R> (F::*)(P...) const))(P...);

/// Describes `handler`, a coroutine function or a function object, in `endpoint`.
template <class F>
void set_handler(Endpoint& endpoint, F handler) {
  if constexpr (requires { &F::operator(); }) {
    set_handler(endpoint, std::move(handler), decltype(signature_of(&F::operator())){});
  } else {
    set_handler(endpoint, handler, decltype(signature_of(handler)){});
  }
}

}  // namespace detail
}  // namespace aegis
