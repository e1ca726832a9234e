// BullMQ: no-op drain and what a delete of a running job does.   PEER_REDIS=redis://… node bullmq_run.mjs
import { Queue, Worker } from "bullmq";

const url = new URL(process.env.PEER_REDIS);
const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
const figure = (name, value, unit) => {
  console.log(`${"bullmq".padEnd(28)} ${name.padEnd(28)} ${value.toFixed(3).padStart(14)} ${unit}`);
  console.log(JSON.stringify({ bench: "bullmq", figure: name, value, unit }));
};
const seconds = (from) => (performance.now() - from) / 1e3;

const jobs = Number(process.env.PEER_JOBS ?? 50000);
const queue = new Queue("drain", { connection, defaultJobOptions: { removeOnComplete: true } });
await queue.obliterate({ force: true });
let from = performance.now();
for (let i = 0; i < jobs; i += 1000)
  await queue.addBulk(Array.from({ length: 1000 }, () => ({ name: "noop", data: {} })));
figure("enqueue", jobs / seconds(from), "jobs/s");

let done = 0;
from = performance.now();
await new Promise((resolve) => {
  const worker = new Worker("drain", async () => { if (++done === jobs) resolve(worker); }, { connection, concurrency: 100 });
}).then((worker) => { figure("noop drain", jobs / seconds(from), "jobs/s"); return worker.close(); });

let alive = 0;
const busy = new Queue("busy", { connection });
await busy.obliterate({ force: true });
const worker = new Worker("busy", async () => { for (let i = 0; i < 30; i++) { alive++; await new Promise((r) => setTimeout(r, 100)); } },
  { connection, concurrency: 20 });
const running = await busy.addBulk(Array.from({ length: 20 }, () => ({ name: "busy", data: {} })));
await new Promise((r) => setTimeout(r, 500));
let refused = 0;
for (const job of running) await job.remove().catch(() => refused++);
const mark = alive;
await new Promise((r) => setTimeout(r, 1000));
figure("removes refused of 20 running", refused, "jobs");
figure("beats of them in the next second", alive - mark, "beats");
await worker.close(true);
await Promise.all([queue.close(), busy.close()]);
process.exit(0);
