// Schedules in a real browser: made, refused with the server's sentence, paused, run, changed, deleted.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, isLive, isWide } from "./browser.mjs";
import { Product, until } from "./product.mjs";

let product, browser;
before(async () => { [product, browser] = await Promise.all([Product.start("--pool", "default=20"), Browser.open()]); });
after(async () => { await browser?.close(); await product?.stop(); });

const open = async (path, more = {}, token = product.token) => await browser.login(await browser.person(more), product, path, token);
const make = async (name, more = {}) => (await product.call("POST", "/api/v1/schedules", { name, cron: "30 2 * * mon-fri", zone: "Europe/Berlin", job: { kind: "noop" }, ...more })).body;
const see = async (id) => await product.call("GET", `/api/v1/schedules/${id}`);

test("a first schedule is made from the empty page, in words, with its next ten times", async () => {
  const page = await open("/schedules");
  await page.getByRole("heading", { name: "No schedule yet" }).waitFor();
  await page.getByRole("button", { name: "Make one" }).click();
  await page.getByLabel("Name").fill("nightly report");
  await page.getByLabel("Cron expression").fill("30 2 * * mon-fri");
  await page.getByText("at 02:30 on Monday to Friday").waitFor();
  await page.getByLabel("Time zone").fill("Europe/Berlin");
  await page.getByRole("button", { name: "Make the schedule" }).click();
  await page.getByRole("heading", { name: "nightly report" }).waitFor();
  await until(async () => await page.locator(".fires li").count() === 10, "ten times");
  assert.match(await page.locator(".fires li").first().textContent(), /02:30/);
  await page.getByRole("link", { name: "Schedules", exact: true }).first().click();
  await page.locator("tr[data-schedule]").getByText("never ran").waitFor();
  await page.context().close();
});

test("a cron that nobody can understand is refused with the server's sentence, and nothing is lost", async () => {
  const page = await open("/schedules"), said = (await product.call("POST", "/api/v1/schedules", { name: "x", cron: "0 0 * * 1--100000000", zone: "UTC", job: { kind: "noop" } })).body;
  await page.getByRole("button", { name: "New schedule" }).click();
  await page.getByLabel("Name").fill("wrong");
  await page.getByLabel("Cron expression").fill("0 0 * * 1--100000000");
  await page.getByRole("button", { name: "Make the schedule" }).click();
  await page.locator("dialog [role=alert]").waitFor();
  assert.ok((await page.locator("dialog [role=alert]").textContent()).includes(said.errors?.[0]?.detail ?? said.detail), "the server's own sentence");
  assert.equal(await page.getByLabel("Name").inputValue(), "wrong");
  await page.getByLabel("Cron expression").fill("@daily");
  await page.getByRole("button", { name: "Make the schedule" }).click();
  await page.getByRole("heading", { name: "wrong" }).waitFor();
  await page.context().close();
});

test("a schedule is paused, resumed and run now, and its last result stands in the list", async () => {
  const { task_uuid: id } = await make("by hand"), page = await open("/schedules"), row = page.locator(`tr[data-schedule="${id}"]`);
  await row.getByRole("button", { name: "Pause" }).click();
  await row.getByText("paused").waitFor();
  assert.equal((await see(id)).body.status, "DISABLED");
  await row.getByRole("button", { name: "Resume" }).click();
  await row.getByText("active").waitFor();
  await isLive(page);
  await row.getByRole("button", { name: "Run now" }).click();
  await row.getByText("succeeded").waitFor();
  await page.context().close();
});

test("a schedule is changed, and a change that would overwrite another's is refused", async () => {
  const { task_uuid: id } = await make("changes"), page = await open(`/schedules/${id}`);
  await page.getByRole("button", { name: "Change…" }).click();
  await product.call("PATCH", `/api/v1/schedules/${id}`, { name: "changed elsewhere" });
  await page.getByText("Each so often").click();
  await page.getByLabel("Interval").fill("2h");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("dialog [role=alert]").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.reload();
  await page.getByRole("heading", { name: "changed elsewhere" }).waitFor();
  await page.getByRole("button", { name: "Change…" }).click();
  await page.getByText("Each so often").click();
  await page.getByLabel("Interval").fill("2h");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("every 2 h").first().waitFor();
  assert.equal((await see(id)).body.every, 7200);
  await page.context().close();
});

test("a schedule is deleted with its jobs, and the page says what the server said", async () => {
  const { task_uuid: id } = await make("leaves", { job: { kind: "sleep", args: { seconds: 3600 } } });
  const { job_id: job } = (await product.call("POST", `/api/v1/schedules/${id}/run-now`, {})).body;
  const page = await open("/schedules"), row = page.locator(`tr[data-schedule="${id}"]`);
  await row.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete the schedule" }).click();
  await page.getByText("Task deletion has been scheduled").first().waitFor();
  await row.waitFor({ state: "detached" });
  assert.equal((await see(id)).status, 404);
  assert.equal((await product.call("GET", `/api/v1/jobs/${job}`)).status, 410);
  await page.context().close();
});

test("a schedule whose delete waits shows that it is being deleted, and offers no run", async () => {
  const { task_uuid: id } = await make("waits", { job: { kind: "sleep", args: { seconds: 3600 } } });
  await product.call("POST", `/api/v1/schedules/${id}/run-now`, {});
  const page = await open(`/schedules/${id}`);
  await page.getByRole("button", { name: "Delete…" }).waitFor();
  await page.route("**/api/v1/schedules/*", async (route) => {
    const reply = await route.fetch(), body = await reply.json();
    await route.fulfill({ response: reply, json: { ...body, status: "PENDING_DELETE", next_fire: null } });
  });
  await page.reload();
  await page.locator(".job-head").getByText("being deleted").waitFor();
  assert.equal(await page.getByRole("button", { name: "Run now" }).count(), 0);
  assert.equal(await page.getByRole("button", { name: "Delete…" }).count(), 0);
  await page.context().close();
});

test("who may only read sees no act, at 320 pixels neither", async () => {
  const { task_uuid: id } = await make("seen"), token = await product.makeToken("viewer"), page = await open("/schedules", { width: 320, height: 800 }, token);
  await page.locator(`tr[data-schedule="${id}"]`).waitFor();
  assert.equal(await page.getByRole("button", { name: /Run now|Pause|Delete…|New schedule/ }).count(), 0);
  assert.equal(await isWide(page), false);
  await page.goto(`${product.url}/schedules/${id}`);
  await page.locator(".fires li").first().waitFor();
  assert.equal(await isWide(page), false);
  await page.context().close();
});

test("a hostile name is text and nothing else", async () => {
  const name = `<img src=x onerror=alert(1)>"'{{x}}`, { task_uuid: id } = await make(name), page = await open(`/schedules/${id}`);
  await page.getByRole("heading", { name }).waitFor();
  await page.goto(`${product.url}/schedules`);
  await page.getByText(name).first().waitFor();
  assert.deepEqual(browser.faults, []);
  await page.context().close();
});
