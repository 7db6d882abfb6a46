// Real processes, really signalled.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

namespace {

class Process {
 public:
  explicit Process(const char* mode) {
    std::array<int, 2> out{}, err{};
    BOOST_REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0 && ::pipe2(err.data(), O_CLOEXEC) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing is left behind when the test itself dies
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      ::execl(SIGNAL_PROCESS, "signal_process", mode, nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    ::close(err[1]);
    out_ = ::fdopen(out[0], "r");
    err_ = ::fdopen(err[0], "r");
  }
  ~Process() {
    if (!ended_) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    std::fclose(out_);
    std::fclose(err_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const { BOOST_REQUIRE_EQUAL(::kill(pid_, signal), 0); }

  /// The next line of its stdout; empty at the end.
  std::string says() { return next_line(out_); }

  /// All that is left of its log.
  std::string log() {
    std::string all;
    for (std::string line; !(line = next_line(err_)).empty();) all += line + '\n';
    return all;
  }

  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  static std::string next_line(std::FILE* file) {
    std::array<char, 1000> buffer{};
    if (!std::fgets(buffer.data(), static_cast<int>(buffer.size()), file)) return "";
    std::string line = buffer.data();
    if (line.ends_with('\n')) line.pop_back();
    return line;
  }

  pid_t pid_;
  std::FILE* out_;
  std::FILE* err_;
  bool ended_ = false;
};

void ends_cleanly_on(int signal, const char* name) {
  Process process("clean");
  BOOST_REQUIRE_EQUAL(process.says(), "ready");
  process.send(signal);
  BOOST_TEST(process.says() == "draining");
  BOOST_TEST(process.says() == "drained");
  BOOST_TEST(process.says() == "closed");
  const std::string log = process.log();
  BOOST_TEST(log.find(name) != std::string::npos);
  BOOST_TEST(log.find("\"level\":\"error\"") == std::string::npos);
  BOOST_TEST(process.wait() == 0);
}

void ends_at_once_on_a_second(int signal) {
  Process process("stuck");
  BOOST_REQUIRE_EQUAL(process.says(), "ready");
  process.send(signal);
  BOOST_TEST(process.says() == "draining");
  process.send(signal);
  BOOST_TEST(process.says() == "");
  BOOST_TEST(process.wait() == 128 + signal);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signals)

BOOST_AUTO_TEST_CASE(sigterm_drains_and_exits_0) {
  ends_cleanly_on(SIGTERM, "SIGTERM");
}
BOOST_AUTO_TEST_CASE(sigint_drains_and_exits_0) {
  ends_cleanly_on(SIGINT, "SIGINT");
}

BOOST_AUTO_TEST_CASE(second_sigterm_exits_143_though_a_core_is_stuck) {
  ends_at_once_on_a_second(SIGTERM);
}
BOOST_AUTO_TEST_CASE(second_sigint_exits_130_though_a_core_is_stuck) {
  ends_at_once_on_a_second(SIGINT);
}

BOOST_AUTO_TEST_CASE(work_beyond_the_limit_is_abandoned_and_the_rest_still_closes) {
  Process process("slow");
  BOOST_REQUIRE_EQUAL(process.says(), "ready");
  process.send(SIGTERM);
  BOOST_TEST(process.says() == "draining");
  BOOST_TEST(process.says() == "closed");
  BOOST_TEST(process.log().find(R"("still_running":"requests")") != std::string::npos);
  BOOST_TEST(process.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
