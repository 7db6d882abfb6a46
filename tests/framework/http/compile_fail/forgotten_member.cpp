// expect: does not list every member of the struct
#include "aegis/http/router.h"

struct Shield {
  std::string name{};
  int defense_rating = 10;
  AEGIS_FIELDS(Shield, (name))
};
aegis::awaitable<Shield> handler() {
  co_return Shield{};
}
void routes(aegis::Router& router) {
  router.get("/", handler);
}
