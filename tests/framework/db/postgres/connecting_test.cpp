// Ways to a server: TLS, passwords in a file, PgBouncer.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "aegis/db/listener.h"
#include "fixture.h"

using namespace aegis;
using namespace aegis::db::postgres::test;
namespace fs = std::filesystem;

namespace {

/// Files of the server's, which its user owns.
void give_to_server(const PostgresServer& server, const fs::path& path) {
  struct stat folder{};
  BOOST_REQUIRE(::stat(server.folder().c_str(), &folder) == 0);
  BOOST_REQUIRE(::chown(path.c_str(), folder.st_uid, folder.st_gid) == 0);
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

void openssl(const fs::path& folder, const std::string& arguments) {
  const std::string command =
      "cd '" + folder.string() + "' && openssl " + arguments + " >openssl.log 2>&1";
  BOOST_REQUIRE_EQUAL(std::system(command.c_str()), 0);
}

/// A server with TLS whose certificate, for localhost, a CA of the test's own has signed.
struct TlsServer : PostgresServer {
  TlsServer() {
    const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 ";
    for (const std::string ca : {"ca", "other"}) {
      openssl(folder(), "req -x509 " + key + "-subj '/CN=The " + ca + " CA' -keyout " + ca +
                            ".key -out " + ca + ".crt");
    }
    openssl(folder(), "req " + key + "-subj /CN=localhost -keyout server.key -out server.csr");
    openssl(folder(),
            "x509 -req -days 2 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial "
            "-out server.crt");
    for (const char* file : {"server.key", "server.crt"}) give_to_server(*this, folder() / file);
    for (const std::string what : {"key", "cert"}) {
      const auto file = folder() / (what == "key" ? "server.key" : "server.crt");
      execute("ALTER SYSTEM SET ssl_" + what + "_file = '" + file.string() + "'");
    }
    execute("ALTER SYSTEM SET ssl = on");
    stop();
    start();
  }
  std::string url_of(const std::string& host, const std::string& ca) const {
    return "postgresql://aegis:aegis@" + host + ":" + std::to_string(port()) +
           "/postgres?sslmode=verify-full&sslrootcert=" + (folder() / (ca + ".crt")).string();
  }
};

std::string failure(Fixture& f, const std::string& url) {
  Database database(f.runtime, {.url = url});
  auto select = [&]() -> awaitable<void> {
    co_await one<std::int64_t>(database, "SELECT 1::bigint");
  };
  auto look = [&]() -> awaitable<std::string> {
    const auto [code, text] = co_await error_of(select());
    BOOST_TEST((code == Errc::unavailable));
    co_await database.close();
    co_return text;
  };
  return f.wait(look());
}

}  // namespace

BOOST_AUTO_TEST_CASE(statements_are_not_compiled_unless_the_url_says_so) {
  Fixture f;
  f.execute("ALTER DATABASE \"" + f.name + "\" SET jit = on");
  BOOST_TEST(f.wait(one<std::string>(*f.database, "SELECT current_setting('jit')")) == "off");
  f.url += "?options=-cjit%3Don";
  f.open({});
  BOOST_TEST(f.wait(one<std::string>(*f.database, "SELECT current_setting('jit')")) == "on");
}

BOOST_AUTO_TEST_CASE(tls_verifies_the_server_fully) {
  TlsServer server;
  Fixture f({}, server);
  Database database(f.runtime, {.url = server.url_of("localhost", "ca")});
  BOOST_TEST(f.wait(one<std::int64_t>(
      database, "SELECT ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()")));
  f.wait(database.close());

  const std::string other_ca = failure(f, server.url_of("localhost", "other"));
  BOOST_TEST_INFO(other_ca);
  BOOST_TEST(contains(other_ca, "certificate verify failed"));
  BOOST_TEST(contains(other_ca, "check sslmode, sslrootcert and the server's certificate"));
  const std::string other_name = failure(f, server.url_of("127.0.0.1", "ca"));
  BOOST_TEST(contains(other_name, "\"localhost\" does not match host name \"127.0.0.1\""));
  BOOST_TEST(contains(other_name, "check sslmode, sslrootcert and the server's certificate"));
  BOOST_TEST(!contains(other_name, "aegis:aegis"));
}

BOOST_AUTO_TEST_CASE(a_server_without_tls_is_refused_where_it_is_asked_for) {
  Fixture f;
  const std::string text = failure(f, f.server.tcp_url() + "?sslmode=require");
  BOOST_TEST(contains(text, "server does not support SSL"));
  BOOST_TEST(contains(text, "check sslmode in DATABASE_URL"));
}

BOOST_AUTO_TEST_CASE(the_password_may_be_in_a_file) {
  Fixture f;
  const fs::path file = fs::temp_directory_path() / ("aegis-pgpass-" + std::to_string(::getpid()));
  const auto write = [&](const std::string& password) {
    std::ofstream(file) << "127.0.0.1:" << f.server.port() << ":*:aegis:" << password << '\n';
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  };
  const std::string url =
      "postgresql://aegis@127.0.0.1:" + std::to_string(f.server.port()) + "/" + f.name;
  write("aegis");
  {
    Database database(f.runtime, {.url = url + "?passfile=" + file.string()});
    BOOST_TEST(f.wait(one<std::int64_t>(database, "SELECT 1::bigint")) == 1);
    f.wait(database.close());
  }
  ::setenv("PGPASSFILE", file.c_str(), 1);
  {
    Database database(f.runtime, {.url = url});
    BOOST_TEST(f.wait(one<std::int64_t>(database, "SELECT 1::bigint")) == 1);
    f.wait(database.close());
  }
  write("wrong");
  const std::string text = failure(f, url);
  BOOST_TEST(contains(text, "password authentication failed"));
  BOOST_TEST(!contains(text, "wrong"));
  ::unsetenv("PGPASSFILE");
  fs::remove(file);
  BOOST_TEST(contains(failure(f, url), "DATABASE_URL needs a password"));
}

BOOST_AUTO_TEST_CASE(pgbouncer_may_give_each_transaction_another_connection) {
  Fixture f;
  PgBouncer bouncer(f.server);
  Database database(
      f.runtime, {.url = bouncer.url(f.name),
                  .connect_args = {{"transaction_pooling", "on"}, {"statement_timeout", "2000"}}});
  f.wait(execute(database, "CREATE TABLE number (value bigint PRIMARY KEY)"));
  constexpr int tasks = 40;
  int left = tasks;
  const auto work = [&](std::int64_t number) -> awaitable<void> {
    co_await database.session([&](Session& s) -> awaitable<void> {
      co_await s.execute("INSERT INTO number VALUES ($1)", number);
      const auto found =
          co_await s.query<std::int64_t>("SELECT value FROM number WHERE value = $1", number);
      BOOST_TEST(found.at(0) == number);
    });
    for (int i = 0; i < 5; ++i) {
      co_await database.read([&](Session& s) -> awaitable<void> {
        const auto found =
            co_await s.query<std::int64_t>("SELECT value FROM number WHERE value = $1", number);
        BOOST_TEST(found.at(0) == number);
      });
    }
    if (--left == 0) f.io.stop();
  };
  for (int i = 0; i < tasks; ++i) {
    asio::co_spawn(f.io, work(i), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
  }
  f.io.restart();
  f.io.run();
  BOOST_TEST(f.execute("SELECT count(*) FROM number") == "40");

  // The limits hold, and no setting stays behind on the shared connections.
  const auto sleep = [&]() -> awaitable<void> {
    co_await execute(database, "SELECT pg_sleep(60), pg_advisory_xact_lock(1)");
  };
  BOOST_TEST((f.wait(error_of(sleep())).first == Errc::timeout));
  BOOST_TEST(f.wait(one<std::string>(database, "SELECT current_setting('statement_timeout')")) ==
             "2s");
  const auto read_only = [&]() -> awaitable<void> {
    co_await database.read([](Session& s) -> awaitable<void> {
      co_await s.query<std::string>("SELECT set_config('a.b', 'c', false)");
    });
  };
  BOOST_TEST((f.wait(error_of(read_only())).first == Errc::invalid));
  const auto listen = [&]() -> awaitable<void> {
    Listener listener = database.listen({"one"});
    co_await listener.next();
  };
  BOOST_TEST((f.wait(error_of(listen())).first == Errc::invalid));
  f.wait(database.close());
}
