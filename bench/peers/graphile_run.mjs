// graphile-worker with its local queue: no-op drain.   PEER_POSTGRES=postgres://… node graphile_run.mjs
import { Logger, makeWorkerUtils, run } from "graphile-worker";

const connectionString = process.env.PEER_POSTGRES;
const jobs = Number(process.env.PEER_JOBS ?? 50000);
const quiet = new Logger(() => () => {});  // one line a job would be what is measured
const figure = (name, value, unit) => {
  console.log(`${"graphile-worker".padEnd(28)} ${name.padEnd(28)} ${value.toFixed(3).padStart(14)} ${unit}`);
  console.log(JSON.stringify({ bench: "graphile-worker", figure: name, value, unit }));
};
const seconds = (from) => (performance.now() - from) / 1e3;

const utils = await makeWorkerUtils({ connectionString, logger: quiet });
await utils.migrate();
let from = performance.now();
await utils.withPgClient((client) =>
  client.query("select graphile_worker.add_jobs(array(select json_populate_record(null::graphile_worker.job_spec, " +
               "'{\"identifier\":\"noop\"}') from generate_series(1, $1)))", [jobs]));
figure("enqueue (one statement)", jobs / seconds(from), "jobs/s");

let done = 0;
let finished;
const all = new Promise((resolve) => { finished = resolve; });
from = performance.now();
const runner = await run({
  connectionString,
  logger: quiet,
  taskList: { noop: async () => { if (++done === jobs) finished(); } },
  preset: { worker: { concurrentJobs: 24, maxPoolSize: 8, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
});
await all;
figure("noop drain", jobs / seconds(from), "jobs/s");
await runner.stop();
await utils.release();
process.exit(0);
