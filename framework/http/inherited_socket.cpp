#include "http/inherited_socket.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "aegis/core/error.h"

namespace aegis::http {

namespace {

constexpr int first_socket = 3;  // SD_LISTEN_FDS_START

std::string take(const char* variable) {
  const char* value = std::getenv(variable);
  std::string taken = value == nullptr ? "" : value;
  ::unsetenv(variable);
  return taken;
}

}  // namespace

int inherited_socket() {
  const std::string whose = take("LISTEN_PID"), count = take("LISTEN_FDS");
  take("LISTEN_FDNAMES");
  // Those of another process came here by way of its environment.
  if (count.empty() || count == "0" || whose != std::to_string(::getpid())) return -1;
  if (count != "1") {
    throw Error(Errc::unavailable, "LISTEN_FDS hands over " + count +
                                       " sockets, but the service listens on one: let the socket "
                                       "unit have a single ListenStream=.");
  }
  ::fcntl(first_socket, F_SETFD, FD_CLOEXEC);
  return first_socket;
}

}  // namespace aegis::http
