// Workers: what they run, how attempts end, and that effects happen once.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "aegis/db/listener.h"
#include "ground.h"
#include "jobs/admin.h"

namespace asio = boost::asio;

namespace {

awaitable<void> note(Session& s, std::int64_t of, std::string what) {
  Effect effect{.of = of, .what = std::move(what)};
  co_await s.insert(effect);
}

struct Touch {  // no database work
  AEGIS_FIELDS(Touch)
  awaitable<void> run(JobContext&) { co_return; }
};

struct Write {
  static constexpr JobOptions options{
      .max_attempts = 3, .backoff = [](int) -> std::chrono::milliseconds { return 1ms; }};
  std::string what{};
  int fail_until = 0;  ///< attempts up to this one throw, after the write

  AEGIS_FIELDS(Write, (what), (fail_until))
  awaitable<void> run(JobContext& job) {
    co_await note(job.db(), job.id(), what);
    if (job.attempt() <= fail_until) throw std::runtime_error("not yet");
  }
};

struct Announce {
  AEGIS_FIELDS(Announce)
  awaitable<void> run(JobContext& job) {
    auto jobs = job.db().select<WaitingJob>().stream();
    while (co_await jobs.next()) {
    }
    job.db().notify("announcements", "read them all");
  }
};

struct Hang {
  AEGIS_FIELDS(Hang)
  awaitable<void> run(JobContext& job) {
    co_await note(job.db(), job.id(), "begun");
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
  }
};

/// Waits without holding on to the database.
struct Wait {
  AEGIS_FIELDS(Wait)
  awaitable<void> run(JobContext& job) {
    job.progress(0.5, "half-way");
    job.log("waits");
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
  }
};

struct Tell {
  std::string how{};

  AEGIS_FIELDS(Tell, (how))
  awaitable<void> run(JobContext& job) {
    if (how == "discard") {
      co_await note(job.db(), job.id(), "kept");
      job.discard("not wanted any more");
    } else if (how == "snooze" && !snoozed_.exchange(true)) {
      co_await note(job.db(), job.id(), "before the snooze");
      job.snooze(1ms);
    } else if (how == "output") {
      job.output(std::vector<std::string>{"a", "b"});
      job.progress(1, "done");
      job.log("one line");
    } else if (how == "commit") {
      co_await note(job.db(), job.id(), "once");
      co_await job.db().commit();
      co_await note(job.db(), job.id(), "never");
      co_await job.db().commit();
    } else if (how == "garbage") {
      job.progress(0.5, "half \xFF");
      job.log(std::string("a zero \0 byte", 13));
      throw std::runtime_error("not UTF-8: \xC3(");
    } else if (how == "for ever") {
      job.snooze(std::chrono::milliseconds::max());
    } else if (how == "the same") {
      job.progress(1, "the same");
    } else if (how == "anything") {
      throw 5;
    }
  }
  static inline std::atomic<bool> snoozed_ = false;
};

template <class J>
awaitable<std::int64_t> enqueue(Database& db, J job, aegis::EnqueueOptions options = {}) {
  auto body = [&](Session& s) -> awaitable<std::int64_t> {
    co_return (co_await s.enqueue(job, options)).id;
  };
  co_return co_await db.session(body);
}

}  // namespace

DATABASE_TEST(jobs_are_run_and_leave_the_table_of_those_that_wait) {
  std::vector<Touch> many(300);
  auto all = [&](Session& s) -> awaitable<void> { co_await s.enqueue_all(many); };
  co_await db.session(all);
  ground.worker<Touch>();
  auto ended = [&]() -> awaitable<bool> {
    co_return co_await db.read([](Session& s) -> awaitable<bool> {
      co_return co_await s.select<FinishedJob>()
              .where(FinishedJob::col.state == "completed")
              .count() == 300;
    });
  };
  co_await eventually(ended);
  co_await db.read([](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<WaitingJob>().count() == 0);
  });
}

DATABASE_TEST(a_job_that_comes_while_the_worker_waits_is_run) {
  auto options = OnDatabase::quick();
  options.poll = 1h;
  ground.worker<Touch, Write>(options);
  for (int i = 0; i < 20; ++i) {
    const auto id = co_await enqueue(db, Write{.what = "x"});
    BOOST_TEST((co_await end_of(db, id)).state == "completed");
  }
  BOOST_TEST(co_await effects(db) == 20);
}

