#include "http/connection.h"

#include <sys/socket.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>
#include <tuple>
#include <utility>

#include "aegis/core/log.h"
#include "http/failure.h"

namespace aegis::http {
namespace {

using ErrorCode = boost::system::error_code;

/// How the connection awaits its socket: errors are values; it resumes in place, on the core's own
/// executor; and no cancellation slot is kept, since socket_.cancel() does the same for less.
auto plainly(asio::io_context& context) {
  return asio::bind_cancellation_slot(
      asio::cancellation_slot(),
      asio::bind_executor(context.get_executor(), asio::as_tuple(asio::use_awaitable)));
}

/// Replies wait for each other up to this size.
constexpr std::size_t flush_size = 64 * 1024;
/// A larger body is sent from where it is, not copied.
constexpr std::size_t copied_body_size = 16 * 1024;
constexpr std::chrono::seconds linger_time{1};
constexpr std::chrono::seconds drain_grace{1};
/// After this time a cancelled handler that still runs is named in the log.
constexpr std::chrono::seconds cancellation_patience{1};

Response overloaded(std::string_view detail) {
  Response response = problem(503, detail);
  response.set_header("Retry-After", "1");
  return response;
}

/// Counts a request while it is handled.
class InFlight {
 public:
  explicit InFlight(Counter& counter) : counter_(counter) { counter_.add(); }
  ~InFlight() { counter_.subtract(); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  Counter& counter_;
};

std::string message_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace

// ---- life ------------------------------------------------------------------------------------

void Connection::serve(std::shared_ptr<ServerCore> core, Socket socket) {
  auto connection = std::make_shared<Connection>(std::move(core), std::move(socket), true);
  start(connection, connection->run());
}

void Connection::turn_away(std::shared_ptr<ServerCore> core, Socket socket) {
  auto connection = std::make_shared<Connection>(std::move(core), std::move(socket), false);
  start(connection, connection->refuse_client());
}

void Connection::start(const std::shared_ptr<Connection>& connection, awaitable<void> work) {
  auto ended = [connection](const std::exception_ptr& failure) {
    if (failure) log::error("a connection failed", "error", message_of(failure));
  };
  asio::co_spawn(connection->core_->context, std::move(work),
                 asio::bind_cancellation_slot(connection->cancellation_.slot(), std::move(ended)));
}

Connection::Connection(std::shared_ptr<ServerCore> core, Socket socket, bool counted)
    : core_(std::move(core)), socket_(std::move(socket)), counted_(counted) {
  ErrorCode ignored;
  const auto endpoint = socket_.remote_endpoint(ignored);
  if (!ignored) peer_ = endpoint.address().to_string();
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  request_.peer = peer_;
  request_.services = &core_->services;
  core_->add(*this);
}

Connection::~Connection() {
  unlink();
  (counted_ ? core_->open : core_->turned_away).fetch_sub(1, std::memory_order_relaxed);
  core_->removed();
}

awaitable<void> Connection::run() {
  enter_idle();
  while (open_) {
    while (open_ && !last_reply_ && next_request()) {
      Response response;
      std::exception_ptr failure;
      if (admit(response)) {
        const InFlight counted(core_->in_flight);
        try {
          response = co_await core_->handler.handle(request_);
        } catch (...) {
          failure = std::current_exception();
        }
      }
      if (timed_out_) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
      }
      if (!settle(response, failure)) break;
      auto body_size = append_reply(response);
      if (!body_size) body_size = co_await send_body(response);
      finish_request(response.status(), *body_size);
      if (output_.size() >= flush_size) co_await flush();
    }
    if (!send()) co_await flush();
    if (!open_) break;
    if (last_reply_) {
      co_await linger();
      break;
    }
    const auto room = await_bytes();
    const auto [error, count] = co_await socket_.async_read_some(
        asio::buffer(room.data(), room.size()), plainly(core_->context));
    take_bytes(error, count);
  }
}

awaitable<void> Connection::refuse_client() {
  core_->log_overload("clients are turned away, too many connections are open");
  last_reply_ = true;
  const Response response = overloaded("Too many connections are open.");
  append_reply(response);
  co_await flush();
  co_await linger();
}

/// Ends the sending side and waits for the client to do the same: to close a socket while data
/// comes in would make its system throw away what it has not read of our reply yet.
awaitable<void> Connection::linger() {
  ErrorCode error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error || client_closes_) co_return;
  enter(Phase::linger, linger_time);
  input_.consume(input_.size());
  while (!error) {
    const auto room = input_.room();
    std::tie(error, std::ignore) = co_await socket_.async_read_some(
        asio::buffer(room.data(), room.size()), plainly(core_->context));
  }
}

// ---- requests in -----------------------------------------------------------------------------

/// Where bytes may be received to, with the deadline set.
std::span<char> Connection::await_bytes() {
  // A deadline counts from the first byte of a header or the last one of what came before: more
  // bytes do not move it, so a slow sender gains nothing by sending some.
  const auto& options = core_->options;
  if (!parser_) {
    if (phase_ != Phase::idle) enter_idle();
    if (input_.empty()) input_.shrink();
    output_.shrink();
  } else if (!parser_->has_header()) {
    if (phase_ != Phase::header) enter(Phase::header, before_end(options.header_timeout));
  } else {
    if (phase_ != Phase::body) enter(Phase::body, options.body_timeout);
  }
  const auto room = input_.room();
  if (parser_) parser_->follow(input_);  // a time-out is logged with what has come
  return room;
}

void Connection::take_bytes(ErrorCode error, std::size_t count) {
  input_.commit(count);
  if (!error) return;
  const bool too_slow = error == asio::error::operation_aborted && open_ && phase_ != Phase::idle;
  if (too_slow) {
    core_->timeouts.add();
    refuse({408, "The request did not arrive in time."});
  } else {
    open_ = false;
  }
}

/// Whether a whole request has arrived.
bool Connection::next_request() {
  if (!parser_) {
    // RFC 9112, section 2.2: empty lines before a request are ignored.
    std::string_view input = input_.text();
    while (input.starts_with("\r\n")) input.remove_prefix(2);
    input_.consume(input_.size() - input.size());
    if (input.empty() || input == "\r") return false;
    parser_.emplace(request_, core_->limits);
    continue_sent_ = false;
  }
  switch (parser_->parse(input_)) {
    case RequestParser::State::complete:
      return true;
    case RequestParser::State::refused:
      refuse(parser_->refusal());
      return false;
    case RequestParser::State::in_header:
      return false;
    case RequestParser::State::in_body:
      break;
  }
  if (parser_->expects_continue() && !continue_sent_) {
    output_.append("HTTP/1.1 100 Continue\r\n\r\n");
    continue_sent_ = true;
  }
  return false;
}

/// Answers a request that cannot be served, and so cannot be skipped either.
void Connection::refuse(const Refusal& refusal) {
  begin_request();
  last_reply_ = true;
  const Response response = problem(refusal.status, refusal.detail);
  append_reply(response);
  log::debug("request refused", "status", refusal.status, "reason", refusal.detail, "request_id",
             request_.id, "peer", peer_);
  log_access(refusal.status, response.body().size());
}

void Connection::begin_request() {
  if (core_->options.access_log) received_at_ = std::chrono::steady_clock::now();
  core_->requests.add();
  if (request_.id.empty()) request_.id = core_->request_ids.next();
}

/// Whether the request goes to the handler; else `refusal` is the reply.
bool Connection::admit(Response& refusal) {
  begin_request();
  if (core_->in_flight.get() >= core_->max_in_flight) {
    core_->log_overload("requests are refused, too many are in flight");
    refusal = overloaded("Too many requests are in flight.");
    return false;
  }
  enter(Phase::handler, core_->options.handler_timeout);
  send_once_suspended();
  return true;
}

// ---- replies out -----------------------------------------------------------------------------

/// Makes of what the handler left the `response` that is sent. Whether there is anybody to send it
/// to.
bool Connection::settle(Response& response, const std::exception_ptr& failure) {
  last_reply_ = timed_out_ || !parser_->keep_alive() || core_->leaving();
  if (client_gone_ || !open_) {
    log::debug("the client left before the reply", "method", to_string(request_.method), "path",
               request_.path, "request_id", request_.id);
    open_ = false;
    return false;
  }
  if (std::exchange(timed_out_, false) && (failure || response.status() >= 500)) {
    // A handler that reached its end in spite of the cancellation is believed: what it answers, it
    // has done.
    response = problem(504, "The request took too long.");
  } else if (failure) {
    response = server_failure(message_of(failure), request_);
  } else if (response.status() < 200 || response.status() > 599) {
    response = server_failure(
        fmt::format("the handler answered with the status {}", response.status()), request_);
  }
  if (response.status() >= 500) core_->server_errors.add();
  return true;
}

/// Appends the reply. Answers the size of its body, or nothing when that is still to be sent.
std::optional<std::size_t> Connection::append_reply(const Response& response) {
  const bool http_1_0 = parser_ && parser_->is_http_1_0();
  const Framing framing = framing_of(response, http_1_0);
  if (framing == Framing::until_close) last_reply_ = true;
  ConnectionHeader connection = ConnectionHeader::none;
  if (last_reply_) {
    connection = ConnectionHeader::close;
  } else if (http_1_0) {
    connection = ConnectionHeader::keep_alive;
  }
  append_head(output_, response, framing, connection, core_->date_line(), request_.id);
  if (request_.method == Method::head || framing == Framing::none) return 0;
  if (response.source() || response.body().size() > copied_body_size) return std::nullopt;
  output_.append(response.body());
  return response.body().size();
}

/// Sends a body that did not go with its head. Returns its size.
awaitable<std::size_t> Connection::send_body(const Response& response) {
  if (response.source()) {
    const Framing framing = framing_of(response, parser_->is_http_1_0());
    co_return co_await stream(*response.source(), framing);
  }
  co_await flush(response.body());
  co_return response.body().size();
}

void Connection::finish_request(int status, std::size_t body_size) {
  log_access(status, body_size);
  input_.consume(parser_->size());
  client_closes_ = !parser_->keep_alive() && input_.empty();
  parser_.reset();
}

/// Sends the pieces of a body, each when the one before is gone. Returns the size of all.
awaitable<std::size_t> Connection::stream(const Response::Source& source, Framing framing) {
  std::size_t size = 0;
  co_await flush();
  while (open_) {
    enter(Phase::handler, core_->options.handler_timeout);
    std::string piece;
    std::exception_ptr failure;
    try {
      piece = co_await source();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure || timed_out_ || client_gone_) {
      // The status is sent already; all that can still be said is that the body is not complete.
      if (!client_gone_) {
        core_->server_errors.add();
        log_failure(500, timed_out_ ? "time-out" : message_of(failure), request_);
      }
      ErrorCode ignored;
      if (framing == Framing::until_close) {
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);  // resets
      }
      socket_.close(ignored);
      open_ = false;
      break;
    }
    const bool last = piece.empty();
    size += piece.size();
    if (framing == Framing::chunked) {
      output_.append(fmt::format("{:x}\r\n", piece.size()));
      piece += "\r\n";
    }
    if (last && framing == Framing::until_close) break;
    co_await flush(piece);
    if (last) break;
  }
  co_return size;
}

