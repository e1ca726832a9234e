// Deletes by filter with exact totals, copies and undo, and a delete that waits for an approval; in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, isLive, isWide, rowOf } from "./browser.mjs";
import { Product, until } from "./product.mjs";

let product, browser;
before(async () => { [product, browser] = await Promise.all([Product.start("--pool", "default=20", "--archive", "--retention-queue", "secret:archive=0"), Browser.open()]); });
after(async () => { await browser?.close(); await product?.stop(); });

const open = async (path, more = {}, token = product.token, at = product) => await browser.login(await browser.person(more), at, path, token);
const many = async (n, job, at = product) => { const { body } = await at.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: n }, () => job) }); return body.job_ids; };
const total = async (queue, at = product) => (await at.call("GET", `/api/v1/jobs?queue=${queue}&page_size=1000&fields=job_id`)).body.jobs.length;

test("300 jobs are deleted by filter from a preview, with exact totals, and undone", async () => {
  await many(300, { kind: "sleep", args: { seconds: 3600 }, queue: "three", delay_s: 3600 });
  await many(5, { kind: "noop", queue: "other", delay_s: 3600 });
  const page = await open("/jobs?q=queue:three");
  await page.locator("tr[data-job]").nth(49).waitFor();
  await page.getByLabel("Select this page").check();
  await page.getByRole("button", { name: "Select all that match" }).click();
  await page.getByRole("heading", { name: "Delete 300 jobs?" }).waitFor();
  assert.equal(await page.locator("dialog .sample li").count(), 100);
  await page.getByText("A copy is kept until").waitFor();
  const act = page.getByRole("button", { name: "Delete 300 jobs" });
  await page.getByLabel("type the number").fill("299");
  assert.ok(await act.isDisabled(), "another number does nothing");
  await page.getByLabel("type the number").fill("300");
  assert.ok(await act.isDisabled(), "a reason is asked for");
  await page.getByLabel("Reason").fill("wrong template");
  await act.click();
  await page.locator(".job-head .st.ok").waitFor();
  await page.getByText("300 of 300").waitFor();
  await page.getByRole("heading", { name: "Outcomes" }).waitFor();
  assert.equal(await total("three"), 0);
  assert.equal(await total("other"), 5);
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The signature holds.").waitFor();
  await page.locator(".facts a.mono").click();
  await page.getByRole("button", { name: "Undo…" }).click();
  await page.getByRole("button", { name: "Undo the delete" }).click();
  await page.getByRole("heading", { name: "300 jobs are back" }).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  assert.equal(await total("three"), 300);
  await page.context().close();
});

test("more jobs than the preview has counted are refused, and a new preview is offered", async () => {
  await many(60, { kind: "noop", queue: "stale", delay_s: 3600 });
  const page = await open("/jobs?q=queue:stale");
  await page.locator("tr[data-job]").nth(49).waitFor();
  await page.getByLabel("Select this page").check();
  await page.route("**/delete-by-filter", async (route) => { await route.fulfill({ status: 409, contentType: "application/problem+json", body: JSON.stringify({ type: "about:blank", title: "More jobs match than the preview has counted.", status: 409, code: "preview-stale", retryable: false }) }); });
  await page.getByRole("button", { name: "Select all that match" }).click();
  await page.getByLabel("Reason").fill("x");
  await page.getByLabel("type the number").fill("60");
  await page.getByRole("button", { name: "Delete 60 jobs" }).click();
  await page.locator("dialog [role=alert]").waitFor();
  await page.unroute("**/delete-by-filter");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("dialog [role=alert]").waitFor({ state: "detached" });
  await page.getByLabel("type the number").fill("60");
  await page.getByRole("button", { name: "Delete 60 jobs" }).click();
  await page.getByText("60 of 60").waitFor();
  assert.equal(await total("stale"), 0);
  await page.context().close();
});

test("a delete is undone from its receipt, and the job is back in the list", async () => {
  const id = await product.submit({ kind: "noop", queue: "back", args: { keep: "me" }, delay_s: 3600 }), page = await open(`/jobs/${id}`);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByText("until then it can be undone").waitFor();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  await page.getByRole("button", { name: "Undo…" }).click();
  await page.getByRole("button", { name: "Undo the delete" }).click();
  await page.getByRole("heading", { name: "1 job is back" }).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.goto(`${product.url}/jobs?q=queue:back`);
  await rowOf(page, id).getByText("scheduled").waitFor();
  assert.deepEqual((await product.call("GET", `/api/v1/jobs/${id}`)).body.args, { keep: "me" });
  await page.context().close();
});

