// expect: A handler can take one Session& only
#include "aegis/app/session.h"
#include "aegis/http/router.h"

// Another parameter that runs the handler inside of something.
struct Lock {};

template <>
struct aegis::Binder<Lock&> {
  static void describe(Endpoint&) {}
  void bind(Request&, BindErrors&) {}
  Lock& get();
  awaitable<Response> around(Request&, RunHandler run) { return run(); }
};

aegis::awaitable<void> handler(aegis::Session&, Lock&) {
  co_return;
}
void routes(aegis::Router& router) {
  router.get("/", handler);
}
