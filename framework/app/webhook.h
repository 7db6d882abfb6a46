#pragma once

#include <chrono>
#include <string>

#include "aegis/core/awaitable.h"

namespace aegis {

/// Where a webhook is. Throws Error(invalid) for a text that is no http or https URL.
struct WebhookUrl {
  explicit WebhookUrl(const std::string& url);

  bool tls = false;
  std::string host{}, port{}, target{};
  std::string authority{};  ///< for the header Host
};

/// Posts JSON. Throws Error(unavailable) unless the answer is 2xx and comes within `limit`; the
/// message names the host only, since the rest of such a URL is often a secret.
awaitable<void> post_json(WebhookUrl url, std::string body, std::chrono::milliseconds limit);

}  // namespace aegis
