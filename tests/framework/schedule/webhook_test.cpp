// Webhooks: where they are, what they are sent, and when that counts as not taken.
#include "app/webhook.h"

#include <dlfcn.h>
#include <netdb.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <latch>
#include <thread>

#include "../../support/temporary_folder.h"
#include "aegis/core/error.h"

using namespace aegis;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

std::latch slow_name_is_known(1);

}  // namespace

/// The system's, but for a name whose server does not answer.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  if (name && std::string_view(name) == "slow.test") {
    slow_name_is_known.wait();
    return EAI_AGAIN;
  }
  static const auto system =
      reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return system(name, service, hints, found);
}

namespace {

void openssl(const std::filesystem::path& folder, const std::string& arguments) {
  const std::string command =
      "cd '" + folder.string() + "' && openssl " + arguments + " >openssl.log 2>&1";
  BOOST_REQUIRE_EQUAL(std::system(command.c_str()), 0);
}

/// A CA that this process trusts, and one that it does not.
struct Authorities {
  Authorities() {
    for (const std::string ca : {"trusted", "other"}) {
      openssl(folder.path(), "req -x509 " + key + "-subj '/CN=The " + ca + " CA' -keyout " + ca +
                                 ".key -out " + ca + ".crt");
    }
    ::setenv("SSL_CERT_FILE", (folder.path() / "trusted.crt").c_str(), 1);
  }
  ~Authorities() { ::unsetenv("SSL_CERT_FILE"); }

  /// What a server called `name` needs.
  asio::ssl::context certify(const std::string& name, const std::string& ca) const {
    openssl(folder.path(), "req " + key + "-subj /CN=" + name + " -keyout it.key -out it.csr");
    openssl(folder.path(), "x509 -req -days 2 -in it.csr -CA " + ca + ".crt -CAkey " + ca +
                               ".key -CAcreateserial -out it.crt");
    asio::ssl::context context(asio::ssl::context::tls_server);
    context.use_certificate_file(folder.path() / "it.crt", asio::ssl::context::pem);
    context.use_private_key_file(folder.path() / "it.key", asio::ssl::context::pem);
    return context;
  }

  TemporaryFolder folder;
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 ";
};

/// Answers one request, on a thread of its own.
class Hook {
 public:
  explicit Hook(std::string reply, std::optional<asio::ssl::context> tls = {})
      : reply_(std::move(reply)), tls_(std::move(tls)), thread_([this] { serve(); }) {}
  ~Hook() {
    if (thread_.joinable()) thread_.join();
  }

  std::string authority(const std::string& host) const {
    return host + ":" + std::to_string(acceptor_.local_endpoint().port());
  }
  /// The request, once it has come.
  const std::string& received() {
    if (thread_.joinable()) thread_.join();
    return received_;
  }

 private:
  void serve() {
    try {
      tcp::socket socket = acceptor_.accept();
      if (!tls_) return answer(socket);
      asio::ssl::stream<tcp::socket> stream(std::move(socket), *tls_);
      stream.handshake(asio::ssl::stream_base::server);
      answer(stream);
    } catch (const boost::system::system_error&) {  // the other side has gone
    }
  }
  void answer(auto& stream) {
    asio::read_until(stream, asio::dynamic_buffer(received_), '}');
    asio::write(stream, asio::buffer(reply_));
  }

  std::string reply_;
  std::optional<asio::ssl::context> tls_;
  asio::io_context context_;
  tcp::acceptor acceptor_{context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::string received_;
  std::thread thread_;
};

constexpr const char* taken = "HTTP/1.1 204 No Content\r\n\r\n";

/// Why it was not taken.
std::string failure_of(const std::string& url, std::chrono::milliseconds limit = 1min) {
  asio::io_context context;
  std::string failure;
  asio::co_spawn(context, post_json(WebhookUrl(url), R"({"text":"hello"})", limit),
                 [&](const std::exception_ptr& error) {
                   try {
                     if (error) std::rethrow_exception(error);
                   } catch (const Error& e) {
                     failure = e.what();
                   }
                   context.stop();
                 });
  context.run();
  return failure;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_webhook_is_an_http_url) {
  const WebhookUrl url("https://example.com/a/b?c=d");
  BOOST_TEST(url.tls);
  BOOST_TEST(url.port == "443");
  BOOST_TEST(url.authority == "example.com");
  BOOST_TEST(url.target == "/a/b?c=d");
  const WebhookUrl six("http://[::1]:8080");
  BOOST_TEST(six.host == "::1");
  BOOST_TEST(six.authority == "[::1]:8080");
  BOOST_TEST(six.target == "/");
  BOOST_CHECK_THROW(WebhookUrl("ftp://example.com"), Error);
  BOOST_CHECK_THROW(WebhookUrl("example.com"), Error);
}

BOOST_AUTO_TEST_CASE(the_head_of_the_answer_says_whether_it_was_taken) {
  Hook hook("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nand no more");
  const std::string authority = hook.authority("127.0.0.1");
  BOOST_TEST(failure_of("http://" + authority + "/hook") == "");
  BOOST_TEST(contains(hook.received(), "Host: " + authority + "\r\n"), hook.received());

  Hook busy("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  BOOST_TEST(contains(failure_of("http://" + busy.authority("127.0.0.1")), "it answered 503"));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_found_in_time_is_not_waited_for) {
  const std::string failure = failure_of("http://slow.test/hook", 50ms);
  slow_name_is_known.count_down();
  BOOST_TEST(contains(failure, "slow.test did not take it: no answer within 50 ms"), failure);
}

BOOST_AUTO_TEST_CASE(over_https_the_server_must_be_who_it_says) {
  const Authorities authorities;
  Hook good(taken, authorities.certify("localhost", "trusted"));
  BOOST_TEST(failure_of("https://" + good.authority("localhost")) == "");
  BOOST_TEST(contains(good.received(), "POST / HTTP/1.1"));

  Hook other_name(taken, authorities.certify("example.com", "trusted"));
  std::string failure = failure_of("https://" + other_name.authority("localhost"));
  BOOST_TEST(contains(failure, "certificate verify failed"), failure);
  BOOST_TEST(other_name.received() == "");

  Hook other_authority(taken, authorities.certify("localhost", "other"));
  failure = failure_of("https://" + other_authority.authority("localhost"));
  BOOST_TEST(contains(failure, "certificate verify failed"), failure);
  BOOST_TEST(other_authority.received() == "");
}
