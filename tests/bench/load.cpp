// The load generator: keeps DEPTH requests in flight on each connection for a time, then waits for
// the replies still due, so that every request sent is counted. One thread; writes a batch at once,
// and the next when all its replies are in. Prints one line of JSON: requests, seconds, requests
// per second, latency of a batch in microseconds.
//
//   load PORT PATH [--connections 64] [--depth 1] [--seconds 1] [--status 200] [--ids 1000] [--post
//   BODY]
//
// "{id}" in PATH counts from 1 to --ids and round again; "{unique}" in BODY is different in each
// request. A reply with another status than --status, or none within 5 seconds, ends the run with
// exit code 1.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds reply_limit{5};

template <class... Args>
[[noreturn]] void fail(const char* format, Args... args) {
  std::fprintf(stderr, format, args...);
  std::fputc('\n', stderr);
  std::exit(1);
}

struct Options {
  std::uint16_t port = 0;
  std::string path;
  std::optional<std::string> body;
  int connections = 64;
  int depth = 1;
  double seconds = 1;
  int status = 200;
  int ids = 1000;
};

Options parse(int argc, char** argv) {
  if (argc < 3 || argc % 2 == 0) fail("usage: %s PORT PATH [--option value]...", argv[0]);
  Options options;
  options.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  options.path = argv[2];
  for (int i = 3; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--connections")
      options.connections = std::atoi(value);
    else if (name == "--depth")
      options.depth = std::atoi(value);
    else if (name == "--seconds")
      options.seconds = std::atof(value);
    else if (name == "--status")
      options.status = std::atoi(value);
    else if (name == "--ids")
      options.ids = std::atoi(value);
    else if (name == "--post")
      options.body = value;
    else
      fail("unknown option %s", argv[i]);
  }
  return options;
}

/// Writes requests: fixed text around at most one number.
class RequestWriter {
 public:
  explicit RequestWriter(const Options& options) : ids_{options.ids} {
    constexpr std::string_view host = " HTTP/1.1\r\nHost: localhost\r\n";
    if (options.body) {
      constexpr std::string_view mark = "{unique}";
      const auto at = options.body->find(mark);
      if (at == std::string::npos) fail("no {unique} in body %s", options.body->c_str());
      const auto length = options.body->size() - mark.size() + unique_digits;
      before_ = "POST " + options.path + std::string{host} +
                "Content-Type: application/json\r\nContent-Length: " + std::to_string(length) +
                "\r\n\r\n" + options.body->substr(0, at);
      after_ = options.body->substr(at + mark.size());
      number_ = Number::unique;
    } else {
      constexpr std::string_view mark = "{id}";
      const auto at = options.path.find(mark);
      before_ = "GET " + options.path.substr(0, at);
      if (at != std::string::npos) {
        after_ = options.path.substr(at + mark.size());
        number_ = Number::id;
      }
      after_ += std::string{host} + "\r\n";
    }
  }

  void append(std::string& out) {
    out += before_;
    char digits[unique_digits];
    if (number_ == Number::unique) {
      std::uint64_t rest = unique_++;
      for (std::size_t i = unique_digits; i-- > 0; rest /= 10)
        digits[i] = static_cast<char>('0' + rest % 10);
      out.append(digits, unique_digits);
    } else if (number_ == Number::id) {
      const auto end = std::to_chars(digits, digits + sizeof digits, id_).ptr;
      out.append(digits, end);
      id_ = id_ % ids_ + 1;
    }
    out += after_;
  }

 private:
  static constexpr std::size_t unique_digits = 12;
  enum class Number { none, id, unique };

  std::string before_;
  std::string after_;
  Number number_ = Number::none;
  int ids_;
  int id_ = 1;
  /// Starts at the clock's microseconds, which no load outruns: numbers of a later run are new as
  /// well.
  std::uint64_t unique_ =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
};

struct Connection {
  int fd = -1;
  int due = 0;             // replies of the batch that are still to come
  Clock::time_point sent;  // when the batch was written
  std::string partial;     // the beginning of a reply whose end has not arrived
};

