#pragma once

#include <cstdint>
#include <string>

namespace aegis {

/// How far a long command is, on one line of stderr; nothing unless that is a terminal. Gone when
/// the bar is destroyed.
class ProgressBar {
 public:
  ProgressBar(std::string what, std::int64_t total);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(std::int64_t done);

 private:
  std::string what_;
  std::int64_t total_;
  bool visible_;
};

}  // namespace aegis
