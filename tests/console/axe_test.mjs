// axe on every page with its dialogs open, and how many scans that were. In short, one theme at one size; AXE=all has each theme
// at each size, and high contrast.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, isWide } from "./browser.mjs";
import { Product, until } from "./product.mjs";

let product, browser, ids = {};
before(async () => {
  [product, browser] = await Promise.all([Product.start("--pool", "default=20", "--archive", "--spike-jobs", "2"), Browser.open()]);
  ids.running = await product.running({ tags: ["nightly", "a longer tag"] });
  ids.failed = await product.submit({ kind: "http", args: { url: "http://127.0.0.1:1/" } });
  ids.done = await product.submit({ kind: "noop" });
  ids.later = await product.submit({ kind: "noop", delay_s: 3600 });
  await until(async () => (await product.call("GET", `/api/v1/jobs/${ids.failed}`)).body.status === "failed", "a failed job");
  ids.gone = await product.running();
  ids.delete = (await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: [ids.gone], reason: "for the scan" })).body.delete_id;
  ids.hook = (await product.call("POST", "/api/v1/webhooks", { url: "https://example.org/hook", description: "a pager", events: ["job.failed"] })).body.webhook_id;
  await product.call("POST", `/api/v1/webhooks/${ids.hook}/test`);
  const jobs = Array.from({ length: 60 }, () => ({ kind: "noop", queue: "filtered", delay_s: 3600 })), { body: preview } = (await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs }), await product.call("POST", "/api/v1/jobs/delete-preview", { filter: "queue=filtered" }));
  ids.operation = (await product.call("POST", "/api/v1/jobs/delete-by-filter", { filter: "queue=filtered", confirm_token: preview.confirm_token, expected_count: 60, reason: "for the scan", confirm: true })).body.operation_id;
  await until(async () => (await product.call("GET", `/api/v1/operations/${ids.operation}`)).body.state === "done", "an operation that is done");
  await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs: jobs.map((job) => ({ ...job, queue: "again" })) });
  for (const more of [{ cron: "30 2 * * mon-fri" }, { every: "2h", status: "DISABLED" }]) ids.schedule = (await product.call("POST", "/api/v1/schedules", { name: "nightly report", group: "reports", zone: "Europe/Berlin", job: { kind: "noop" }, ...more })).body.task_uuid;
  await product.call("POST", `/api/v1/schedules/${ids.schedule}/run-now`, {});
});
after(async () => { await browser?.close(); await product?.stop(); });

