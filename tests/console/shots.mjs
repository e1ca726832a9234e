// Pictures of the console on a small world that is always the same: for the README, and to be looked at.   node shots.mjs DIR
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import { Product, until } from "./product.mjs";

const dir = process.argv[2] ?? "shots";
mkdirSync(dir, { recursive: true });
const product = await Product.start("--archive", "--pool", "default=24", "--pool", "llm=12", "--pool", "media=48");
const browser = await Browser.open();
const queues = ["summaries", "imports", "reports", "media", "mail", "nightly"];

async function fill() {
  const jobs = [];
  for (let i = 0; i < 320; i += 1) jobs.push({ kind: "noop", queue: queues[i % queues.length], tags: [i % 5 === 0 ? "nightly" : "web", `customer-${i % 17}`] });
  for (let i = 0; i < 14; i += 1) jobs.push({ kind: "http", args: { url: "http://127.0.0.1:1/import" }, queue: "imports", tags: ["import"] });
  for (let i = 0; i < 12; i += 1) jobs.push({ kind: "sleep", args: { seconds: 1 }, queue: "nightly", delay_s: 3600 * (i + 1), tags: ["nightly"] });
  for (let i = 0; i < 41; i += 1) jobs.push({ kind: "sleep", args: { seconds: 3600, document: `report-${i}.pdf` }, queue: queues[i % 4], priority: i % 10, tags: [`customer-${i % 17}`] });
  const { body } = await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs });
  await until(async () => (await product.call("GET", "/api/v1/jobs/counts?group_by=status")).body.counts.succeeded >= 320, "a world that has settled", 120);
  for (const [count, reason] of [[3, "wrong prompt template"], [12, "customer asked for erasure"], [1, "stuck upstream"]])
    await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: body.job_ids.splice(0, count), reason });
  await product.call("POST", "/api/v1/webhooks", { url: "https://pager.example.org/hook", description: "tells whoever is on call", events: ["job.failed"] });
  await product.call("POST", "/api/v1/webhooks", { url: "https://crm.example.com/jobs", description: "keeps the customer's page true", events: ["job.succeeded", "job.deleted"] });
  await product.call("POST", "/api/v1/queues/mail/pause", {});
  for (const more of [{ name: "nightly report", cron: "30 2 * * mon-fri", zone: "Europe/Berlin" }, { name: "import customers", every: "15m", zone: "UTC" }, { name: "month end", cron: "0 6 1,15 * *", zone: "America/New_York", status: "DISABLED" }])
    await product.call("POST", `/api/v1/schedules/${(await product.call("POST", "/api/v1/schedules", { job: { kind: "noop", queue: "reports" }, ...more })).body.task_uuid}/run-now`, {});
  const running = (await product.call("GET", "/api/v1/jobs?status=running&page_size=30&fields=job_id")).body.jobs, failed = (await product.call("GET", "/api/v1/jobs?status=failed&page_size=1&fields=job_id")).body.jobs;
  return { running: running[running.length - 1].job_id, failed: failed[0].job_id };
}

const world = await fill();
const shot = async (page, name) => { await page.waitForLoadState("networkidle", { timeout: 2000 }).catch(() => undefined); await page.screenshot({ path: join(dir, `${name}.png`) }); console.log(name); };

async function pages(theme, width, height) {
  const page = await browser.person({ width, height, choices: { theme, zone: "utc" } }), at = `${theme}-${width}`;
  await page.goto(product.url);
  await page.getByLabel("Token").waitFor();
  await shot(page, `login-${at}`);
  await browser.login(page, product);
  for (const [name, path, ready] of [
    ["overview", "/", ".tiles"], ["jobs", "/jobs", "tr[data-job]"], ["jobs-none", "/jobs?q=queue:none", ".empty"], ["job", `/jobs/${world.running}`, ".timeline li"], ["job-failed", `/jobs/${world.failed}`, ".alert.bad"],
    ["deletions", "/deletions", "main td"], ["schedules", "/schedules", "main td"], ["archive", "/archive", "main td"], ["retention", "/archive?view=retention", "main td"], ["alerts", "/alerts", "main .card"], ["queues", "/queues", "main td"], ["pools", "/pools", "main td"], ["webhooks", "/webhooks", "main td"], ["audit", "/audit", "main td"], ["settings", "/settings", "main td"], ["missing", "/nowhere", ".empty"]]) {
    await page.goto(product.url + path);
    await page.locator(ready).first().waitFor();
    await shot(page, `${name}-${at}`);
  }
  await page.goto(`${product.url}/jobs?status=running`);
  for (let i = 0; i < 3; i += 1) await page.locator("tr[data-job]").nth(i).getByRole("checkbox").check();
  await shot(page, `selected-${at}`);
  await page.getByRole("button", { name: "Delete 3…" }).click();
  await page.locator("dialog .facts").waitFor();
  await page.getByLabel("Reason").fill("wrong prompt template");
  await shot(page, `delete-${at}`);
  await page.getByRole("button", { name: "Delete 3 jobs" }).click();
  await page.getByRole("button", { name: "Check it" }).click();
  await page.locator("dialog .alert").waitFor();
  await shot(page, `receipt-${at}`);
  await page.getByRole("button", { name: "Done" }).click();
  await page.keyboard.press("?");
  await page.locator("dialog[open]").waitFor();
  await shot(page, `keys-${at}`);
  await page.context().close();
}

for (const [theme, width, height] of [["light", 1440, 900], ["dark", 1440, 900], ["light", 320, 800], ["contrast", 1440, 900]]) await pages(theme, width, height);
await browser.close();
await product.stop();
