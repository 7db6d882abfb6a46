#include "aegis/http/handler.h"

namespace aegis::detail {

Handler::~Handler() = default;

awaitable<Response> Handler::around(void*, Request&, RunHandler run) const {
  return run();
}

}  // namespace aegis::detail
