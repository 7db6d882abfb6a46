#include "ledger.h"

#include <cstdlib>

#include "aegis/core/clock.h"

bool at_length() {
  const char* wanted = std::getenv("AEGIS_SOAK");
  return wanted != nullptr && *wanted != '\0' && *wanted != '0';
}

awaitable<void> Ledger::enqueue(Database& db, int count, aegis::EnqueueOptions options) {
  std::vector<Mark> jobs;
  for (int i = 0; i < count; ++i) jobs.push_back({.number = next_++});
  auto body = [&](Session& s) -> awaitable<void> { co_await s.enqueue_all(jobs, options); };
  bool known = false;
  try {
    co_await db.session(body);
    known = true;
  } catch (const Error& error) {
    if (error.code() == Errc::unknown_outcome) {
      for (const Mark& job : jobs) unknown_.insert(job.number);
    }
    throw;
  }
  if (known) {
    for (const Mark& job : jobs) sure_.insert(job.number);
  }
}

awaitable<void> Ledger::check(Database& db) {
  std::vector<WaitingJob> left;
  std::string trouble;
  auto look = [&](Session& s) -> awaitable<void> {
    left = co_await s.select<WaitingJob>().order_by(WaitingJob::col.id.asc()).limit(3).all();
  };
  const auto until = std::chrono::steady_clock::now() + (at_length() ? 600s : 60s);
  for (bool over = false; !over;) {
    try {
      co_await db.read(look);
      over = left.empty();
    } catch (const Error& error) {  // it has only just come back
      trouble = error.what();
    }
    if (!over && std::chrono::steady_clock::now() > until) {
      for (const auto& job : left) {
        BOOST_TEST_MESSAGE("job " << job.id.value_or(0) << " is still " << job.state << ", lease "
                                  << job.lease.value_or(0) << ", attempt " << job.attempt << ", "
                                  << job.error.value_or("no error"));
      }
      BOOST_FAIL("jobs are left; " << trouble);
    }
    co_await aegis::Clock::system().sleep_for(20ms);
  }

  auto compare = [&](Session& s) -> awaitable<void> {
    const auto done = co_await s.query<std::int64_t>("SELECT of FROM effect");
    const std::set<std::int64_t> once(done.begin(), done.end());
    BOOST_TEST(done.size() == once.size());  // no effect twice
    std::size_t missing = 0;
    for (const auto number : sure_) missing += once.contains(number) ? 0 : 1;
    BOOST_TEST(missing == 0U);
    std::size_t foreign = 0;
    for (const auto number : once) {
      foreign += sure_.contains(number) || unknown_.contains(number) ? 0 : 1;
    }
    BOOST_TEST(foreign == 0U);
    const auto completed =
        co_await s.select<FinishedJob>().where(FinishedJob::col.state == "completed").count();
    BOOST_TEST(completed == std::ssize(done));
    BOOST_TEST(co_await s.select<FinishedJob>().count() == completed);
  };
  co_await db.read(compare);
}
