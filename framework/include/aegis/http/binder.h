#pragma once

#include "aegis/core/function_ref.h"
#include "aegis/http/endpoint.h"
#include "aegis/http/params.h"
#include "aegis/http/patch.h"

/// How a handler gets its parameters: each is bound by a Binder for its type. Specialise it for own
/// types.
namespace aegis {

/// What is wrong with the inputs of one request; all of it is told in one reply.
class BindErrors {
 public:
  bool none() const { return status_ == 0 && fields_.empty(); }
  /// The body or query cannot be read at all: 400.
  void malformed(std::string message);
  /// An input breaks a rule: 422. `pointer` is a JSON Pointer into the body ("/name"), or the place
  /// and name of another input: "path/id", "query/limit", "header/X-Tenant".
  void invalid(std::string pointer, std::string message);
  /// Another status, e.g. 415.
  void refuse(int status, std::string message);

  std::vector<FieldError>& fields() { return fields_; }
  Response response() const;

 private:
  std::vector<FieldError> fields_{};
  int status_ = 0;  ///< 0: 422, when there are fields
  std::string message_{};
};

/// Runs the handler that it was made for, and answers its reply.
using RunHandler = FunctionRef<awaitable<Response>()>;

/// Binds one handler parameter of type P. A specialisation has:
///   static void describe(Endpoint&);       what it reads, for start-up checks and OpenAPI
///   void bind(Request&, BindErrors&);      reads it
///   P get();                               the argument
/// and may have `awaitable<Response> around(Request&, RunHandler run)`, which runs the handler
/// inside it, as a middleware does: a session commits after a reply of success.
template <class P>
struct Binder;

namespace detail {

void describe_parameter(Endpoint& endpoint, ParameterIn in, std::string_view name,
                        const Type& type);
void bind_parameter(const Request& request, ParameterIn in, std::string_view name, const Type& type,
                    void* value, BindErrors& errors);
void describe_query(Endpoint& endpoint, const Object& object);
void bind_query(const Request& request, const Object& object, void* value, BindErrors& errors);
void describe_body(Endpoint& endpoint, const Type& type, bool is_patch);
void bind_body(const Request& request, const Type& type, void* value, BindErrors& errors);
void bind_patch(const Request& request, const Type& type, void* value, std::vector<bool>& present,
                BindErrors& errors);
void describe_service(Endpoint& endpoint, Services::Key key, std::string_view type);
/// Throws Error(internal) when nobody provides it.
void* find_service(const Request& request, Services::Key key, std::string_view type);

/// What can be read from text: a scalar, or an optional or vector of such.
template <class T>
concept Textual = Scalar<typename Unwrap<T>::type>::value;
/// What can be read from JSON: a described struct, or a vector of such.
template <class T>
concept Structured = Described<T> || (Unwrap<T>::is_vector && Described<typename Unwrap<T>::type>);

template <ParameterIn in, class P, Literal Name, class T>
struct TextBinder {
  static void describe(Endpoint& e) { describe_parameter(e, in, Name.view(), type_of<T>()); }
  void bind(const Request& r, BindErrors& errors) {
    bind_parameter(r, in, Name.view(), type_of<T>(), &input.value, errors);
  }
  P get() { return std::move(input); }
  P input{};
};

}  // namespace detail

template <Literal Name, detail::Textual T>
struct Binder<Path<Name, T>> : detail::TextBinder<ParameterIn::path, Path<Name, T>, Name, T> {};

template <Literal Name, detail::Textual T>
struct Binder<Query<Name, T>> : detail::TextBinder<ParameterIn::query, Query<Name, T>, Name, T> {};

template <Literal Name, detail::Textual T>
struct Binder<Header<Name, T>> : detail::TextBinder<ParameterIn::header, Header<Name, T>, Name, T> {
};

template <Described T>
struct Binder<QueryOf<T>> {
  static void describe(Endpoint& e) { detail::describe_query(e, aegis::describe<T>()); }
  void bind(const Request& r, BindErrors& errors) {
    detail::bind_query(r, aegis::describe<T>(), &input.value, errors);
  }
  QueryOf<T> get() { return std::move(input); }
  QueryOf<T> input{};
};

template <detail::Structured T>
struct Binder<Body<T>> {
  static void describe(Endpoint& e) { detail::describe_body(e, detail::type_of<T>(), false); }
  void bind(const Request& r, BindErrors& errors) {
    detail::bind_body(r, detail::type_of<T>(), &input.value, errors);
  }
  Body<T> get() { return std::move(input); }
  Body<T> input{};
};

template <Described T>
struct Binder<Body<Patch<T>>> {
  static void describe(Endpoint& e) { detail::describe_body(e, detail::type_of<T>(), true); }
  void bind(const Request& r, BindErrors& errors) {
    detail::bind_patch(r, detail::type_of<T>(), &input.value.values, input.value.present, errors);
  }
  Body<Patch<T>> get() { return std::move(input); }
  Body<Patch<T>> input{};
};

template <class T>
struct Binder<Service<T>> {
  static void describe(Endpoint& e) {
    detail::describe_service(e, Services::key<T>(), detail::type_name<T>());
  }
  void bind(const Request& r, BindErrors&) {
    object = static_cast<T*>(detail::find_service(r, Services::key<T>(), detail::type_name<T>()));
  }
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

}  // namespace aegis
