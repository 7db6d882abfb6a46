#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <aegis/db/table.h>

struct Shield {
  std::optional<std::int64_t> id{};
  std::string name{};
  int defense_rating = 10;
  std::string material = "iron";
  std::optional<std::string> enchantment{};

  AEGIS_TABLE(Shield, "shield", (id, primary_key), (name, unique, min_length(1), max_length(80)),
              (defense_rating, ge(0), le(100)), (material, indexed, min_length(1), max_length(40)),
              (enchantment, max_length(200)))
};
