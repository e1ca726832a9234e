// The wider set of the console's ways: what is rarer, slower, or needs a server of its own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, isLive, isWide, rowOf } from "./browser.mjs";
import { Product, until } from "./product.mjs";

let product, browser;
before(async () => { [product, browser] = await Promise.all([Product.start("--pool", "default=50"), Browser.open()]); });
after(async () => { await browser?.close(); await product?.stop(); });

const open = async (path, more = {}, token = product.token) => await browser.login(await browser.person(more), product, path, token);
const close = async (...pages) => { await Promise.all(pages.map((page) => page.context().close())); };

test("a job runs, ends and shows its end without being asked", async () => {
  const id = await product.running({ queue: "live" }), page = await open(`/jobs/${id}`);
  await page.locator(".job-head .st.run").waitFor();
  await isLive(page);
  await product.call("POST", `/api/v1/jobs/${id}/cancel`);
  await page.locator(".job-head").getByText("cancelled").waitFor();
  await close(page);
});

test("a row changes where it stands", async () => {
  const ids = [];
  for (let i = 0; i < 3; i += 1) ids.push(await product.running({ queue: "stand" }));
  const page = await open("/jobs?q=queue:stand");
  await rowOf(page, ids[0]).waitFor();
  await isLive(page);
  const order = () => page.locator("tr[data-job]").evaluateAll((rows) => rows.map((row) => row.dataset.job));
  const before_ = await order();
  await product.call("POST", `/api/v1/jobs/${ids[1]}/cancel`);
  await rowOf(page, ids[1]).getByText("cancelled").waitFor();
  assert.deepEqual(await order(), before_);
  await close(page);
});

test("while a row is chosen new jobs wait behind a button", async () => {
  const id = await product.running({ queue: "held" }), page = await open("/jobs?q=queue:held");
  await rowOf(page, id).getByRole("checkbox").check();
  await isLive(page);
  await product.submit({ kind: "noop", queue: "held" });
  await page.getByRole("button", { name: "1 new job" }).waitFor();
  assert.equal(await page.locator("tr[data-job]").count(), 1);
  await page.getByRole("button", { name: "1 new job" }).click();
  await until(async () => await page.locator("tr[data-job]").count() === 2, "two rows");
  assert.ok(await rowOf(page, id).getByRole("checkbox").isChecked(), "the choice outlives it");
  await close(page);
});

test("shift and the arrows choose a range, and Escape lets it go", async () => {
  for (let i = 0; i < 5; i += 1) await product.submit({ kind: "noop", queue: "range" });
  const page = await open("/jobs?q=queue:range");
  await page.locator("tr[data-job]").nth(4).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("Shift+ArrowDown");
  await page.getByText("4 selected").first().waitFor();
  await page.keyboard.press("Escape");
  await until(async () => await page.locator("tr.is-chosen").count() === 0, "nothing chosen");
  await page.keyboard.press("Control+a");
  await page.getByText("5 selected").first().waitFor();
  await close(page);
});

test("pages go on by a key and back by the browser, and the selection is cleared", async () => {
  await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: 120 }, () => ({ kind: "noop", queue: "pages" })) });
  const page = await open("/jobs?q=queue:pages"), first = () => page.locator("tr[data-job]").first().getAttribute("data-job");
  await page.locator("tr[data-job]").nth(49).waitFor();
  const newest = await first();
  await page.locator("tr[data-job]").first().getByRole("checkbox").check();
  await page.getByRole("link", { name: "Older" }).click();
  await until(async () => await page.locator("tr[data-job]").count() === 50 && await first() !== newest, "the second page");
  assert.equal(await page.locator("tr.is-chosen").count(), 0);
  await page.goBack();
  await until(async () => await first() === newest, "the first page");
  await close(page);
});

