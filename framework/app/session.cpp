#include "aegis/app/session.h"

namespace aegis {

void Binder<Session&>::describe(Endpoint& endpoint) {
  Binder<Database&>::describe(endpoint);
}

void Binder<Database&>::describe(Endpoint& endpoint) {
  detail::describe_service(endpoint, Services::key<Database>(), "aegis::Database");
}

awaitable<Response> Binder<Session&>::around(Request& request, RunHandler run) {
  Response response;
  auto body = [&](Session& opened) -> awaitable<void> {
    session = &opened;
    response = co_await run();
    if (response.status() >= 400) co_await opened.rollback();
  };
  Database& database = *request.services->find<Database>();
  const SessionOptions options{.in_place = is_safe(request.method),
                               .origin = request.endpoint->path};
  co_await database.run_session(options, body);
  co_return response;
}

}  // namespace aegis
