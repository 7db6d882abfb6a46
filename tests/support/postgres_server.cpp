#include "postgres_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto start_limit = 60s;  // a crashed cluster recovers first, under a sanitizer's load

std::string read_file(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Where Debian puts the server's programs, which are not on the PATH; the newest version there is.
const std::string& program_folder() {
  static const std::string folder = [] {
    std::string newest;
    std::error_code ignored;
    for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
      const fs::path bin = version.path() / "bin";
      if (fs::exists(bin / "initdb")) newest = std::max(newest, bin.string());
    }
    if (newest.empty()) {
      throw std::runtime_error(
          "no PostgreSQL server in /usr/lib/postgresql: install the package postgresql");
    }
    return newest;
  }();
  return folder;
}

// PostgreSQL refuses to run as root; its package makes this user.
const passwd* server_user() {
  if (::geteuid() != 0) return nullptr;
  static const passwd* const user = ::getpwnam("postgres");
  if (!user)
    throw std::runtime_error("PostgreSQL does not run as root, and no user postgres is here");
  return user;
}

// Starts a program as the server's user, its output in `log`, which ends when the test's process
// does.
pid_t start_program(const std::string& program, const std::vector<std::string>& arguments,
                    const fs::path& folder) {
  const std::string log = (folder / "log").string();
  std::vector<const char*> argv{program.c_str()};
  for (const auto& argument : arguments) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  const passwd* user = server_user();

  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (user && (::setgroups(0, nullptr) || ::setgid(user->pw_gid) || ::setuid(user->pw_uid))) {
    ::_exit(126);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after the change of user, which clears it
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, 1);
  ::dup2(out, 2);
  if (::chdir(folder.c_str())) ::_exit(126);
  ::execv(program.c_str(), const_cast<char* const*>(argv.data()));
  ::_exit(127);
}

// Runs it to its end.
void run_program(const std::string& name, const std::vector<std::string>& arguments,
                 const fs::path& folder) {
  int status = 0;
  ::waitpid(start_program(program_folder() + "/" + name, arguments, folder), &status, 0);
  if (status != 0) throw std::runtime_error(name + " failed: " + read_file(folder / "log"));
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), length);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(fd);
  return ntohs(address.sin_port);
}

// A temporary folder of the server's user.
fs::path make_folder() {
  std::string name = (fs::temp_directory_path() / "aegis-pg-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder for PostgreSQL");
  const fs::path folder = name;
  std::ofstream(folder / "password") << "aegis\n";
  if (const passwd* user = server_user()) {
    for (const fs::path& path : {folder, folder / "password"}) {
      if (::chown(path.c_str(), user->pw_uid, user->pw_gid)) throw std::runtime_error("chown");
    }
  }
  return folder;
}

}  // namespace

void PostgresServer::configure(const std::vector<std::string>& settings) {
  port_ = free_port();
  std::ofstream conf(folder_ / "data/postgresql.conf", std::ios::app);
  conf << "listen_addresses = '127.0.0.1'\nport = " << port_ << "\nunix_socket_directories = '"
       << folder_.string() << "'\nfsync = off\nfull_page_writes = off\nshared_buffers = 32MB\n"
       << "max_connections = 60\nlog_line_prefix = '%m [%p] %q%u@%d '\n";
  for (const std::string& line : settings) conf << line << '\n';
}

PostgresServer::PostgresServer(const std::vector<std::string>& settings) {
  folder_ = make_folder();
  run_program("initdb",
              {"--pgdata=data", "--username=aegis", "--pwfile=password", "--auth-local=trust",
               "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8",
               "--locale-provider=icu", "--icu-locale=en", "--no-sync", "--no-instructions"},
              folder_);
  configure(settings);
  start();
}

PostgresServer::PostgresServer(ReplicaOf of, const std::vector<std::string>& settings) {
  folder_ = make_folder();
  run_program("pg_basebackup",
              {"--pgdata=data", "--host=" + of.primary.folder_.string(),
               "--port=" + std::to_string(of.primary.port_), "--username=aegis",
               "--write-recovery-conf", "--checkpoint=fast", "--no-sync"},
              folder_);
  configure(settings);
  start();
}

