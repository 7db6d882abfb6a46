// expect: A handler is a coroutine function, or an object with one operator() const
#include "aegis/http/router.h"

void routes(aegis::Router& router) {
  int calls = 0;
  router.get("/", [calls]() mutable -> aegis::awaitable<void> {
    ++calls;
    co_return;
  });
}
