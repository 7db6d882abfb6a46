#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/driver.h"

namespace aegis::db {

/// Keeps text and whole numbers as text, for queries on the database itself; else an empty text.
struct TextRows final : RowSink {
  void columns(std::span<const std::string_view>) override {}
  void row(std::span<const Cell> cells) override {
    auto& texts = rows.emplace_back();
    for (const Cell& cell : cells) {
      auto& text = texts.emplace_back();
      if (const auto* s = std::get_if<std::string_view>(&cell)) text = *s;
      if (const auto* i = std::get_if<std::int64_t>(&cell)) text = std::to_string(*i);
    }
  }
  void restart() override { rows.clear(); }

  std::vector<std::vector<std::string>> rows;
};

}  // namespace aegis::db
