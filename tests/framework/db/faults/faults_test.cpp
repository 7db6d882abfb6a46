// Sessions on two cores while the server, or the way to it, breaks: no I/O thread is blocked, all
// is well again afterwards, and the ledger holds.
#include <boost/algorithm/string/split.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "load.h"
#include "support/postgres_server.h"
#include "support/tcp_proxy.h"

using namespace aegis;
using namespace std::chrono_literals;

namespace {

/// Short limits, so that a test need not wait for long.
DatabaseOptions options_for(std::string url) {
  return {
      .url = std::move(url),
      .connect_args = {
          {"connect_timeout", "2000"}, {"pool_timeout", "1000"}, {"statement_timeout", "2000"}}};
}

struct Ground {
  PostgresServer server;
  std::string name = server.create_database();

  std::vector<std::string> stored() {
    const std::string all = server.execute("SELECT string_agg(name, ' ') FROM entry", name);
    std::vector<std::string> names;
    if (!all.empty()) boost::split(names, all, [](char c) { return c == ' '; });
    return names;
  }

  /// The fault happens under load and is mended; afterwards everything must be as if it had not.
  void survive(Load& load, const std::function<void()>& fault, const std::function<void()>& mend) {
    load.await_success();
    fault();
    load.await_errors();
    mend();
    load.await_success();
    load.finish();
    load.check_ledger(stored());
  }
};

}  // namespace

BOOST_DATA_TEST_CASE(a_restart_under_load,
                     boost::unit_test::data::make({"fast", "immediate", "kill -9"}), how) {
  Ground ground;
  const std::map<std::string_view, std::function<void()>> ends = {
      {"fast", [&] { ground.server.stop(PostgresServer::Stop::fast); }},
      {"immediate", [&] { ground.server.stop(PostgresServer::Stop::immediate); }},
      {"kill -9", [&] { ground.server.kill(); }}};
  Load load(options_for(ground.server.url(ground.name)));
  ground.survive(load, ends.at(how), [&] { ground.server.start(); });
}

BOOST_AUTO_TEST_CASE(a_server_frozen_for_ten_seconds) {
  Ground ground;
  Load load(options_for(ground.server.url(ground.name)));
  ground.survive(
      load, [&] { ground.server.freeze(); },
      [&] {
        std::this_thread::sleep_for(10s);
        ground.server.thaw();
      });
}

BOOST_AUTO_TEST_CASE(a_network_that_falls_silent) {
  Ground ground;
  TcpProxy proxy(ground.server.port());
  Load load(options_for("postgresql://aegis:aegis@127.0.0.1:" + std::to_string(proxy.port()) + "/" +
                        ground.name));
  ground.survive(load, [&] { proxy.fall_silent(); }, [&] { proxy.recover(); });
}