PostgresServer::~PostgresServer() {
  try {
    stop(Stop::immediate);
  } catch (const std::exception&) {  // what cannot be ended ends with the process
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

void PostgresServer::start() {
  const auto deadline = std::chrono::steady_clock::now() + start_limit;
  for (;;) {
    std::error_code ignored;
    fs::remove(folder_ / "data/postmaster.pid", ignored);
    postmaster_ = start_program(program_folder() + "/postgres", {"-D", "data"}, folder_);
    while (std::chrono::steady_clock::now() < deadline) {
      // The server itself writes there how far it is.
      if (read_file(folder_ / "data/postmaster.pid").find("ready") != std::string::npos) return;
      if (::waitpid(postmaster_, nullptr, WNOHANG) == postmaster_) break;
      std::this_thread::sleep_for(5ms);
    }
    postmaster_ = 0;
    // After kill -9 the shared memory is in use until the last backend has noticed: once more.
    if (std::chrono::steady_clock::now() >= deadline) {
      throw std::runtime_error("PostgreSQL did not start: " + read_file(folder_ / "log"));
    }
    std::this_thread::sleep_for(20ms);
  }
}

std::vector<pid_t> PostgresServer::processes() const {
  if (!postmaster_) return {};
  std::vector<pid_t> all{postmaster_};
  const std::string id = std::to_string(postmaster_);
  std::istringstream children(read_file("/proc/" + id + "/task/" + id + "/children"));
  for (pid_t child = 0; children >> child;) all.push_back(child);
  return all;
}

void PostgresServer::stop(Stop how) {
  if (!postmaster_) return;
  thaw();
  ::kill(postmaster_, how == Stop::fast ? SIGINT : SIGQUIT);
  ::waitpid(postmaster_, nullptr, 0);
  postmaster_ = 0;
}

void PostgresServer::kill() {
  for (const pid_t pid : processes()) ::kill(pid, SIGKILL);
  ::waitpid(postmaster_, nullptr, 0);
  postmaster_ = 0;
  frozen_ = false;
}

void PostgresServer::freeze() {
  if (postmaster_) {  // first, and wait for it, so that no child comes after the list
    ::kill(postmaster_, SIGSTOP);
    ::waitpid(postmaster_, nullptr, WUNTRACED);
  }
  for (const pid_t pid : processes()) ::kill(pid, SIGSTOP);
  frozen_ = true;
}

void PostgresServer::thaw() {
  if (!frozen_) return;
  for (const pid_t pid : processes()) ::kill(pid, SIGCONT);
  frozen_ = false;
}

std::string PostgresServer::url(std::string_view database) const {
  std::string host;
  for (const char c : folder_.string()) host += c == '/' ? "%2F" : std::string(1, c);
  return "postgresql://aegis@" + host + ":" + std::to_string(port_) + "/" + std::string(database);
}

std::string PostgresServer::tcp_url(std::string_view database) const {
  return "postgresql://aegis:aegis@127.0.0.1:" + std::to_string(port_) + "/" +
         std::string(database);
}

std::string PostgresServer::create_database() {
  const std::string name = "test_" + std::to_string(++databases_);
  execute("CREATE DATABASE " + name);
  return name;
}

void PostgresServer::drop_database(std::string_view name) {
  execute("DROP DATABASE IF EXISTS " + std::string(name) + " WITH (FORCE)");
}

std::string PostgresServer::execute(const std::string& sql, std::string_view database) const {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url(database).c_str()),
                                                                &PQfinish);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()),
                                                             &PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(sql + ": " + PQerrorMessage(connection.get()));
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

PgBouncer::PgBouncer(const PostgresServer& server) : folder_(make_folder()), port_(free_port()) {
  std::ofstream(folder_ / "users") << "\"aegis\" \"aegis\"\n";
  std::ofstream(folder_ / "ini") << "[databases]\n* = host=" << server.folder().string()
                                 << " port=" << server.port()
                                 << "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = "
                                 << port_
                                 << "\nunix_socket_dir =\nauth_type = trust\nauth_file = users\n"
                                    "pool_mode = transaction\ndefault_pool_size = 2\n";
  process_ = start_program("/usr/sbin/pgbouncer", {"ini"}, folder_);
  const std::string database = url("postgres");
  const auto deadline = std::chrono::steady_clock::now() + start_limit;
  while (PQping(database.c_str()) != PQPING_OK) {
    if (::waitpid(process_, nullptr, WNOHANG) != 0 || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("PgBouncer did not start: " + read_file(folder_ / "log"));
    }
    std::this_thread::sleep_for(5ms);
  }
}

PgBouncer::~PgBouncer() {
  ::kill(process_, SIGTERM);
  ::waitpid(process_, nullptr, 0);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string PgBouncer::url(std::string_view database) const {
  return "postgresql://aegis:aegis@127.0.0.1:" + std::to_string(port_) + "/" +
         std::string(database);
}
