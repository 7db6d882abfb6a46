#include "aegis/app/session.h"

namespace aegis {
namespace {

Database& usable_database(Request& request) {
  Database& database = *request.services->find<Database>();
  if (database.prepared()) return database;
  throw Error(Errc::unavailable,
              "The database is being prepared; /readyz says how far that is. Try again.");
}

}  // namespace

void Binder<Session&>::describe(Endpoint& endpoint) {
  Binder<Database&>::describe(endpoint);
}

void Binder<Database&>::describe(Endpoint& endpoint) {
  detail::describe_service(endpoint, Services::key<Database>(), "aegis::Database");
}

void Binder<Database&>::bind(Request& request, BindErrors&) {
  database = &usable_database(request);
}

awaitable<Response> Binder<Session&>::around(Request& request, RunHandler run) {
  Response response;
  auto body = [&](Session& opened) -> awaitable<void> {
    session = &opened;
    response = co_await run();
    if (response.status() >= 400) co_await opened.rollback();
  };
  Database& database = usable_database(request);
  const SessionOptions options{.in_place = is_safe(request.method),
                               .origin = request.endpoint->path};
  co_await database.run_session(options, body);
  co_return response;
}

}  // namespace aegis
