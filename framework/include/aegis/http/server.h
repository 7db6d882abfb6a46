#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "aegis/http/router.h"

namespace aegis {

class Runtime;

/// Where a server listens and what it lets clients use. An application sets them by HOST, PORT and
/// HTTP_…; docs/handlers.md lists those.
struct ServerOptions {
  std::string host = "127.0.0.1";  ///< an address, or a name that is looked up
  std::uint16_t port = 8000;       ///< 0: any free one
  bool next_free_port = false;     ///< when `port` is taken, try the following ones
  int socket = -1;  ///< one that listens already, to be taken over: host and port are its own
  std::size_t max_header_bytes = 16 * 1024;  ///< the request's target may be half of it
  std::size_t max_body_bytes = 1024 * 1024;
  std::size_t max_connections = 10'000;  ///< beyond: 503 with Retry-After, then closed
  /// Requests being handled, each core its share; beyond: 503 with Retry-After.
  std::size_t max_in_flight = 1024;
  std::chrono::milliseconds header_timeout{10'000};   ///< first byte to end of header: 408
  std::chrono::milliseconds body_timeout{30'000};     ///< whole body: 408
  std::chrono::milliseconds handler_timeout{30'000};  ///< then cancelled: 504
  std::chrono::milliseconds idle_timeout{60'000};     ///< between requests: closed
  std::chrono::milliseconds write_timeout{30'000};    ///< no progress in sending a reply: closed
  bool access_log = false;                            ///< a line per request, at level info
};

/// What a server has done since its start, and what it does now. Counted per core: a sum taken
/// while requests run may be off by those.
struct ServerStats {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_open = 0;     ///< now
  std::uint64_t connections_refused = 0;  ///< for being too many
  std::uint64_t requests = 0;             ///< also those that were refused
  std::uint64_t in_flight = 0;            ///< being handled now
  std::uint64_t server_errors = 0;        ///< replies with a status of 500 and more
  std::uint64_t timeouts = 0;             ///< of any kind, but for idle connections
};

/// HTTP/1.1 on every core of the runtime. Time-outs are kept to about 100 ms. A handler is
/// cancelled (Asio's terminal cancellation) when its time is up, and when its client is gone, which
/// is looked for once it has run for 100 ms; a client that closed only its sending side counts as
/// gone, too.
class Server {
 public:
  /// `handler` and `services` must outlive the server.
  Server(Runtime& runtime, ServerOptions options, const HttpHandler& handler,
         const Services& services);
  /// Cancels handlers and closes all connections that are left. To be destroyed after drain(), or
  /// when the runtime does not run any more.
  ~Server();

  /// Binds and begins to accept. Throws Error(unavailable), which names host and port, or what is
  /// wrong with the socket.
  void start();
  std::uint16_t port() const;
  ServerStats stats() const;

  /// Stops accepting, answers what is in flight with Connection: close, closes idle connections
  /// after at most one second. Completes when the last connection is gone. For `delay` before that
  /// it goes on as ever, but that every reply says Connection: close.
  awaitable<void> drain(std::chrono::milliseconds delay = std::chrono::milliseconds(0));

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aegis
