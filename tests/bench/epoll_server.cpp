// The reference for HTTP figures: about the least work with which one thread can answer HTTP/1.1
// over epoll. Level-triggered, non-blocking; all complete requests of a read are answered by one
// write. It serves GET /plaintext with the headers Aegis sends and answers 404 to the rest.
// Requests have no body.
//
//   epoll_server PORT [--request-id]     (port 0: any free one; --request-id adds an X-Request-Id
//   to each reply)

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

constexpr std::size_t max_request_head = 8192;

struct Connection {
  std::string partial;  // the beginning of a request whose end has not arrived
  std::string unsent;  // replies the socket did not take; while there are any, nothing more is read
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

/// Status line and headers, rebuilt when the second changes.
class ReplyHead {
 public:
  std::string_view current() {
    const std::time_t now = std::time(nullptr);
    if (now != second_) {
      second_ = now;
      std::tm utc{};
      gmtime_r(&now, &utc);
      std::array<char, 40> date{};
      std::strftime(date.data(), date.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
      text_ =
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
          "13\r\nDate: ";
      text_.append(date.data()).append("\r\n");
    }
    return text_;
  }

 private:
  std::time_t second_ = -1;
  std::string text_;
};

class Server {
 public:
  Server(std::uint16_t port, bool request_ids) : request_ids_{request_ids} {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0) fail("bind");
    if (::listen(listener_, SOMAXCONN) != 0) fail("listen");
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    std::printf("listening on %d\n", ntohs(address.sin_port));
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
      if (count < 0 && errno != EINTR) fail("epoll_wait");
      for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener_) {
          accept_all();
        } else if ((event.events & EPOLLOUT) != 0) {
          flush(event.data.fd, connections_[event.data.fd]);
        } else {
          serve(event.data.fd, connections_[event.data.fd]);
        }
      }
    }
  }

 private:
  void watch(int operation, int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, operation, fd, &event);
  }

  void accept_all() {
    for (int fd;
         (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  void close(int fd) {
    connections_.erase(fd);
    ::close(fd);
  }

  void serve(int fd, Connection& connection) {
    const ssize_t received = ::read(fd, input_.data(), input_.size());
    if (received <= 0) {
      if (received == 0 || errno != EAGAIN) close(fd);
      return;
    }
    std::string_view input{input_.data(), static_cast<std::size_t>(received)};
    if (!connection.partial.empty()) input = connection.partial.append(input);

    replies_.clear();
    const std::string rest{answer_complete(input)};
    if (rest.size() > max_request_head) return close(fd);
    connection.partial = rest;
    if (replies_.empty()) return;

    const ssize_t sent = ::send(fd, replies_.data(), replies_.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(replies_.size())) return;
    if (sent < 0 && errno != EAGAIN) return close(fd);
    connection.unsent = replies_.substr(sent < 0 ? 0 : static_cast<std::size_t>(sent));
    watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
  }

  void flush(int fd, Connection& connection) {
    const ssize_t sent =
        ::send(fd, connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN) close(fd);
      return;
    }
    connection.unsent.erase(0, static_cast<std::size_t>(sent));
    if (connection.unsent.empty()) watch(EPOLL_CTL_MOD, fd, EPOLLIN);
  }

  /// Appends a reply to each complete request; returns what is left of the input.
  std::string_view answer_complete(std::string_view input) {
    const std::string_view head = head_.current();
    while (!input.empty()) {
      const void* end = ::memmem(input.data(), input.size(), "\r\n\r\n", 4);
      if (end == nullptr) break;
      const auto size = static_cast<std::size_t>(static_cast<const char*>(end) - input.data());
      answer(input.substr(0, size), head);
      input.remove_prefix(size + 4);
    }
    return input;
  }

  void answer(std::string_view request, std::string_view head) {
    const auto method = request.substr(0, request.find(' '));
    request.remove_prefix(method.size() < request.size() ? method.size() + 1 : method.size());
    const auto target = request.substr(0, request.find(' '));
    if (method != "GET" || target != "/plaintext") {
      replies_.append("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    replies_.append(head);
    if (request_ids_) append_request_id();
    replies_.append("\r\nHello, World!");
  }

  void append_request_id() {
    constexpr char digits[] = "0123456789abcdef";
    std::array<char, 16> id;
    std::uint64_t number =
        ++last_request_ * 0x9E3779B97F4A7C15u;  // spreads the counter over all digits
    for (char& digit : id) {
      digit = digits[number & 15];
      number >>= 4;
    }
    replies_.append("X-Request-Id: ").append(id.data(), id.size()).append("\r\n");
  }

  int listener_ = -1;
  int epoll_ = -1;
  bool request_ids_;
  std::uint64_t last_request_ = 0;
  ReplyHead head_;
  std::string replies_;
  std::array<char, 65536> input_;
  std::unordered_map<int, Connection> connections_;
};

}  // namespace

int main(int argc, char** argv) {
  const bool request_ids = argc == 3 && std::strcmp(argv[2], "--request-id") == 0;
  if (argc < 2 || (argc == 3 && !request_ids) || argc > 3) {
    std::fprintf(stderr, "usage: %s PORT [--request-id]\n", argv[0]);
    return 64;
  }
  static Server server{static_cast<std::uint16_t>(std::atoi(argv[1])), request_ids};
  server.run();
}
