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

test("a delete that the server has not answered is said to be sent, and one that was closed and fails is told above the page", async () => {
  const id = await later("hangs"), page = await open(`/jobs/${id}`);
  let cut;
  const gate = new Promise((go) => { cut = go; });
  await page.route("**/bulk-delete", async (route) => { await gate; return route.abort(); });
  await askOne(page);
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByText("Sent; the server has not answered yet. Keep this open.").waitFor();
  assert.equal(await page.getByText("It goes on in the server").count(), 0);
  await page.getByRole("button", { name: "Close" }).last().click();
  cut();
  const told = page.getByRole("alert").filter({ hasText: "was not confirmed" });
  await told.getByRole("link", { name: "Trace" }).click();
  await until(() => page.url().includes(`/trace?id=${id}`), "the trace of the job");
  await told.waitFor({ state: "detached" });
  assert.equal(await status(id), 200);
  await page.context().close();
});

test("Escape does not take the login away under what waits for it, and who logs out sends nothing more", async () => {
  const id = await later("escapes"), page = await open(`/jobs/${id}`);
  await askOne(page);
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Delete job" }).click();
  const login = page.getByRole("heading", { name: "Your session is over" });
  await login.waitFor();
  for (let i = 0; i < 3; i += 1) { await page.keyboard.press("Escape"); await new Promise((next) => setTimeout(next, 100)); }
  assert.ok(await login.isVisible());
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Token").fill(product.token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").filter({ hasText: "was not confirmed. You logged out before it was sent." }).waitFor();
  assert.equal(await status(id), 200, "another session sends no delete of the one before");
  await page.context().close();
});

test("a dialog that the browser closes by a second Escape is closed for the page as well", async () => {
  const id = await later("twice"), page = await open(`/jobs/${id}`);
  await askOne(page);
  await page.evaluate(() => document.querySelector("dialog").close());
  await page.locator("dialog").waitFor({ state: "detached" });
  await askOne(page);
  await page.context().close();
});

test("all pieces of a job that has ended are shown, not only the first hundred", async () => {
  const id = await later("pieces"), page = await browser.person(), pieces = Array.from({ length: 250 }, (_, seq) => ({ seq, attempt: 1, at: "2026-12-01T10:00:00Z", data: `p${seq} ` }));
  // What the API gives: the job with the first hundred, the rest in pages after a number.
  await page.route(`**/api/v1/jobs/${id}`, async (route) => { const reply = await route.fetch(); await route.fulfill({ response: reply, json: { ...await reply.json(), status: "succeeded", partial_results: pieces.slice(0, 100) } }); });
  await page.route(`**/api/v1/jobs/${id}/partials*`, (route) => { const after = Number(new URL(route.request().url()).searchParams.get("after") ?? -1); return route.fulfill({ json: { partial_results: pieces.filter((one) => one.seq > after).slice(0, 100) } }); });
  await browser.login(page, product, `/jobs/${id}?view=partials`);
  await page.getByText("250 pieces", { exact: true }).waitFor({ timeout: 10_000 });
  assert.match(await page.locator(".stream").innerText(), /^p0 .*p249/);
  await page.context().close();
});

test("a delete that is cut before its answer may have been done: so it is said, and the job is looked at again", async () => {
  const id = await later("cut"), page = await open(`/jobs/${id}`), keys = [];
  await page.route("**/api/v1/jobs/bulk-delete", async (route) => { keys.push(route.request().headers()["idempotency-key"]); await route.fetch(); return route.abort("connectionreset"); });
  await askOne(page);
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByText("It may have been done.").waitFor();
  await page.getByRole("alertdialog").getByText(/^Deleted by admin/).waitFor();
  assert.equal(keys.length, 1);
  assert.match(keys[0], /^[0-9a-f]{32}$/);
  await page.context().close();
});

test("a delete by filter whose answer was cut names the operations, and wants the number typed again", async () => {
  await many("cutfilter", 60);
  const page = await open("/jobs?q=queue:cutfilter");
  await askAll(page);
  await page.getByLabel("type the number").fill("60");
  await page.getByLabel("Reason").fill("cut");
  await page.route("**/delete-by-filter", async (route) => { await route.fetch(); return route.abort("connectionreset"); });
  await page.locator("dialog .btn.danger").click();
  await page.getByText("It may have been done.").waitFor();
  assert.ok(await page.locator("dialog .btn.danger").isDisabled());
  await page.locator("dialog").getByRole("link", { name: "Operations" }).click();
  await page.locator("main").getByText("60").first().waitFor();
  await until(async () => await left("cutfilter") === 0, "an empty queue");
  await page.context().close();
});

