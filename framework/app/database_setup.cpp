#include "app/database_setup.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "aegis/core/clock.h"
#include "aegis/core/error.h"
#include "aegis/core/log.h"

namespace aegis {

awaitable<void> DatabaseSetup::run() {
  std::chrono::milliseconds pause{250};
  std::string told;
  for (;;) {
    try {
      co_await database_.create_all(tables_);
      tell("");
      if (!told.empty()) log::info("the database is ready");
      co_return;
    } catch (const Error& error) {
      tell(error.what());
      if (error.code() == Errc::internal || error.code() == Errc::invalid) throw;
      if (told != error.what()) log::error("the database is not ready", "error", error.what());
      told = error.what();
    }
    co_await Clock::system().sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(5000));
  }
}

std::string DatabaseSetup::why_not_ready() const {
  const std::lock_guard lock(mutex_);
  return why_not_ready_;
}

void DatabaseSetup::tell(std::string state) {
  const std::lock_guard lock(mutex_);
  why_not_ready_ = std::move(state);
}

}  // namespace aegis
