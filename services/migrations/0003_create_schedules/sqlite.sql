-- create schedules (sqlite)
--   new table aegis_schedule
--   new table aegis_schedule_run

-- up
CREATE TABLE aegis_schedule (
  name TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  arguments TEXT NOT NULL,
  timing TEXT NOT NULL,
  zone TEXT NOT NULL,
  catch_up TEXT NOT NULL CHECK (catch_up IN ('skip', 'once', 'all')),
  catch_up_most INTEGER NOT NULL,
  overlap TEXT NOT NULL CHECK (overlap IN ('allow', 'skip', 'queue')),
  jitter INTEGER NOT NULL,
  starts_at TEXT,
  ends_at TEXT,
  declared INTEGER NOT NULL CHECK (declared IN (0, 1)),
  created_at TEXT NOT NULL,
  retired_at TEXT,
  paused_at TEXT,
  slot TEXT,
  due_at TEXT,
  pruned_slot TEXT
) STRICT;
CREATE INDEX aegis_schedule_due_idx ON aegis_schedule (due_at) WHERE due_at IS NOT NULL AND paused_at IS NULL;
CREATE TABLE aegis_schedule_run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  schedule TEXT NOT NULL,
  slot TEXT NOT NULL,
  how TEXT NOT NULL CHECK (how IN ('on time', 'catch-up', 'by hand')),
  fired_at TEXT NOT NULL,
  job_id INTEGER,
  outcome TEXT CHECK (outcome IN ('completed', 'cancelled', 'dead', 'skipped', 'unknown')),
  started_at TEXT,
  finished_at TEXT,
  error TEXT,
  output TEXT,
  UNIQUE (schedule, slot)
) STRICT;
CREATE INDEX aegis_schedule_run_open_idx ON aegis_schedule_run (schedule, id) WHERE outcome IS NULL;
CREATE INDEX aegis_schedule_run_job_idx ON aegis_schedule_run (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX aegis_schedule_run_retention_idx ON aegis_schedule_run (fired_at);

-- down
-- destructive: drops table aegis_schedule_run
-- destructive: drops table aegis_schedule
DROP TABLE aegis_schedule_run;
DROP TABLE aegis_schedule;
