#include "server_fixture.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <cctype>

namespace aegis::test {

using asio::ip::tcp;

Client::Client(std::uint16_t port, int receive_buffer) {
  socket_.open(tcp::v4());
  if (receive_buffer != 0) {
    socket_.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
  }
  socket_.connect({asio::ip::address_v4::loopback(), port});
  socket_.set_option(tcp::no_delay(true));
  const timeval limit{patience.count(), 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

Client& Client::send(std::string_view bytes) {
  boost::system::error_code closed;  // shows when receiving
  asio::write(socket_, asio::buffer(bytes), closed);
  return *this;
}

Client& Client::shut_down_sending() {
  socket_.shutdown(tcp::socket::shutdown_send);
  return *this;
}

void Client::reset() {
  socket_.set_option(asio::socket_base::linger(true, 0));
  socket_.close();
}

bool Client::fill() {
  std::array<char, 65536> piece;
  const ssize_t count = ::recv(socket_.native_handle(), piece.data(), piece.size(), 0);
  if (count < 0 && errno == EAGAIN) {
    throw std::runtime_error("nothing came; received before: " + received_);
  }
  if (count < 0) received_ += "(connection reset)";
  if (count <= 0) return false;
  received_.append(piece.data(), static_cast<std::size_t>(count));
  return true;
}

void Client::need(std::size_t count) {
  while (received_.size() < count) {
    if (!fill()) throw std::runtime_error("the server closed; received before: " + received_);
  }
}

std::string Client::receive_bytes(std::size_t count) {
  need(count);
  std::string taken = received_.substr(0, count);
  received_.erase(0, count);
  return taken;
}

std::string Client::receive_rest() {
  while (fill()) {
  }
  return std::exchange(received_, {});
}

WireReply Client::receive(bool head_only) {
  const auto receive_until = [this](std::string_view mark) {
    std::size_t at = 0;
    while ((at = received_.find(mark)) == std::string::npos) need(received_.size() + 1);
    return receive_bytes(at + mark.size());
  };

  WireReply reply;
  reply.head = receive_until("\r\n\r\n");
  reply.status = std::stoi(reply.head.substr(9, 3));
  for (std::size_t at = reply.head.find("\r\n") + 2; at + 2 < reply.head.size();) {
    const std::size_t line_end = reply.head.find("\r\n", at);
    const std::size_t colon = reply.head.find(": ", at);
    std::string name = reply.head.substr(at, colon - at);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!reply.headers.emplace(name, reply.head.substr(colon + 2, line_end - colon - 2)).second) {
      throw std::runtime_error("twice in a reply: " + name);
    }
    at = line_end + 2;
  }

  if (head_only || reply.status == 100 || reply.status == 204 || reply.status == 304) return reply;
  if (reply.header("transfer-encoding") == "chunked") {
    std::size_t size = 0;
    do {
      size = std::stoul(receive_until("\r\n"), nullptr, 16);
      reply.body += receive_bytes(size);
      if (receive_bytes(2) != "\r\n") throw std::runtime_error("a chunk does not end with CRLF");
    } while (size != 0);
  } else if (reply.headers.contains("content-length")) {
    reply.body = receive_bytes(std::stoul(reply.header("content-length")));
  } else {
    reply.body = receive_rest();
  }
  return reply;
}

ServerFixture::ServerFixture(Handler::Function handler, ServerOptions options, std::size_t threads)
    : handler_(std::move(handler)) {
  RuntimeOptions runtime_options;
  runtime_options.threads = threads;
  runtime_options.handle_signals = false;
  runtime_.emplace(runtime_options);
  options.port = 0;
  server_.emplace(*runtime_, std::move(options), handler_, services_);
  server_->start();
  thread_ = std::thread([this] { runtime_->run(); });
}

ServerFixture::~ServerFixture() {
  runtime_->stop();
  thread_.join();
}

void ServerFixture::await(const std::function<bool(const ServerStats&)>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition(server_->stats())) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("never happened");
    std::this_thread::yield();
  }
}

std::future<void> ServerFixture::drain(std::chrono::milliseconds delay) {
  return asio::co_spawn(runtime_->executor(0), server_->drain(delay), asio::use_future);
}

}  // namespace aegis::test
