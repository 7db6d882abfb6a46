#include "api/hello.h"

using namespace aegis;

namespace {

struct Whom {
  std::string name = "world";

  AEGIS_FIELDS(Whom, (name, min_length(1), max_length(40), doc("Who is greeted.")))
};

struct Greeting {
  std::string message{};

  AEGIS_FIELDS(Greeting, (message))
};

awaitable<Greeting> greet(QueryOf<Whom> whom) {
  co_return Greeting{"Hello, " + whom->name + "!"};
}

}  // namespace

void hello(Router& router) {
  router.get("/hello", greet).summary("Greet somebody").tag("hello");
}
