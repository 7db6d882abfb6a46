#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "http/reply_head.h"
#include "http/server_core.h"

namespace aegis::http {

/// One client. Reads what has come, answers all complete requests in it in order, and writes the
/// replies at once.
class Connection final : public Swept, public std::enable_shared_from_this<Connection> {
 public:
  /// Serves `socket`, which belongs to the core's context, until the client or the server ends it.
  /// Call on the core's thread. It is counted in `core.open` already.
  static void serve(std::shared_ptr<ServerCore> core, Socket socket);
  /// Answers 503 and closes; for a client too many. It is counted in `core.turned_away` already.
  static void turn_away(std::shared_ptr<ServerCore> core, Socket socket);

  Connection(std::shared_ptr<ServerCore> core, Socket socket, bool counted);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void sweep() override;
  void begin_drain() override;
  void stop() override;

 private:
  /// What the connection waits for, which decides what happens at the deadline.
  enum class Phase : std::uint8_t { idle, header, body, handler, write, linger };

  static void start(const std::shared_ptr<Connection>& connection, awaitable<void> work);
  awaitable<void> run();
  awaitable<void> refuse_client();

  std::span<char> await_bytes();
  void take_bytes(boost::system::error_code error, std::size_t count);
  bool next_request();
  void refuse(const Refusal& refusal);
  void begin_request();
  bool admit(Response& refusal);

  bool settle(Response& response, const std::exception_ptr& failure);
  std::optional<std::size_t> append_reply(const Response& response);
  awaitable<std::size_t> send_body(const Response& response);
  awaitable<std::size_t> stream(const Response::Source& source, Framing framing);
  void finish_request(int status, std::size_t body_size);

  awaitable<void> flush(std::string_view body = {});
  bool send() {
    std::string_view nothing;
    return send(nothing);
  }
  bool send(std::string_view& body);
  void send_once_suspended();
  awaitable<void> linger();

  void enter(Phase phase, std::chrono::milliseconds timeout);
  void enter_idle();
  std::chrono::milliseconds before_end(std::chrono::milliseconds timeout) const;
  void sweep_handler();
  bool peer_is_gone();
  void log_access(int status, std::size_t bytes) const;

  const std::shared_ptr<ServerCore> core_;
  Socket socket_;
  const bool counted_;
  std::string peer_;
  asio::cancellation_signal cancellation_;

  Buffer input_{8 * 1024};
  Buffer output_{1024};
  Request request_;
  std::optional<RequestParser> parser_;  // of the request that is arriving or being answered
  std::chrono::steady_clock::time_point received_at_{};  // for the access log

  Phase phase_ = Phase::idle;
  Tick deadline_ = never;
  Tick entered_ = 0;
  bool open_ = true;            // false: nothing more can or shall be sent
  bool last_reply_ = false;     // the connection ends after what is in output_
  bool client_closes_ = false;  // it will not send any more
  bool continue_sent_ = false;
  bool send_posted_ = false;
  // Why the handler was cancelled, if it was.
  bool timed_out_ = false;
  bool client_gone_ = false;
};

}  // namespace aegis::http
