// expect: Aegis cannot inject a handler parameter of this type; it injects, by value, Path
#include "aegis/http/router.h"

using namespace aegis;

awaitable<void> handler(const Path<"id", int>&) {
  co_return;
}
void routes(Router& router) {
  router.get("/{id}", handler);
}
