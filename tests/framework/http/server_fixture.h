#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/core/services.h"
#include "aegis/http/server.h"

/// A server under test in this process, and clients that speak raw bytes to it over loopback.
namespace aegis::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// How long a test waits before it says that something never came.
inline constexpr auto patience = std::chrono::seconds(20);

class Handler : public HttpHandler {
 public:
  using Function = std::function<awaitable<Response>(Request&)>;
  explicit Handler(Function function) : function_(std::move(function)) {}
  awaitable<Response> handle(Request& request) const override { return function_(request); }

 private:
  Function function_;
};

/// A reply as it came over the wire.
struct WireReply {
  int status = 0;
  std::string head{};
  std::map<std::string, std::string> headers{};  // names in lower case
  std::string body{};

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

/// A client's connection. All calls block, and throw when nothing comes for the patience.
class Client {
 public:
  /// A small `receive_buffer` makes a client that is soon full.
  explicit Client(std::uint16_t port, int receive_buffer = 0);

  Client& send(std::string_view bytes);
  Client& shut_down_sending();
  void close() { socket_.close(); }
  /// Closes so that the server sees a reset.
  void reset();

  /// The next reply; `head_only` for one to HEAD.
  WireReply receive(bool head_only = false);
  WireReply exchange(std::string_view request) { return send(request).receive(); }
  std::string receive_bytes(std::size_t count);
  /// All that comes until the server closes.
  std::string receive_rest();
  /// Waits for the server to close; whether it sent nothing before.
  bool at_end() { return receive_rest().empty(); }

 private:
  void need(std::size_t count);
  bool fill();

  asio::io_context io_;
  asio::ip::tcp::socket socket_{io_};
  std::string received_;
};

/// Runs a server on threads of its own. Ends it, with all coroutines, when it goes.
class ServerFixture {
 public:
  explicit ServerFixture(Handler::Function handler, ServerOptions options = {},
                         std::size_t threads = 1);
  ~ServerFixture();

  Client connect(int receive_buffer = 0) { return Client(server().port(), receive_buffer); }
  Server& server() { return *server_; }
  Runtime& runtime() { return *runtime_; }
  /// Waits until the server's counters say so.
  void await(const std::function<bool(const ServerStats&)>& condition);
  /// Runs Server::drain() on the runtime.
  std::future<void> drain(std::chrono::milliseconds delay = 0ms);

 private:
  Handler handler_;
  Services services_;
  std::optional<Runtime> runtime_;
  std::optional<Server> server_;
  std::thread thread_;
};

/// A request of an HTTP/1.1 client; `headers` end with CRLF each.
inline std::string get(std::string_view target, std::string_view headers = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(headers) +
         "\r\n";
}
inline std::string post(std::string_view target, std::string_view body,
                        std::string_view headers = "") {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

/// A handler that answers "<method> <path> <body>".
inline awaitable<Response> echo(Request& request) {
  std::string text(to_string(request.method));
  text.append(" ").append(request.path).append(" ").append(request.body);
  co_return Response::text(std::move(text));
}

/// Suspends the handler.
inline awaitable<void> wait_for(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}
inline awaitable<void> wait_forever() {
  return wait_for(std::chrono::hours(1));
}

}  // namespace aegis::test
