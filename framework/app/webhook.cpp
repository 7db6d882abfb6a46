#include "app/webhook.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "aegis/core/error.h"

namespace aegis {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

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

awaitable<unsigned> send(const WebhookUrl& url, std::string body, std::chrono::milliseconds limit) {
  const auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  const auto found = co_await resolver.async_resolve(url.host, url.port, asio::use_awaitable);
  if (!url.tls) {
    beast::tcp_stream stream(executor);
    stream.expires_after(limit);
    co_await stream.async_connect(found, asio::use_awaitable);
    co_return co_await exchange(stream, url, std::move(body));
  }
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_default_verify_paths();
  beast::ssl_stream<beast::tcp_stream> stream(executor, context);
  stream.set_verify_mode(asio::ssl::verify_peer);
  stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
  if (SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str()) != 1) {
    throw Error(Errc::invalid, fmt::format("{} is no name for TLS.", url.host));
  }
  auto& socket = beast::get_lowest_layer(stream);
  socket.expires_after(limit);
  co_await socket.async_connect(found, asio::use_awaitable);
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  co_return co_await exchange(stream, url, std::move(body));
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
  unsigned status = 0;
  std::string trouble;
  try {
    status = co_await send(url, std::move(body), limit);
  } catch (const boost::system::system_error& error) {
    trouble = error.code().message();
  }
  if (trouble.empty() && status / 100 != 2) trouble = fmt::format("it answered {}", status);
  if (trouble.empty()) co_return;
  throw Error(Errc::unavailable, fmt::format("The webhook at {}:{} did not take it: {}.", url.host,
                                             url.port, trouble));
}

}  // namespace aegis
