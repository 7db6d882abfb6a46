// A temporary with a destructor in one full expression with `co_await`, as an aggregate or captured
// by a lambda: g++ 12 destroys it twice. Counted here; in real code it is a double free.
#include "task.h"

int alive = 0;

struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  ~Counted() { --alive; }
};

struct Aggregate {
  Counted member{};
  int number = 0;
};

task<int> take(const Aggregate& aggregate) {
  co_return aggregate.number;
}

template <class Function>
task<int> call(Function function) {
  co_return function();
}

task<int> outer() {
  co_await take(Aggregate{.number = 1});
  Counted local;
  co_await call([local] { return 2; });
  co_return 3;
}

int main() {
  {
    auto coroutine = outer();
    if (!coroutine.run()) return 1;
  }
  return alive == 0 ? 0 : 1;
}
