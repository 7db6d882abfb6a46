-- create jobs (sqlite)
--   new table aegis_job
--   new table aegis_job_finished
--   new table aegis_job_unique
--   new table aegis_worker
--   new table aegis_queue
--   new table aegis_job_limit
--   new table aegis_job_after
--   new table aegis_job_step
--   new table aegis_job_line

-- up
CREATE TABLE aegis_job (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  queue TEXT NOT NULL,
  state TEXT NOT NULL,
  priority INTEGER NOT NULL,
  run_at TEXT NOT NULL,
  created_at TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  starts INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  timeout INTEGER NOT NULL,
  expires_at TEXT,
  unique_key TEXT,
  limit_key TEXT,
  arguments TEXT NOT NULL,
  tags TEXT NOT NULL,
  lease INTEGER,
  started_at TEXT,
  cancel_requested INTEGER NOT NULL CHECK (cancel_requested IN (0, 1)),
  run_anyway INTEGER NOT NULL CHECK (run_anyway IN (0, 1)),
  progress REAL,
  message TEXT,
  error TEXT,
  output TEXT
) STRICT;
CREATE INDEX aegis_job_fetch_idx ON aegis_job (queue, priority, run_at) WHERE state = 'available' AND limit_key IS NULL;
CREATE INDEX aegis_job_limited_idx ON aegis_job (queue, limit_key, priority, run_at) WHERE state = 'available' AND limit_key IS NOT NULL;
CREATE INDEX aegis_job_limit_idx ON aegis_job (limit_key) WHERE state = 'running' AND limit_key IS NOT NULL;
CREATE INDEX aegis_job_due_idx ON aegis_job (run_at) WHERE state IN ('scheduled', 'retryable');
CREATE INDEX aegis_job_retryable_idx ON aegis_job (queue) WHERE state = 'retryable';
CREATE INDEX aegis_job_running_idx ON aegis_job (lease) WHERE state = 'running';
CREATE INDEX aegis_job_again_idx ON aegis_job (id) WHERE state = 'available' AND starts > 0;
CREATE INDEX aegis_job_blocked_idx ON aegis_job (id) WHERE state = 'blocked';
CREATE INDEX aegis_job_expiry_idx ON aegis_job (expires_at) WHERE expires_at IS NOT NULL;
CREATE UNIQUE INDEX aegis_job_unique_key_idx ON aegis_job (unique_key) WHERE unique_key IS NOT NULL;
CREATE TABLE aegis_job_finished (
  id INTEGER NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  queue TEXT NOT NULL,
  state TEXT NOT NULL,
  priority INTEGER NOT NULL,
  run_at TEXT NOT NULL,
  created_at TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  starts INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  timeout INTEGER NOT NULL,
  expires_at TEXT,
  limit_key TEXT,
  arguments TEXT NOT NULL,
  tags TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT NOT NULL,
  progress REAL,
  message TEXT,
  error TEXT,
  output TEXT
) STRICT;
CREATE INDEX aegis_job_finished_retention_idx ON aegis_job_finished (queue, state, finished_at);
CREATE TABLE aegis_job_unique (
  key TEXT NOT NULL PRIMARY KEY,
  job_id INTEGER NOT NULL,
  until TEXT
) STRICT;
CREATE INDEX aegis_job_unique_job_id_idx ON aegis_job_unique (job_id);
CREATE INDEX aegis_job_unique_until_idx ON aegis_job_unique (until);
CREATE TABLE aegis_worker (
  id INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  started_at TEXT NOT NULL,
  lease_until TEXT NOT NULL,
  concurrency INTEGER NOT NULL,
  running INTEGER NOT NULL,
  queues TEXT NOT NULL,
  kinds TEXT NOT NULL
) STRICT;
CREATE TABLE aegis_queue (
  name TEXT NOT NULL PRIMARY KEY,
  paused_at TEXT
) STRICT;
CREATE TABLE aegis_job_limit (
  name TEXT NOT NULL PRIMARY KEY,
  tokens REAL NOT NULL,
  filled_at TEXT NOT NULL
) STRICT;
CREATE INDEX aegis_job_limit_filled_at_idx ON aegis_job_limit (filled_at);
CREATE TABLE aegis_job_after (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL,
  after_id INTEGER NOT NULL
) STRICT;
CREATE INDEX aegis_job_after_job_id_idx ON aegis_job_after (job_id);
CREATE INDEX aegis_job_after_after_id_idx ON aegis_job_after (after_id);
CREATE TABLE aegis_job_step (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  answer TEXT NOT NULL,
  UNIQUE (job_id, name)
) STRICT;
CREATE TABLE aegis_job_line (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  at TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;
CREATE INDEX aegis_job_line_job_id_idx ON aegis_job_line (job_id);

-- down
-- destructive: drops table aegis_job_line
-- destructive: drops table aegis_job_step
-- destructive: drops table aegis_job_after
-- destructive: drops table aegis_job_limit
-- destructive: drops table aegis_queue
-- destructive: drops table aegis_worker
-- destructive: drops table aegis_job_unique
-- destructive: drops table aegis_job_finished
-- destructive: drops table aegis_job
DROP TABLE aegis_job_line;
DROP TABLE aegis_job_step;
DROP TABLE aegis_job_after;
DROP TABLE aegis_job_limit;
DROP TABLE aegis_queue;
DROP TABLE aegis_worker;
DROP TABLE aegis_job_unique;
DROP TABLE aegis_job_finished;
DROP TABLE aegis_job;