test("what ran comes back cancelled, or queued when it is asked for", async () => {
  const ids = [await product.running({ queue: "ran" }), await product.running({ queue: "ran" })];
  for (const id of ids) await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: [id] });
  const page = await open("/archive?q=queue:ran");
  for (const [id, again] of [[ids[0], false], [ids[1], true]]) {
    await page.locator(`tr[data-copy="${id}"]`).getByRole("checkbox").check();
    await page.getByRole("button", { name: "Bring 1 job back…" }).click();
    if (again) await page.getByLabel("Queue again what was running").check();
    await page.getByRole("button", { name: "Bring 1 job back", exact: true }).click();
    await page.getByRole("heading", { name: "1 job is back" }).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.locator(`tr[data-copy="${id}"]`).waitFor({ state: "detached" });
  }
  assert.equal((await product.call("GET", `/api/v1/jobs/${ids[0]}`)).body.status, "cancelled");
  assert.ok(["queued", "running"].includes((await product.call("GET", `/api/v1/jobs/${ids[1]}`)).body.status));
  await page.context().close();
});

test("a copy is looked at before it is brought back", async () => {
  const id = await product.submit({ kind: "noop", queue: "look", args: { note: "<script>alert(1)</script>" }, delay_s: 3600 });
  await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: [id], reason: "to look" });
  const page = await open("/archive");
  await isLive(page);
  await page.locator(`tr[data-copy="${id}"]`).getByRole("link").first().click();
  await page.getByText("this copy is kept until").waitFor();
  await page.locator("pre.code", { hasText: "<script>" }).waitFor();
  await page.getByRole("button", { name: "Bring it back…" }).click();
  await page.getByRole("button", { name: "Bring 1 job back" }).click();
  await page.getByRole("heading", { name: "1 job is back" }).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.locator(".job-head", { hasText: id }).getByText("scheduled").waitFor();
  await page.context().close();
});

test("a queue that keeps no copy says so before the delete, and offers no undo after it", async () => {
  const id = await product.submit({ kind: "noop", queue: "secret", delay_s: 3600 }), page = await open(`/jobs/${id}`);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByText("No copy is kept. This cannot be undone.").waitFor();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Undo…" }).count(), 0);
  await page.context().close();
});

test("retention says how long things are kept, by queue, and what goes when", async () => {
  const page = await open("/archive?view=retention", { width: 320, height: 800 });
  await page.getByRole("heading", { name: "How long things are kept" }).waitFor();
  await page.locator("tr", { hasText: "secret" }).getByText("none").waitFor();
  await page.getByText("Copies of deleted jobs").waitFor();
  assert.equal(await isWide(page), false);
  await page.context().close();
});

test("a delete that waits is approved on the page of alerts, and made", async () => {
  const guarded = await Product.start("--spike-hold", "--spike-jobs", "2", "--spike-calls", "1000", "--spike-share-percent", "100");
  try {
    const ids = await many(3, { kind: "noop", queue: "held", delay_s: 3600 }, guarded), page = await open("/jobs?q=queue:held", {}, guarded.token, guarded);
    await page.getByLabel("Select this page").check();
    await page.getByRole("button", { name: "Delete 3…" }).click();
    await page.getByRole("button", { name: "Delete 3 jobs" }).click();
    await page.locator("dialog [role=alert]").waitFor();
    assert.equal(await total("held", guarded), ids.length, "nothing was deleted");
    await page.goto(guarded.url);
    await page.getByText("It waits for an approval.").waitFor();
    await page.getByRole("link", { name: "Look" }).click();
    await page.getByText("holds a delete").waitFor();
    await page.getByRole("button", { name: "Approve the delete…" }).click();
    await page.getByRole("button", { name: "Approve the delete", exact: true }).click();
    await until(async () => await total("held", guarded) === 0, "the delete that was approved");
    await page.goto(`${guarded.url}/alerts`);
    await page.getByText("Approved by").waitFor();
    await page.context().close();
  } finally {
    await guarded.stop();
  }
});

test("an operation is paused, goes on, and can be stopped from its page", async () => {
  await many(200, { kind: "noop", queue: "slow", delay_s: 3600 });
  const preview = (await product.call("POST", "/api/v1/jobs/delete-preview", { filter: "queue=slow" })).body;
  const { body: made } = await product.call("POST", "/api/v1/jobs/delete-by-filter", { filter: "queue=slow", confirm_token: preview.confirm_token, expected_count: 200, reason: "slowly", confirm: true, max_per_second: 5 });
  const page = await open(`/operations/${made.operation_id}`);
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("button", { name: "Pause it" }).click();
  await page.locator(".job-head").getByText("paused").waitFor();
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await page.getByRole("button", { name: "Resume it" }).click();
  await page.locator(".job-head").getByText("running").waitFor();
  await page.getByRole("button", { name: "Stop…" }).click();
  await page.getByRole("button", { name: "Stop it" }).click();
  await page.locator(".job-head").getByText("stopped").waitFor();
  assert.ok(await total("slow") > 0, "what was not its turn is still there");
  await page.context().close();
});
