// The pictures of the console, on the demo's world with its clock stopped: the 48 states that are looked at, and the three of the
// README in light and dark.   node shots.mjs DIR [README_DIR]
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import { Demo, Product } from "./product.mjs";

const dir = process.argv[2] ?? "shots", readme = process.argv[3];
mkdirSync(dir, { recursive: true });
const [demo, bare, browser] = await Promise.all([Demo.start("--seed", "7", "--frozen"), Product.start(), Browser.open()]);
const moment = new Date("2026-12-01T10:00:00Z"), get = async (path) => (await demo.call("GET", `/api/v1/${path}`)).body;
const jobs = async (query) => (await get(`jobs?fields=job_id&${query}`)).jobs.map((job) => job.job_id);
let taken = 0;

async function person(theme, { width = 1440, height = 900, at = demo, choices = {} } = {}) {
  const page = await browser.person({ width, height, choices: { theme, zone: "utc", ...choices } });
  await page.clock.setFixedTime(moment);
  if (at) await browser.login(page, at, "/", at.token);
  return page;
}

async function shot(page, name, into = dir) {
  await page.waitForLoadState("networkidle", { timeout: 1500 }).catch(() => undefined);
  await page.evaluate(() => document.fonts.ready);
  const path = join(into, `${name}.png`);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  taken += 1;
  console.log(`${name}  ${Math.round(statSync(path).size / 1024)} KiB`);
}

const visit = async (page, path, ready, at = demo) => { await page.goto(at.url + path); await page.locator(ready).first().waitFor(); };
const one = async (query) => (await jobs(`page_size=1&${query}`))[0];
async function withPartials() {
  let best = null, most = -1;
  for (const id of await jobs("status=running&queue=summaries&page_size=20")) {
    const n = (await get(`jobs/${id}/partials`)).partial_results.length;
    if (n > most) [best, most] = [id, n];
  }
  return best;
}
const ids = {
  running: await one("status=running&queue=media"), partial: await withPartials(), failed: await one("status=failed&queue=imports"),
  delete: (await get("deletions?page_size=50")).deletions.find((call) => call.reason === "wrong prompt template").delete_id,
};

const pages = [
  ["overview", "/", ".tiles"], ["jobs", "/jobs", "tr[data-job]"], ["job", `/jobs/${ids.running}`, ".timeline li"], ["deletions", "/deletions", "main td"], ["operations", "/operations", "main td"], ["schedules", "/schedules", "main td"],
  ["queues", "/queues", "main td"], ["pools", "/pools", "main td"], ["webhooks", "/webhooks", "main td"], ["archive", "/archive", "main td"], ["audit", "/audit", "main td"], ["alerts", "/alerts", "main .card"],
];
for (const theme of ["light", "dark"]) {
  const page = await person(theme);
  for (const [name, path, ready] of pages) { await visit(page, path, ready); await shot(page, `${name}-${theme}`); }
  await page.context().close();
}

async function listStates(page) {
  await visit(page, "/jobs?q=queue:none", ".empty");
  await shot(page, "jobs-filtered-to-none");
  await visit(page, "/jobs", "tr[data-job]");
  for (let i = 0; i < 37; i += 1) await page.locator("tr[data-job]").nth(i).getByRole("checkbox").check();
  await shot(page, "jobs-37-selected");
  await page.getByLabel("Select this page").check();
  await page.evaluate(() => scrollTo(0, 0));
  await shot(page, "jobs-select-all");
  await page.route("**/api/v1/jobs?*", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ type: "about:blank", title: "The store cannot be reached.", status: 503, code: "store-unavailable", detail: "The store cannot be reached. Nothing was changed.", retryable: true, request_id: "0198c2c0-3f1a-7c5e-9d40-5b1f2a6c8e01" }) }));
  await visit(page, "/jobs?status=failed", "[role=alert]");
  await shot(page, "jobs-error");
  await page.unrouteAll();
  await page.route("**/api/v1/jobs?*", () => new Promise(() => undefined));
  await visit(page, "/jobs?status=succeeded", ".skeleton, [aria-busy=true]");
  await shot(page, "jobs-loading");
  await page.unrouteAll({ behavior: "ignoreErrors" });
}

const openDelete = async (page) => { await page.getByRole("button", { name: /^Delete/ }).first().click(); await page.locator("dialog .facts").first().waitFor(); };

