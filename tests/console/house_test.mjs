// Backups, snapshots and the long trace, against a server that keeps all three.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Browser, isWide } from "./browser.mjs";
import { Product, until } from "./product.mjs";

const dir = mkdtempSync(join(tmpdir(), "quell-backups-"));
let product, browser, page;
before(async () => {
  [product, browser] = await Promise.all([Product.start("--archive", "--sentinel-every-s", "1", "--backup-dir", dir, "--backup-every-s", "0"), Browser.open()]);
  page = await browser.login(await browser.person(), product);
});
after(async () => { await browser?.close(); await product?.stop(); rmSync(dir, { recursive: true, force: true }); });

test("a backup is made from the page, and stands in the list with its digest", async () => {
  await product.submit({ kind: "noop", delay_s: 3600 });
  await page.goto(`${product.url}/backups`);
  await page.getByRole("heading", { name: "No backup yet" }).waitFor();
  await page.getByRole("button", { name: "Back up now" }).click();
  await page.getByRole("button", { name: "Back up", exact: true }).click();
  await page.locator("tbody tr", { hasText: "kept for ever" }).waitFor();
  const made = (await product.call("GET", "/api/v1/backups")).body;
  assert.deepEqual(made.backups.map((one) => one.name), readdirSync(dir).filter((name) => name.endsWith(".backup")));
  await page.getByText(made.last.digest).waitFor();
  assert.equal(await isWide(page), false);
});

test("two snapshots are compared, and what came between them is told", async () => {
  const list = async () => (await product.call("GET", "/api/v1/snapshots?limit=100")).body.snapshots;
  const first = await until(async () => (await list())[0], "a snapshot", 60);
  await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: 5 }, () => ({ kind: "noop", queue: "between", delay_s: 3600 })) });
  const last = await until(async () => (await list()).find((one) => one.jobs === first.jobs + 5), "a snapshot with five more", 60);
  await page.goto(`${product.url}/snapshots`);
  await page.locator("tbody tr").getByText("nothing lost").first().waitFor();
  await page.goto(`${product.url}/snapshots?from=${first.snapshot}&to=${last.snapshot}`);
  const row = page.locator("tr", { hasText: "between" });
  await row.waitFor();
  assert.deepEqual(await row.locator("td.num").allTextContents(), ["0", "5"]);
  assert.equal(await page.getByText("went without a delete").count(), 0);
});

test("the trace of a job that was deleted tells its whole life, and its receipt holds", async () => {
  const id = await product.running();
  await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: [id], reason: "wrong template" });
  await page.goto(`${product.url}/trace?id=${id}`);
  await page.locator(".trace-card .facts", { hasText: "wrong template" }).waitFor();
  await page.locator(".timeline li", { hasText: "Submitted" }).waitFor();
  await page.locator(".timeline li.is-del", { hasText: "the run was stopped" }).waitFor();
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The signature holds.").waitFor();
  await page.getByRole("link", { name: "Look at the copy" }).click();
  await page.getByText("this copy is kept until").waitFor();
});

test("in all of this no page broke its policy, and none threw", () => {
  assert.deepEqual(browser.faults, []);
});
