#include "api/shields.h"

#include "models/shield.h"
#include "worker/appraise_shield.h"  // [worker]
#include "worker/inscribe_runes.h"   // [worker]

using namespace aegis;

namespace {

struct ShieldCreate {
  std::string name{};
  int defense_rating = 10;
  std::string material = "iron";
  std::optional<std::string> enchantment{};

  AEGIS_FIELDS(ShieldCreate, (name, like(Shield::col.name)),
               (defense_rating, like(Shield::col.defense_rating)),
               (material, like(Shield::col.material)), (enchantment, like(Shield::col.enchantment)))
};

struct ShieldList {
  std::optional<std::string> material{};
  std::optional<int> min_defense{};
  std::string order = "id";
  int limit = 50;
  std::optional<std::string> after{};

  AEGIS_FIELDS(ShieldList, (material), (min_defense, ge(0), le(100)),
               (order, one_of("id", "name", "-name", "defense_rating", "-defense_rating"),
                doc("By what; downwards with a - before it.")),
               (limit, ge(1), le(200)), (after, doc("The `next` of the page before.")))
};

awaitable<Created<Shield>> forge(Body<ShieldCreate> in, Session& db) {
  Shield shield{.name = in->name,
                .defense_rating = in->defense_rating,
                .material = in->material,
                .enchantment = in->enchantment};
  co_await db.insert(shield);  // fills shield.id

  // In the same transaction: there is no shield without its job. [worker]
  co_await db.enqueue<InscribeRunes>(*shield.id);  // [worker]

  co_return shield;  // committed, then 201 + Location
}

awaitable<Shield> show(Path<"id", std::int64_t> id, Session& db) {
  co_return co_await db.get<Shield>(id);  // absent: 404
}

awaitable<Page<Shield>> list(QueryOf<ShieldList> in, Session& db) {
  auto query = db.select<Shield>();
  if (in->material) query.where(Shield::col.material == *in->material);
  if (in->min_defense) query.where(Shield::col.defense_rating >= *in->min_defense);
  if (in->order == "name") query.order_by(Shield::col.name.asc());
  if (in->order == "-name") query.order_by(Shield::col.name.desc());
  if (in->order == "defense_rating") query.order_by(Shield::col.defense_rating.asc());
  if (in->order == "-defense_rating") query.order_by(Shield::col.defense_rating.desc());
  co_return co_await query.limit(in->limit).page(in->after);
}

awaitable<Shield> reforge(Path<"id", std::int64_t> id, Body<Patch<Shield>> change, Session& db) {
  Shield shield = co_await db.get_for_update<Shield>(id);
  change->apply_to(shield);
  co_await db.update(shield);
  co_return shield;
}

awaitable<void> melt(Path<"id", std::int64_t> id, Session& db) {
  co_await db.erase<Shield>(id);  // absent: 404
}

// [worker]
struct Appraisal {
  std::int64_t job{};

  AEGIS_FIELDS(Appraisal, (job, doc("The job that finds out; `jobs show` tells how far it is.")))
};

awaitable<Appraisal> appraise(Path<"id", std::int64_t> id, Session& db) {
  co_await db.get<Shield>(id);
  const Enqueued enqueued = co_await db.enqueue<AppraiseShield>(*id);
  co_return Appraisal{enqueued.id};
}
// [/worker]

}  // namespace

void shields(Router& router) {
  router.post("/shields", forge).summary("Forge a shield").tag("shields");
  router.get("/shields", list).summary("List shields").tag("shields");
  router.get("/shields/{id}", show).summary("Show a shield").tag("shields");
  router.patch("/shields/{id}", reforge).summary("Change a shield").tag("shields");
  // [worker]
  router.post("/shields/{id}/appraisal", appraise)
      .summary("Have a shield appraised")
      .tag("shields");
  // [/worker]
  router.del("/shields/{id}", melt).summary("Melt a shield").tag("shields");
}
