// The service under test: the shields of the tutorial and GET /plaintext.

#include "models/shield.h"
#include "shield_handlers.h"

namespace {

aegis::awaitable<std::string> plaintext() {
  co_return "Hello, World!";
}

void plaintext_route(aegis::Router& router) {
  router.get("/plaintext", plaintext);
}

}  // namespace

int main(int argc, char** argv) {
  aegis::App app{"bench"};
  app.models<Shield>().routes(shields).routes(plaintext_route);
  return app.run(argc, argv);
}
