// What the console says and does when an answer is old, is cut or does not come: nothing is deleted that nobody asked for, and
// nothing is said to be done that nobody knows of.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, isLive, rowOf } from "./browser.mjs";
import { Product, until } from "./product.mjs";

let product, browser;
before(async () => { [product, browser] = await Promise.all([Product.start("--pool", "default=20", "--archive"), Browser.open()]); });
after(async () => { await browser?.close(); await product?.stop(); });

const open = async (path, more = {}) => await browser.login(await browser.person(more), product, path);
const later = async (queue, more = {}) => await product.submit({ kind: "noop", queue, delay_s: 3600, ...more });
const many = async (queue, n) => await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: n }, () => ({ kind: "noop", queue, delay_s: 3600 })) });
const status = async (id) => (await product.call("GET", `/api/v1/jobs/${id}`)).status;
const left = async (queue) => (await product.call("GET", `/api/v1/jobs?queue=${queue}&page_size=500`)).body.jobs.length;
const askOne = async (page) => { await page.getByRole("button", { name: "Delete…" }).click(); await page.locator("dialog .facts").waitFor(); };
const askAll = async (page) => { await page.locator("tr[data-job]").nth(49).waitFor(); await page.getByLabel("Select this page").check(); await page.getByRole("button", { name: "Select all that match" }).click(); await page.getByLabel("type the number").waitFor(); };

test("after a read that failed, “Try again” reads and deletes nothing", async () => {
  const ids = [await later("reread"), await later("reread")], page = await open("/jobs?q=queue:reread");
  await isLive(page);
  await page.getByLabel("Select this page").check();
  await page.getByRole("button", { name: "Delete 2…" }).click();
  await page.locator("dialog .facts").waitFor();
  await product.call("POST", `/api/v1/jobs/${ids[0]}/cancel`, {});
  await page.getByRole("button", { name: "Read again" }).waitFor();
  const sent = [];
  await page.route("**/api/v1/jobs/bulk-delete", (route) => {
    const { validate_only: only } = route.request().postDataJSON();
    return sent.push(only === true) === 1 ? route.abort() : route.continue();
  });
  await page.getByRole("button", { name: "Read again" }).click();
  await page.locator("dialog .alert.bad").waitFor();
  assert.ok(await page.getByRole("button", { name: "Delete 2 jobs" }).isDisabled(), "nothing is deleted by facts that could not be read");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("dialog .alert.bad").waitFor({ state: "detached" });
  assert.deepEqual(sent, [true, true], "both calls only looked");
  assert.deepEqual(await Promise.all(ids.map(status)), [200, 200]);
  await page.context().close();
});

test("the dialog that deletes by a filter says the filter that it deletes by, whatever the page behind it shows", async () => {
  await Promise.all(["words-a", "words-b"].map((queue) => many(queue, 60)));
  const page = await open("/jobs?q=queue:words-a");
  await page.locator("tr[data-job]").nth(49).waitFor();
  await page.evaluate(() => { history.pushState(null, "", "/jobs?q=queue:words-b"); dispatchEvent(new PopStateEvent("popstate")); });
  await page.locator(".chip", { hasText: "words-b" }).waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll("tr[data-job]")].some((row) => row.textContent.includes("words-b")));
  await askAll(page);
  await page.goBack();
  await page.locator(".chip", { hasText: "words-a" }).waitFor({ state: "attached" });
  await page.locator("dialog").getByText("All jobs of queue “words-b”").waitFor();
  await page.context().close();
});
