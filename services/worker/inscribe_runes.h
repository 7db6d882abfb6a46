#pragma once

#include <aegis/aegis.h>

/// Enchants a shield that was just forged.
struct InscribeRunes {
  static constexpr aegis::JobOptions options{.max_attempts = 5,
                                             .timeout = std::chrono::seconds(30)};

  std::int64_t shield_id{};

  AEGIS_FIELDS(InscribeRunes, (shield_id))

  aegis::awaitable<void> run(aegis::JobContext& job);
};
