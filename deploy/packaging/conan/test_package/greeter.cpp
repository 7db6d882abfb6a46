#include <aegis/aegis.h>

using namespace aegis;

awaitable<Response> greet() {
  co_return Response::text("hello\n");
}

int main(int argc, char** argv) {
  return App("greeter").routes([](Router& router) { router.get("/hello", greet); }).run(argc, argv);
}
