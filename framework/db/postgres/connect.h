#pragma once

#include <memory>
#include <string>

#include "aegis/core/awaitable.h"
#include "db/postgres/config.h"
#include "db/postgres/libpq.h"

namespace aegis::db::postgres {

enum class Role : std::uint8_t {
  lane,         ///< reads only, each of them short
  transaction,  ///< one session's at a time
};

/// A new connection, or why there is none (libpq's message).
struct Attempt {
  Handle handle{};
  std::string failure{};
};

/// Connects on a helper thread, since name resolution, key exchange and password hashing take their
/// time, and sets the connection up.
awaitable<Attempt> connect(std::shared_ptr<const Config> config, Role role);

/// Asks the server to end what a connection runs, on a helper thread: PQcancel() waits for the
/// answer.
awaitable<void> cancel(std::shared_ptr<PGcancel> handle);

}  // namespace aegis::db::postgres