test("a view is saved and taken up again", async () => {
  await product.submit({ kind: "noop", queue: "view" });
  const page = await open("/jobs?q=queue:view");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByLabel("Name of the view").fill("mine");
  await page.getByRole("button", { name: "Save" }).click();
  await page.goto(`${product.url}/jobs`);
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("link", { name: "mine" }).click();
  await page.locator(".chip", { hasText: "queue:view" }).waitFor();
  await close(page);
});

test("columns and density are chosen and remembered", async () => {
  await product.submit({ kind: "noop", queue: "cols", tags: ["seen"] });
  const page = await open("/jobs?q=queue:cols");
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByLabel("Tags").check();
  await page.getByText("Dense").click();
  await page.reload();
  await page.getByRole("columnheader", { name: "Tags" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.density), "compact");
  await close(page);
});

test("suggestions are taken by the keyboard", async () => {
  await product.submit({ kind: "noop", queue: "suggest" });
  const page = await open("/jobs"), filter = page.getByRole("combobox", { name: "Add a filter" });
  await page.locator("tr[data-job]").first().waitFor();
  await filter.fill("ki");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await filter.inputValue(), "kind:");
  await filter.pressSequentially("no");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.locator(".chip", { hasText: "kind:noop" }).waitFor();
  await close(page);
});

test("a failed job shows why, and runs again", async () => {
  const id = await product.submit({ kind: "http", args: { url: "http://127.0.0.1:1/" }, queue: "fails" });
  const page = await open(`/jobs/${id}`);
  await page.locator(".job-head .st.bad").waitFor();
  await page.getByText("in attempt 1 of 1").waitFor();
  await page.getByRole("button", { name: "Run again" }).click();
  await page.getByRole("button", { name: "Run it again" }).click();
  await page.getByText("Job queued").first().waitFor();
  await close(page);
});

test("a scheduled job is run now", async () => {
  const id = await product.submit({ kind: "noop", queue: "later", delay_s: 3600 }), page = await open(`/jobs/${id}`);
  await page.getByText("Waits for its time").waitFor();
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("button", { name: "Run it now" }).click();
  await page.locator(".job-head .st.ok").waitFor();
  await close(page);
});

test("arguments that are no JSON are said at once and not sent", async () => {
  const page = await open("/jobs");
  await page.getByRole("button", { name: "New job" }).click();
  await page.getByLabel("Arguments (JSON)").fill("{");
  await page.locator("dialog .danger-text").first().waitFor();
  page.asked.length = 0;
  await page.getByRole("button", { name: "Submit job" }).click();
  assert.deepEqual(page.asked.filter((one) => one.startsWith("POST")), []);
  await close(page);
});

test("a refusal of the server stands in the dialog with its request id", async () => {
  const page = await open("/jobs");
  await page.getByRole("button", { name: "New job" }).click();
  await page.getByLabel("Queue", { exact: true }).fill("x".repeat(400));
  await page.getByRole("button", { name: "Submit job" }).click();
  await page.locator("dialog [role=alert]").waitFor();
  await page.locator("dialog").getByText("Request").waitFor();
  await close(page);
});

test("a queue is paused, holds its jobs, and goes on", async () => {
  await product.submit({ kind: "noop", queue: "steered" });
  const page = await open("/queues"), row = page.locator("tr", { hasText: "steered" });
  for (const [act, state] of [["Pause the queue", "paused"], ["Resume the queue", "open"], ["Close the queue", "closed"], ["Open the queue", "open"]]) {
    await row.getByRole("button", { name: "Steer" }).click();
    await row.getByRole("button", { name: act }).click();
    await page.getByRole("dialog").getByRole("button", { name: act }).click();
    await row.locator(".st", { hasText: state }).waitFor();
  }
  await close(page);
});

test("limits of a queue are set and shown", async () => {
  await product.submit({ kind: "noop", queue: "limited" });
  const page = await open("/queues"), row = page.locator("tr", { hasText: "limited" });
  await row.getByRole("button", { name: "Steer" }).click();
  await row.getByRole("button", { name: "Limits…" }).click();
  await page.getByLabel("Jobs at once", { exact: true }).fill("3");
  await page.getByRole("button", { name: "Set limits" }).click();
  await row.getByText("3 at once").waitFor();
  await close(page);
});