BOOST_AUTO_TEST_CASE(workers_of_other_processes_are_told_of_jobs) {
  OnDatabase ground("postgresql");
  Database elsewhere(ground.runtime(), {.url = ground.url()});
  const auto body = [&]() -> awaitable<void> {
    Database& db = ground.database();
    aegis::jobs::Store store(db), other(elsewhere);
    aegis::Listener listener = elsewhere.listen({std::string(aegis::jobs::news_channel)});
    BOOST_TEST((co_await listener.next()).missed);
    auto told = [&]() -> awaitable<std::string> {
      const auto heard = co_await listener.next();
      BOOST_TEST(!store.hub().heard(heard.payload).has_value());  // it need not be told of its own
      co_return std::string(other.hub().heard(heard.payload).value_or("nothing"));
    };
    co_await enqueue(db, Touch{}, {.queue = "one"});
    BOOST_TEST(co_await told() == "one");
    co_await enqueue(db, Touch{}, {.queue = "two", .delay = 1ms});
    auto promoted = [&]() -> awaitable<bool> { co_return co_await store.promote(9) == 1; };
    co_await eventually(promoted);
    BOOST_TEST(co_await told() == "two");
    co_await aegis::jobs::resume(db, "three");
    BOOST_TEST(co_await told() == "three");
    co_await store.sign_on({.lease = 41, .name = "gone", .length = -1ms, .concurrency = 9});
    BOOST_TEST((co_await store.fetch(41, "two", 9, R"(["Touch"])")).size() == 1);
    BOOST_TEST(co_await store.rescue() == 1);
    BOOST_TEST(co_await told() == "two");
    co_await elsewhere.close();
  };
  ground.wait(body());
}

DATABASE_TEST(what_a_job_notifies_comes_when_it_is_completed) {
  aegis::Listener listener = db.listen({"announcements"});
  BOOST_TEST((co_await listener.next()).missed);
  ground.worker<Announce>();
  const auto id = co_await enqueue(db, Announce{});
  BOOST_TEST((co_await listener.next()).payload == "read them all");
  BOOST_TEST((co_await end_of(db, id)).state == "completed");
}

DATABASE_TEST(a_job_that_fails_is_tried_again_and_its_failed_work_is_undone) {
  ground.worker<Write>();
  const auto id = co_await enqueue(db, Write{.what = "third time", .fail_until = 2});
  const auto job = co_await end_of(db, id);
  BOOST_TEST(job.state == "completed");
  BOOST_TEST(job.attempt == 3);
  BOOST_TEST(*job.error == "attempt 2: not yet");
  BOOST_TEST(co_await effects(db) == 1);
}

DATABASE_TEST(a_job_that_fails_too_often_is_dead_with_the_reason) {
  ground.worker<Write, Tell>();
  const auto id = co_await enqueue(db, Write{.what = "never", .fail_until = 9});
  const auto job = co_await end_of(db, id);
  BOOST_TEST(job.state == "dead");
  BOOST_TEST(job.attempt == 3);
  BOOST_TEST(*job.error == "attempt 3: not yet");
  BOOST_TEST(co_await effects(db) == 0);

  const auto odd = co_await enqueue(db, Tell{.how = "anything"}, {.max_attempts = 1});
  BOOST_TEST(*(co_await end_of(db, odd)).error ==
             "attempt 1: an exception that is no std::exception");
}

DATABASE_TEST(what_a_job_says_may_be_any_bytes) {
  ground.worker<Tell>();
  const auto id = co_await enqueue(db, Tell{.how = "garbage"}, {.max_attempts = 1});
  const auto job = co_await end_of(db, id);
  BOOST_TEST(*job.error == "attempt 1: not UTF-8: \uFFFD(");
  BOOST_TEST(*job.message == "half \uFFFD");
  auto line = [&]() -> awaitable<bool> {
    co_return co_await db.read([](Session& s) -> awaitable<bool> {
      const auto all = co_await s.select<aegis::jobs::JobLine>().all();
      co_return all.size() == 1 && all[0].message == "a zero \uFFFD byte";
    });
  };
  co_await eventually(line);
  const auto far = co_await enqueue(db, Tell{.how = "for ever"});
  auto sleeps = [&]() -> awaitable<bool> {
    co_return (co_await waiting(db, far))->state == "scheduled";
  };
  co_await eventually(sleeps);
}

