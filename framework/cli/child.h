#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/descriptor.h"

namespace aegis::cli {

/// A program that runs beside this one, in a process group of its own, so that Ctrl-C comes to it
/// by way of this one only. It does not outlive this process, however that ends.
class Child {
 public:
  struct Options {
    std::vector<std::string> command{};  ///< the first word is looked for in PATH
    int output = -1;                     ///< gets its stdout and stderr; -1: those of this process
    int socket = -1;                     ///< handed to it as systemd does: sd_listen_fds(3)
    int if_orphaned = 9;                 ///< the signal it gets when this process is gone: SIGKILL
  };

  /// Throws std::system_error. A command that there is not ends with the exit code 127.
  explicit Child(const Options& options);
  /// Kills it if it still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Readable once it has ended.
  int descriptor() const { return pidfd_.get(); }
  /// To it and what it has started.
  void signal(int number) const;
  /// How it ended, as the shell tells it: its exit code, or 128 + its signal. Nothing: it runs.
  std::optional<int> ended();

 private:
  pid_t pid_ = -1;
  Descriptor pidfd_;
  std::optional<int> code_;
};

}  // namespace aegis::cli
