// A handler file as users write it: a model and three handlers. run.py measures how long it takes
// to compile, and bench_service serves it.

#include "shield_handlers.h"

#include "models/shield.h"

namespace {

using aegis::awaitable, aegis::Body, aegis::Created, aegis::Path, aegis::Session;

struct ShieldCreate {
  std::string name{};
  int defense_rating = 10;

  AEGIS_FIELDS(ShieldCreate, (name, like(Shield::col.name)),
               (defense_rating, like(Shield::col.defense_rating)))
};

awaitable<Created<Shield>> forge(Body<ShieldCreate> in, Session& db) {
  Shield shield{.name = in->name, .defense_rating = in->defense_rating};
  co_await db.insert(shield);
  co_return shield;
}

awaitable<Shield> show(Path<"id", std::int64_t> id, Session& db) {
  co_return co_await db.get<Shield>(id);
}

awaitable<std::vector<Shield>> strongest(Session& db) {
  co_return co_await db.select<Shield>()
      .order_by(Shield::col.defense_rating.desc())
      .limit(10)
      .all();
}

}  // namespace

void shields(aegis::Router& router) {
  router.post("/shields", forge);
  router.get("/shields/{id}", show);
  router.get("/shields", strongest);
}