DATABASE_TEST(an_end_that_cannot_be_stored_does_not_hold_up_others) {
  auto forbid = [](Session& s) -> awaitable<void> {
    co_await s.execute("CREATE UNIQUE INDEX once ON aegis_job_finished (message)");
  };
  co_await db.session(forbid);
  std::vector<Tell> many(5, Tell{.how = "the same"});
  auto all = [&](Session& s) -> awaitable<void> { co_await s.enqueue_all(many); };
  co_await db.session(all);
  ground.worker<Tell>();
  std::vector<FinishedJob> ended;
  auto over = [&]() -> awaitable<bool> {
    auto find = [](Session& s) -> awaitable<std::vector<FinishedJob>> {
      return s.select<FinishedJob>().all();
    };
    ended = co_await db.read(find);
    co_return ended.size() == 5;
  };
  co_await eventually(over);
  BOOST_TEST(std::ranges::count(ended, std::optional<std::string>("the same"),
                                &FinishedJob::message) == 1);
  BOOST_TEST(std::ranges::count_if(ended, [](const FinishedJob& job) {
               return job.error.value_or("").find("cannot be stored") != std::string::npos;
             }) == 4);
}

DATABASE_TEST(arguments_that_cannot_be_read_are_a_failure_that_says_so) {
  const auto id = co_await enqueue(db, Write{.what = "x"}, {.max_attempts = 1});
  auto corrupt = [&](Session& s) -> awaitable<void> {
    co_await s.update_all<WaitingJob>()
        .set(WaitingJob::col.arguments, R"({"what":5,"more":true})")
        .where(WaitingJob::col.id == id)
        .run();
  };
  co_await db.session(corrupt);
  ground.worker<Write>();
  const auto job = co_await end_of(db, id);
  BOOST_TEST(job.state == "dead");
  BOOST_TEST(job.error->find("/what") != std::string::npos, *job.error);
}

DATABASE_TEST(a_job_of_an_unknown_kind_waits_for_a_worker_that_knows_it) {
  const auto id = co_await enqueue(db, Write{.what = "x"});
  ground.worker<Touch>();
  const auto other = co_await enqueue(db, Touch{});
  co_await end_of(db, other);
  BOOST_TEST((co_await waiting(db, id))->state == "available");
  ground.worker<Write>();
  BOOST_TEST((co_await end_of(db, id)).state == "completed");
}

DATABASE_TEST(a_job_over_its_time_is_cancelled_and_counts_as_failed) {
  ground.worker<Hang>();
  const auto id = co_await enqueue(db, Hang{}, {.max_attempts = 1, .timeout = 50ms});
  const auto job = co_await end_of(db, id);
  BOOST_TEST(job.state == "dead");
  BOOST_TEST(*job.error == "attempt 1: took longer than 50 ms, its timeout");
  BOOST_TEST(co_await effects(db) == 0);
}

DATABASE_TEST(a_running_job_tells_its_progress_and_can_be_cancelled) {
  ground.worker<Wait>();
  const auto id = co_await enqueue(db, Wait{});
  std::optional<WaitingJob> job;
  auto half_way = [&]() -> awaitable<bool> {
    job = co_await waiting(db, id);
    co_return job && job->progress == 0.5;
  };
  co_await eventually(half_way);
  BOOST_TEST(job->state == "running");
  BOOST_TEST(*job->message == "half-way");
  auto cancel = [&](Session& s) -> awaitable<void> {
    co_await s.update_all<WaitingJob>()
        .set(WaitingJob::col.cancel_requested, true)
        .where(WaitingJob::col.id == id)
        .run();
  };
  co_await db.session(cancel);
  const auto ended = co_await end_of(db, id);
  BOOST_TEST(ended.state == "cancelled");
  BOOST_TEST(*ended.error == "attempt 1: cancelled while it ran");
  auto lines = [&](Session& s) -> awaitable<void> {
    const auto all = co_await s.select<aegis::jobs::JobLine>().all();
    BOOST_REQUIRE(all.size() == 1);
    BOOST_TEST(all[0].message == "waits");
    BOOST_TEST(all[0].job_id == id);
  };
  co_await db.read(lines);
}

