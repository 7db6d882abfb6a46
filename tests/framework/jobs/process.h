#pragma once

#include <string>
#include <vector>

/// A process that runs jobs, of the kinds that worker_process.cpp has, or another program; killed
/// when this ends.
class Process {
 public:
  /// `environment`: more variables, NAME=value.
  explicit Process(std::string url, std::vector<std::string> environment = {},
                   std::string program = worker_program());
  ~Process() { kill(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void start();
  /// kill -9.
  void kill();
  /// SIGSTOP and SIGCONT.
  void freeze();
  void thaw();
  /// SIGTERM; answers its exit code.
  int terminate();

 private:
  static std::string worker_program();

  std::string url_;
  std::vector<std::string> environment_;
  std::string program_;
  int pid_ = 0;
};
