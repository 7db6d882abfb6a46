// expect: it injects, by value, Path, Query and Header of a scalar
#include "aegis/http/router.h"

struct Plain {
  int x = 0;
};
aegis::awaitable<void> handler(aegis::Path<"id", Plain>) {
  co_return;
}
void routes(aegis::Router& router) {
  router.get("/{id}", handler);
}
