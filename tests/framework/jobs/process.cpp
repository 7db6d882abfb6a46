#include "process.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <utility>

extern char** environ;  // NOLINT: POSIX

Process::Process(std::string url, std::vector<std::string> environment, std::string program)
    : url_(std::move(url)), environment_(std::move(environment)), program_(std::move(program)) {
  start();
}

std::string Process::worker_program() {
  return AEGIS_WORKER_PROCESS;
}

void Process::start() {
  char* const arguments[] = {program_.data(), url_.data(), nullptr};
  std::vector<char*> variables;
  for (auto& variable : environment_) variables.push_back(variable.data());
  for (char** each = environ; *each != nullptr; ++each) variables.push_back(*each);
  variables.push_back(nullptr);
  BOOST_REQUIRE(
      ::posix_spawn(&pid_, program_.c_str(), nullptr, nullptr, arguments, variables.data()) == 0);
}

void Process::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(std::exchange(pid_, 0), nullptr, 0);
}

void Process::freeze() {
  ::kill(pid_, SIGSTOP);
}
void Process::thaw() {
  ::kill(pid_, SIGCONT);
}

int Process::terminate() {
  ::kill(pid_, SIGTERM);
  int status = 0;
  ::waitpid(std::exchange(pid_, 0), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