test("a pool is made larger", async () => {
  const page = await open("/pools");
  await page.getByRole("button", { name: "Capacity…" }).click();
  await page.getByRole("textbox", { name: "Slots" }).fill("64");
  await page.getByRole("button", { name: "Set capacity" }).click();
  await page.getByText("of 64 used").waitFor();
  assert.equal(await page.locator(".slots i").count(), 64);
  await close(page);
});

test("an endpoint is registered, shows its secret once, sends a test, and is removed", async () => {
  const page = await open("/webhooks");
  await page.getByRole("button", { name: "New endpoint" }).click();
  await page.getByLabel("URL").fill("https://example.org/hook");
  await page.getByRole("button", { name: "Register" , exact: true }).click();
  await page.getByRole("heading", { name: "The endpoint’s secret" }).waitFor();
  await page.getByRole("button", { name: "I have it" }).click();
  await page.getByRole("link", { name: "https://example.org/hook" }).click();
  await page.getByRole("button", { name: "Send a test" }).click();
  await page.getByText("Test sent").first().waitFor();
  await page.getByRole("button", { name: "Remove…" }).click();
  await page.getByRole("button", { name: "Remove the endpoint" }).click();
  await page.getByText("No endpoint yet").waitFor();
  await close(page);
});

test("a token is made, shown once, lets in, and is revoked", async () => {
  const page = await open("/settings");
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Name").fill("short-lived");
  await page.getByRole("button", { name: "Make it" }).click();
  const text = await page.locator("dialog pre").innerText();
  await page.getByRole("button", { name: "I have it" }).click();
  const other = await open("/jobs", {}, text);
  await other.getByRole("heading", { name: "Jobs" }).waitFor();
  await page.locator("tr", { hasText: "short-lived" }).getByRole("button", { name: "Revoke…" }).click();
  await page.getByRole("button", { name: "Revoke the token" }).click();
  await other.getByRole("heading", { name: "Your session is over" }).waitFor();
  await close(page, other);
});

test("a freeze refuses deletes, and the dialog says so", async () => {
  const id = await product.running({ queue: "frozen" }), page = await open("/settings");
  await page.getByRole("button", { name: "Freeze…" }).click();
  await page.getByLabel("Reason").fill("looking into it");
  await page.getByRole("button", { name: "Freeze deletions" }).click();
  await page.getByText("Deletions are frozen: the server refuses every new delete.").waitFor();
  await page.goto(`${product.url}/jobs/${id}`);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.locator("dialog").getByText("Deletions are frozen.").waitFor();
  assert.ok(await page.getByRole("button", { name: "Delete job" }).isDisabled());
  await page.keyboard.press("Escape");
  await page.goto(`${product.url}/settings`);
  await page.getByRole("button", { name: "Let them go on…" }).click();
  await page.getByLabel("Reason").fill("looked");
  await page.getByRole("button", { name: "Let them go on", exact: true }).click();
  await page.getByText("A freeze refuses every new delete").waitFor();
  await close(page);
});

test("a delete stands in Deletions, its receipt can be checked there, and audit names it", async () => {
  const id = await product.running({ queue: "found" });
  const { body } = await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: [id], reason: "to be found" });
  const page = await open("/deletions");
  await page.locator("tr", { hasText: "to be found" }).getByRole("link").first().click();
  await until(() => page.url().endsWith(body.delete_id), "its page");
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The signature holds.").waitFor();
  await page.goto(`${product.url}/audit`);
  await page.getByText("the chain holds").waitFor();
  await page.locator(`a[href$="${body.delete_id}"]`).waitFor();
  await close(page);
});

