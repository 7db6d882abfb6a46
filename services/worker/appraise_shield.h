#pragma once

#include <aegis/aegis.h>

/// Asks three experts what a shield is worth. They are slow and live elsewhere, so the job tells
/// how far it is, and asks each of them once, however often it is tried.
struct AppraiseShield {
  static constexpr aegis::JobOptions options{
      .queue = "appraisals", .unique = {.by = aegis::UniqueBy::arguments}, .limit = {.running = 2}};

  std::int64_t shield_id{};

  AEGIS_FIELDS(AppraiseShield, (shield_id))

  aegis::awaitable<void> run(aegis::JobContext& job);
};
