// `if (co_await f())` in a coroutine that declares no local: g++ 12 never completes it.
#include "task.h"

bool entered = false;

task<bool> yes() {
  co_return true;
}

task<int> outer() {
  if (co_await yes()) {
    entered = true;
  }
  co_return 1;
}

int main() {
  auto coroutine = outer();
  return coroutine.run() && entered ? 0 : 1;
}
