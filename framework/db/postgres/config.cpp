#include "db/postgres/config.h"

#include <errno.h>
#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string_view>

#include "aegis/core/error.h"
#include "db/setting.h"

namespace aegis::db::postgres {
namespace {

using Keywords = std::vector<std::pair<std::string, std::string>>;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

bool has(const Keywords& keywords, std::string_view name) {
  return std::ranges::find(keywords, name, [](const auto& k) {
           return std::string_view(k.first);
         }) != keywords.end();
}

std::string_view value_of(const Keywords& keywords, std::string_view name) {
  for (const auto& [keyword, value] : keywords) {
    if (keyword == name) return value;
  }
  return {};
}

/// "a,b" and "1,2" → "a:1,b:2"; an IPv6 address in brackets.
std::string hosts_and_ports(std::string_view hosts, std::string_view ports) {
  const auto take = [](std::string_view& list) {
    const auto comma = std::min(list.find(','), list.size());
    const std::string_view first = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    return first;
  };
  const bool one_port = ports.find(',') == ports.npos;
  std::string text;
  do {
    const std::string_view host = take(hosts);
    const std::string_view port = one_port ? ports : take(ports);
    if (!text.empty()) text += ',';
    text += host.find(':') == host.npos ? std::string(host) : fmt::format("[{}]", host);
    if (!port.empty()) text += fmt::format(":{}", port);
  } while (!hosts.empty());
  return text;
}

/// Put together again of what may be shown.
std::string url_without_secrets(const Keywords& keywords, const Keywords& shown) {
  std::string url = "postgresql://";
  if (const auto user = value_of(keywords, "user"); !user.empty()) {
    url += fmt::format("{}{}@", user, has(keywords, "password") ? ":***" : "");
  }
  const std::string_view host = value_of(keywords, "host");
  const bool socket = host.starts_with('/') || host.starts_with('@');
  if (!socket) url += hosts_and_ports(host, value_of(keywords, "port"));
  url += fmt::format("/{}", value_of(keywords, "dbname"));
  char separator = '?';
  for (const auto& [name, value] : shown) {
    if (name == "user" || name == "dbname" || (!socket && (name == "host" || name == "port"))) {
      continue;
    }
    url += fmt::format("{}{}={}", std::exchange(separator, '&'), name, value);
  }
  return url;
}

[[noreturn]] void refuse_url(std::string_view detail) {
  throw Error(Errc::invalid,
              fmt::format("The PostgreSQL database URL cannot be read{}: it is written "
                          "postgresql://user:password@host:5432/database?sslmode=require. In a "
                          "name or a password the characters : / ? # [ ] @ % and blanks are "
                          "written as % and two hexadecimal digits (@ is %40); after the ? come "
                          "keywords of libpq.",
                          detail));
}

/// A part of a password can come to stand where the port does; libpq finds out when it connects.
void check_ports(std::string_view ports) {
  if (ports.find_first_not_of("0123456789,") != ports.npos) refuse_url("");
}

void read_url(Config& config, const std::string& url) {
  // "…/db password=secret" would be a database of that name, and names are shown.
  if (url.find_first_of(" \t\r\n") != url.npos) refuse_url("");
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(url.c_str(), &message));
  if (!options) {
    // The message may repeat a part of the password; it is safe where it names a keyword.
    std::string_view why = message ? message : "";
    const bool about_keyword = why.starts_with("invalid URI query parameter");
    const std::string detail =
        about_keyword ? fmt::format(" ({})", why.substr(0, why.find('\n'))) : "";
    PQfreemem(message);
    refuse_url(detail);
  }
  Keywords shown;
  for (const PQconninfoOption* option = options.get(); option->keyword; ++option) {
    if (!option->val || !*option->val) continue;
    config.keywords.emplace_back(option->keyword, option->val);
    const std::string_view kind = option->dispchar;
    if (!kind.starts_with('*')) shown.emplace_back(option->keyword, option->val);
  }
  check_ports(value_of(config.keywords, "port"));
  config.url = url_without_secrets(config.keywords, shown);
}

/// So that the processes that share a server can be counted: "shields #1f4a09be".
void name_instance(Keywords& keywords) {
  constexpr std::size_t longest = 63 - 10;  // PostgreSQL keeps 63 bytes
  const bool named = has(keywords, "application_name");
  std::string name(value_of(keywords, named ? "application_name" : "fallback_application_name"));
  std::random_device random;
  name = fmt::format("{} #{:08x}", name.substr(0, longest), random());
  std::erase_if(keywords, [](const auto& k) { return k.first == "application_name"; });
  keywords.emplace_back("application_name", std::move(name));
}

/// What a connection gets unless the URL says otherwise.
void add_defaults(Config& config, bool connect_timeout_given) {
  Keywords& keywords = config.keywords;
  const auto add = [&](std::string name, std::string value) {
    if (!has(keywords, name)) keywords.emplace_back(std::move(name), std::move(value));
  };
  std::erase_if(keywords, [&](const auto& k) {
    return k.first == "client_encoding" || (connect_timeout_given && k.first == "connect_timeout");
  });
  config.jit_off = value_of(keywords, "options").find("jit") == std::string_view::npos;
  add("client_encoding", "UTF8");
  add("connect_timeout", std::to_string((config.connect_timeout.count() + 999) / 1000));
  add("fallback_application_name", fmt::format("aegis {}", program_invocation_short_name));
  // A peer that is gone is noticed, also when all that is sent to it vanishes.
  add("tcp_user_timeout", "10000");
  add("keepalives_idle", "30");
  add("keepalives_interval", "5");
  add("keepalives_count", "3");
}

void read_setting(Config& config, std::string_view name, std::string_view text) {
  const Setting setting(name, text);
  if (name == "pool_size" && text == "auto") {
    config.share = std::make_shared<PoolShare>();
    return;
  }
  if (name == "pool_size") return setting.read(config.pool_size, 1, 10'000);
  if (name == "pool_waiters") return setting.read(config.pool_waiters, 0, 1'000'000);
  if (name == "pool_timeout") return setting.read(config.pool_timeout, 1);
  if (name == "connect_timeout") return setting.read(config.connect_timeout, 1);
  if (name == "statement_timeout") return setting.read(config.statement_timeout, 0);
  if (name == "lane_timeout") return setting.read(config.lane_timeout, 1);
  if (name == "max_lifetime") return setting.read(config.max_lifetime, 0);
  if (name == "idle_timeout") return setting.read(config.idle_timeout, 0);
  if (name == "statement_cache") return setting.read(config.statement_cache, 0, 100'000);
  if (name == "transaction_pooling") return setting.read(config.transaction_pooling);
  if (name == "replica_lag_warning") return setting.read(config.replica_lag_warning, 0);
  throw Error(
      Errc::invalid,
      fmt::format("There is no PostgreSQL setting {}; there are connect_timeout, "
                  "idle_timeout, lane_timeout, max_lifetime, pool_size, pool_timeout, "
                  "pool_waiters, replica_lag_warning, statement_cache, statement_timeout and "
                  "transaction_pooling. "
                  "libpq's own, such as sslmode, belong into the URL.",
                  name));
}

}  // namespace

std::size_t Config::pool_size_per_core() const {
  return std::max<std::size_t>(static_cast<std::size_t>(pool_size_now()) / cores, 1);
}

std::int64_t pool_share(std::int64_t room, std::int64_t others, std::int64_t instances,
                        std::size_t cores, std::size_t threads) {
  constexpr std::int64_t most_per_core = 20;  // more do not make a server faster
  const auto per_process = static_cast<std::int64_t>(cores);
  const auto all = static_cast<std::int64_t>(std::max(cores, threads));
  const std::int64_t free = room - room / 10 - others;
  const std::int64_t share = free / std::max<std::int64_t>(instances, 1) - 2 * all - 1;
  return std::clamp(share * per_process / all, per_process, most_per_core * per_process);
}

Config read_config(const DatabaseOptions& options, std::size_t cores) {
  Config config;
  config.cores = std::max<std::size_t>(cores, 1);
  read_url(config, options.url);
  for (const auto& [name, text] : options.connect_args) read_setting(config, name, text);
  if (config.statement_timeout.count() > 0) {
    config.lane_timeout = std::min(config.lane_timeout, config.statement_timeout);
  }
  add_defaults(config, options.connect_args.contains("connect_timeout"));
  if (config.transaction_pooling) config.statement_cache = 0;
  if (config.transaction_pooling && config.share) {
    throw Error(Errc::invalid,
                "pool_size \"auto\" counts the server's connections, which a pooler hides: with "
                "transaction_pooling give a number.");
  }
  if (config.share) name_instance(config.keywords);
  config.echo = options.echo;
  config.slow_transaction = options.slow_transaction;
  config.rolled_back = options.rolled_back;
  return config;
}

}  // namespace aegis::db::postgres
