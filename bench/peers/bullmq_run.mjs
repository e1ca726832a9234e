// BullMQ, one worker process: drain, io, pick-up, enqueue, and what a delete does to a full pool.
//   PEER_REDIS=redis://… node bullmq_run.mjs
import { Queue, Worker } from "bullmq";
import { figuresOf, inFlight, pause, percentile, seconds, size } from "./figures.mjs";

const url = new URL(process.env.PEER_REDIS);
const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
const figure = figuresOf("bullmq");
const fresh = async (name, removeOnComplete = true) => {
  const queue = new Queue(name, { connection, defaultJobOptions: { removeOnComplete } });
  await queue.obliterate({ force: true });
  return queue;
};
const fill = async (queue, count, data = {}) => {
  for (let i = 0; i < count; i += 1000)
    await queue.addBulk(Array.from({ length: Math.min(1000, count - i) }, () => ({ name: "job", data })));
};
const untilDone = (queue, count, concurrency, work) => {
  let done = 0;
  return new Promise((resolve) => {
    const worker = new Worker(queue.name, async (job) => { await work(job); if (++done === count) resolve(worker); }, { connection, concurrency });
  }).then((worker) => worker.close());
};

const enqueue = async () => {
  const one = [], many = [], bulk = [];
  for (let round = 0; round < size(3, 1); round++) {
    const queue = await fresh("enqueue");
    one.push(await inFlight(1, size(2000, 50), () => queue.add("job", {})));
    many.push(await inFlight(64, size(20000, 500), () => queue.add("job", {})));
    const jobs = size(50000, 1000), from = performance.now();
    await fill(queue, jobs);
    bulk.push(jobs / seconds(from));
    await queue.obliterate({ force: true });
    await queue.close();
  }
  figure("enqueue", "one at a time", one, "jobs/s", "higher");
  figure("enqueue", "64 in flight", many, "jobs/s", "higher");
  figure("enqueue", "bulk", bulk, "jobs/s", "higher");
};

const drainAs = async (name, removeOnComplete) => {
  const rates = [], jobs = size(100000, 1000);
  for (let round = 0; round < size(3, 1); round++) {
    const queue = await fresh("drain", removeOnComplete);
    await fill(queue, jobs);
    const from = performance.now();
    await untilDone(queue, jobs, 100, async () => {});
    rates.push(jobs / seconds(from));
    await queue.close();
  }
  figure("drain", name, rates, "jobs/s", "higher");
  await (await fresh("drain")).close();  // what was kept goes
};

const drain = async () => {
  await drainAs("noop drain", true);
  await drainAs("noop drain, ended jobs kept", false);  // its default, in memory
};

const io = async () => {
  const times = [], jobs = size(5000, 500), ms = size(100, 20);
  for (let round = 0; round < size(3, 1); round++) {
    const queue = await fresh("io");
    await fill(queue, jobs);
    const from = performance.now();
    await untilDone(queue, jobs, 1000, () => pause(ms));
    times.push(seconds(from));
    await queue.close();
  }
  figure("io", `${jobs} x ${ms} ms`, times, "s", "lower");
};

const pickup = async () => {
  const waits = [], queue = await fresh("pickup");
  let began;
  const worker = new Worker("pickup", async () => began(performance.now()), { connection, concurrency: 10 });
  await worker.waitUntilReady();
  for (let i = 0; i < size(500, 20); i++) {
    const start = new Promise((resolve) => { began = resolve; });
    const from = performance.now();
    await queue.add("job", {});
    waits.push((await start) - from);
    await pause(2);
  }
  figure("pickup", "pick-up p50", percentile(waits, 0.5), "ms", "lower");
  figure("pickup", "pick-up p99", percentile(waits, 0.99), "ms", "lower");
  await worker.close();
  await queue.close();
};

// A pool of `slots`, all taken, `waiting` behind it; each job is removed by the call that the documentation names.
const exhaust = async (slots, waiting) => {
  const queue = await fresh("exhaust"), name = `${slots}/${waiting}`;
  let beats = 0, starts = 0;
  const worker = new Worker("exhaust", async () => {
    starts++;
    for (let i = 0; i < 30; i++) { await pause(100); beats++; }
  }, { connection, concurrency: slots });
  const jobs = await queue.addBulk(Array.from({ length: slots + waiting }, () => ({ name: "busy", data: {} })));
  while (starts < slots) await pause(10);
  const before = starts, from = performance.now();
  const answers = await Promise.all(jobs.map((job) => job.remove().then(() => true, () => false)));
  figure("exhaust", `${name} delete call`, seconds(from) * 1e3, "ms", "lower");
  const mark = beats;
  await pause(1000);
  figure("exhaust", `${name} running: refused`, answers.slice(0, slots).filter((ok) => !ok).length, "jobs", "lower");
  figure("exhaust", `${name} running: alive afterwards`, Math.min(slots, Math.round((beats - mark) / 9)), "jobs", "lower");
  await pause(size(4000, 2500));
  figure("exhaust", `${name} orphan starts`, starts - before, "jobs", "lower");
  await worker.close(true);
  await queue.close();
};

await enqueue();
await drain();
await io();
await pickup();
await exhaust(20, 80);
process.exit(0);