test("a receipt that was touched on its way does not hold", async () => {
  const id = await product.running({ queue: "forged" }), { body } = await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: [id] });
  const page = await open("/");
  await page.route("**/api/v1/deletions/*", async (route) => {
    const reply = await route.fetch(), text = await reply.json();
    text.receipt.payload = Buffer.from(Buffer.from(text.receipt.payload, "base64").toString().replace("deleted", "ignored")).toString("base64");
    await route.fulfill({ response: reply, json: text });
  });
  await page.goto(`${product.url}/deletions/${body.delete_id}`);
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The signature does not hold.").waitFor();
  await close(page);
});

test("two tabs of one browser share one stream", async () => {
  const page = await open("/jobs?q=queue:tabs"), second = await page.context().newPage();
  browser.watch(second);
  await isLive(page);
  await second.goto(`${product.url}/jobs?q=queue:tabs`);
  await isLive(second);
  assert.equal([...page.asked, ...second.asked].filter((one) => one === "GET /api/v1/events").length, 1);
  const id = await product.running({ queue: "tabs" });
  await Promise.all([rowOf(page, id).waitFor(), rowOf(second, id).waitFor()]);
  await page.close();
  await isLive(second);
  const next = await product.running({ queue: "tabs" });
  await rowOf(second, next).waitFor();
  await second.context().close();
});

test("a stream that breaks says so, comes back, and tells what was missed", async () => {
  const page = await open("/jobs?q=queue:gap");
  await isLive(page);
  await page.context().setOffline(true);
  await page.locator(".live.is-reconnecting").waitFor();
  const id = await product.running({ queue: "gap" });
  await page.context().setOffline(false);
  await isLive(page);
  await rowOf(page, id).waitFor();
  await close(page);
});

test("a server that restarts ends the session, and the page goes on after a login", async () => {
  const own = await Product.start(), id = await own.running({ queue: "restart" });
  try {
    const page = await browser.login(await browser.person(), own, `/jobs/${id}`);
    await isLive(page);
    await own.halt();
    await page.locator(".live.is-reconnecting").waitFor();
    await own.run();
    await page.getByRole("heading", { name: "Your session is over" }).waitFor();
    await page.getByLabel("Token").fill(own.token);
    await page.getByRole("button", { name: "Log in and go on" }).click();
    await isLive(page);
    await page.locator(".job-head .st").waitFor();
    await page.context().close();
  } finally {
    await own.stop();
  }
});

test("a server that cannot be reached is said, and nothing shown is lost", async () => {
  const id = await product.running({ queue: "away" }), page = await open("/jobs?q=queue:away");
  await rowOf(page, id).waitFor();
  await page.context().setOffline(true);
  await page.keyboard.press("r");
  await page.getByText("The server cannot be reached since").waitFor();
  assert.equal(await rowOf(page, id).count(), 1);
  await page.context().setOffline(false);
  await page.getByText("The server cannot be reached since").waitFor({ state: "detached" });
  await close(page);
});

test("a clock that is wrong by a day breaks nothing", async () => {
  const id = await product.running({ queue: "skew" }), page = await browser.person();
  await page.clock.install({ time: Date.now() - 86_400_000 });
  await browser.login(page, product, `/jobs/${id}`);
  await page.locator(".job-head .st.run").waitFor();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.locator("dialog .facts").waitFor();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.clock.runFor(5000);
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  await close(page);
});

test("names with a slash, an emoji and right-to-left text lead where they should", async () => {
  for (const queue of ["a/b", "очередь", "😀"]) {
    const made = await product.call("POST", "/api/v1/jobs", { kind: "noop", queue });
    if (made.status !== 201) continue;
    const page = await open("/queues");
    await page.locator("tr", { hasText: queue }).getByRole("link").first().click();
    await rowOf(page, made.body.job_id).waitFor();
    await close(page);
  }
});

test("the palette finds pages, filters and ids", async () => {
  const page = await open("/"), id = await product.running({ queue: "palette" });
  for (const [text, heading] of [["audit", "Audit"], ["queue:palette", "Jobs"], [id, "Where did a job go?"]]) {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Command/ }).fill(text);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: heading, exact: true }).waitFor();
  }
  await close(page);
});

