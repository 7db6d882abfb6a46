#include "app/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace aegis {

ProgressBar::ProgressBar(std::string what, std::int64_t total)
    : what_(std::move(what)), total_(total), visible_(total > 0 && ::isatty(STDERR_FILENO) != 0) {}

ProgressBar::~ProgressBar() {
  if (visible_) fmt::print(stderr, "\r\x1b[K");
}

void ProgressBar::show(std::int64_t done) {
  if (!visible_) return;
  constexpr std::int64_t width = 30;
  const std::int64_t part = std::min(done, total_);
  fmt::print(stderr, "\r[{:<{}}] {} of {} {}",
             std::string(static_cast<std::size_t>(part * width / total_), '#'), width, part, total_,
             what_);
}

}  // namespace aegis
