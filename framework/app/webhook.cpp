#include "app/webhook.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <variant>

#include "aegis/core/blocking.h"
#include "aegis/core/error.h"

namespace aegis {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

template <class Stream>
awaitable<unsigned> exchange(Stream& stream, const WebhookUrl& url, std::string body) {
  http::request<http::string_body> request(http::verb::post, url.target, 11);
  request.set(http::field::host, url.authority);
  request.set(http::field::content_type, "application/json");
  request.set(http::field::user_agent, "aegis");
  request.set(http::field::connection, "close");
  request.body() = std::move(body);
  request.prepare_payload();
  co_await http::async_write(stream, request, asio::use_awaitable);
  // The body says nothing more, and not every server ends it as it should.
  beast::flat_buffer buffer;
  http::response_parser<http::empty_body> reply;
  co_await http::async_read_header(stream, buffer, reply, asio::use_awaitable);
  co_return reply.get().result_int();
}

awaitable<tcp::socket> connect(const WebhookUrl& url) {
  // The system's resolver cannot be interrupted, only left behind.
  const auto find = [host = url.host, port = url.port] {
    asio::io_context context;
    return tcp::resolver(context).resolve(host, port);
  };
  const auto found = co_await run_blocking(find);
  tcp::socket socket(co_await asio::this_coro::executor);
  co_await asio::async_connect(socket, found, asio::use_awaitable);
  co_return socket;
}

awaitable<unsigned> post(WebhookUrl url, std::string body) {
  auto socket = co_await connect(url);
  if (!url.tls) co_return co_await exchange(socket, url, std::move(body));

  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_default_verify_paths();
  asio::ssl::stream<tcp::socket> stream(std::move(socket), context);
  stream.set_verify_mode(asio::ssl::verify_peer);
  stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
  boost::system::error_code no_address;
  asio::ip::make_address(url.host, no_address);  // an address is no server name (RFC 6066)
  if (no_address && SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str()) != 1) {
    throw Error(Errc::invalid, fmt::format("{} is no name for TLS.", url.host));
  }
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  co_return co_await exchange(stream, url, std::move(body));
}

/// Why it was not taken; nothing: it was.
awaitable<std::string> trouble_with(WebhookUrl url, std::string body) {
  try {
    const unsigned status = co_await post(std::move(url), std::move(body));
    co_return status / 100 == 2 ? "" : fmt::format("it answered {}", status);
  } catch (const boost::system::system_error& error) {
    co_return error.code().message();
  } catch (const std::exception& error) {
    co_return error.what();
  }
}

}  // namespace

WebhookUrl::WebhookUrl(const std::string& text) {
  const auto url = boost::urls::parse_uri(text);
  const bool usable =
      url && (url->scheme() == "http" || url->scheme() == "https") && !url->host().empty();
  if (!usable) {
    throw Error(Errc::invalid, "it must be a URL such as https://example.com/hook");
  }
  tls = url->scheme() == "https";
  host = url->host_address();  // an IPv6 address without its brackets
  authority = std::string(url->encoded_host());
  if (url->has_port()) authority += ":" + std::string(url->port());
  port = url->has_port() ? std::string(url->port()) : tls ? "443" : "80";
  target = std::string(url->encoded_path());
  if (target.empty()) target = "/";
  if (url->has_query()) target += "?" + std::string(url->encoded_query());
}

awaitable<void> post_json(WebhookUrl url, std::string body, std::chrono::milliseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  const auto first =
      co_await (trouble_with(url, std::move(body)) || timer.async_wait(asio::use_awaitable));
  const auto* trouble = std::get_if<std::string>(&first);
  if (trouble && trouble->empty()) co_return;
  throw Error(
      Errc::unavailable,
      fmt::format("The webhook at {} did not take it: {}.", url.authority,
                  trouble ? *trouble : fmt::format("no answer within {} ms", limit.count())));
}

}  // namespace aegis
