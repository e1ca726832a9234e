// The ways that must hold, in a real browser against the real server: the small set.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, isLive, isWide, rowOf } from "./browser.mjs";
import { Product, until } from "./product.mjs";

let product, browser;
before(async () => { [product, browser] = await Promise.all([Product.start("--pool", "default=20"), Browser.open()]); });
after(async () => { await browser?.close(); await product?.stop(); });

const steps = async (page) => await page.locator("dialog .steps li").evaluateAll((list) => list.map((one) => one.className));
const allDone = ["is-done", "is-done", "is-done", "is-done", "is-done"];

test("a first user submits a job, sees it run, deletes it and checks the receipt", async () => {
  const page = await browser.login(await browser.person(), product);
  await page.getByRole("heading", { name: "No job has been here yet" }).waitFor();
  await page.getByRole("button", { name: "Submit job" }).click();
  await page.locator(".job-head .st.run").waitFor();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("alertdialog").getByText("Its run is stopped").waitFor();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  assert.deepEqual(await steps(page), allDone);
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The signature holds.").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByText("Nothing of it is left").waitFor();
  await page.context().close();
});

test("a wrong token is refused with a sentence, and a session outlives a reload", async () => {
  const page = await browser.person();
  await page.goto(`${product.url}/queues`);
  await page.getByLabel("Token").fill("quell_0000000000000000_0000");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("This token is not valid.").waitFor();
  await page.getByLabel("Token").fill(product.token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Queues" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Queues" }).waitFor();
  assert.deepEqual(await page.evaluate(() => Object.values({ ...localStorage, ...sessionStorage }).filter((text) => text.includes("quell_"))), [], "nothing secret is stored");
  await page.context().close();
});

test("a running job is deleted by the keyboard alone, and a second browser sees it within a second", async () => {
  const id = await product.running({ queue: "keys" });
  const page = await browser.login(await browser.person(), product, "/jobs?q=queue:keys"), other = await browser.login(await browser.person(), product, "/jobs?q=queue:keys");
  await rowOf(page, id).waitFor();
  await rowOf(other, id).waitFor();
  await Promise.all([isLive(page), isLive(other)]);
  await page.keyboard.press("j");
  await page.keyboard.press("Delete");
  await page.locator("dialog .facts").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Keep it", "the focus is on what does nothing");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  const seen = Date.now();
  await other.locator(`tr[data-job="${id}"].is-gone`).waitFor();
  assert.ok(Date.now() - seen < 1000, "the other browser saw it within a second");
  await until(async () => (await steps(page)).every((one) => one === "is-done"), "five steps");
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor({ state: "detached" });
  await Promise.all([page.context().close(), other.context().close()]);
});

test("the same at 320 pixels, without a sideways scroll", async () => {
  const id = await product.running({ queue: "phone" });
  const page = await browser.login(await browser.person({ width: 320, height: 800 }), product, "/jobs?q=queue:phone");
  await rowOf(page, id).waitFor();
  assert.equal(await isWide(page), false);
  await rowOf(page, id).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Delete 1…" }).click();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  assert.deepEqual(await steps(page), allDone);
  assert.equal(await isWide(page), false);
  await page.context().close();
});

test("37 jobs are deleted in one call, with totals", async () => {
  await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: 37 }, () => ({ kind: "sleep", args: { seconds: 3600 }, queue: "many" })) });
  const page = await browser.login(await browser.person(), product, "/jobs?q=queue:many");
  await page.locator("tr[data-job]").nth(36).waitFor();
  await page.getByLabel("Select this page").check();
  await page.getByRole("button", { name: "Delete 37…" }).click();
  await page.getByRole("button", { name: "Delete 37 jobs" }).click();
  await page.getByRole("heading", { name: "37 jobs deleted" }).waitFor();
  await page.getByText("37 of 37").first().waitFor();
  const { body } = await product.call("GET", "/api/v1/jobs?queue=many");
  assert.equal(body.jobs.length, 0);
  await page.context().close();
});

test("two people delete the same job: one delete, and the second reads who was first", async () => {
  const id = await product.running({ queue: "two" });
  const page = await browser.login(await browser.person(), product, `/jobs/${id}`), other = await browser.login(await browser.person(), product, `/jobs/${id}`);
  for (const one of [page, other]) await one.getByRole("button", { name: "Delete…" }).click();
  for (const one of [page, other]) await one.locator("dialog .facts").waitFor();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  await other.getByText("1 job changed since this was read.").waitFor();
  await other.getByRole("button", { name: "Delete job" }).click();
  await other.getByRole("heading", { name: "Already deleted" }).waitFor();
  await other.getByRole("alertdialog").getByText(/Deleted by admin/).waitFor();
  const { body } = await product.call("GET", "/api/v1/deletions?page_size=2");
  assert.equal(body.deletions.filter((one) => one.counts?.deleted === 1).length, 1, "one of the two calls deleted it");
  await Promise.all([page.context().close(), other.context().close()]);
});