const open = async (page, name) => { await page.getByRole("button", { name }).first().click(); await page.locator("dialog[open]").waitFor(); };
const states = [
  ["/", ".tiles"], ["/jobs", "tr[data-job]"], ["/jobs?status=cancelled", ".empty"], ["/jobs?q=colour:red", "[role=alert]"], [() => `/jobs/${ids.running}`, ".timeline li"], [() => `/jobs/${ids.failed}`, ".alert.bad"], [() => `/jobs/${ids.done}?view=json`, "pre.code"],
  [() => `/jobs/${ids.running}?view=logs`, ".empty, .log"], [() => `/jobs/${ids.gone}`, ".facts"], ["/queues", "main td"], ["/pools", "main td"], ["/deletions", "main td"], ["/deletions?view=failed", ".empty"], [() => `/deletions/${ids.delete}`, ".steps"],
  [() => `/trace?id=${ids.gone}`, ".facts"], ["/trace", ".empty"], ["/webhooks", "main td"], [() => `/webhooks/${ids.hook}`, "main td"], ["/audit", "main td"], ["/settings", "main td"], ["/nowhere", ".empty"],
  ["/schedules", "main td"], ["/schedules?status=DELETE_FAILED", ".empty"], [() => `/schedules/${ids.schedule}`, "main td"], ["/archive", "main td"], ["/archive?q=queue:none", ".empty"], ["/archive?view=retention", "main td"], [() => `/archive/${ids.gone}`, "pre.code"], ["/operations", "main td"], [() => `/operations/${ids.operation}`, "main td"], ["/alerts", "main .card"],
  ["/jobs", "tr[data-job]", "a selection", async (page) => { await page.getByRole("checkbox", { name: /^Select job/ }).first().check(); await page.locator(".actions").waitFor(); }],
  [() => `/jobs/${ids.running}`, ".timeline li", "the delete dialog", async (page) => { await open(page, "Delete…"); await page.locator("dialog .facts").waitFor(); }],
  ["/jobs", "tr[data-job]", "a new job", (page) => open(page, "New job")],
  ["/jobs", "tr[data-job]", "the keys", async (page) => { await page.keyboard.press("?"); await page.locator("dialog[open]").waitFor(); }],
  ["/jobs", "tr[data-job]", "the palette", async (page) => { await page.keyboard.press("Control+k"); await page.locator("dialog[open]").waitFor(); }],
  ["/jobs", "tr[data-job]", "a menu", async (page) => { await page.getByRole("button", { name: "Columns" }).click(); await page.locator(".pop:visible").first().waitFor(); }],
  ["/settings", "main td", "a new token", (page) => open(page, "New token")], ["/webhooks", "main td", "a new endpoint", (page) => open(page, "New endpoint")],
  ["/schedules", "main td", "a new schedule", (page) => open(page, "New schedule")], ["/schedules", "main td", "deleting a schedule", (page) => open(page, "Delete…")], ["/alerts", "main .card", "an alert seen", (page) => open(page, "I have seen it")],
  ["/archive", "main td", "bringing back", async (page) => { await page.getByRole("checkbox", { name: /^Select job/ }).first().check(); await open(page, /^Bring 1 job back/); }], [() => `/deletions/${ids.delete}`, ".steps", "an undo", (page) => open(page, "Undo…")],
  ["/jobs?q=queue:again", "tr[data-job]", "a delete by filter", async (page) => { await page.getByLabel("Select this page").check(); await open(page, "Select all that match"); await page.locator("dialog .sample").waitFor(); }],
];

const looks = [["light", 1440, 900], ["light", 320, 800], ["dark", 1440, 900], ["dark", 320, 800]], isAll = process.env.AXE === "all";
for (const [theme, width, height] of isAll ? looks : looks.slice(0, 1))
  test(`axe finds nothing on any page, ${theme}, ${width}×${height}`, async () => {
    const page = await browser.login(await browser.person({ width, height, choices: { theme } }), product), found = [];
    for (const [path, ready, state = "", enter = async () => undefined] of states) {
      const at = typeof path === "function" ? path() : path;
      await page.goto(product.url + at);
      await page.locator(ready).first().waitFor();
      await enter(page);
      found.push(...await browser.axe(page, `${at} ${state}`));
      if (await isWide(page)) found.push(`${at} ${state}: scrolls sideways`);
    }
    assert.deepEqual(found, []);
    await page.context().close();
  });

if (isAll) test("axe finds nothing in high contrast", async () => {
  const page = await browser.login(await browser.person({ choices: { theme: "contrast" } }), product), found = [];
  for (const [path, ready] of states.filter(([, , state]) => state === undefined)) {
    const at = typeof path === "function" ? path() : path;
    await page.goto(product.url + at);
    await page.locator(ready).first().waitFor();
    found.push(...await browser.axe(page, at));
  }
  assert.deepEqual(found, []);
  await page.context().close();
});

test("axe finds nothing on the page to log in", async () => {
  const page = await browser.person(), found = [];
  await page.goto(product.url);
  await page.getByLabel("Token").waitFor();
  found.push(...await browser.axe(page, "login"));
  assert.deepEqual(found, []);
  await page.context().close();
});

test("the scans are counted, and nothing broke the policy", () => {
  console.log(`axe: ${browser.scans} scans, 0 violations where the tests above passed`);
  assert.deepEqual(browser.faults, []);
});