async function dialogs(page) {
  await visit(page, `/jobs/${ids.running}`, ".timeline li");
  await openDelete(page);
  await shot(page, "delete-single");
  await page.getByLabel("Reason").fill("wrong source file");
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.locator("dialog .steps li.is-now").waitFor();
  await shot(page, "delete-steps");
  await visit(page, "/jobs?q=queue:imports", "tr[data-job]");
  for (let i = 0; i < 12; i += 1) await page.locator("tr[data-job]").nth(i).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Delete 12…" }).click();
  await page.locator("dialog .facts").first().waitFor();
  await page.getByLabel("Reason").fill("wrong source file");
  await shot(page, "delete-selected");
  await page.getByRole("button", { name: "Delete 12 jobs" }).click();
  await page.locator("dialog .steps").waitFor();
  await page.waitForTimeout(3500);  // what has not answered by then is named
  await shot(page, "delete-pending");
  await visit(page, "/jobs?q=queue:mail&status=succeeded", "tr[data-job]");
  await page.getByLabel("Select this page").check();
  await page.getByRole("button", { name: "Select all that match" }).click();
  await page.locator("dialog .sample").waitFor();
  await page.getByLabel("Reason").fill("the invoices were wrong");
  await shot(page, "delete-filter");
  await page.keyboard.press("Escape");
  await visit(page, "/jobs?q=queue:default&status=succeeded", "tr[data-job]");
  for (let i = 0; i < 5; i += 1) await page.locator("tr[data-job]").nth(i).getByRole("checkbox").check();
  const held = { type: "about:blank", title: "The delete waits for an approval.", status: 409, code: "deletion-hold", detail: "One delete of 130 jobs, more than 100: it waits until somebody approves it.", retryable: false };
  await page.route("**/api/v1/jobs/bulk-delete", (route) => JSON.parse(route.request().postData()).dry_run || JSON.parse(route.request().postData()).validate_only ? route.continue() : route.fulfill({ status: 409, contentType: "application/problem+json", body: JSON.stringify(held) }));
  await page.getByRole("button", { name: "Delete 5…" }).click();
  await page.locator("dialog .facts").first().waitFor();
  await page.getByRole("button", { name: "Delete 5 jobs" }).click();
  await page.locator("dialog [role=alert]").waitFor();
  await shot(page, "delete-hold");
  await page.unrouteAll();
  await page.getByRole("button", { name: /Close|Keep|Cancel/ }).first().click();
  await page.getByRole("button", { name: "Delete 5…" }).click();
  await page.locator("dialog .facts").first().waitFor();
  await page.getByLabel("Reason").fill("wrong month");
  await page.getByRole("button", { name: "Delete 5 jobs" }).click();
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The signature holds.").waitFor();
  await shot(page, "delete-done");
}

async function others(page) {
  await visit(page, `/deletions/${ids.delete}`, ".steps");
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The signature holds.").waitFor();
  await shot(page, "receipt");
  await visit(page, `/jobs/${ids.partial}?view=partials`, ".stream");
  await shot(page, "job-partial-results");
  await visit(page, `/jobs/${ids.failed}`, ".alert.bad");
  await shot(page, "job-failed");
  await visit(page, "/nowhere", ".empty");
  await shot(page, "missing");
  await visit(page, "/jobs", "tr[data-job]");
  await page.keyboard.press("?");
  await page.locator("dialog[open]").waitFor();
  await shot(page, "keys");
  await page.keyboard.press("Escape");
  await page.context().setOffline(true);
  await page.keyboard.press("r");
  await page.getByText("The server cannot be reached since").waitFor();
  await shot(page, "offline");
  await page.context().setOffline(false);
}

const login = await person("light", { at: null });
await visit(login, "/", "form.login, .login form");
await shot(login, "login");
await login.context().close();
const empty = await person("light", { at: bare });
await visit(empty, "/jobs", ".first, .empty", bare);
await shot(empty, "jobs-empty");
await empty.context().close();
const wide = await person("light", { choices: { columns: ["kind", "queue", "status", "progress", "note", "age", "took", "worker", "attempt", "priority", "tags", "project"] } });
await visit(wide, "/jobs", "tr[data-job]");
await shot(wide, "jobs-many-columns");
await wide.context().close();
const contrast = await person("contrast");
await visit(contrast, "/jobs?status=running", "tr[data-job]");
await contrast.locator("tr[data-job]").first().getByRole("checkbox").check();
await shot(contrast, "high-contrast");
await contrast.context().close();

async function forReadme(theme) {
  mkdirSync(readme, { recursive: true });
  const page = await person(theme, { width: 1060, height: 660 });
  await visit(page, "/", ".tiles");
  await shot(page, `overview-${theme}`, readme);
  await visit(page, "/jobs?status=running", "tr[data-job]");
  for (let i = 0; i < 3; i += 1) await page.locator("tr[data-job]").nth(i).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Delete 3…" }).click();
  await page.locator("dialog .facts").first().waitFor();
  await page.getByLabel("Reason").fill("wrong prompt template");
  await shot(page, `delete-${theme}`, readme);
  await page.keyboard.press("Escape");
  await visit(page, `/deletions/${ids.delete}`, ".steps");
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The signature holds.").waitFor();
  await shot(page, `receipt-${theme}`, readme);
  await page.context().close();
}
if (readme) for (const theme of ["light", "dark"]) await forReadme(theme);

const phone = await person("light", { width: 320, height: 800 });
await visit(phone, "/jobs?status=running", "tr[data-job]");
await shot(phone, "mobile-jobs");
await phone.locator("tr[data-job]").first().getByRole("checkbox").check();
await phone.getByRole("button", { name: "Delete 1…" }).click();
await phone.locator("dialog .facts").first().waitFor();
await shot(phone, "mobile-dialog");
await phone.context().close();

const page = await person("light");
await others(page);
await listStates(page);
await page.context().close();
const last = await person("light");
await dialogs(last);
await last.context().close();
console.log(`${taken} pictures in ${dir}`);
await browser.close();
await Promise.all([demo.stop(), bare.stop()]);