const skew = (ms) => `{ const Old = Date; globalThis.Date = class extends Old { constructor(...of) { if (of.length > 0) super(...of); else super(Old.now() + ${ms}); } static now() { return Old.now() + ${ms}; } }; }`;
const wrongClock = async (hours, path) => { const page = await browser.person(); await page.context().addInitScript(skew(hours * 3_600_000)); return await browser.login(page, product, path); };

test("with a clock three hours behind “every job” is every job", async () => {
  await many("behind", 60);
  const page = await wrongClock(-3, "/jobs"), total = Object.values((await product.call("GET", "/api/v1/jobs/counts?group_by=status")).body.counts).reduce((sum, n) => sum + n, 0);
  await askAll(page);
  await page.getByText("Every job.").waitFor();
  assert.ok(Number(/\d+/.exec(await page.locator("dialog h2").innerText())[0]) >= total);
  await page.context().close();
});

test("with a clock three hours ahead “newer than an hour” and the ages are the server's", async () => {
  const id = await later("ahead"), page = await wrongClock(3, "/jobs?q=queue:ahead created>-1h");
  await rowOf(page, id).waitFor({ timeout: 10_000 });
  assert.match(await rowOf(page, id).innerText(), /now|\d+ s ago/);
  await page.context().close();
});

test("a row whose delete was undone is a row again, with the job's own status", async () => {
  const id = await later("comeback"), page = await open("/jobs?q=queue:comeback");
  await isLive(page);
  await rowOf(page, id).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Delete 1…" }).click();
  await page.locator("dialog .facts").waitFor();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  await page.getByRole("button", { name: "Undo…" }).click();
  await page.getByRole("button", { name: "Undo the delete" }).click();
  await page.getByRole("button", { name: "Done" }).click();
  await rowOf(page, id).getByText("scheduled").waitFor({ timeout: 10_000 });
  assert.doesNotMatch(await rowOf(page, id).getAttribute("class"), /is-gone/);
  await page.context().close();
});

test("a row that was run again by hand says what the job is now, which no event tells", async () => {
  const id = await later("again"), page = await open("/jobs?q=queue:again");
  await isLive(page);
  await product.call("POST", "/api/v1/queues/again/pause", {});
  await product.call("POST", `/api/v1/jobs/${id}/cancel`, {});
  await rowOf(page, id).getByText("cancelled").waitFor();
  await rowOf(page, id).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Run 1 again" }).click();
  await page.getByRole("button", { name: "Run 1 job" }).click();
  await rowOf(page, id).getByText("queued").waitFor({ timeout: 10_000 });
  await page.context().close();
});

test("a filter with a fault finds nothing, chooses nothing and deletes nothing", async () => {
  await many("mistyped", 60);
  const page = await open("/jobs?q=queue:mistyped stauts:failed");
  await page.getByText("“stauts” cannot be filtered by").waitFor();
  await page.getByRole("heading", { name: "This filter cannot be understood" }).waitFor();
  await page.keyboard.press("Control+a");
  assert.equal(await page.locator("tr[data-job]").count(), 0);
  assert.equal(await page.getByRole("button", { name: /Select all that match|^Delete/ }).count(), 0);
  assert.deepEqual(page.asked.filter((one) => one === "GET /api/v1/jobs"), []);
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await page.locator("tr[data-job]").first().waitFor();
  await page.goto(`${product.url}/jobs?q=tag:a tag:b`);
  await page.getByText("“tag” cannot be two things at once").waitFor();
  await page.context().close();
});

test("the dialog says of a job whose run is not down that a delete is under way, and of a protected one that it is refused", async () => {
  const id = await later("underway"), page = await browser.person(), guarded = await later("underway", { protected: true });
  // As a job reads whose node stands still: a fleet is needed to make one.
  await page.route((url) => url.pathname === `/api/v1/jobs/${id}`, async (route) => { const reply = await route.fetch(); await route.fulfill({ response: reply, json: { ...await reply.json(), status: "pending_delete", deletion: { delete_id: "d", state: "PENDING_DELETE", open_holders: 1 } } }); });
  await browser.login(page, product, `/jobs/${id}`);
  await askOne(page);
  await page.getByText("A delete is under way; its run is not down yet.").waitFor({ timeout: 5000 });
  await page.goto(`${product.url}/jobs/${guarded}`);
  await askOne(page);
  await page.getByText("the delete will be refused").waitFor({ timeout: 5000 });
  await page.context().close();
});

