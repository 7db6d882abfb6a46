#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "aegis/aegis.h"
#include "aegis/testing/fake_clock.h"

/// Tests of an application: no socket, no server, a database of their own. Link aegis::testing.
///
///   // once per test program:
///   AEGIS_TEST_APPLICATION(configure)          // void configure(aegis::App& app)
///
///   AEGIS_TEST_CASE(forging_a_shield) {        // a coroutine; `app` is the application
///     auto reply = co_await app.post("/shields", R"({"name":"Dragon Scale"})");
///     BOOST_REQUIRE_EQUAL(reply.status(), 201);
///   }
namespace aegis::testing {

/// What TestApp::run_jobs() did: how many attempts ended in which way.
struct JobsRan {
  int succeeded = 0;
  int failed = 0;  ///< to be tried again later
  int dead = 0;    ///< failed for the last time
  int cancelled = 0;
  int snoozed = 0;
  std::vector<std::string> errors{};  ///< of those that failed or died
};

/// The application under test.
class TestApp {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  TestApp();
  ~TestApp();

  awaitable<Response> get(std::string target, Headers headers = Headers());
  awaitable<Response> post(std::string target, std::string body, Headers headers = Headers());
  awaitable<Response> put(std::string target, std::string body, Headers headers = Headers());
  awaitable<Response> patch(std::string target, std::string body, Headers headers = Headers());
  awaitable<Response> del(std::string target, Headers headers = Headers());
  awaitable<Response> request(Method method, std::string target, std::string body, Headers headers);

  /// The test's own database: in memory (the default), or the one that TEST_DATABASE_URL names,
  /// inside one transaction that is rolled back after the test. Refuses to open the DATABASE_URL
  /// that the environment or .env configures.
  Database& db();

  /// Runs the jobs that are available, one after the other, until there are none, those that they
  /// enqueue among them. What is for later becomes available as clock() goes on.
  awaitable<JobsRan> run_jobs();
  /// From now on jobs run by themselves, as run_jobs() runs them: right after a request, or a
  /// session(), that enqueued them has committed, before the test gets its answer.
  void run_jobs_inline() { inline_ = true; }
  /// As db().session(body), for what is to run jobs inline.
  template <class F>
  std::invoke_result_t<F&, Session&> session(F body) {
    using Result = typename std::invoke_result_t<F&, Session&>::value_type;
    if constexpr (std::is_void_v<Result>) {
      co_await db().session(body);
      co_await after_commit();
    } else {
      Result result = co_await db().session(body);
      co_await after_commit();
      co_return result;
    }
  }
  /// What all jobs of the test did so far.
  const JobsRan& jobs_ran() const { return ran_; }
  /// Fires the schedules that are due by clock(): enqueues their jobs. Answers how many schedules
  /// there were.
  awaitable<std::int64_t> fire_schedules();
  /// The jobs of this kind that are enqueued and not finished, in order.
  template <Job J>
  awaitable<std::vector<J>> enqueued() {
    std::vector<J> jobs;
    for (const auto& arguments : co_await enqueued(job_kind<J>())) {
      from_json(arguments, jobs.emplace_back()).raise();
    }
    co_return jobs;
  }

  /// What handlers get as Service<Clock>: begins at the time of day and stands still until moved.
  FakeClock& clock();

  /// Runs `test` to its end; its exception is the test's.
  void run(awaitable<void> test);

 private:
  awaitable<std::vector<std::string>> enqueued(const JobKind& kind);
  awaitable<void> after_commit();

  struct Impl;
  std::unique_ptr<Impl> impl_;
  bool inline_ = false;
  JobsRan ran_{};
};

/// What AEGIS_TEST_APPLICATION names.
void configure_application(App& app);

}  // namespace aegis::testing

#define AEGIS_TEST_APPLICATION(function)                          \
  void aegis::testing::configure_application(::aegis::App& app) { \
    ::function(app);                                              \
  }

/// A Boost.Test case whose body is a coroutine, with a TestApp named `app`.
#define AEGIS_TEST_CASE(test_name)  \
  struct test_name##_body {         \
    ::aegis::testing::TestApp app;  \
    ::aegis::awaitable<void> run(); \
  };                                \
  BOOST_AUTO_TEST_CASE(test_name) { \
    test_name##_body test;          \
    test.app.run(test.run());       \
  }                                 \
  ::aegis::awaitable<void> test_name##_body::run()
