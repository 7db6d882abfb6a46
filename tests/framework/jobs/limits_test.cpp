// Limits that hold across workers: how many of a kind or key run at a time, how many start in a
// while, and that keys take turns.
#include <atomic>
#include <map>
#include <mutex>

#include "ground.h"

namespace {

/// Who runs at the moment, by key, and how many at most ran at a time.
class Watch {
 public:
  void begin(const std::string& key) {
    const std::lock_guard lock(mutex_);
    most_[key] = std::max(most_[key], ++now_[key]);
    order_.push_back(key);
  }
  void end(const std::string& key) {
    const std::lock_guard lock(mutex_);
    --now_[key];
  }
  void reset() {
    const std::lock_guard lock(mutex_);
    now_.clear();
    most_.clear();
    order_.clear();
  }
  int most(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return most_[key];
  }
  std::vector<std::string> order() {
    const std::lock_guard lock(mutex_);
    return order_;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> now_, most_;
  std::vector<std::string> order_;
};

Watch watch;

struct Charge {
  static constexpr JobOptions options{.limit = {.running = 1}};
  std::string customer{};

  AEGIS_FIELDS(Charge, (customer))
  std::string limit_key() const { return customer; }
  awaitable<void> run(JobContext&) {
    watch.begin(customer);
    co_await aegis::Clock::system().sleep_for(2ms);
    watch.end(customer);
  }
};

struct Import {
  static constexpr JobOptions options{.limit = {.running = 2}};
  AEGIS_FIELDS(Import)
  awaitable<void> run(JobContext&) {
    watch.begin("import");
    co_await aegis::Clock::system().sleep_for(2ms);
    watch.end("import");
  }
};

struct Call {
  static constexpr JobOptions options{.limit = {.starts = 20, .per = 1s, .burst = 5}};
  AEGIS_FIELDS(Call)
  awaitable<void> run(JobContext&) {
    watch.begin("call");
    co_return;
  }
};

struct Rare {
  static constexpr JobOptions options{.limit = {.starts = 1, .per = std::chrono::days(7)}};
  AEGIS_FIELDS(Rare)
  awaitable<void> run(JobContext&) { co_return; }
};

struct Free {
  AEGIS_FIELDS(Free)
  awaitable<void> run(JobContext&) {
    watch.begin("free");
    co_return;
  }
};

template <class J>
awaitable<void> enqueue_all(Database& db, std::vector<J> jobs) {
  auto body = [&](Session& s) -> awaitable<void> { co_await s.enqueue_all(jobs); };
  co_await db.session(body);
}

awaitable<void> all_done(Database& db) {
  auto done = [&]() -> awaitable<bool> {
    co_return co_await db.read([](Session& s) -> awaitable<bool> {
      co_return co_await s.select<WaitingJob>().count() == 0;
    });
  };
  co_await eventually(done);
}

}  // namespace

DATABASE_TEST(no_more_of_a_kind_run_than_its_limit_says_on_all_workers_together) {
  watch.reset();
  co_await enqueue_all(db, std::vector<Import>(60));
  for (int i = 0; i < 3; ++i) ground.worker<Import>();
  co_await all_done(db);
  BOOST_TEST(watch.most("import") == 2);
  BOOST_TEST(watch.order().size() == 60);
}

DATABASE_TEST(one_at_a_time_for_each_key_and_keys_beside_each_other) {
  watch.reset();
  std::vector<Charge> jobs;
  for (int i = 0; i < 60; ++i) jobs.push_back({.customer = "customer " + std::to_string(i % 3)});
  co_await enqueue_all(db, jobs);
  for (int i = 0; i < 2; ++i) ground.worker<Charge>();
  co_await all_done(db);
  for (const std::string key : {"customer 0", "customer 1", "customer 2"}) {
    BOOST_TEST(watch.most(key) == 1);
  }
  BOOST_TEST(watch.order().size() == 60);
}

DATABASE_TEST(a_key_with_many_jobs_does_not_hold_up_the_others) {
  watch.reset();
  std::vector<Charge> jobs(200, Charge{.customer = "big"});
  for (int i = 0; i < 5; ++i) jobs.push_back({.customer = "small " + std::to_string(i)});
  co_await enqueue_all(db, jobs);
  co_await enqueue_all(db, std::vector<Free>(5));
  auto options = OnDatabase::quick();
  options.concurrency = 2;
  ground.worker<Charge, Free>(options);
  co_await all_done(db);
  const auto order = watch.order();
  BOOST_REQUIRE(order.size() == 210);
  // However the turns fall, nobody waits for more than a few of the big one's.
  const auto others = std::count_if(order.begin(), order.begin() + 60,
                                    [](const std::string& key) { return key != "big"; });
  BOOST_TEST(others == 10);
}

DATABASE_TEST(what_was_enqueued_while_its_kind_had_a_limit_runs_without_it) {
  watch.reset();
  co_await enqueue_all(db, std::vector<Free>(25));
  auto as_of_then = [](Session& s) -> awaitable<void> {
    co_await s.update_all<WaitingJob>().set(WaitingJob::col.limit_key, "Free").run();
  };
  co_await db.session(as_of_then);
  ground.worker<Free>();
  co_await all_done(db);
  BOOST_TEST(watch.order().size() == 25);
}

DATABASE_TEST(no_more_jobs_start_than_the_rate_allows) {
  watch.reset();
  const auto begin = std::chrono::steady_clock::now();
  co_await enqueue_all(db, std::vector<Call>(15));
  for (int i = 0; i < 2; ++i) ground.worker<Call>();
  co_await all_done(db);
  // Five at once, then one each 50 ms.
  BOOST_TEST((std::chrono::steady_clock::now() - begin >= 10 * 50ms - 50ms));
  BOOST_TEST(watch.order().size() == 15);
}

DATABASE_TEST(a_rate_is_not_forgotten_before_its_time_is_up) {
  using aegis::jobs::LimitRow;
  const auto then =
      std::chrono::floor<std::chrono::milliseconds>(aegis::Clock::system().now()) - 48h;
  std::vector<LimitRow> rows{{"Rare", 0, then},
                             {"Rare:key", 0, then},
                             {"Rarest", 0, then},
                             {"Call", 0, then},
                             {"Call:key", 0, then},
                             {"Unknown:key", 0, then - std::chrono::days(30)},
                             {"Known", 0, then - std::chrono::days(30)},
                             {"Known:key", 0, then - std::chrono::days(30)}};
  auto insert = [&](Session& s) -> awaitable<void> { co_await s.insert_all(rows); };
  co_await db.session(insert);
  aegis::jobs::Store store(db);
  co_await store.sign_on(
      {.lease = 23, .name = "one", .length = 1h, .concurrency = 9, .kinds = {"Known"}});
  co_await store.forget_limits({&aegis::job_kind<Rare>(), &aegis::job_kind<Call>()});
  auto left = [](Session& s) -> awaitable<std::vector<LimitRow>> {
    return s.select<LimitRow>().order_by(LimitRow::col.name.asc()).all();
  };
  const auto found = co_await db.read(left);
  std::vector<std::string> names;
  for (const auto& row : found) names.push_back(row.name);
  BOOST_TEST(
      names == (std::vector<std::string>{"Known", "Known:key", "Rare", "Rare:key", "Rarest"}),
      boost::test_tools::per_element());
}

DATABASE_TEST(a_limit_is_held_by_what_a_dead_worker_ran_until_it_is_rescued) {
  watch.reset();
  aegis::jobs::Store store(db);
  const auto& rules = Import::options.limit;
  aegis::jobs::Registration one{.lease = 21, .name = "one", .length = 1h, .concurrency = 9};
  aegis::jobs::Registration two{.lease = 22, .name = "two", .length = 1h, .concurrency = 9};
  co_await store.sign_on(one);
  co_await store.sign_on(two);
  co_await enqueue_all(db, std::vector<Import>(9));
  const std::string kinds = R"(["Import"])";
  const auto first = co_await store.fetch_limited(21, "default", 9, kinds, "Import", rules);
  BOOST_TEST(first.claims.size() == 2);
  const auto none = co_await store.fetch_limited(22, "default", 9, kinds, "Import", rules);
  BOOST_TEST(none.claims.size() == 0);
  co_await store.sign_off(21);
  const auto then = co_await store.fetch_limited(22, "default", 9, kinds, "Import", rules);
  BOOST_TEST(then.claims.size() == 2);
}