test("a delete under way is followed after a reload, also when the server is away for one look, and rubbish in its place is none", async () => {
  const id = await later("away"), made = (await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: [id], confirm: true, wait: 1 })).body, page = await open("/deletions");
  let looks = 0;
  await page.route("**/api/v1/deletions/*", async (route) => {
    looks += 1;
    if (looks === 1) return route.abort();
    const reply = await route.fetch();
    return route.fulfill({ response: reply, json: { ...await reply.json(), state: "PENDING_DELETE", outcomes: [], receipt: null, pending: [{ job_id: id, delete_id: made.delete_id, state: "pending_delete", was: "running", open_holders: 1, tries: 1, last_error: null, next_try: null, since: "2026-12-01T10:00:00Z" }] } });
  });
  await page.evaluate((one) => sessionStorage.setItem("quell.deletes", JSON.stringify([one, 5, null])), made.delete_id);
  await page.reload();
  await page.locator("header.top").getByText("0 of 1 erased").waitFor({ timeout: 5000 });
  for (const rubbish of ["5", "null", '{"a":1}', '"text"', "["]) {
    await page.evaluate((text) => sessionStorage.setItem("quell.deletes", text), rubbish);
    await page.reload();
    await page.getByRole("heading", { name: "Deletions", exact: true }).waitFor();
  }
  assert.deepEqual(browser.faults, []);
  await page.context().close();
});

test("a copy of a job has its digits, its tags and its options, and the page shows numbers as numbers", async () => {
  const headers = { Authorization: `Bearer ${product.token}`, "Content-Type": "application/json" }, args = '{"n":9007199254740993,"f":0.1234567890123456789,"u":18446744073709551615}';
  const { job_id: id } = await (await fetch(`${product.url}/api/v1/jobs`, { method: "POST", headers, body: `{"kind":"noop","args":${args},"tags":["a,b","plain"],"priority":9,"max_attempts":7,"queue":"copied","delay_s":3600}` })).json();
  const textOf = async (job) => await (await fetch(`${product.url}/api/v1/jobs/${job}`, { headers })).text(), page = await open(`/jobs/${id}?view=args`);
  assert.match(await page.locator("pre.code").innerText(), /"n": 9007199254740993,/);
  await page.getByRole("button", { name: "Submit a copy" }).click();
  await page.getByRole("button", { name: "Submit job" }).click();
  await until(() => !page.url().includes(id), "the page of the copy", 10);
  const [one, two] = await Promise.all([id, new URL(page.url()).pathname.split("/").at(-1)].map(textOf));
  const part = (text, name) => new RegExp(`"${name}":(\\{[^}]*\\}|\\[[^\\]]*\\]|[^,]*)`).exec(text)?.[1];
  for (const name of ["args", "tags", "priority", "max_attempts", "queue", "timeout_s"]) assert.equal(part(two, name), part(one, name), name);
  await page.context().close();
});

test("a delete whose jobs were brought back says so, and offers no undo of nothing", async () => {
  const id = await later("broughtback"), { delete_id: call } = (await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: [id], confirm: true, wait: 5 })).body;
  const page = await open(`/deletions/${call}`);
  await page.getByRole("button", { name: "Undo…" }).waitFor();
  await product.call("POST", `/api/v1/deletions/${call}/undo`, {});
  await page.reload();
  await page.getByRole("cell", { name: "brought back" }).waitFor({ timeout: 5000 });
  assert.equal(await page.getByRole("button", { name: "Undo…" }).count(), 0);
  for (const [path, tab] of [["/deletions?view=zzz", "All"], [`/jobs/${id}?view=zzz`, "Arguments"]]) {
    await page.goto(product.url + path);
    await page.locator(".tabs [aria-current=page]", { hasText: tab }).waitFor({ timeout: 5000 });
  }
  await page.context().close();
});

test("when a list is empty after a delete the title has the focus", async () => {
  await later("emptied");
  const page = await open("/jobs?q=queue:emptied");
  await page.locator("tr[data-job]").waitFor();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  await page.getByRole("button", { name: "Done", exact: true }).click();
  await until(async () => await page.evaluate(() => document.activeElement?.tagName) === "H1", "the focus on the title", 5);
  await page.context().close();
});

test("a key that is held down presses no button of the dialog it opened, and a chosen row that is gone can be let go", async () => {
  const ids = [await later("keyheld"), await later("keyheld")], page = await open("/jobs?q=queue:keyheld");
  await isLive(page);
  await page.getByLabel("Select this page").check();
  await page.getByRole("button", { name: "Delete 2…" }).click();
  await page.locator("dialog .facts").waitFor();
  await page.getByRole("button", { name: "Delete 2 jobs" }).focus();
  const went = await page.evaluate(() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", repeat: true, bubbles: true, cancelable: true })));
  assert.equal(went, false, "the press of a held key is taken away");
  await page.keyboard.press("Escape");
  await product.call("DELETE", `/api/v1/jobs/${ids[0]}`);
  await page.locator(`tr[data-job="${ids[0]}"].is-gone`).waitFor();
  await rowOf(page, ids[0]).getByRole("checkbox").uncheck({ timeout: 5000 });
  await page.getByText("1 selected").first().waitFor();
  await page.context().close();
});
