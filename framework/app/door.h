#pragma once

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>

#include "aegis/core/error.h"
#include "aegis/core/secret.h"
#include "aegis/http/params.h"
#include "core/constant_time.h"

namespace aegis {

using Authorization = Header<"Authorization", std::optional<std::string>>;

/// Lets requests in that carry the token JOBS_API_TOKEN.
class Door {
 public:
  /// `whose`: what is behind it, as in "Jobs and queues".
  Door(Secret<std::string> token, std::string whose)
      : expected_("Bearer " + token.reveal()), whose_(std::move(whose)) {}

  /// Throws Error(unauthorized).
  void check(const Authorization& given) const {
    if (*given && equal_in_constant_time(**given, expected_.reveal())) return;
    throw Error(Errc::unauthorized,
                fmt::format("{} are for those who send JOBS_API_TOKEN, as in: Authorization: "
                            "Bearer <token>.",
                            whose_));
  }

 private:
  Secret<std::string> expected_;
  std::string whose_;
};

using SharedDoor = std::shared_ptr<const Door>;

}  // namespace aegis
