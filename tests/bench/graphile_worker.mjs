// The reference for jobs on PostgreSQL: graphile-worker with its batching on, as its own page on
// performance sets it. Prints one line of JSON: jobs a second, from the start of the worker until
// its table has none left.
//
//   node graphile_worker.mjs URL N
//
// `npm install --prefix tests/bench graphile-worker@0.18` installs it; without it run.py leaves the
// line out.

import { Logger } from "@graphile/logger";
import { run, runMigrations } from "graphile-worker";
import pg from "pg";

const [connectionString, amount] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString, max: 25 });
pool.on("error", () => {});
pool.on("connect", (client) => client.on("error", () => {}));
const logger = new Logger(() => () => {});

await pool.query("DROP SCHEMA IF EXISTS graphile_worker CASCADE");
await runMigrations({ pgPool: pool, logger });
await pool.query(
  `SELECT graphile_worker.add_jobs(array_agg(json_populate_record(NULL::graphile_worker.job_spec,
     json_build_object('identifier', 'nothing', 'payload', json_build_object('number', i)))))
   FROM generate_series(1, $1::int) AS i`, [amount]);
await pool.query("VACUUM ANALYZE graphile_worker._private_jobs");

let left = Number(amount);
let finish;
const finished = new Promise((resolve) => (finish = resolve));
const start = process.hrtime.bigint();
const runner = await run({
  pgPool: pool,
  logger,
  noHandleSignals: true,
  preset: {
    worker: {
      concurrentJobs: 24,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
  taskList: { nothing: () => { if (--left === 0) finish(); } },
});
await finished;
for (;;) {
  const { rows } = await pool.query("SELECT count(*)::int AS n FROM graphile_worker._private_jobs");
  if (rows[0].n === 0) break;
}
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
await runner.stop();
await pool.query("DROP SCHEMA graphile_worker CASCADE");
await pool.end();
console.log(JSON.stringify({ per_s: Math.round(amount / seconds) }));
