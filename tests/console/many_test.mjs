// The size that the trackers ask for: 12,408 jobs by filter, the tab closed and opened again in the middle, undone from Archive.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser } from "./browser.mjs";
import { Product } from "./product.mjs";

const total = 12_408, figure = "12,408";
let product, browser;
before(async () => { [product, browser] = await Promise.all([Product.start("--pool", "default=20", "--archive"), Browser.open()]); });
after(async () => { await browser?.close(); await product?.stop(); });

const counted = async () => Object.values((await product.call("GET", "/api/v1/jobs/counts?group_by=status")).body.counts).reduce((sum, n) => sum + n, 0);

test(`${figure} jobs are deleted by filter from the page, the tab closed and opened in the middle, and undone from Archive`, async () => {
  for (let left = total; left > 0; left -= 1000)
    assert.equal((await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: Math.min(1000, left) }, (_, i) => ({ kind: "noop", queue: "all", args: { n: left - i }, delay_s: 3600 })) })).status, 201);
  await product.submit({ kind: "noop", queue: "other", delay_s: 3600 });
  const page = await browser.login(await browser.person(), product, "/jobs?q=queue:all");
  await page.locator("tr[data-job]").nth(49).waitFor();
  await page.getByLabel("Select this page").check();
  await page.getByRole("button", { name: "Select all that match" }).click();
  await page.getByRole("heading", { name: `Delete ${figure} jobs?` }).waitFor();
  await page.getByLabel("type the number").fill(String(total));
  await page.getByLabel("Reason").fill("the whole queue");
  const began = Date.now();
  await page.getByRole("button", { name: `Delete ${figure} jobs` }).click();
  await page.locator(".job-head").waitFor();
  const address = page.url(), context = page.context();
  await page.close();
  assert.ok(await counted() > 1, "the tab was closed in the middle");
  const again = await context.newPage();
  browser.watch(again);
  await again.goto(address);
  await again.getByText(`${figure} of ${figure}`).waitFor({ timeout: 120_000 });
  await again.locator(".job-head .st.ok").waitFor();
  const took = Date.now() - began;
  assert.equal(await counted(), 1, "what did not match is there, and nothing else");
  await again.getByRole("button", { name: "Check it" }).click();
  await again.getByText("The signature holds.").waitFor();
  await again.goto(`${product.url}/archive`);
  await again.locator("tr[data-copy]").first().waitFor();
  const undone = Date.now();
  await again.locator("tr[data-copy]").first().locator("td[data-label=Delete] a").click();
  await again.getByRole("button", { name: "Undo this delete…" }).click();
  await again.getByRole("button", { name: "Undo the delete" }).click();
  await again.getByRole("heading", { name: `${figure} jobs are back` }).waitFor({ timeout: 120_000 });
  assert.equal(await counted(), total + 1);
  console.log(`${figure} jobs: deleted in ${took} ms, undone in ${Date.now() - undone} ms on this machine`);
  await context.close();
});

test("in all of this no page broke its policy, and none threw", () => {
  assert.deepEqual(browser.faults, []);
});
