#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <memory>
#include <vector>

#include "http/server_core.h"

namespace aegis::http {

/// Accepts on core 0 and gives each client to the core with the fewest connections. One socket
/// listens, not one per core: with SO_REUSEPORT a second process could take the port unnoticed,
/// and few connections would be spread unevenly.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  explicit Listener(std::vector<std::shared_ptr<ServerCore>> cores);

  /// Binds and listens, or takes over the socket that does. Throws Error(unavailable).
  void bind(const ServerOptions& options);
  std::uint16_t port() const noexcept { return port_; }

  /// Accepts until close(). Run on core 0.
  awaitable<void> run();
  /// Hands over who waits already, then stops to listen. Call on core 0.
  void close();

  Counter accepted, refused;

 private:
  using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, CoreExecutor>;

  void take_over(int socket);
  boost::system::error_code try_port(const asio::ip::tcp::endpoint& endpoint);
  boost::system::error_code accept_all();
  void hand_over(Socket socket, ServerCore& core);
  ServerCore& least_loaded() const;

  const std::vector<std::shared_ptr<ServerCore>> cores_;
  Acceptor acceptor_;
  Timer pause_;
  std::uint16_t port_ = 0;
};

}  // namespace aegis::http
