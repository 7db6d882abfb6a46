#include "cli/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include "cli/process.h"

namespace aegis::cli {

namespace {

// Onto the given number, and open in the program to come.
void place(int descriptor, int number) {
  if (descriptor == number) {
    ::fcntl(number, F_SETFD, 0);
  } else {
    ::dup2(descriptor, number);
  }
}

// In the new process. This one has a single thread, so that all functions may be used there.
[[noreturn]] void become(const Child::Options& options, pid_t parent) {
  constexpr int first_socket = 3;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, options.if_orphaned);
  if (::getppid() != parent) ::_exit(127);  // it was gone before
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  place(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  if (options.output >= 0) {
    place(options.output, STDOUT_FILENO);
    place(options.output, STDERR_FILENO);
  }
  if (options.socket >= 0) {
    place(options.socket, first_socket);
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  }
  std::vector<char*> words;
  words.reserve(options.command.size() + 1);
  for (const auto& word : options.command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words.front(), words.data());
  ::_exit(no_such_program);
}

void kill_and_reap(pid_t pid) {
  ::kill(-pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

Child::Child(const Options& options) {
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) become(options, parent);
  ::setpgid(pid_, pid_);  // here as well: whoever comes first
  pidfd_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_) {
    const int error = errno;
    kill_and_reap(pid_);
    throw std::system_error(error, std::generic_category(), "pidfd_open");
  }
}

Child::~Child() {
  if (!code_) kill_and_reap(pid_);
}

void Child::signal(int number) const {
  if (!code_) ::kill(-pid_, number);
}

std::optional<int> Child::ended() {
  if (code_) return code_;
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == pid_) code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (ended < 0 && errno != EINTR) code_ = how_is_unknown;
  return code_;
}

}  // namespace aegis::cli
