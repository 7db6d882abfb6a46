// expect: QueryOf and Body of a struct with AEGIS_FIELDS
#include "aegis/http/router.h"

struct Plain {
  int x = 0;
};
aegis::awaitable<void> handler(aegis::Body<Plain>) {
  co_return;
}
void routes(aegis::Router& router) {
  router.post("/", handler);
}
