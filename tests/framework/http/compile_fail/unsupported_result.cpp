// expect: Aegis cannot answer with a result of this type
#include "aegis/http/router.h"

aegis::awaitable<int> handler() {
  co_return 1;
}
void routes(aegis::Router& router) {
  router.get("/", handler);
}
