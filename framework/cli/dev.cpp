#include "cli/dev.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "aegis/core/config.h"
#include "cli/build_error.h"
#include "cli/child.h"
#include "cli/listen.h"
#include "cli/process.h"
#include "cli/project_name.h"
#include "cli/terminal.h"
#include "cli/usage_error.h"
#include "cli/watch.h"

namespace aegis::cli {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

/// Editors and git write several files: once so long nothing has changed, it is built.
constexpr auto quiet_time = 50ms;
/// As `serve` does, and as far as `health` looks.
constexpr int ports_to_try = 10;

struct DevSettings {
  std::string host;
  std::uint16_t port;
  bool port_is_set;
  std::chrono::milliseconds shutdown_timeout;
};

/// From the environment and .env. What is wrong there, the program itself says.
DevSettings read_settings() {
  Config config;
  Settings settings;
  try {
    config = Config::load();
    config.read(settings);
  } catch (const Error&) {
  }
  return {settings.host, settings.port, config.has("PORT"), settings.shutdown_timeout};
}

/// As it stands in a URL to open here.
std::string shown_host(const std::string& host) {
  if (host == "0.0.0.0" || host == "::") return "localhost";
  return host.find(':') == host.npos ? host : fmt::format("[{}]", host);
}

/// What ninja and CMake print: their progress on one line of the terminal, the rest kept.
class BuildOutput {
 public:
  /// Takes what has come; false at the end.
  bool read(int descriptor) {
    std::array<char, 4096> buffer;
    ssize_t size = 0;
    while ((size = ::read(descriptor, buffer.data(), buffer.size())) > 0) {
      partial_.append(buffer.data(), static_cast<std::size_t>(size));
    }
    const bool at_end = size == 0;
    if (at_end && !partial_.empty()) partial_ += '\n';
    for (auto end = partial_.find('\n'); end != partial_.npos; end = partial_.find('\n')) {
      take(std::string_view(partial_).substr(0, end));
      partial_.erase(0, end + 1);
    }
    return !at_end;
  }

  void show(std::string_view status) {
    winsize window{};
    if (::isatty(STDOUT_FILENO) == 0) return;
    ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
    const std::size_t columns = window.ws_col > 1 ? window.ws_col - 1u : 79u;
    fmt::print("\r\x1b[K{}", status.substr(0, columns));
    std::fflush(stdout);
  }

  void begin() {
    log_.clear();
    partial_.clear();
  }
  const std::string& log() const { return log_; }

 private:
  void take(std::string_view line) {
    if (line.starts_with('[') || line.starts_with("-- ")) {  // [3/7] Building …
      show(line);
    } else {
      (log_ += line) += '\n';
    }
  }

  std::string partial_, log_;
};

class Dev {
 public:
  explicit Dev(const DevOptions& options)
      : name_(project_name("CMakeLists.txt")),
        folder_(fs::canonical(fs::current_path()).string()),
        build_folder_("build/" + options.preset),
        preset_(options.preset),
        settings_(read_settings()),
        listening_(listen()) {
    sigset_t ends;
    ::sigemptyset(&ends);
    for (const int each : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ends, each);
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
    ::setenv("NINJA_STATUS", "[%f/%t] ", 1);  // as BuildOutput reads it
    ::setenv("SHUTDOWN_DELAY", "0s", 1);      // no balancer is to be waited for
    signals_ = Descriptor(::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) throw std::system_error(errno, std::generic_category(), "signalfd");
  }

  int run() {
    say("http://{}:{}: builds and restarts when app/, migrations/, .env or CMakeLists.txt change",
        shown_host(settings_.host), listening_.port);
    start_build();
    while (!exit_code_) {
      await_event();
      if (signals_pending()) continue;
      changes_ |= take_changes();
      follow_build();
      follow_program();
      if (ending_) {
        if (!program_ && !build_) exit_code_ = 0;
      } else if (changes_.any() && Clock::now() >= quiet_at_) {
        act_on_changes();
      }
    }
    return *exit_code_;
  }

