// A server on a socket that was opened before it: by systemd, or by `aegis dev`.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "http/inherited_socket.h"
#include "server_fixture.h"

using namespace aegis;
using namespace aegis::test;

BOOST_AUTO_TEST_SUITE(server_socket)

namespace {

/// A socket that listens, and stays open whoever else closes it.
class Listening {
 public:
  int duplicate() { return ::dup(acceptor_.native_handle()); }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
};

ServerOptions on(int socket) {
  ServerOptions options;
  options.socket = socket;
  return options;
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_connects_between_two_servers_is_served_by_the_second) {
  Listening listening;
  {
    ServerFixture first(echo, on(listening.duplicate()), 2);
    BOOST_TEST(first.server().port() == listening.port());
    BOOST_TEST(first.connect().exchange(get("/first")).body == "GET /first ");
    BOOST_REQUIRE(first.drain().wait_for(patience) == std::future_status::ready);
  }
  Client waiting(listening.port());
  waiting.send(get("/between"));
  ServerFixture second(echo, on(listening.duplicate()), 2);
  BOOST_TEST(waiting.receive().body == "GET /between ");
}

BOOST_AUTO_TEST_CASE(a_socket_that_does_not_listen_is_refused) {
  const auto refused = [](const Error& error) {
    return error.code() == Errc::unavailable &&
           std::string(error.what()).find("no listening TCP socket") != std::string::npos;
  };
  for (const int domain : {AF_INET, AF_UNIX}) {
    const int socket = ::socket(domain, SOCK_STREAM, 0);
    if (domain == AF_UNIX) ::listen(socket, 1);
    BOOST_CHECK_EXCEPTION(ServerFixture(echo, on(socket)), Error, refused);
    ::close(socket);
  }
}

BOOST_AUTO_TEST_CASE(the_sockets_of_another_process_are_not_taken) {
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "1", 1);
  BOOST_TEST(http::inherited_socket() == -1);
  BOOST_TEST(std::getenv("LISTEN_FDS") == nullptr);
}

BOOST_AUTO_TEST_CASE(several_sockets_are_refused) {
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "2", 1);
  BOOST_CHECK_THROW(http::inherited_socket(), Error);
}

BOOST_AUTO_TEST_SUITE_END()
