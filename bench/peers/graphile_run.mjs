// graphile-worker, one worker process with its local queue: drain, io, pick-up, enqueue, and what its removal
// calls do to a full pool.   PEER_POSTGRES=postgres://… node graphile_run.mjs
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { figuresOf, inFlight, pause, percentile, seconds, size } from "./figures.mjs";

const connectionString = process.env.PEER_POSTGRES;
const logger = new Logger(() => () => {});  // one line a job would be what is measured
const figure = figuresOf("graphile-worker");
const utils = await makeWorkerUtils({ logger, preset: { worker: { connectionString, maxPoolSize: 25 } } });
await utils.migrate();
const sql = (text, values) => utils.withPgClient((client) => client.query(text, values));

// The figures of its documentation's own performance page; for waiting jobs as many as our slots.
const start = (tasks, worker) =>
  run({ connectionString, logger, taskList: tasks, noHandleSignals: true, preset: { worker: {
    concurrentJobs: 24, maxPoolSize: 25, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0, ...worker } } });
const fill = (count, task) => sql(
  "select count(*) from graphile_worker.add_jobs(array(select json_populate_record(null::graphile_worker.job_spec, " +
  "json_build_object('identifier', $2::text)) from generate_series(1, $1::int)))", [count, task]);
const empty = () => sql("delete from graphile_worker._private_jobs");

const untilDone = async (count, work, worker) => {
  let done = 0, finished;
  const all = new Promise((resolve) => { finished = resolve; });
  const from = performance.now();
  const runner = await start({ job: async () => { await work(); if (++done === count) finished(); } }, worker);
  await all;
  const took = seconds(from);
  await runner.stop();
  return took;
};

const enqueue = async () => {
  const one = [], many = [], bulk = [];
  for (let round = 0; round < size(3, 1); round++) {
    one.push(await inFlight(1, size(2000, 50), () => utils.addJob("job", {})));
    many.push(await inFlight(64, size(20000, 500), () => utils.addJob("job", {})));
    const jobs = size(200000, 1000), from = performance.now();
    await fill(jobs, "job");
    bulk.push(jobs / seconds(from));
    await empty();
  }
  figure("enqueue", "one at a time", one, "jobs/s", "higher");
  figure("enqueue", "64 in flight", many, "jobs/s", "higher");
  figure("enqueue", "bulk", bulk, "jobs/s", "higher");
};

const drainAs = async (name) => {
  const rates = [], jobs = size(200000, 1000);
  for (let round = 0; round < size(3, 1); round++) {
    await fill(jobs, "job");
    rates.push(jobs / await untilDone(jobs, async () => {}, {}));
  }
  figure("drain", name, rates, "jobs/s", "higher");
};

// It deletes what is done. Who wants to see a job afterwards keeps its row by a trigger: the cheapest way there is,
// once for each batch that is completed, with the two indexes that ours has (by id, by when it expires).
const keepWhatEnds = () => sql(`
  create table ended (id bigint primary key, task_id int, attempts int, payload json, run_at timestamptz,
                      started timestamptz, expires timestamptz);
  create index on ended (expires);
  create function keep_ended() returns trigger language plpgsql as $$ begin
    insert into ended select id, task_id, attempts, payload, run_at, locked_at, now() + interval '7 days' from gone;
    return null; end $$;
  create trigger keep_ended after delete on graphile_worker._private_jobs referencing old table as gone
    for each statement execute function keep_ended()`);
const keepNoMore = () => sql("drop trigger keep_ended on graphile_worker._private_jobs; drop table ended; drop function keep_ended");

const drain = async () => {
  await drainAs("noop drain");
  await keepWhatEnds();
  await drainAs("noop drain, ended jobs kept");
  await keepNoMore();
};

const io = async () => {
  const times = [], jobs = size(5000, 500), ms = size(100, 20);
  for (let round = 0; round < size(3, 1); round++) {
    await fill(jobs, "job");
    times.push(await untilDone(jobs, () => pause(ms), { concurrentJobs: 1000, localQueue: { size: 1001 } }));
  }
  figure("io", `${jobs} x ${ms} ms`, times, "s", "lower");
};

const pickup = async () => {
  const waits = [];
  let began;
  const runner = await start({ job: async () => began(performance.now()) }, { concurrentJobs: 10, localQueue: { size: -1 }, completeJobBatchDelay: -1 });
  await pause(200);
  for (let i = 0; i < size(500, 20); i++) {
    const first = new Promise((resolve) => { began = resolve; });
    const from = performance.now();
    await utils.addJob("job", {});
    waits.push((await first) - from);
    await pause(2);
  }
  figure("pickup", "pick-up p50", percentile(waits, 0.5), "ms", "lower");
  figure("pickup", "pick-up p99", percentile(waits, 0.99), "ms", "lower");
  await runner.stop();
};

// `permanentlyFailJobs` is the call that takes ids; it leaves out what a worker holds, its local queue included.
const exhaust = async (slots, waiting, name, worker) => {
  let beats = 0, starts = 0;
  await empty();
  await fill(slots + waiting, "busy");
  const runner = await start({ busy: async () => { starts++; for (let i = 0; i < 30; i++) { await pause(100); beats++; } } }, { concurrentJobs: slots, ...worker });
  while (starts < slots) await pause(10);
  const ids = (await sql("select id from graphile_worker._private_jobs")).rows.map((row) => row.id);
  const before = starts, from = performance.now();
  const failed = await utils.permanentlyFailJobs(ids, "deleted");
  figure("exhaust", `${name} delete call`, seconds(from) * 1e3, "ms", "lower");
  const mark = beats;
  await pause(1000);
  figure("exhaust", `${name} running: refused`, slots - Math.max(0, failed.length - waiting), "jobs", "lower");
  figure("exhaust", `${name} running: alive afterwards`, Math.min(slots, Math.round((beats - mark) / 9)), "jobs", "lower");
  await pause(size(4000, 2500));
  figure("exhaust", `${name} orphan starts`, starts - before, "jobs", "lower");
  await runner.stop();
  await empty();
};

await enqueue();
await drain();
await io();
await pickup();
await exhaust(20, 80, "20/80", {});
await exhaust(20, 80, "20/80 without local queue:", { localQueue: { size: -1 } });
await utils.release();
process.exit(0);