 private:
  template <class... Args>
  void say(fmt::format_string<Args...> text, Args&&... args) {
    output_.show("");
    fmt::print("{} {}\n", bold("aegis dev:"), fmt::format(text, std::forward<Args>(args)...));
    std::fflush(stdout);
  }

  Listening listen() const {
    return listen_on(settings_.host, settings_.port, settings_.port_is_set ? 1 : ports_to_try);
  }

  // --- What happens

  void await_event() {
    std::array<pollfd, 5> events{};
    std::size_t count = 0;
    const auto add = [&](int descriptor) { events[count++] = {descriptor, POLLIN, 0}; };
    add(signals_.get());
    add(watch_.descriptor());
    if (build_output_) add(build_output_.get());
    if (build_) add(build_->descriptor());
    if (program_) add(program_->descriptor());

    auto next = Clock::time_point::max();
    if (changes_.any() && !ending_) next = quiet_at_;
    if (program_ && stopping_) next = std::min(next, kill_at_);
    int wait = -1;
    if (next != Clock::time_point::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
      wait = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
    }
    ::poll(events.data(), count, wait);
  }

  /// Whether the end has come at once.
  bool signals_pending() {
    signalfd_siginfo signal{};
    while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
      if (ending_) {  // the second one
        exit_code_ = 128 + static_cast<int>(signal.ssi_signo);
        return true;
      }
      ending_ = true;
      output_.show("");
      if (build_) build_->signal(SIGTERM);
      stop_program();
    }
    return false;
  }

  Changes take_changes() {
    const Changes changes = watch_.read();
    if (changes.any()) quiet_at_ = Clock::now() + quiet_time;
    return changes;
  }

  void act_on_changes() {
    if (!build_) return start_build();
    // Of sources that are old by now. follow_build() starts the next one.
    cancelled_ = true;
    changes_.configure |= configuring_;
    build_->signal(SIGTERM);
    quiet_at_ = Clock::time_point::max();
  }

  // --- Building

  void start_build() {
    configuring_ = changes_.configure || !fs::exists(build_folder_ + "/build.ninja");
    restart_wanted_ |= changes_.restart;
    changes_ = {};
    cancelled_ = false;
    built_from_ = Clock::now();
    output_.show("Building…");
    spawn_build();
  }