class Load {
 public:
  explicit Load(const Options& options)
      : options_{options},
        writer_{options},
        connections_(static_cast<std::size_t>(options.connections)) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    for (auto& connection : connections_) open(connection);
    latencies_.reserve(1'000'000);
  }

  void run() {
    const auto start = Clock::now();
    const auto end = start + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(options_.seconds));
    for (auto& connection : connections_) send_batch(connection);
    std::size_t waiting = connections_.size();
    std::array<epoll_event, 256> events;
    auto last_reply = start;
    while (waiting > 0) {
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), 0);
      if (count == 0) {  // spinning: a wake-up would cost the server, who has a CPU of its own
        if (Clock::now() - last_reply > reply_limit)
          fail("no reply within 5 s; %zu connections wait", waiting);
        continue;
      }
      for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
        receive(connection);
        if (connection.due > 0) continue;
        last_reply = Clock::now();
        latencies_.push_back(
            std::chrono::duration<float, std::micro>(last_reply - connection.sent).count());
        if (last_reply < end) {
          send_batch(connection);
        } else {
          --waiting;
        }
      }
    }
    report(std::chrono::duration<double>(last_reply - start).count());
  }

 private:
  void open(Connection& connection) {
    connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(options_.port);
    if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      fail("connect to port %d: %s", options_.port, std::strerror(errno));
    }
    const int on = 1;
    ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  void send_batch(Connection& connection) {
    batch_.clear();
    for (int i = 0; i < options_.depth; ++i) writer_.append(batch_);
    connection.due = options_.depth;
    connection.sent = Clock::now();
    if (::send(connection.fd, batch_.data(), batch_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(batch_.size())) {
      fail("send: %s", std::strerror(errno));
    }
  }

  void receive(Connection& connection) {
    const ssize_t received = ::recv(connection.fd, input_.data(), input_.size(), 0);
    if (received <= 0) fail("the server closed a connection with %d replies due", connection.due);
    std::string_view input{input_.data(), static_cast<std::size_t>(received)};
    if (!connection.partial.empty()) input = connection.partial.append(input);
    while (const std::size_t size = complete_reply(input)) {
      if (connection.due-- == 0) fail("more than the %d replies due", options_.depth);
      input.remove_prefix(size);
    }
    connection.partial = std::string{input};
  }

  /// The size of the reply that `input` begins with, after a look at its status; 0 when its end has
  /// not arrived.
  std::size_t complete_reply(std::string_view input) {
    constexpr std::string_view length_name = "\r\nContent-Length: ";
    constexpr std::string_view head_end = "\r\n\r\n";
    // The replies to one load are laid out alike, most of the time: look where the last one had it,
    // and search if not.
    if (!has_at(input, length_at_, length_name) || !has_at(input, head_size_, head_end)) {
      const std::size_t end = input.find(head_end);
      if (end == std::string_view::npos) return 0;
      head_size_ = end;
      length_at_ = input.substr(0, end).find(length_name);
      if (length_at_ == std::string_view::npos)
        fail("a reply without Content-Length:\n%.*s", static_cast<int>(end), input.data());
    }
    const std::string_view head = input.substr(0, head_size_);
    const std::size_t size = head.size() + head_end.size() +
                             number_at<std::size_t>(head, length_at_ + length_name.size());
    if (size > input.size()) return 0;
    if (const int status = number_at<int>(head, std::strlen("HTTP/1.1 "));
        status != options_.status) {
      fail("expected status %d, received:\n%.*s", options_.status, static_cast<int>(size),
           input.data());
    }
    return size;
  }

  static bool has_at(std::string_view text, std::size_t at, std::string_view part) {
    return at < text.size() && text.substr(at).starts_with(part);
  }

  template <class Number>
  static Number number_at(std::string_view text, std::size_t at) {
    Number number{};
    if (at < text.size()) std::from_chars(text.data() + at, text.data() + text.size(), number);
    return number;
  }

  void report(double seconds) {
    std::sort(latencies_.begin(), latencies_.end());
    const auto percentile = [this](double part) {
      return static_cast<double>(
          latencies_[static_cast<std::size_t>(part * static_cast<double>(latencies_.size() - 1))]);
    };
    const auto requests = latencies_.size() * static_cast<std::size_t>(options_.depth);
    std::printf(
        "{\"requests\": %zu, \"seconds\": %.3f, \"requests_per_s\": %.0f, \"latency_us\": "
        "{\"p50\": %.0f, \"p99\": %.0f, \"max\": %.0f}}\n",
        requests, seconds, static_cast<double>(requests) / seconds, percentile(0.5),
        percentile(0.99), percentile(1));
  }

  Options options_;
  RequestWriter writer_;
  std::vector<Connection> connections_;
  int epoll_ = -1;
  std::string batch_;
  std::size_t head_size_ = 0;
  std::size_t length_at_ = 0;
  std::vector<float> latencies_;
  std::array<char, 65536> input_;
};

}  // namespace

int main(int argc, char** argv) {
  static Load load{parse(argc, argv)};
  load.run();
}
