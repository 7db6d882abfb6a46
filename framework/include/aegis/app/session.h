#pragma once

#include "aegis/db/database.h"
#include "aegis/http/binder.h"

/// Lets handlers ask for Session& and Database&. Here, and not in http or db, since neither of
/// these knows the other.
namespace aegis {

/// A session for the time of the handler: committed when the handler succeeds, before the reply is
/// sent; rolled back when it throws or answers 400 or above. For a safe method (GET, HEAD) it
/// starts as a reader on the caller's thread.
template <>
struct Binder<Session&> {
  static void describe(Endpoint& endpoint);
  void bind(Request&, BindErrors&) {}
  Session& get() { return *session; }
  awaitable<Response> around(Request& request, RunHandler run);
  Session* session = nullptr;
};

template <>
struct Binder<Database&> {
  static void describe(Endpoint& endpoint);
  /// Throws Error(unavailable) while the database is being prepared.
  void bind(Request& request, BindErrors&);
  Database& get() { return *database; }
  Database* database = nullptr;
};

}  // namespace aegis