  void spawn_build() {
    output_.begin();
    const std::vector<std::string> configure{"cmake", "--preset", preset_},
        build{"ninja", "-C", build_folder_, name_};
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe");
    }
    build_output_ = Descriptor(ends[0]);
    const Descriptor input(ends[1]);
    ::fcntl(build_output_.get(), F_SETFL, O_NONBLOCK);
    // Ninja ends its compilers when it is told to end.
    build_ = std::make_unique<Child>(Child::Options{.command = configuring_ ? configure : build,
                                                    .output = input.get(),
                                                    .if_orphaned = SIGTERM});
  }

  void follow_build() {
    if (!build_) return;
    const auto code = build_->ended();  // first, so that all it has printed is there to be read
    if (build_output_ && !output_.read(build_output_.get())) build_output_ = Descriptor();
    if (!code) return;
    build_.reset();
    build_output_ = Descriptor();  // daemons that it has started may hold the other end
    if (ending_) return;
    if (cancelled_) return start_build();
    if (*code != 0) return tell_failure(*code);
    if (configuring_ && !fs::exists(build_folder_ + "/build.ninja")) {
      return say("the preset {} makes no {}/build.ninja: give it the generator Ninja", preset_,
                 build_folder_);
    }
    if (configuring_) {
      configuring_ = false;
      return spawn_build();
    }
    finish_build();
  }

  void finish_build() {
    output_.show("");
    if (output_.log().find("warning: ") != std::string::npos) fmt::print("{}", output_.log());
    std::error_code ignored;
    const auto written = fs::last_write_time(program_path(), ignored);
    const bool is_new = written != program_written_;
    program_written_ = written;
    if (is_new) {
      const std::chrono::duration<double> took = Clock::now() - built_from_;
      say("built in {:.1f} s", took.count());
    }
    if (is_new || restart_wanted_ || !program_) restart();
  }

  void tell_failure(int code) {
    output_.show("");
    const std::string log_file = build_folder_ + "/aegis-dev.log";
    std::ofstream log(log_file);  // before the first build there is no such folder
    log << output_.log();
    const bool kept = !log.flush().fail();
    if (code == no_such_program) {
      say("there is no {}; `aegis doctor` says what is missing", configuring_ ? "cmake" : "ninja");
    } else if (const auto error = first_error(output_.log(), folder_)) {
      fmt::print("{}{}{}\n{}", bold(error->place), error->place.empty() ? "" : ": ", error->message,
                 error->source);
      if (!error->hint.empty()) fmt::print("  {}\n", error->hint);
    } else {
      fmt::print("{}", output_.log());
    }
    say("the build failed{}; {}", kept ? fmt::format(" ({} has all of it)", log_file) : "",
        program_ ? "the program goes on as it was" : "waiting for a change");
  }

  // --- Running

  std::string program_path() const { return build_folder_ + "/" + name_; }

  void restart() {
    restart_wanted_ = false;
    if (program_) {
      start_when_stopped_ = true;
      stop_program();
    } else {
      start_program();
    }
  }

  void stop_program() {
    if (!program_ || stopping_) return;
    stopping_ = true;
    // The program keeps the limit itself, and has a fifth more to close what it has.
    kill_at_ = Clock::now() + settings_.shutdown_timeout + settings_.shutdown_timeout / 5 + 1s;
    program_->signal(SIGTERM);
  }

  void start_program() {
    listen_elsewhere();
    program_ = std::make_unique<Child>(
        Child::Options{.command = {program_path(), "serve"}, .socket = listening_.socket.get()});
  }

  /// Where HOST or PORT have changed.
  void listen_elsewhere() {
    const DevSettings old = std::exchange(settings_, read_settings());
    if (settings_.host == old.host && settings_.port == old.port &&
        settings_.port_is_set == old.port_is_set) {
      return;
    }
    try {
      listening_ = listen();
    } catch (const std::system_error& error) {
      say("{}; still at port {}", error.what(), listening_.port);
    }
  }

  void follow_program() {
    if (!program_) return;
    if (stopping_ && Clock::now() >= kill_at_) {
      say("{} outlasts SHUTDOWN_TIMEOUT: killed", name_);
      program_->signal(SIGKILL);
      kill_at_ = Clock::time_point::max();
    }
    const auto code = program_->ended();
    if (!code) return;
    program_.reset();
    const bool was_told = std::exchange(stopping_, false);
    if (ending_) return;
    if (std::exchange(start_when_stopped_, false)) return start_program();
    if (!was_told) say("{} ended with exit code {}; waiting for a change", name_, *code);
  }

  const std::string name_, folder_, build_folder_, preset_;
  DevSettings settings_;
  Listening listening_;
  Descriptor signals_;
  Watch watch_;
  BuildOutput output_;

  Changes changes_;  // that nothing was done about yet
  Clock::time_point quiet_at_{};

  std::unique_ptr<Child> build_;
  Descriptor build_output_;
  bool configuring_ = false;
  bool cancelled_ = false;
  Clock::time_point built_from_{};

  std::unique_ptr<Child> program_;
  fs::file_time_type program_written_{};
  bool restart_wanted_ = false;
  bool stopping_ = false;
  bool start_when_stopped_ = false;
  Clock::time_point kill_at_{};

  bool ending_ = false;
  std::optional<int> exit_code_;
};

}  // namespace

int dev(const DevOptions& options) {
  for (const char* needed : {"CMakeLists.txt", "CMakePresets.json", "app/main.cpp"}) {
    if (!fs::exists(needed)) {
      throw no_project(needed);
    }
  }
  return Dev(options).run();
}

}  // namespace aegis::cli
