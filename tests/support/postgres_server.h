#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// A PostgreSQL server of the test's own: a fresh cluster in a temporary folder, on a Unix socket
/// and on a loopback port, that ends with the test's process. Its user is `aegis`, whose password
/// `aegis` is asked for over TCP only. Names sort as in English (ICU), as on many real servers.
class PostgresServer {
 public:
  enum class Stop {
    fast,       ///< ends connections, writes everything out
    immediate,  ///< as after a crash
  };

  /// Creates the cluster and starts it. `settings` are lines of postgresql.conf.
  explicit PostgresServer(const std::vector<std::string>& settings = {});
  /// A replica of `primary`, which streams from it.
  struct ReplicaOf {
    const PostgresServer& primary;
  };
  explicit PostgresServer(ReplicaOf of, const std::vector<std::string>& settings = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// The one that a test program's cases share; started with the first call.
  static PostgresServer& shared();

  /// Starts and waits until it takes connections.
  void start();
  /// Stops and waits until it is gone.
  void stop(Stop how = Stop::fast);
  /// kill -9 to all its processes.
  void kill();
  /// SIGSTOP to all its processes: connections stay open and nobody answers.
  void freeze();
  void thaw();

  /// postgresql:// over the Unix socket, without a password.
  std::string url(std::string_view database = "postgres") const;
  /// postgresql:// over TCP, with the password.
  std::string tcp_url(std::string_view database = "postgres") const;
  int port() const { return port_; }

  /// An empty database of its own, and its name.
  std::string create_database();
  /// Drops it, ending its connections.
  void drop_database(std::string_view name);

  /// Runs SQL on a connection of its own, without Aegis; answers the first row's first value.
  std::string execute(const std::string& sql, std::string_view database = "postgres") const;

  /// The folder of the cluster's files, in `data`, and of the server's socket.
  const std::filesystem::path& folder() const { return folder_; }

 private:
  void configure(const std::vector<std::string>& settings);
  std::vector<pid_t> processes() const;

  std::filesystem::path folder_;
  int port_ = 0;
  pid_t postmaster_ = 0;
  bool frozen_ = false;
  int databases_ = 0;
};

/// PgBouncer before a server, on a loopback port: each transaction has another of its connections.
class PgBouncer {
 public:
  explicit PgBouncer(const PostgresServer& server);
  ~PgBouncer();
  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;

  std::string url(std::string_view database) const;

 private:
  std::filesystem::path folder_;
  int port_;
  pid_t process_;
};
