// with_postgres [--set LINE]… COMMAND [ARGUMENT…]: runs the command with an empty database on a
// PostgreSQL server of its own, whose URL is in TEST_DATABASE_URL and in POSTGRES_URL. Answers the
// command's exit code. LINE goes into postgresql.conf.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "postgres_server.h"

int main(int argc, char** argv) {
  std::vector<std::string> settings;
  for (; argc > 2 && std::string_view(argv[1]) == "--set"; argc -= 2, argv += 2) {
    settings.emplace_back(argv[2]);
  }
  if (argc < 2) {
    std::cerr << "usage: with_postgres [--set LINE]... COMMAND [ARGUMENT...]\n";
    return 2;
  }
  try {
    PostgresServer server(settings);
    const std::string url = server.url(server.create_database());
    const pid_t command = ::fork();
    if (command == 0) {
      ::setenv("TEST_DATABASE_URL", url.c_str(), 1);
      ::setenv("POSTGRES_URL", url.c_str(), 1);
      ::execvp(argv[1], argv + 1);
      std::cerr << "with_postgres: " << argv[1] << " cannot be run\n";
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(command, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  } catch (const std::exception& error) {
    std::cerr << "with_postgres: " << error.what() << '\n';
    return 1;
  }
}
