// schema.json: what is written is read again, and reads well in a review.
#include "db/migrations/snapshot.h"

#include <boost/test/unit_test.hpp>

#include "../models.h"
#include "aegis/core/error.h"

using aegis::table_of;
using aegis::db::read_snapshot, aegis::db::write_snapshot;

BOOST_AUTO_TEST_CASE(a_line_for_each_column) {
  const auto schema =
      aegis::db::schema_of({&table_of<Member>(), &table_of<Guild>(), &table_of<Shield>()});
  const std::string text = write_snapshot(schema);
  BOOST_TEST(text == R"({
  "tables": [
    {
      "name": "guild",
      "columns": [
        {"name": "id", "type": "integer", "primary_key": true, "generated": true},
        {"name": "name", "type": "text", "unique": true}
      ]
    },
    {
      "name": "shield",
      "columns": [
        {"name": "id", "type": "integer", "primary_key": true, "generated": true},
        {"name": "name", "type": "text", "unique": true, "min_length": 1, "max_length": 80},
        {"name": "defense_rating", "type": "integer", "default_value": "10", "ge": 0, "le": 100},
        {"name": "material", "type": "text", "default_value": "iron"},
        {"name": "enchantment", "type": "text", "nullable": true}
      ],
      "indexes": [
        {"name": "shield_material_idx", "columns": ["material"]}
      ]
    },
    {
      "name": "member",
      "columns": [
        {"name": "id", "type": "integer", "primary_key": true, "generated": true},
        {"name": "guild_id", "type": "integer", "references": {"table":"guild","column":"id","on_delete":"cascade"}},
        {"name": "shield_id", "type": "integer", "nullable": true, "references": {"table":"shield","column":"id","on_delete":"set_null"}},
        {"name": "title", "type": "text", "default_value": "it's", "one_of": ["it's","new"]},
        {"name": "rank", "type": "text"}
      ],
      "uniques": [
        {"name": "member_seat_key", "columns": ["guild_id","rank"]}
      ],
      "indexes": [
        {"name": "member_shield_id_idx", "columns": ["shield_id"]},
        {"name": "member_by_title_idx", "columns": ["title","rank"]}
      ]
    }
  ]
}
)");
  BOOST_TEST((read_snapshot(text, "schema.json") == schema));
}

BOOST_AUTO_TEST_CASE(every_kind_of_column_is_read_again) {
  const auto schema = aegis::db::schema_of(all_tables());
  BOOST_TEST((read_snapshot(write_snapshot(schema), "schema.json") == schema));
  BOOST_TEST((read_snapshot(write_snapshot({}), "schema.json") == aegis::db::Schema{}));
}

BOOST_AUTO_TEST_CASE(a_bad_snapshot_is_refused) {
  const auto refused = [](std::string_view text, std::string_view why) {
    BOOST_CHECK_EXCEPTION(read_snapshot(text, "migrations/schema.json"), aegis::Error,
                          [&](const aegis::Error& error) {
                            return std::string(error.what()).find(why) != std::string::npos;
                          });
  };
  refused("{<<<<<<< HEAD", "migrations/schema.json cannot be read");
  refused(R"({"tables": [{"name": "a", "columns": [{"name": "b", "type": "txt"}]}]})",
          "/tables/0/columns/0/type");
}