test("every page has its key", async () => {
  const page = await open("/");
  for (const [letter, heading] of [["j", "Jobs"], ["q", "Queues"], ["w", "Pools and workers"], ["s", "Schedules"], ["d", "Deletions"], ["o", "Operations"], ["v", "Archive"], ["l", "Alerts"], ["t", "Where did a job go?"], ["k", "Webhooks"], ["a", "Audit"], ["b", "Backups"], ["n", "Snapshots"], ["e", "Settings"], ["h", "Overview"]]) {
    await page.keyboard.press("g");
    await page.keyboard.press(letter);
    await page.getByRole("heading", { name: heading, exact: true }).waitFor();
  }
  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await page.getByLabel("single letters work").uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("j");
  assert.ok(await page.getByRole("heading", { name: "Overview" }).isVisible());
  await close(page);
});

test("a theme is chosen before the first paint", async () => {
  for (const theme of ["light", "dark", "contrast"]) {
    const page = await open("/settings", { choices: { theme } });
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
    await page.goto(`${product.url}/jobs`, { waitUntil: "commit" });
    await page.waitForFunction(() => document.body !== null);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
    await close(page);
  }
});

test("no page scrolls sideways at 320 pixels", async () => {
  const id = await product.submit({ kind: "noop", queue: `q${"x".repeat(60)}`, tags: ["t".repeat(120)] }), page = await open("/", { width: 320, height: 800 });
  for (const path of ["/", "/jobs", `/jobs/${id}`, `/jobs/${id}?view=json`, "/queues", "/pools", "/schedules", "/deletions", "/operations", "/archive", "/archive?view=retention", "/trace", "/webhooks", "/alerts", "/audit", "/backups", "/snapshots", "/settings"]) {
    await page.goto(product.url + path);
    await page.locator("main h1").waitFor();
    await page.locator("main .card").first().waitFor();
    assert.equal(await isWide(page), false, path);
  }
  await close(page);
});

test("an address that leads nowhere says so", async () => {
  const page = await open("/nowhere/at/all");
  await page.getByText("There is no page here").waitFor();
  await page.goto(`${product.url}/jobs/0198c2c0-0000-7000-8000-000000000001`);
  await page.getByText("Never seen here").waitFor();
  await close(page);
});

test("without scripts the page names the command line", async () => {
  const page = await browser.person({ javaScriptEnabled: false });
  await page.goto(product.url);
  // Searches by text leave out what stands in noscript.
  assert.match(await page.locator("noscript").innerText(), /quell delete ID/);
  await close(page);
});

test("a log out ends the session here and there", async () => {
  const page = await open("/");
  await page.getByRole("button", { name: "AD", exact: true }).click();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Token").waitFor();
  await page.reload();
  await page.getByLabel("Token").waitFor();
  await close(page);
});

test("a thousand events a second leave no frame longer than the eye forgives", async () => {
  const page = await open("/jobs?q=queue:flood");
  await isLive(page);
  await page.evaluate(() => {
    window.longest = 0;
    let last = performance.now();
    const frame = (at) => { window.longest = Math.max(window.longest, at - last); last = at; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    window.blocked = 0;
    new PerformanceObserver((list) => { for (const one of list.getEntries()) window.blocked = Math.max(window.blocked, one.duration); }).observe({ entryTypes: ["longtask"] });
  });
  await product.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: 2000 }, () => ({ kind: "noop", queue: "flood" })) });
  await page.getByRole("button", { name: /new job/ }).or(page.locator("tr[data-job]").nth(49)).first().waitFor();
  console.log(`longest frame ${await page.evaluate(() => Math.round(window.longest))} ms, longest task ${await page.evaluate(() => Math.round(window.blocked))} ms on this machine`);
  await close(page);
});

test("in all of this no page broke its policy, and none threw", () => {
  assert.deepEqual(browser.faults, []);
});
