// How the pages do with a store that is full: first rows, a filter, and frames while events flow.   JOBS=1000000 node million.mjs
// Every figure is of this machine and said with it; a trace of Chromium's own says how long its frames were.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { Browser, isLive } from "./browser.mjs";
import { Product, until } from "./product.mjs";

const jobs = Number(process.env.JOBS ?? 1_000_000), perSecond = Number(process.env.EVENTS ?? 1000), seconds = Number(process.env.SECONDS ?? 10);
const product = await Product.start("--pool", "default=200"), browser = await Browser.open();
const queues = Array.from({ length: 40 }, (_, i) => `queue-${i}`), median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function fill() {
  const began = Date.now();
  let sent = 0;
  const sender = async () => {
    while (sent < jobs) {
      const at = sent, n = Math.min(1000, jobs - at);
      sent += n;
      const { status, body } = await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: n }, (_, i) => ({ kind: "noop", queue: queues[(at + i) % 40], tags: [`customer-${(at + i) % 997}`], delay_s: 86_400 })) });
      if (status !== 201 && status !== 200) throw new Error(JSON.stringify(body));
    }
  };
  await Promise.all(Array.from({ length: 4 }, sender));
  console.log(`${jobs} jobs in the store after ${Math.round((Date.now() - began) / 1000)} s`);
}

/** From a press of the key to the first row that fits, as the page itself sees it. */
async function rows(page, act, fits) {
  await page.evaluate((wanted) => {
    window.rowsAfter = new Promise((seen) => {
      const began = performance.now();
      const look = () => {
        const row = document.querySelector("tr[data-job]");
        if (row && new RegExp(wanted).test(row.textContent) && new RegExp(wanted).test(location.search + row.textContent)) requestAnimationFrame(() => seen(performance.now() - began)); else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
  }, fits);
  await act();
  return await page.evaluate(() => window.rowsAfter);
}

async function reads(page) {
  const first = [], filtered = [];
  for (let i = 0; i < 9; i += 1) {
    await page.goto(`${product.url}/settings`);
    await page.locator("main td").first().waitFor();
    first.push(await rows(page, async () => { await page.keyboard.press("g"); await page.keyboard.press("j"); }, "queue-"));
    const filter = page.getByRole("combobox", { name: "Add a filter" });
    await filter.fill(`queue:queue-${i + 3}`);
    filtered.push(await rows(page, () => page.keyboard.press("Enter"), `queue-${i + 3}(?!\\d)`));
    await page.goto(`${product.url}/jobs`);
    await page.locator("tr[data-job]").first().waitFor();
    await filter.fill(`tag:customer-${i + 11}`);
    filtered.push(await rows(page, () => page.keyboard.press("Enter"), "."));
  }
  console.log(`first rows: median ${Math.round(median(first))} ms, most ${Math.round(Math.max(...first))} ms (goal 300)`);
  console.log(`a filter:   median ${Math.round(median(filtered))} ms, most ${Math.round(Math.max(...filtered))} ms (goal 500)`);
}

/** A noop tells three events: created, started, succeeded. */
async function flow() {
  let told = 0;
  const end = Date.now() + seconds * 1000, began = Date.now(), each = Math.max(1, Math.round(perSecond / 3 / 10));
  while (Date.now() < end) {
    const { body } = await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: each }, () => ({ kind: "noop", queue: "flow" })) });
    told += 3 * (body.job_ids?.length ?? 0);
    const due = began + told / perSecond * 1000;
    if (due > Date.now()) await new Promise((next) => setTimeout(next, due - Date.now()));
  }
  return told / ((Date.now() - began) / 1000);
}

async function frames(page, path) {
  await page.goto(product.url + path);
  await page.locator("main").waitFor();
  await isLive(page);
  const client = await page.context().newCDPSession(page), trace = [];
  client.on("Tracing.dataCollected", ({ value }) => trace.push(...value));
  await page.evaluate(() => {
    window.gaps = [];
    let last = performance.now();
    const frame = (at) => { window.gaps.push(at - last); last = at; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  });
  await client.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel"] } });
  const rate = await flow(), gaps = await page.evaluate(() => window.gaps), over = new Promise((done) => client.once("Tracing.tracingComplete", done));
  await client.send("Tracing.end");
  await over;
  const main = new Set(trace.filter((one) => one.name === "thread_name" && one.args?.name === "CrRendererMain").map((one) => `${one.pid}.${one.tid}`));
  const tasks = trace.filter((one) => one.name === "RunTask" && main.has(`${one.pid}.${one.tid}`)).map((one) => (one.dur ?? 0) / 1000), long = tasks.filter((ms) => ms > 50);
  console.log(`${path}: ${Math.round(rate)} events/s for ${seconds} s: ${gaps.length} frames, ${gaps.filter((ms) => ms > 50).length} later than 50 ms, the latest ${Math.round(Math.max(...gaps.slice(1)))} ms; trace: ${tasks.length} tasks of the page, ${long.length} over 50 ms, the longest ${Math.round(Math.max(0, ...tasks))} ms`);
  mkdirSync("build", { recursive: true });
  writeFileSync(`build/console-trace${path.replace(/\W/g, "-")}.json`, JSON.stringify({ traceEvents: trace }));
}

try {
  console.log(`${cpus().length} × ${cpus()[0].model}`);
  await fill();
  const page = await browser.login(await browser.person(), product, "/settings");
  await reads(page);
  for (const path of ["/jobs", "/", "/jobs?status=running"]) await frames(page, path);
  await until(() => browser.faults.length === 0, "a page that threw nothing", 1);
} finally {
  await browser.close();
  await product.stop();
}
