#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <exception>

#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/core/settings.h"
#include "aegis/testing/testing.h"
#include "app/parts.h"
#include "jobs/inline.h"
#include "jobs/tables.h"
#include "schedule/store.h"
#include "testing/guard.h"

namespace aegis::testing {

// AEGIS_TEST_APPLICATION replaces it. (It is here since mold links this file into every test.)
[[gnu::weak]] void configure_application(App&) {
  throw std::logic_error("A program with AEGIS_TEST_CASE needs AEGIS_TEST_APPLICATION once.");
}

namespace {

constexpr std::chrono::seconds limit{60};  // a test that hangs says so before ctest ends it

DatabaseOptions database_options() {
  DatabaseOptions options;
  const char* url = std::getenv("TEST_DATABASE_URL");
  if (url != nullptr && *url != '\0') {
    options.url = url;
    options.rolled_back = true;
  } else {
    options.url = "sqlite://:memory:";
  }
  refuse_production_database(options.url);
  return options;
}

void count(const jobs::Ending& ending, JobsRan& ran) {
  using enum jobs::Ending::How;
  if (ending.how == completed) ++ran.succeeded;
  if (ending.how == failed) ++ran.failed;
  if (ending.how == dead) ++ran.dead;
  if (ending.how == cancelled) ++ran.cancelled;
  if (ending.how == snoozed) ++ran.snoozed;
  if (ending.how == failed || ending.how == dead) ran.errors.push_back(ending.reason.value_or(""));
}

}  // namespace

struct TestApp::Impl {
  Impl() : app("test"), runtime({.threads = 1, .handle_signals = false}) {
    log::configure(log::Level::warn);
    auto& parts = app.parts();
    parts.services.provide(settings);
    configure_application(app);
    parts.declare_schedules();
    parts.services.provide<Clock>(clock);
    database.emplace(runtime, database_options());
    parts.add_routes([] { return std::string(); });
    parts.use_database(&*database);
    jobs_hub = jobs::Hub::of(database->begin().driver());
    jobs_hub->use(&clock);
  }

  awaitable<void> run_test(awaitable<void> test) {
    try {
      co_await database->create_all(app.parts().tables);
      if (app.parts().has_schedules()) co_await schedules().reconcile(app.parts().schedules);
      co_await std::move(test);
    } catch (...) {
      failure = std::current_exception();
    }
    finished = true;
    runtime.shutdown();
  }

  schedule::Store schedules() { return schedule::Store(*database, app.parts().jobs); }

  awaitable<void> watch() {
    boost::asio::steady_timer timer(runtime.executor(0), limit);
    co_await timer.async_wait(boost::asio::use_awaitable);
    runtime.stop();
  }

  FakeClock clock{std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())};
  App app;
  Settings settings{};
  Runtime runtime;
  std::optional<Database> database{};
  std::shared_ptr<jobs::Hub> jobs_hub{};  // where enqueues find the test's clock
  std::exception_ptr failure{};
  bool finished = false;
};

TestApp::TestApp() : impl_(std::make_unique<Impl>()) {}

TestApp::~TestApp() = default;

Database& TestApp::db() {
  return *impl_->database;
}

FakeClock& TestApp::clock() {
  return impl_->clock;
}

awaitable<JobsRan> TestApp::run_jobs() {
  auto& parts = impl_->app.parts();
  jobs::Store store(*impl_->database);
  const auto ends = co_await jobs::run_available(store, parts.services, parts.jobs);
  JobsRan ran;
  for (const jobs::Ending& ending : ends) {
    count(ending, ran);
    count(ending, ran_);
  }
  co_return ran;
}

awaitable<void> TestApp::after_commit() {
  if (inline_) co_await run_jobs();
}

awaitable<std::int64_t> TestApp::fire_schedules() {
  auto store = impl_->schedules();
  std::int64_t fired = 0;
  for (std::int64_t some = 1; some > 0; fired += some) {
    some = co_await store.fire(1'000, std::chrono::minutes(1));
  }
  co_return fired;
}

awaitable<std::vector<std::string>> TestApp::enqueued(const JobKind& kind) {
  using jobs::WaitingJob;
  auto body = [&](Session& s) -> awaitable<std::vector<std::string>> {
    std::vector<std::string> arguments;
    const auto found = co_await s.select<WaitingJob>()
                           .where(WaitingJob::col.kind == std::string(kind.name))
                           .order_by(WaitingJob::col.id.asc())
                           .all();
    for (const auto& job : found) arguments.push_back(job.arguments);
    co_return arguments;
  };
  co_return co_await impl_->database->read(body);
}

void TestApp::run(awaitable<void> test) {
  auto& runtime = impl_->runtime;
  runtime.on_stop("database", [this] { return impl_->database->close(); });
  runtime.spawn(0, impl_->run_test(std::move(test)), "test");
  runtime.spawn(0, impl_->watch(), "watchdog");
  runtime.run();
  if (impl_->failure) std::rethrow_exception(impl_->failure);
  if (!impl_->finished) throw std::runtime_error("the test did not end within 60 s");
}

awaitable<Response> TestApp::request(Method method, std::string target, std::string body,
                                     Headers headers) {
  Request request;
  request.method = method;
  request.target = target;
  const auto question_mark = target.find('?');
  request.path = std::string_view(target).substr(0, question_mark);
  if (question_mark != std::string::npos) {
    request.query = std::string_view(target).substr(question_mark + 1);
  }
  for (const auto& [name, value] : headers) request.headers.push_back({name, value});
  if (!body.empty() && request.header("Content-Type").empty()) {
    request.headers.push_back({"Content-Type", "application/json"});
  }
  request.body = body;
  request.id = "test";
  request.services = &impl_->app.parts().services;
  Response reply = co_await impl_->app.parts().router.handle(request);
  co_await after_commit();
  co_return reply;
}

awaitable<Response> TestApp::get(std::string target, Headers headers) {
  return request(Method::get, std::move(target), {}, std::move(headers));
}
awaitable<Response> TestApp::post(std::string target, std::string body, Headers headers) {
  return request(Method::post, std::move(target), std::move(body), std::move(headers));
}
awaitable<Response> TestApp::put(std::string target, std::string body, Headers headers) {
  return request(Method::put, std::move(target), std::move(body), std::move(headers));
}
awaitable<Response> TestApp::patch(std::string target, std::string body, Headers headers) {
  return request(Method::patch, std::move(target), std::move(body), std::move(headers));
}
awaitable<Response> TestApp::del(std::string target, Headers headers) {
  return request(Method::del, std::move(target), {}, std::move(headers));
}

}  // namespace aegis::testing
