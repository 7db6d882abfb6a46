// expect: Aegis cannot inject a handler parameter of this type
#include "aegis/http/router.h"

aegis::awaitable<void> handler(int) {
  co_return;
}
void routes(aegis::Router& router) {
  router.get("/", handler);
}
