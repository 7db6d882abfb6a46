// with_postgres COMMAND [ARGUMENT…]: runs the command with an empty database on a PostgreSQL server
// of its own, whose URL is in TEST_DATABASE_URL and in POSTGRES_URL. Answers the command's exit
// code.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "postgres_server.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: with_postgres COMMAND [ARGUMENT...]\n";
    return 2;
  }
  try {
    PostgresServer server;
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
