// Enqueuing: in the caller's transaction, with what the type and the call say.
#include "aegis/testing/fake_clock.h"
#include "ground.h"
#include "jobs/admin.h"

namespace {

struct Plain {
  std::int64_t number = 0;
  std::string text{};

  AEGIS_FIELDS(Plain, (number), (text))
  awaitable<void> run(JobContext&) { co_return; }
};

struct Set {
  static constexpr JobOptions options{
      .name = "set", .queue = "slow", .priority = 5, .max_attempts = 3, .timeout = 2s};
  AEGIS_FIELDS(Set)
  awaitable<void> run(JobContext&) { co_return; }
};

struct Once {
  static constexpr JobOptions options{.unique = {.by = aegis::UniqueBy::arguments}};
  std::int64_t number = 0;

  AEGIS_FIELDS(Once, (number))
  awaitable<void> run(JobContext&) { co_return; }
};

struct Hourly {
  static constexpr JobOptions options{.unique = {.by = aegis::UniqueBy::arguments, .period = 1h}};
  std::int64_t number = 0;

  AEGIS_FIELDS(Hourly, (number))
  awaitable<void> run(JobContext&) { co_return; }
};

struct Ever {
  static constexpr JobOptions options{
      .unique = {.by = aegis::UniqueBy::kind, .until = aegis::UniqueWhile::kept}};
  AEGIS_FIELDS(Ever)
  awaitable<void> run(JobContext&) { co_return; }
};

template <class J>
awaitable<aegis::Enqueued> enqueue_one(Database& db, J job, aegis::EnqueueOptions options = {}) {
  auto body = [&](Session& s) -> awaitable<aegis::Enqueued> {
    co_return co_await s.enqueue(job, options);
  };
  co_return co_await db.session(body);
}

}  // namespace

DATABASE_TEST(a_job_is_there_once_its_session_commits_and_not_otherwise) {
  std::int64_t kept = 0;
  auto enqueue = [&](Session& s) -> awaitable<void> {
    kept = (co_await s.enqueue<Plain>(7, "seven")).id;
  };
  co_await db.session(enqueue);
  auto fail = [&](Session& s) -> awaitable<void> {
    co_await s.enqueue<Plain>(8, "eight");
    throw std::runtime_error("no");
  };
  BOOST_CHECK_THROW(co_await db.session(fail), std::runtime_error);

  co_await db.read([](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<WaitingJob>().count() == 1);
  });
  const auto job = co_await waiting(db, kept);
  BOOST_REQUIRE(job);
  BOOST_TEST(job->kind == "Plain");
  BOOST_TEST(job->queue == "default");
  BOOST_TEST(job->state == "available");
  BOOST_TEST(job->arguments == R"({"number":7,"text":"seven"})");
  BOOST_TEST(job->attempt == 0);
  BOOST_TEST(job->max_attempts == 10);
  BOOST_TEST((job->run_at == job->created_at));
}

DATABASE_TEST(a_job_is_as_its_type_says_unless_the_call_says_otherwise) {
  std::int64_t by_type = 0;
  std::int64_t by_call = 0;
  auto enqueue = [&](Session& s) -> awaitable<void> {
    by_type = (co_await s.enqueue<Set>()).id;
    by_call = (co_await s.enqueue(Set{}, {.queue = "other",
                                          .priority = -1,
                                          .max_attempts = 1,
                                          .timeout = 5ms,
                                          .delay = 1h,
                                          .tags = {"a", "b"}}))
                  .id;
  };
  co_await db.session(enqueue);
  const auto type = co_await waiting(db, by_type);
  BOOST_TEST(type->kind == "set");
  BOOST_TEST(type->queue == "slow");
  BOOST_TEST(type->priority == 5);
  BOOST_TEST(type->max_attempts == 3);
  BOOST_TEST(type->timeout.count() == 2000);
  const auto call = co_await waiting(db, by_call);
  BOOST_TEST(call->queue == "other");
  BOOST_TEST(call->priority == -1);
  BOOST_TEST(call->max_attempts == 1);
  BOOST_TEST(call->timeout.count() == 5);
  BOOST_TEST(call->state == "scheduled");
  BOOST_TEST((call->run_at == call->created_at + 1h));
  BOOST_TEST(call->tags == R"(["a","b"])");
}

