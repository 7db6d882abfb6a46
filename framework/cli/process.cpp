#include "cli/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>

namespace aegis::cli {

namespace {

/// What becomes of the streams of a program that is started.
class Streams {
 public:
  Streams() { ::posix_spawn_file_actions_init(&actions_); }
  ~Streams() { ::posix_spawn_file_actions_destroy(&actions_); }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  void silence(std::initializer_list<int> streams) {
    for (const int stream : streams) {
      ::posix_spawn_file_actions_addopen(&actions_, stream, "/dev/null", O_RDWR, 0);
    }
  }
  void lead(std::initializer_list<int> streams, int to) {
    for (const int stream : streams) ::posix_spawn_file_actions_adddup2(&actions_, to, stream);
  }

  /// Starts it. Answers its id, or 0.
  pid_t start(std::vector<std::string>& command) const {
    std::vector<char*> words;
    words.reserve(command.size() + 1);
    for (auto& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    pid_t child = 0;
    const int failure =
        ::posix_spawnp(&child, words.front(), &actions_, nullptr, words.data(), environ);
    return failure == 0 ? child : 0;
  }

 private:
  posix_spawn_file_actions_t actions_{};
};

int wait_for(pid_t child) {
  if (child == 0) return no_such_program;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return how_is_unknown;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Answer read_from(std::vector<std::string>& command, std::initializer_list<int> streams_to_read) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {.code = no_such_program};
  Streams streams;
  streams.silence({STDIN_FILENO, STDERR_FILENO});
  streams.lead(streams_to_read, pipe[1]);
  const pid_t child = streams.start(command);
  ::close(pipe[1]);
  Answer answer;
  std::array<char, 1 << 16> part{};
  for (;;) {
    const ssize_t count = ::read(pipe[0], part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    answer.text.append(part.data(), static_cast<std::size_t>(count));
  }
  ::close(pipe[0]);
  answer.code = wait_for(child);
  return answer;
}

}  // namespace

int run_quietly(std::vector<std::string> command) {
  Streams streams;
  streams.silence({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
  return wait_for(streams.start(command));
}

int run(std::vector<std::string> command) {
  return wait_for(Streams().start(command));
}

Answer run_and_read(std::vector<std::string> command) {
  return read_from(command, {STDOUT_FILENO});
}

Answer run_and_read_all(std::vector<std::string> command) {
  return read_from(command, {STDOUT_FILENO, STDERR_FILENO});
}

}  // namespace aegis::cli