test("a double click deletes once", async () => {
  const id = await product.running({ queue: "double" });
  const page = await browser.login(await browser.person(), product, `/jobs/${id}`);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.locator("dialog .facts").waitFor();
  page.asked.length = 0;
  await page.getByRole("button", { name: "Delete job" }).dblclick();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  assert.equal(page.asked.filter((one) => one === "POST /api/v1/jobs/bulk-delete").length, 1);
  await page.context().close();
});

test("while a dialog is open a hundred events move nothing and close nothing", async () => {
  const id = await product.running({ queue: "storm" });
  const page = await browser.login(await browser.person(), product, "/jobs?q=queue:storm");
  await rowOf(page, id).waitFor();
  await isLive(page);
  await rowOf(page, id).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Delete 1…" }).click();
  await page.locator("dialog .facts").waitFor();
  const title = await page.locator("dialog").innerText();
  await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: 100 }, () => ({ kind: "noop", queue: "storm" })) });
  await page.getByRole("button", { name: /new jobs?$/, includeHidden: true }).waitFor({ state: "attached" });
  assert.equal(await page.locator("dialog").innerText(), title);
  assert.deepEqual(await page.locator("tr[data-job]").evaluateAll((rows) => rows.map((row) => row.dataset.job)), [id], "no row came in");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /new jobs?$/ }).click();
  await page.locator("tr[data-job]").nth(49).waitFor();
  await page.context().close();
});

test("paused asks for nothing, not even when the window gets the focus", async () => {
  const page = await browser.login(await browser.person({ choices: { live: false } }), product, "/jobs?q=queue:quiet"), other = await browser.login(await browser.person(), product, "/jobs?q=queue:quiet");
  await page.getByText("Paused").waitFor();
  await page.getByRole("heading", { name: "No job matches" }).waitFor();
  await isLive(other);
  page.asked.length = 0;
  const id = await product.running({ queue: "quiet" });
  await rowOf(other, id).waitFor();
  await page.bringToFront();
  await page.evaluate(() => { dispatchEvent(new Event("focus")); document.dispatchEvent(new Event("visibilitychange")); });
  await product.call("DELETE", `/api/v1/jobs/${id}`);
  await other.locator(`tr[data-job="${id}"].is-gone, .empty`).first().waitFor();
  assert.deepEqual(page.asked, []);
  await page.keyboard.press("r");
  await until(() => page.asked.length > 0, "a request after r");
  await Promise.all([page.context().close(), other.context().close()]);
});

test("who may only read is shown nothing that changes anything, and the server refuses it too", async () => {
  const token = await product.makeToken("viewer"), id = await product.running({ queue: "look" });
  const page = await browser.login(await browser.person(), product, `/jobs/${id}`, token);
  await page.locator(".job-head .st.run").waitFor();
  for (const name of ["Delete…", "Cancel", "Submit a copy", "Run again"]) assert.equal(await page.getByRole("button", { name, exact: true }).count(), 0, name);
  await page.keyboard.press("Delete");
  assert.equal(await page.locator("dialog").count(), 0);
  await page.goto(`${product.url}/jobs`);
  await rowOf(page, id).waitFor();
  assert.equal(await page.getByRole("checkbox").count(), 0);
  assert.equal(await page.getByRole("button", { name: "New job" }).count(), 0);
  const status = await page.evaluate(async (job) => (await fetch(`/api/v1/jobs/${job}`, { method: "DELETE" })).status, id);
  assert.equal(status, 403);
  await page.context().close();
});

test("a session that ends in mid dialog is taken up again, and the reason is still there", async () => {
  const id = await product.running({ queue: "expiry" });
  const page = await browser.login(await browser.person(), product, `/jobs/${id}`);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByLabel("Reason").fill("typed before the end");
  await page.evaluate(async () => { await fetch("/api/v1/logout", { method: "POST" }); });
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "Your session is over" }).waitFor();
  await page.getByLabel("Token").fill(product.token);
  await page.getByRole("button", { name: "Log in and go on" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  const { body } = await product.call("GET", `/api/v1/jobs/${id}`);
  assert.equal(body.tombstone.reason, "typed before the end");
  await page.context().close();
});

