#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "aegis/core/fields.h"
#include "aegis/core/secret.h"

namespace aegis {

/// The framework's own settings. The field `http_max_body_bytes` is the key HTTP_MAX_BODY_BYTES of
/// the environment or of .env; docs and .env.example are made from what is said here.
struct Settings {
  std::string app_env = "development";
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;
  std::uint16_t health_port = 0;
  std::string log_level = "info";
  std::string log_format = "auto";
  bool access_log = true;
  std::uint16_t io_threads = 0;
  std::chrono::milliseconds shutdown_delay{0};
  std::chrono::milliseconds shutdown_timeout{10'000};

  std::string database_url = "sqlite:///data/app.db";
  std::string database_read_url{};
  bool database_engine_echo = false;
  std::string database_connect_args = "{}";
  std::chrono::milliseconds database_slow_transaction{1'000};
  std::string migrations_dir = "migrations";

  std::uint32_t http_max_header_bytes = 16'384;
  std::uint32_t http_max_body_bytes = 1'048'576;
  std::uint32_t http_max_connections = 10'000;
  std::uint32_t http_max_in_flight = 1'024;
  std::chrono::milliseconds http_header_timeout{10'000};
  std::chrono::milliseconds http_body_timeout{30'000};
  std::chrono::milliseconds http_handler_timeout{30'000};
  std::chrono::milliseconds http_idle_timeout{60'000};
  std::chrono::milliseconds http_write_timeout{30'000};

  std::string worker_queues{};
  std::uint16_t worker_concurrency = 50;
  std::chrono::milliseconds worker_lease{15'000};
  std::chrono::milliseconds jobs_keep_completed = std::chrono::hours(24);
  std::chrono::milliseconds jobs_keep_failed = std::chrono::hours(24 * 30);
  std::chrono::milliseconds jobs_late_warning{60'000};
  std::chrono::milliseconds jobs_late_unhealthy{600'000};
  std::uint16_t jobs_failure_warning = 10;
  std::uint16_t jobs_failure_unhealthy = 50;
  Secret<std::string> jobs_api_token{};
  std::chrono::milliseconds schedules_keep_runs = std::chrono::hours(24 * 30);
  std::chrono::milliseconds schedules_late_warning{60'000};

  Secret<std::string> alert_webhook_url{};
  std::string backup_dir{};
  std::uint16_t backup_keep = 7;

  AEGIS_FIELDS(
      Settings,
      (app_env, one_of("development", "test", "production"),
       doc("Where this runs: development, test or production.")),
      (host, min_length(1), doc("The address to listen on; 0.0.0.0 for all.")),
      (port, doc("The port to listen on; 0 for any free one.")),
      (health_port, doc("Where worker and scheduler answer /livez, /readyz and /health; 0: "
                        "nowhere. The others do so at PORT.")),
      (log_level, one_of("trace", "debug", "info", "warn", "error", "critical", "off"),
       doc("The least level that is logged: trace, debug, info, warn, error, critical or off.")),
      (log_format, one_of("auto", "text", "json"),
       doc("How log lines look: text, json, or auto: text on a terminal.")),
      (access_log, doc("Log a line for each request.")),
      (io_threads, le(1024), doc("Threads that serve requests; 0: as many as there are cores.")),
      (shutdown_delay, ge(0), le(3'600'000),
       doc("How long connections are still taken after SIGTERM, so that load balancers see /readyz "
           "turn 503 first.")),
      (shutdown_timeout, ge(0), le(86'400'000),
       doc("How long requests may take to finish after SIGTERM before they are abandoned.")),
      (database_url, min_length(1),
       doc("sqlite:///relative/path, sqlite:////absolute/path, sqlite://:memory: or "
           "postgresql://user:password@host/database.")),
      (database_read_url,
       doc("A replica of the database, postgresql://…, for what may be read a moment late.")),
      (database_engine_echo, doc("Log every SQL statement, without its values.")),
      (database_connect_args,
       doc(R"(Settings of the driver as JSON, such as {"foreign_keys": 1, "synchronous": "FULL"}.)")),
      (database_slow_transaction, ge(0), doc("Log transactions that take longer than this.")),
      (migrations_dir, min_length(1),
       doc("The folder of the migrations; where there is none, tables are made from the models.")),
      (http_max_header_bytes, ge(1024), doc("The longest request line and header; beyond: 431.")),
      (http_max_body_bytes, doc("The longest request body; beyond: 413.")),
      (http_max_connections, ge(1), doc("Connections open at a time; beyond: 503.")),
      (http_max_in_flight, ge(1), doc("Requests handled at a time; beyond: 503.")),
      (http_header_timeout, ge(1), doc("From a request's first byte to the end of its header.")),
      (http_body_timeout, ge(1), doc("For the whole body of a request.")),
      (http_handler_timeout, ge(1), doc("For a handler; then it is cancelled: 504.")),
      (http_idle_timeout, ge(1), doc("Between requests; then the connection is closed.")),
      (http_write_timeout, ge(1),
       doc("For a client to take some of a reply; then the connection is closed.")),
      (worker_queues,
       doc("The queues a worker takes jobs from, as in default,mail:5 (at most 5 at a "
           "time); empty: those that the application's jobs name.")),
      (worker_concurrency, ge(1), doc("Jobs that a worker runs at a time.")),
      (worker_lease, ge(1000),
       doc("How long after its last sign of life a worker's jobs start elsewhere.")),
      (jobs_keep_completed, ge(0), doc("How long completed jobs are kept.")),
      (jobs_keep_failed, ge(0), doc("How long cancelled and dead jobs are kept.")),
      (jobs_late_warning, ge(1), doc("Health warns of a job that waits longer to be started.")),
      (jobs_late_unhealthy, ge(1), doc("And is unhealthy for one that waits longer than this.")),
      (jobs_failure_warning, ge(1), le(100),
       doc("Health warns when more of a queue's attempts failed lately, in percent.")),
      (jobs_failure_unhealthy, ge(1), le(100), doc("And is unhealthy when more than this failed.")),
      (jobs_api_token, doc("Opens /jobs, /queues and /schedules to those who send it as a bearer "
                           "token; empty: they do not exist.")),
      (schedules_keep_runs, ge(60'000), doc("How long the history of schedules is kept.")),
      (schedules_late_warning, ge(1000),
       doc("Health warns of schedules that are later than this.")),
      (alert_webhook_url,
       doc("Where SystemStatusCheck posts JSON when the health changes, https://…; "
           "empty: nowhere.")),
      (backup_dir, doc("Where DatabaseBackup puts its copies; empty: it makes none.")),
      (backup_keep, ge(1), doc("How many copies DatabaseBackup keeps: the newest.")))
};

}  // namespace aegis
