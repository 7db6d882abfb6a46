#include "jobs/cores.h"

#include <boost/asio/post.hpp>

namespace aegis::jobs {

Cores::Cores(Runtime& runtime) {
  for (std::size_t i = 0; i < runtime.size(); ++i) cores_.push_back({runtime.executor(i)});
}

std::size_t Cores::next() {
  std::size_t core = turn_++ % cores_.size();
  for (std::size_t i = 1; i < cores_.size() && blocked(core); ++i) core = turn_++ % cores_.size();
  return core;
}

bool Cores::any() const {
  for (std::size_t i = 0; i < cores_.size(); ++i) {
    if (!blocked(i)) return true;
  }
  return false;
}

std::vector<std::size_t> Cores::look() {
  std::vector<std::size_t> fresh;
  for (std::size_t i = 0; i < cores_.size(); ++i) {
    Core& core = cores_[i];
    if (!*core.answered) {
      if (!core.blocked) fresh.push_back(i);
      core.blocked = true;
      continue;
    }
    core.blocked = false;
    *core.answered = false;
    boost::asio::post(core.executor, [answered = core.answered] { *answered = true; });
  }
  return fresh;
}

bool Cores::blocked(std::size_t core) const {
  return cores_[core].blocked && !*cores_[core].answered;
}

}  // namespace aegis::jobs
