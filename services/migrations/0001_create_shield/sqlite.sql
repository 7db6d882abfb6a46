-- create shield (sqlite)
--   new table shield

-- up
CREATE TABLE shield (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 80),
  defense_rating INTEGER NOT NULL DEFAULT 10 CHECK (defense_rating BETWEEN 0 AND 100),
  material TEXT NOT NULL DEFAULT 'iron' CHECK (length(material) BETWEEN 1 AND 40),
  enchantment TEXT CHECK (length(enchantment) <= 200)
) STRICT;
CREATE INDEX shield_material_idx ON shield (material);

-- down
-- destructive: drops table shield
DROP TABLE shield;
