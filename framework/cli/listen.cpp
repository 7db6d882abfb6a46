#include "cli/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace aegis::cli {

namespace {

[[noreturn]] void fail(int error, const std::string& host, int port) {
  throw std::system_error(error, std::generic_category(),
                          "Cannot listen on " + host + ":" + std::to_string(port));
}

std::uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

// 0, or what is wrong.
int try_port(const std::string& host, int port, Listening& listening) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return EADDRNOTAVAIL;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  Descriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1, off = 0;
  if (!socket) return errno;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (found->ai_family == AF_INET6) {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    return errno;
  }
  listening.port = port_of(socket.get());
  listening.socket = std::move(socket);
  return 0;
}

}  // namespace

Listening listen_on(const std::string& host, std::uint16_t port, int ports_to_try) {
  Listening listening;
  int error = 0;
  for (int i = 0; i < ports_to_try && port + i <= 65535; ++i) {
    error = try_port(host, port + i, listening);
    if (error == 0) return listening;
    if (error != EADDRINUSE) break;
  }
  fail(error, host, port);
}

}  // namespace aegis::cli
