#pragma once

#include "aegis/http/binder.h"
#include "aegis/http/reply.h"

/// Turns a typed coroutine into a Handler that the router can call.
namespace aegis::detail {

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

}  // namespace aegis::detail
