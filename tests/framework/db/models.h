#pragma once

#include "aegis/db/database.h"

/// The tables of these tests.

struct Guild {
  std::optional<std::int64_t> id{};
  std::string name{};

  AEGIS_TABLE(Guild, "guild", (id, primary_key), (name, unique))
};

struct Shield {
  std::optional<std::int64_t> id{};
  std::string name{};
  int defense_rating = 10;
  std::string material = "iron";
  std::optional<std::string> enchantment{};

  bool operator==(const Shield&) const = default;

  AEGIS_TABLE(Shield, "shield", (id, primary_key), (name, unique, min_length(1), max_length(80)),
              (defense_rating, ge(0), le(100)), (material, indexed), (enchantment))
};

struct Member {
  std::optional<std::int64_t> id{};
  std::int64_t guild_id{};
  std::optional<std::int64_t> shield_id{};
  std::string title = "it's";
  std::string rank{};

  AEGIS_TABLE(Member, "member", (id, primary_key),
              (guild_id, references("guild", "id").on_delete(aegis::OnDelete::cascade),
               unique("seat")),
              (shield_id, references("shield", "id").on_delete(aegis::OnDelete::set_null)),
              (title, one_of("it's", "new"), indexed("by_title")),
              (rank, unique("seat"), indexed("by_title")))
};

/// One column of every kind, each also as an optional.
struct Everything {
  std::optional<std::int64_t> id{};
  bool flag = false;
  std::int16_t small = 0;
  std::int64_t large = 0;
  double real = 0;
  std::string text{};
  aegis::Bytes bytes{};
  aegis::Timestamp moment{};
  std::chrono::milliseconds duration{};
  std::optional<bool> maybe_flag{};
  std::optional<std::uint32_t> maybe_number{};
  std::optional<double> maybe_real{};
  std::optional<std::string> maybe_text{};
  std::optional<aegis::Bytes> maybe_bytes{};
  std::optional<aegis::Timestamp> maybe_moment{};

  bool operator==(const Everything&) const = default;

  AEGIS_TABLE(Everything, "everything", (id, primary_key), (flag), (small), (large), (real), (text),
              (bytes), (moment), (duration), (maybe_flag), (maybe_number), (maybe_real),
              (maybe_text), (maybe_bytes), (maybe_moment))
};

/// A key that is the program's own; names that SQL knows as words; nothing to update.
struct Word {
  std::string order{};

  AEGIS_TABLE(Word, "select", (order, primary_key))
};

/// Nothing but a key that the database gives.
struct Ticket {
  std::optional<std::int64_t> number{};

  AEGIS_TABLE(Ticket, "ticket", (number, primary_key))
};

inline std::vector<const aegis::Table*> all_tables() {
  return {&aegis::table_of<Member>(),     &aegis::table_of<Guild>(), &aegis::table_of<Shield>(),
          &aegis::table_of<Everything>(), &aegis::table_of<Word>(),  &aegis::table_of<Ticket>()};
}

inline Shield shield(std::string name, int defense_rating = 10, std::string material = "iron",
                     std::optional<std::string> enchantment = std::nullopt) {
  return {.id = {},
          .name = std::move(name),
          .defense_rating = defense_rating,
          .material = std::move(material),
          .enchantment = std::move(enchantment)};
}
