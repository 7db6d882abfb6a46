#include "app/health_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

namespace aegis {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;

awaitable<HealthAnswer> ask(std::string host, std::uint16_t port, std::string target,
                            std::chrono::milliseconds limit) {
  const auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  beast::tcp_stream stream(executor);
  stream.expires_after(limit);
  const auto found =
      co_await resolver.async_resolve(host, std::to_string(port), asio::use_awaitable);
  co_await stream.async_connect(found, asio::use_awaitable);

  http::request<http::empty_body> request(http::verb::get, target, 11);
  request.set(http::field::host, host);
  request.set(http::field::connection, "close");
  co_await http::async_write(stream, request, asio::use_awaitable);
  beast::flat_buffer buffer;
  http::response<http::string_body> reply;
  co_await http::async_read(stream, buffer, reply, asio::use_awaitable);
  co_return HealthAnswer{static_cast<int>(reply.result_int()), std::move(reply.body())};
}

HealthValue read_value(const json::value& value) {
  if (value.is_bool()) return value.get_bool();
  if (value.is_int64()) return value.get_int64();
  if (value.is_double()) return value.get_double();
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const auto& item : value.get_array()) items.emplace_back(item.as_string());
    return items;
  }
  return value.is_null() ? "" : std::string(value.as_string());
}

void read_metadata(const json::object& object,
                   std::vector<std::pair<std::string, HealthValue>>& metadata) {
  for (const auto& [key, value] : object) metadata.emplace_back(key, read_value(value));
}

HealthStatus read_status(const json::value& value) {
  for (const auto status : {HealthStatus::healthy, HealthStatus::info, HealthStatus::warning}) {
    if (value.as_string() == to_string(status)) return status;
  }
  return HealthStatus::unhealthy;
}

std::vector<ComponentHealth> read_components(const json::object& object) {
  std::vector<ComponentHealth> parts;
  for (const auto& [key, value] : object) {
    const json::object& from = value.as_object();
    ComponentHealth part{.name = std::string(key),
                         .status = read_status(from.at("status")),
                         .message = std::string(from.at("message").as_string()),
                         .response_time_ms = from.at("response_time_ms").to_number<double>()};
    read_metadata(from.at("metadata").as_object(), part.metadata);
    part.sub_components = read_components(from.at("sub_components").as_object());
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

std::optional<HealthAnswer> ask_health(const std::string& host, std::uint16_t port,
                                       const std::string& target, std::chrono::milliseconds limit) {
  asio::io_context context(1);
  std::optional<HealthAnswer> answer;
  asio::co_spawn(context, ask(host, port, target, limit),
                 [&](const std::exception_ptr& error, HealthAnswer found) {
                   if (!error) answer = std::move(found);
                 });
  context.run_for(limit);
  return answer;
}

std::optional<HealthReport> read_health(std::string_view text) {
  try {
    const json::value root = json::parse(json::string_view(text.data(), text.size()));
    const json::object& object = root.as_object();
    HealthReport report{.service = std::string(object.at("service").as_string()),
                        .version = std::string(object.at("version").as_string())};
    const auto& moment = object.at("timestamp").as_string();
    report.timestamp = parse_timestamp({moment.data(), moment.size()}).value_or(Timestamp{});
    if (const auto* components = object.if_contains("components")) {
      report.components = read_components(components->as_object());
      read_metadata(object.at("system_info").as_object(), report.system_info);
    }
    return report;
  } catch (const std::exception&) {  // not our JSON: another program answers at that port
    return std::nullopt;
  }
}

}  // namespace aegis