DATABASE_TEST(settings_that_make_no_sense_are_refused) {
  const auto enqueue = [](Database& in, aegis::EnqueueOptions options) -> awaitable<void> {
    auto body = [&](Session& s) -> awaitable<void> { co_await s.enqueue(Plain{}, options); };
    co_await in.session(body);
  };
  BOOST_TEST(co_await error_of(enqueue(db, {.priority = 40'000}), Errc::invalid) ==
             "Job Plain: a priority is between -32768 and 32767, not 40000.");
  BOOST_TEST(co_await error_of(enqueue(db, {.max_attempts = 0}), Errc::invalid) ==
             "Job Plain: max_attempts is at least 1, not 0.");
  BOOST_TEST(co_await error_of(enqueue(db, {.queue = ""}), Errc::invalid) ==
             "Job Plain: the queue needs a name.");
}

DATABASE_TEST(many_jobs_are_enqueued_at_once) {
  std::vector<Plain> jobs;
  for (int i = 0; i < 12'000; ++i) jobs.push_back({.number = i, .text = "it's \"quoted\""});
  auto enqueue = [&](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.enqueue_all(jobs, {.queue = "many"}) == 12'000);
    BOOST_TEST(co_await s.enqueue_all(std::vector<Plain>()) == 0);
  };
  co_await db.session(enqueue);
  co_await db.read([](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<WaitingJob>().count() == 12'000);
    const auto all = co_await s.select<WaitingJob>().order_by(WaitingJob::col.id.asc()).all();
    BOOST_TEST(all.back().arguments == R"({"number":11999,"text":"it's \"quoted\""})");
    BOOST_TEST(all.back().queue == "many");
  });
}

DATABASE_TEST(of_equal_unique_jobs_one_is_kept) {
  std::vector<aegis::Enqueued> done;
  auto enqueue = [&](Session& s) -> awaitable<void> {
    done.push_back(co_await s.enqueue<Once>(1));
    done.push_back(co_await s.enqueue<Once>(1));
    done.push_back(co_await s.enqueue<Once>(2));
  };
  co_await db.session(enqueue);
  BOOST_TEST(done[0].created);
  BOOST_TEST(!done[1].created);
  BOOST_TEST(done[1].id == done[0].id);
  BOOST_TEST(done[2].created);
  auto many = [&](Session& s) -> awaitable<void> {
    const std::vector<Once> jobs{{1}, {2}, {3}, {3}};
    BOOST_TEST(co_await s.enqueue_all(jobs) == 1);
  };
  co_await db.session(many);
}

DATABASE_TEST(an_equal_job_is_replaced_or_rescheduled_when_asked_for) {
  std::int64_t id = 0;
  auto enqueue = [&](Session& s) -> awaitable<void> {
    id = (co_await s.enqueue(Plain{.number = 1}, {.key = "k"})).id;
    const auto second = co_await s.enqueue(
        Plain{.number = 2},
        {.priority = 3, .delay = 1h, .key = "k", .on_conflict = aegis::OnConflict::replace});
    BOOST_TEST(second.id == id);
    BOOST_TEST(!second.created);
  };
  co_await db.session(enqueue);
  auto job = co_await waiting(db, id);
  BOOST_TEST(job->arguments == R"({"number":2,"text":""})");
  BOOST_TEST(job->priority == 3);
  BOOST_TEST(job->state == "scheduled");

  auto reschedule = [&](Session& s) -> awaitable<void> {
    const auto third = co_await s.enqueue(
        Plain{.number = 3}, {.key = "k", .on_conflict = aegis::OnConflict::reschedule});
    BOOST_TEST(third.id == id);
  };
  co_await db.session(reschedule);
  job = co_await waiting(db, id);
  BOOST_TEST(job->arguments == R"({"number":2,"text":""})");
  BOOST_TEST(job->state == "available");
}

DATABASE_TEST(of_each_period_there_is_one_job_also_when_it_is_finished) {
  aegis::testing::FakeClock clock(*aegis::parse_timestamp("2026-11-21T03:10:00Z"));
  aegis::jobs::Store store(db);
  store.hub().use(&clock);
  const auto first = co_await enqueue_one(db, Hourly{.number = 1});
  BOOST_TEST(first.created);
  const auto moved = co_await enqueue_one(
      db, Hourly{.number = 1}, {.delay = 5min, .on_conflict = aegis::OnConflict::reschedule});
  BOOST_TEST(moved.id == first.id);
  BOOST_TEST((co_await waiting(db, first.id))->state == "scheduled");
  BOOST_TEST((co_await enqueue_one(db, Hourly{.number = 2})).created);
  BOOST_TEST(co_await aegis::jobs::change(db, aegis::jobs::JobAction::cancel, {.id = first.id}) ==
             1);
  clock.advance(49min);
  const auto same_hour = co_await enqueue_one(db, Hourly{.number = 1});
  BOOST_TEST(!same_hour.created);
  BOOST_TEST(same_hour.id == first.id);
  clock.advance(1min);
  BOOST_TEST((co_await enqueue_one(db, Hourly{.number = 1})).created);
  co_await store.forget_old_keys();
  auto keys = [](Session& s) -> awaitable<std::int64_t> {
    co_return co_await s.select<aegis::jobs::UniqueRow>().count();
  };
  BOOST_TEST(co_await db.read(keys) == 1);
  store.hub().use(nullptr);
}

DATABASE_TEST(a_job_can_keep_others_out_as_long_as_it_is_kept) {
  const auto first = co_await enqueue_one(db, Ever{});
  BOOST_TEST(first.created);
  BOOST_TEST(co_await aegis::jobs::change(db, aegis::jobs::JobAction::cancel, {.id = first.id}) ==
             1);
  BOOST_TEST(!(co_await enqueue_one(db, Ever{})).created);
  aegis::jobs::Store store(db);
  BOOST_TEST(co_await store.prune("cancelled", -1s, 10) == 1);
  BOOST_TEST((co_await enqueue_one(db, Ever{})).created);
}

DATABASE_TEST(many_jobs_at_once_answer_their_ids) {
  std::vector<Plain> jobs;
  for (int i = 0; i < 6'000; ++i) jobs.push_back({.number = i});
  auto enqueue = [&](Session& s) -> awaitable<std::vector<aegis::Enqueued>> {
    co_return co_await s.enqueue_each(jobs);
  };
  const auto each = co_await db.session(enqueue);
  BOOST_REQUIRE(each.size() == 6'000);
  for (const int i : {0, 4'999, 5'000, 5'999}) {
    const auto job = co_await waiting(db, each[static_cast<std::size_t>(i)].id);
    BOOST_TEST(job->arguments == "{\"number\":" + std::to_string(i) + ",\"text\":\"\"}");
  }
  const std::vector<Once> equal{{1}, {1}};
  auto again = [&](Session& s) -> awaitable<std::vector<aegis::Enqueued>> {
    co_return co_await s.enqueue_each(equal);
  };
  const auto both = co_await db.session(again);
  BOOST_TEST(both[0].id == both[1].id);
  BOOST_TEST(!both[1].created);
}