DATABASE_TEST(an_attempt_that_is_given_out_again_to_its_worker_does_not_run_twice) {
  ground.worker<Wait>();
  const auto id = co_await enqueue(db, Wait{});
  auto half_way = [&]() -> awaitable<bool> {
    co_return (co_await waiting(db, id))->progress == 0.5;
  };
  co_await eventually(half_way);
  auto forget = [&](Session& s) -> awaitable<void> {  // as a crash of the server may
    co_await s.execute(
        "UPDATE aegis_job SET state = 'available', attempt = 0, starts = 0, lease = NULL WHERE id "
        "= $1",
        id);
  };
  co_await db.session(forget);
  auto runs = [&]() -> awaitable<bool> {
    co_return (co_await waiting(db, id))->state == "running";
  };
  co_await eventually(runs);
  BOOST_TEST(co_await aegis::jobs::change(db, aegis::jobs::JobAction::cancel, {.id = id}) == 1);
  BOOST_TEST((co_await end_of(db, id)).state == "cancelled");
  auto lines = [](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<aegis::jobs::JobLine>().count() == 1);
  };
  co_await db.read(lines);
}

DATABASE_TEST(a_cancel_that_was_asked_for_counts_however_the_attempt_ends) {
  using aegis::jobs::Ending;
  aegis::jobs::Store store(db);
  co_await store.sign_on({.lease = 31, .name = "one", .length = 1h, .concurrency = 9});
  const auto cancel = [&](std::int64_t id) {
    return aegis::jobs::change(db, aegis::jobs::JobAction::cancel, {.id = id});
  };
  for (const auto how : {Ending::How::failed, Ending::How::snoozed, Ending::How::released}) {
    const auto id = co_await enqueue(db, Touch{});
    BOOST_TEST((co_await store.fetch(31, "default", 9, R"(["Touch"])")).size() == 1);
    BOOST_TEST(co_await cancel(id) == 1);
    const std::vector<std::pair<aegis::jobs::Fence, Ending>> ends{
        {{id, 1, 31, 1}, {.how = how, .delay = 1s}}};
    BOOST_TEST((co_await store.end(ends))[0]);
    BOOST_TEST((co_await end_of(db, id)).state == "cancelled");
  }
  const auto id = co_await enqueue(db, Touch{});
  BOOST_TEST((co_await store.fetch(31, "default", 9, R"(["Touch"])")).size() == 1);
  BOOST_TEST(co_await cancel(id) == 1);
  co_await store.sign_off(31);
  co_await store.rescue();
  BOOST_TEST((co_await end_of(db, id)).state == "cancelled");
}

DATABASE_TEST(an_end_that_does_not_count_changes_no_later_attempt) {
  using aegis::jobs::Ending;
  aegis::jobs::Store store(db);
  co_await store.sign_on({.lease = 51, .name = "one", .length = 1h, .concurrency = 9});
  const auto fetch = [&]() -> awaitable<std::vector<aegis::jobs::Claim>> {
    co_return co_await store.fetch(51, "default", 9, R"(["Touch"])");
  };
  for (const auto how : {Ending::How::snoozed, Ending::How::released}) {
    const auto id = co_await enqueue(db, Touch{});
    const auto first = co_await fetch();
    BOOST_REQUIRE(first.size() == 1);
    const std::vector<std::pair<aegis::jobs::Fence, Ending>> end{
        {{id, first[0].starts, 51, 1}, {.how = how}}};
    BOOST_TEST((co_await store.end(end))[0]);
    const auto second = co_await fetch();
    BOOST_REQUIRE(second.size() == 1);
    BOOST_TEST(second[0].attempt == 1);         // the same number, under the same lease
    BOOST_TEST(!(co_await store.end(end))[0]);  // as when the answer to the first was lost
    BOOST_TEST((co_await waiting(db, id))->state == "running");
    BOOST_TEST((co_await store.complete(51, {end[0].first})).empty());
    const aegis::jobs::Fence now{id, second[0].starts, 51, 1};
    BOOST_TEST((co_await store.complete(51, {now})).size() == 1);
    BOOST_TEST(co_await aegis::jobs::change(db, aegis::jobs::JobAction::retry, {.id = id}) == 1);
    BOOST_TEST((co_await fetch()).size() == 1);
    BOOST_TEST((co_await store.complete(51, {now})).empty());
    BOOST_TEST((co_await waiting(db, id))->starts == 3);
    co_await aegis::jobs::change(db, aegis::jobs::JobAction::cancel, {.id = id});
  }
}

