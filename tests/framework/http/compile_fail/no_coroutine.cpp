// expect: A handler is a coroutine function, or an object with one operator() const
#include "aegis/http/router.h"

int handler() {
  return 1;
}
void routes(aegis::Router& router) {
  router.get("/", handler);
}
