#pragma once

namespace aegis::http {

/// The listening socket that systemd or `aegis dev` has handed to this process: sd_listen_fds(3).
/// -1: none. Once, and before there are other threads: it takes LISTEN_FDS out of the environment.
/// Throws Error(unavailable) for more than one.
int inherited_socket();

}  // namespace aegis::http
