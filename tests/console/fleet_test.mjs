// The console on two nodes of one PostgreSQL: what one page does to work of the other node, and what it says when that node is gone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, isLive, rowOf } from "./browser.mjs";
import { Fleet, until } from "./product.mjs";

let fleet, here, there, browser;
before(async () => {
  [fleet, browser] = await Promise.all([Fleet.start("--pool", "default=4", "--archive", "--lease-s", "6", "--self-stop-s", "4", "--beat-s", "1", "--stop-deadline-ms", "500"), Browser.open()]);
  [here, there] = fleet.nodes;
});
after(async () => { await browser?.close(); await fleet?.stop(); });

const open = async (node, path, more = {}) => await browser.login(await browser.person(more), node, path, node.token);
const workerOf = async (id) => (await here.call("GET", `/api/v1/jobs/${id}`)).body.worker_id;
const nodeOf = async (node) => (await node.call("GET", "/api/v1/workers")).body.workers.find((one) => one.this).worker_id;

/** A job that runs on that node: jobs are submitted until one does. */
async function runningOn(node, queue) {
  const wanted = await nodeOf(node), made = [];
  for (let i = 0; i < 8; i += 1) {
    const id = await node.running({ queue });
    if (await workerOf(id) === wanted) {
      if (made.length > 0) await node.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: made, wait: 10 });
      return id;
    }
    made.push(id);
  }
  throw new Error("no job ran on the wanted node");
}

test("a session of one node is none of the other, and a token opens both", async () => {
  const page = await open(here, "/pools"), other = await open(there, "/pools");
  for (const one of [page, other]) await until(async () => await one.locator("main table tbody tr").count() === 2, "both workers");
  await page.getByText("of 8 used").waitFor();
  await Promise.all([page.context().close(), other.context().close()]);
});

test("a job that runs on the other node is deleted from this page, with all steps and a proof", async () => {
  const id = await runningOn(there, "far"), page = await open(here, `/jobs/${id}`);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("alertdialog").getByText("Its run is stopped").waitFor();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  await until(async () => (await page.locator("dialog .steps li").evaluateAll((list) => list.map((one) => one.className))).every((one) => one === "is-done"), "five steps");
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The signature holds.").waitFor();
  assert.equal((await there.call("GET", `/api/v1/jobs/${id}`)).status, 410);
  await page.context().close();
});

test("two people on two nodes delete the same job: one delete, and the second reads who was first", async () => {
  const id = await runningOn(there, "both"), page = await open(here, `/jobs/${id}`), other = await open(there, `/jobs/${id}`);
  for (const one of [page, other]) await one.getByRole("button", { name: "Delete…" }).click();
  for (const one of [page, other]) await one.locator("dialog .facts").waitFor();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  await other.getByRole("button", { name: "Delete job" }).click();
  await other.getByRole("heading", { name: "Already deleted" }).waitFor();
  await other.getByRole("alertdialog").getByText(/Deleted by admin/).waitFor();
  await Promise.all([page.context().close(), other.context().close()]);
});

test("jobs of both nodes go by filter, with exact totals, and come back", async () => {
  await here.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: 120 }, (_, i) => ({ kind: "sleep", args: { seconds: 3600 }, queue: "wide", ...(i >= 6 ? { delay_s: 3600 } : {}) })) });
  const page = await open(there, "/jobs?q=queue:wide");
  await page.locator("tr[data-job]").nth(49).waitFor();
  await page.getByLabel("Select this page").check();
  await page.getByRole("button", { name: "Select all that match" }).click();
  await page.getByRole("heading", { name: "Delete 120 jobs?" }).waitFor();
  await page.getByLabel("type the number").fill("120");
  await page.getByLabel("Reason").fill("wide");
  await page.getByRole("button", { name: "Delete 120 jobs" }).click();
  await page.getByText("120 of 120").waitFor();
  assert.equal((await here.call("GET", "/api/v1/jobs?queue=wide")).body.jobs.length, 0);
  await page.locator(".facts a.mono").click();
  await page.getByRole("button", { name: "Undo…" }).click();
  await page.getByRole("button", { name: "Undo the delete" }).click();
  await page.getByRole("heading", { name: "120 jobs are back" }).waitFor();
  await page.context().close();
});

test("the node that runs it stands still: the page says what is missing, and in the end what is not proven", async () => {
  const id = await runningOn(there, "still"), page = await open(here, `/jobs/${id}`);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.locator("dialog .facts").waitFor();
  there.stall();
  try {
    await page.getByRole("button", { name: "Delete job" }).click();
    await page.locator("dialog .steps li.is-now").waitFor();
    await page.getByText("nothing new of it can start").or(page.getByText("has not answered")).first().waitFor();
    await page.getByRole("heading", { name: "1 job deleted" }).waitFor({ timeout: 60_000 });
    await page.getByText("without proof").waitFor();
  } finally {
    there.wake();
  }
  // It was called dead, and ends itself: the next test has it as a new life.
  await until(() => there.process.exitCode !== null, "the end of the node that was called dead", 60);
  await there.run();
  await page.context().close();
});

test("the node of the page goes in mid delete: the page comes back by itself, and the delete has gone on", async () => {
  const id = await runningOn(there, "own"), page = await open(here, `/jobs/${id}`);
  await isLive(page);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByLabel("Reason").fill("before the end");
  await page.locator("dialog .facts").waitFor();
  await here.halt();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.locator("dialog [role=alert]").getByText("It may have been done. The server cannot be reached.").waitFor();
  assert.equal((await there.call("GET", `/api/v1/jobs/${id}`)).body.status, "running", "nothing was done");
  await here.run();
  await page.getByRole("heading", { name: "Your session is over" }).waitFor();
  await page.getByLabel("Token").fill(here.token);
  await page.getByRole("button", { name: "Log in and go on" }).click();
  assert.equal(await page.getByLabel("Reason").inputValue(), "before the end");
  // The job is looked at first: the delete might have been done before the cut.
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("dialog [role=alert]").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  assert.equal((await there.call("GET", `/api/v1/jobs/${id}`)).body.tombstone.reason, "before the end");
  await page.context().close();
});

test("a list shows what the other node does when it is read again", async () => {
  const id = await runningOn(there, "seen"), page = await open(here, "/jobs?q=queue:seen");
  await rowOf(page, id).waitFor();
  await there.call("POST", `/api/v1/jobs/${id}/cancel`);
  await until(async () => { await page.keyboard.press("r"); return await rowOf(page, id).getByText("cancelled").count() === 1; }, "the state that the other node wrote");
  await page.context().close();
});

test("in all of this no page broke its policy, and none threw", () => {
  assert.deepEqual(browser.faults, []);
});
