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

/// Binds one handler parameter of type P. A specialisation has:
///   static void describe(Endpoint&);       what it reads, for start-up checks and OpenAPI
///   void bind(Request&, BindErrors&);      reads it
///   P get();                               the argument
/// and may have `awaitable<Response> around(Request&, RunHandler run)`, which runs the handler
/// inside it, as a middleware does: a session commits after a reply of success.
template <class P>
struct Binder;

/// Runs the handler that it was made for, and answers its reply.
using RunHandler = FunctionRef<awaitable<Response>()>;

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

void describe_reply(Endpoint& endpoint, const Type& type);
void describe_created(Endpoint& endpoint, const Type& type);
Response json_reply(const Type& type, const void* object);
/// 201 with a Location: the request's path and the object's primary key.
Response created_reply(const Request& request, const Type& type, const void* object);
Response absent_reply(const Request& request);

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

/// A handler whose types are erased. Its inputs live in memory of the caller's, which keeps them
/// until the reply is there. Whatever need not know the types is done by the library, so that a
/// handler costs little to compile: one coroutine for each type of result, and no more.
class Handler {
 public:
  Handler(std::size_t size, std::size_t alignment)
      : inputs_size(size), inputs_alignment(alignment) {}
  virtual ~Handler();

  const std::size_t inputs_size, inputs_alignment;

  virtual void describe(Endpoint& endpoint) const = 0;
  virtual void construct(void* inputs) const = 0;
  virtual void destroy(void* inputs) const noexcept = 0;
  virtual void bind(void* inputs, Request& request, BindErrors& errors) const = 0;
  virtual awaitable<Response> run(void* inputs, Request& request) const = 0;
  /// Runs `run` inside of what the inputs need around it, e.g. a session.
  virtual awaitable<Response> around(void* inputs, Request& request, RunHandler run) const;
};

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

template <class P>
concept Injectable = requires { sizeof(Binder<P>); };
template <class R>
concept Replyable = requires { sizeof(Reply<R>); };
template <class B>
concept Scope = requires { &B::around; };

template <class... P>
inline constexpr int scopes = (0 + ... + Scope<Binder<P>>);

template <class F, class R, class... P>
class TypedHandler final : public Handler {
  struct Inputs : Binder<P>... {};

 public:
  explicit TypedHandler(F f) : Handler(sizeof(Inputs), alignof(Inputs)), f_(std::move(f)) {}

  void describe(Endpoint& endpoint) const override {
    (Binder<P>::describe(endpoint), ...);
    Reply<R>::describe(endpoint);
  }
  void construct(void* inputs) const override { ::new (inputs) Inputs; }
  void destroy(void* inputs) const noexcept override { static_cast<Inputs*>(inputs)->~Inputs(); }
  void bind(void* inputs, Request& request, BindErrors& errors) const override {
    (static_cast<Binder<P>*>(static_cast<Inputs*>(inputs))->bind(request, errors), ...);
  }
  awaitable<Response> run(void* inputs, Request& request) const override {
    return reply<R>(request, f_(static_cast<Binder<P>*>(static_cast<Inputs*>(inputs))->get()...));
  }
  awaitable<Response> around(void* inputs, Request& request, RunHandler run) const override {
    if constexpr (scopes<P...> == 1) {
      return scope<Binder<P>...>(*static_cast<Inputs*>(inputs)).around(request, run);
    } else {
      return Handler::around(inputs, request, run);
    }
  }

 private:
  template <class First, class... Rest>
  static auto& scope(Inputs& inputs) {
    if constexpr (Scope<First>) {
      return static_cast<First&>(inputs);
    } else {
      return scope<Rest...>(inputs);
    }
  }

  F f_;
};

template <class R, class... P>
struct Signature {};

template <class R, class... P>
Signature<R, P...> signature(awaitable<R> (*)(P...));
template <class F, class R, class... P>
Signature<R, P...> signature(awaitable<R> (F::*)(P...) const);

template <class F>
concept Coroutine = requires(F f) { signature(f); } || requires { signature(&F::operator()); };

template <class P>
constexpr void check_parameter() {
  static_assert(Injectable<P>,
                "Aegis cannot inject a handler parameter of this type; it injects, by value, Path, "
                "Query and Header of a scalar, QueryOf and Body of a struct with AEGIS_FIELDS, and "
                "Service<T>, and by reference Session&, Database& and Request&.");
}
template <class R>
constexpr void check_result() {
  static_assert(Replyable<R>,
                "Aegis cannot answer with a result of this type; it answers with a struct that has "
                "AEGIS_FIELDS, a vector, optional or Page of such, Created<T>, std::string, "
                "Response or void.");
}

template <class F, class R, class... P>
std::unique_ptr<const Handler> erase(F handler, Signature<R, P...>) {
  (check_parameter<P>(), ...);
  check_result<R>();
  if constexpr ((Injectable<P> && ...) && Replyable<R>) {
    static_assert(scopes<P...> <= 1, "A handler can take one Session& only.");
    if constexpr (scopes<P...> <= 1) {
      // No make_unique: a unique_ptr for each type of handler would cost 10 ms of compile time.
      return std::unique_ptr<const Handler>(new TypedHandler<F, R, P...>(std::move(handler)));
    }
  }
}

/// Erases the types of `handler`, a coroutine function or a function object.
template <class F>
std::unique_ptr<const Handler> erase(F handler) {
  static_assert(Coroutine<F>,
                "A handler is a coroutine function, or an object with one operator() const, that "
                "returns aegis::awaitable<T>.");
  if constexpr (requires { signature(handler); }) {
    return erase(handler, decltype(signature(handler)){});
  } else if constexpr (Coroutine<F>) {
    return erase(std::move(handler), decltype(signature(&F::operator())){});
  }
}

}  // namespace detail
}  // namespace aegis