test("where did job X go: here, deleted with its proof, or never seen", async () => {
  const id = await product.running({ queue: "trace" });
  const page = await browser.login(await browser.person(), product), find = page.getByLabel("Where did a job go? Its id, or a filter").or(page.getByRole("searchbox")).or(page.locator(".find input")).first();
  await find.fill(id);
  await find.press("Enter");
  await page.getByText("It is here:").waitFor();
  await product.call("DELETE", `/api/v1/jobs/${id}?reason=traced`);
  await page.getByText(/^It was deleted .*traced.*no copy is kept/).waitFor();
  await page.locator(".facts .good-text").waitFor();
  await find.fill("0198c2c0-0000-7000-8000-000000000001");
  await find.press("Enter");
  await page.getByText("Never seen here").waitFor();
  await page.context().close();
});

test("the URL is the state: chips, back and forward, and a filter that cannot be is said", async () => {
  const id = await product.running({ queue: "state", tags: ["nightly run"] });
  const page = await browser.login(await browser.person(), product, "/jobs");
  const filter = page.getByRole("combobox", { name: "Add a filter" });
  await filter.fill("queue:state");
  await filter.press("Enter");
  await rowOf(page, id).waitFor();
  await filter.fill('tag:"nightly run"');
  await filter.press("Enter");
  await until(() => page.url().includes("nightly"), "the tag in the URL");
  assert.equal(await page.locator(".chip").count(), 2);
  await page.goBack();
  await until(async () => await page.locator(".chip").count() === 1, "one chip");
  await page.goForward();
  await until(async () => await page.locator(".chip").count() === 2, "two chips");
  await filter.fill("colour:red");
  await filter.press("Enter");
  await page.getByText("cannot be filtered by").waitFor();
  await page.context().close();
});

const payloads = ["<script>window.pwned=1</script>", "<img src=x onerror=window.pwned=1>", "\"><svg onload=window.pwned=1>", "javascript:window.pwned=1", "{{constructor.constructor('window.pwned=1')()}}", "' onmouseover='window.pwned=1", "</title><script>window.pwned=1</script>", "\u202eabc", "😀 emoji"];

test("what a job says is text, whatever it says", async () => {
  const ids = await Promise.all(payloads.map((text) => product.submit({ kind: "sleep", args: { seconds: 3600, note: text, big: [text] }, queue: "hostile", tags: [text.slice(0, 100)], unique_key: text.slice(0, 100) })));
  const page = await browser.login(await browser.person({ choices: { columns: ["kind", "queue", "status", "tags", "note", "project"] } }), product, "/jobs?q=queue:hostile");
  await rowOf(page, ids[0]).waitFor();
  for (const id of ids) {
    for (const view of ["args", "json"]) {
      await page.goto(`${product.url}/jobs/${id}?view=${view}`);
      await page.locator("pre.code").first().waitFor();
    }
    assert.equal(await page.evaluate(() => window.pwned), undefined);
  }
  await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: ids, reason: payloads[0] });
  for (const path of [`/trace?id=${ids[0]}`, "/deletions"]) {
    await page.goto(product.url + path);
    await page.getByText(/pwned/).first().waitFor();
  }
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  await page.context().close();
});

test("a number beyond 2^53 is shown exactly", async () => {
  const id = await product.call("POST", "/api/v1/jobs", undefined).then(async () => {
    const reply = await fetch(`${product.url}/api/v1/jobs`, { method: "POST", headers: { Authorization: `Bearer ${product.token}`, "Content-Type": "application/json" }, body: '{"kind":"noop","args":{"n":9007199254740993}}' });
    return (await reply.json()).job_id;
  });
  const page = await browser.login(await browser.person(), product, `/jobs/${id}?view=args`);
  await page.getByText("9007199254740993").waitFor();
  await page.context().close();
});

test("axe finds nothing on six pages", async () => {
  const page = await browser.login(await browser.person({ choices: { theme: "light" } }), product), found = [];
  for (const path of ["/", "/jobs", "/queues", "/pools", "/deletions", "/settings"]) {
    await page.goto(product.url + path);
    await page.locator("main table, main .choice-row").first().waitFor();
    found.push(...await browser.axe(page, path));
  }
  assert.deepEqual(found, []);
  await page.context().close();
});

test("in all of this no page broke its policy, and none threw", () => {
  assert.deepEqual(browser.faults, []);
});