DATABASE_TEST(a_job_can_say_how_it_ends) {
  ground.worker<Tell>();
  const auto discarded = co_await end_of(db, co_await enqueue(db, Tell{.how = "discard"}));
  BOOST_TEST(discarded.state == "cancelled");
  BOOST_TEST(*discarded.error == "not wanted any more");
  BOOST_TEST(co_await effects(db) == 1);

  Tell::snoozed_ = false;
  const auto snoozed = co_await end_of(db, co_await enqueue(db, Tell{.how = "snooze"}));
  BOOST_TEST(snoozed.state == "completed");
  BOOST_TEST(snoozed.attempt == 1);
  BOOST_TEST(co_await effects(db) == 2);

  const auto told = co_await end_of(db, co_await enqueue(db, Tell{.how = "output"}));
  BOOST_TEST(*told.output == R"(["a","b"])");
  BOOST_TEST(*told.progress == 1);
  BOOST_TEST(*told.message == "done");

  const auto committed = co_await end_of(db, co_await enqueue(db, Tell{.how = "commit"}));
  BOOST_TEST(committed.state == "completed");
  BOOST_TEST(co_await effects(db) == 3);
}

DATABASE_TEST(the_more_urgent_and_the_earlier_start_first) {
  const auto late = co_await enqueue(db, Write{.what = "late"}, {.priority = 1});
  const auto first = co_await enqueue(db, Write{.what = "first"});
  const auto second = co_await enqueue(db, Write{.what = "second"});
  const auto urgent = co_await enqueue(db, Write{.what = "urgent"}, {.priority = -1});
  auto options = OnDatabase::quick();
  options.concurrency = 1;
  ground.worker<Write>(options);
  co_await end_of(db, late);
  co_await db.read([](Session& s) -> awaitable<void> {
    const auto all = co_await s.select<Effect>().order_by(Effect::col.id.asc()).all();
    BOOST_REQUIRE(all.size() == 4);
    BOOST_TEST(all[0].what == "urgent");
    BOOST_TEST(all[1].what == "first");
    BOOST_TEST(all[2].what == "second");
    BOOST_TEST(all[3].what == "late");
  });
  static_cast<void>(first);
  static_cast<void>(second);
  static_cast<void>(urgent);
}

DATABASE_TEST(a_job_for_later_starts_when_it_is_due_and_an_expired_one_never) {
  ground.worker<Write>();
  const auto id = co_await enqueue(db, Write{.what = "later"}, {.delay = 300ms});
  BOOST_TEST((co_await waiting(db, id))->state == "scheduled");
  const auto job = co_await end_of(db, id);
  BOOST_TEST(job.state == "completed");
  BOOST_TEST((*job.started_at >= job.run_at));
}

DATABASE_TEST(an_attempt_that_was_taken_for_dead_changes_nothing) {
  // What a stale worker would do, by hand: it fetches, is forgotten, and comes back.
  aegis::jobs::Store store(db);
  aegis::jobs::Registration slow{.lease = 11, .name = "slow", .length = 1ms, .concurrency = 1};
  aegis::jobs::Registration quick{.lease = 12, .name = "quick", .length = 1h, .concurrency = 1};
  co_await store.sign_on(slow);
  const auto id = co_await enqueue(db, Write{.what = "x"});
  const auto claims = co_await store.fetch(11, "default", 10, R"(["Write"])");
  BOOST_REQUIRE(claims.size() == 1);
  BOOST_TEST(claims[0].id == id);
  BOOST_TEST(claims[0].attempt == 1);

  co_await store.sign_on(quick);
  co_await aegis::Clock::system().sleep_for(20ms);
  BOOST_TEST(co_await store.rescue() == 1);
  BOOST_TEST(!co_await store.renew(slow, 1));
  BOOST_TEST((co_await store.fetch(11, "default", 10, R"(["Write"])")).empty());
  const auto again = co_await store.fetch(12, "default", 10, R"(["Write"])");
  BOOST_REQUIRE(again.size() == 1);
  BOOST_TEST(again[0].attempt == 2);

  const aegis::jobs::Fence stale{id, 1, 11, 1};
  BOOST_TEST((co_await store.complete(11, {stale})).empty());
  const std::vector<std::pair<aegis::jobs::Fence, aegis::jobs::Ending>> ends{
      {stale, {.how = aegis::jobs::Ending::How::dead}},
      {stale, {.how = aegis::jobs::Ending::How::failed, .delay = 1ms}}};
  const auto counted = co_await store.end(ends);
  BOOST_TEST(!counted[0]);
  BOOST_TEST(!counted[1]);
  BOOST_TEST((co_await waiting(db, id))->state == "running");
  BOOST_TEST((co_await store.complete(12, {{id, 2, 12, 2}})).size() == 1);
  BOOST_TEST((co_await finished(db, id))->attempt == 2);
}