/// Sends the output, then `body`. The deadline moves with each piece the client takes.
awaitable<void> Connection::flush(std::string_view body) {
  while (!send(body)) {
    enter(Phase::write, core_->options.write_timeout);
    const auto [error] = co_await socket_.async_wait(Socket::wait_write, plainly(core_->context));
    if (!error) continue;
    if (open_) core_->timeouts.add();
    open_ = false;
  }
}

/// Sends what the socket takes of the output and then of `body`; whether that is all, or all that
/// ever will be.
bool Connection::send(std::string_view& body) {
  while (open_ && !(output_.empty() && body.empty())) {
    ErrorCode error;
    const std::size_t sent =
        body.empty() ? socket_.write_some(asio::buffer(output_.text()), error)
                     : socket_.write_some(
                           std::array{asio::buffer(output_.text()), asio::buffer(body)}, error);
    if (error == asio::error::would_block) return false;
    if (error) open_ = false;
    const std::size_t from_output = std::min(sent, output_.size());
    output_.consume(from_output);
    body.remove_prefix(sent - from_output);
  }
  return true;
}

/// Replies wait for those of the requests behind them, but not for a handler that waits: what is
/// posted here runs when the handler suspends, or finds nothing to do.
void Connection::send_once_suspended() {
  if (output_.empty() || send_posted_) return;
  send_posted_ = true;
  asio::post(core_->context, [self = shared_from_this()] {
    self->send_posted_ = false;
    if (self->phase_ == Phase::handler) self->send();
  });
}

