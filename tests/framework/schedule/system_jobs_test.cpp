// The status check, and what it tells to whom.
#include <aegis/app/system_jobs.h>
#include <aegis/core/settings.h>
#include <aegis/health/health.h>
#include <aegis/testing/testing.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "app/parts.h"

using namespace aegis;
using namespace std::chrono_literals;

namespace {

HealthStatus forge = HealthStatus::healthy;
Settings settings;
App* application = nullptr;

class ForgeHealth : public HealthCheck {
 public:
  std::string_view name() const override { return "forge"; }
  awaitable<ComponentHealth> check() override {
    ComponentHealth health{.name = "forge", .status = forge, .message = "the fire"};
    co_return health;
  }
};

void schedules(Schedules& s) {
  s.every<SystemStatusCheck>("status", 1min);
  s.at<DatabaseBackup>("backup", "2100-01-01 00:00");  // never amid the other cases
}

void configure(App& app) {
  app.schedules(schedules).provide(settings);
  application = &app;
}

/// Answers one request with each of `statuses`, on a thread of its own.
class Hook {
 public:
  explicit Hook(std::vector<std::string> statuses) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 5);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this, statuses = std::move(statuses)] {
      for (const auto& status : statuses) answer(status);
    });
  }
  ~Hook() { ::close(listener_); }

  /// What came, once all have been answered.
  const std::string& received() {
    thread_.join();
    return received_;
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port) + "/hook?key=secret";
  }

  int port = 0;

 private:
  void answer(const std::string& status) {
    const int peer = ::accept(listener_, nullptr, nullptr);
    std::string request;
    char part[4096];
    while (request.find("\r\n\r\n") == request.npos || request.back() != '}') {
      const auto size = ::read(peer, part, sizeof part);
      if (size <= 0) break;
      request.append(part, static_cast<std::size_t>(size));
    }
    received_ += request + "\n";
    const std::string reply = "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n";
    static_cast<void>(!::write(peer, reply.data(), reply.size()));
    ::close(peer);
  }

  int listener_ = -1;
  std::thread thread_;
  std::string received_{};
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

awaitable<testing::JobsRan> a_minute_later(testing::TestApp& app) {
  app.clock().advance(1min);
  co_await app.fire_schedules();
  co_return co_await app.run_jobs();
}

}  // namespace

AEGIS_TEST_APPLICATION(configure)

AEGIS_TEST_CASE(a_change_of_health_is_told_once_and_again_until_it_is_taken) {
  // Without the machine's own health, which is not the test's to choose.
  HealthRegistry registry("test", "1");
  registry.add(std::make_unique<ForgeHealth>());
  application->parts().services.provide(registry);
  forge = HealthStatus::healthy;
  Hook hook({"500 Oops", "204 No Content", "200 OK"});
  settings.alert_webhook_url = Secret<std::string>(hook.url());
  BOOST_TEST((co_await a_minute_later(app)).succeeded == 1);
  forge = HealthStatus::unhealthy;
  auto ran = co_await a_minute_later(app);
  BOOST_TEST(ran.succeeded == 1);
  BOOST_TEST(ran.failed == 1);  // the alert, which is tried again
  BOOST_REQUIRE(ran.errors.size() == 1U);
  BOOST_TEST(contains(ran.errors[0], "it answered 500"), ran.errors[0]);
  BOOST_TEST(!contains(ran.errors[0], "secret"));
  BOOST_TEST((co_await a_minute_later(app)).succeeded == 2);  // no second alert
  BOOST_TEST((co_await a_minute_later(app)).succeeded == 1);
  forge = HealthStatus::warning;
  BOOST_TEST((co_await a_minute_later(app)).succeeded == 1);  // a moment's warning is no news
  forge = HealthStatus::healthy;
  BOOST_TEST((co_await a_minute_later(app)).succeeded == 1);
  BOOST_TEST((co_await a_minute_later(app)).succeeded == 2);
  const std::string& received = hook.received();
  BOOST_TEST(contains(received, "POST /hook?key=secret HTTP/1.1"), received);
  BOOST_TEST(contains(received, R"("status":"unhealthy","previous":"healthy")"), received);
  BOOST_TEST(contains(received, "forge is unhealthy: the fire"), received);
  BOOST_TEST(contains(received, R"("status":"healthy","previous":"unhealthy")"), received);
}

AEGIS_TEST_CASE(a_check_that_was_killed_does_not_make_old_news_new) {
  HealthRegistry registry("test", "1");
  registry.add(std::make_unique<ForgeHealth>());
  application->parts().services.provide(registry);
  forge = HealthStatus::unhealthy;
  Hook hook({"200 OK"});
  settings.alert_webhook_url = Secret<std::string>(hook.url());
  BOOST_TEST((co_await a_minute_later(app)).succeeded == 2);  // and the alert
  BOOST_TEST(contains(hook.received(), R"("status":"unhealthy")"));
  BOOST_TEST((co_await a_minute_later(app)).succeeded == 1);
  auto kill = [](Session& s) -> awaitable<void> {
    co_await s.execute(
        "UPDATE aegis_job_finished SET state = 'dead', output = NULL WHERE id = (SELECT max(id) "
        "FROM aegis_job_finished)");
  };
  co_await app.db().session(kill);
  BOOST_TEST((co_await a_minute_later(app)).succeeded == 1);
  BOOST_TEST((co_await app.enqueued<SendAlert>()).empty());
}

AEGIS_TEST_CASE(what_is_not_configured_does_nothing) {
  settings = {};
  forge = HealthStatus::unhealthy;
  app.clock().advance(*parse_timestamp("2100-01-01T00:00:00Z") - app.clock().now());
  co_await app.fire_schedules();
  BOOST_TEST((co_await app.enqueued<DatabaseBackup>()).size() == 1U);
  const auto ran = co_await app.run_jobs();
  BOOST_TEST(ran.failed + ran.dead == 0);
  BOOST_TEST((co_await app.enqueued<SendAlert>()).empty());
}