// ---- time ------------------------------------------------------------------------------------

void Connection::enter(Phase phase, std::chrono::milliseconds timeout) {
  phase_ = phase;
  entered_ = core_->tick();
  deadline_ = core_->after(timeout);
}

void Connection::enter_idle() {
  enter(Phase::idle, before_end(core_->options.idle_timeout));
}

/// A time-out for something that may well not come any more when the server is about to end.
std::chrono::milliseconds Connection::before_end(std::chrono::milliseconds timeout) const {
  return core_->draining() ? std::min<std::chrono::milliseconds>(timeout, drain_grace) : timeout;
}

void Connection::sweep() {
  if (phase_ == Phase::handler) return sweep_handler();
  if (core_->tick() < deadline_) return;
  ErrorCode ignored;
  socket_.cancel(ignored);  // whoever waits looks at the phase
}

void Connection::sweep_handler() {
  const auto self = shared_from_this();  // a handler may end inside emit()
  const std::string_view route = request_.endpoint ? request_.endpoint->path : request_.path;
  if (timed_out_ || client_gone_) {
    if (core_->tick() < deadline_) return;
    log::error("a handler ignores its cancellation; its connection stays until it returns", "route",
               route, "request_id", request_.id);
    deadline_ = never;
    return;
  }
  // Only for a handler that takes some time is the question worth a system call.
  const bool is_slow = core_->tick() >= entered_ + 2;
  if (!open_ || (is_slow && peer_is_gone())) {
    client_gone_ = true;
  } else if (core_->tick() >= deadline_) {
    timed_out_ = true;
    core_->timeouts.add();
    log::warn("a request took too long, its handler is cancelled", "route", route, "request_id",
              request_.id, "limit", core_->options.handler_timeout);
  } else {
    return;
  }
  deadline_ = core_->after(cancellation_patience);
  cancellation_.emit(asio::cancellation_type::terminal);
}

/// A client that has closed its sending side counts as gone: whether it still listens cannot be
/// known.
bool Connection::peer_is_gone() {
  char byte = 0;
  const ssize_t count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void Connection::begin_drain() {
  const bool may_be_in_vain = phase_ == Phase::idle || phase_ == Phase::header;
  if (may_be_in_vain) deadline_ = std::min(deadline_, core_->after(drain_grace));
}

void Connection::stop() {
  const auto self = shared_from_this();
  ErrorCode ignored;
  open_ = false;
  client_gone_ = true;
  socket_.close(ignored);
  if (phase_ == Phase::handler) cancellation_.emit(asio::cancellation_type::terminal);
}

// ---- logs ------------------------------------------------------------------------------------

void Connection::log_access(int status, std::size_t bytes) const {
  if (!core_->options.access_log) return;
  log::info("request", "method", to_string(request_.method), "path", request_.path, "status",
            status, "bytes", bytes, "took", std::chrono::steady_clock::now() - received_at_,
            "request_id", request_.id, "peer", peer_);
}

}  // namespace aegis::http
