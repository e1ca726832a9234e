// `quell demo --serve`: one command, a world that is the same for the same seed, whole on every page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, rowOf } from "./browser.mjs";
import { Demo, until } from "./product.mjs";

let browser;
before(async () => { browser = await Browser.open(); });
after(async () => { await browser?.close(); });

/** What a world is, without what each start makes anew: the ids of tokens, endpoints and operations, and signatures. */
async function world(demo) {
  const get = async (path) => (await demo.call("GET", `/api/v1/${path}`)).body;
  const jobs = [];
  for (let page = ""; ;) {
    const found = await get(`jobs?page_size=1000&page_token=${page}`);
    jobs.push(...found.jobs.map((one) => JSON.stringify({ ...one, version: 0 })));
    page = found.next_page_token;
    if (!page) break;
  }
  const deletions = (await get("deletions?page_size=50")).deletions.filter((one) => one.path !== "filter").map((one) => [one.delete_id, one.who, one.reason, one.at, one.state]);
  return {
    jobs, deletions, counts: (await get("jobs/counts?group_by=status,queue")).groups, queues: (await get("queues")).queues.map((one) => [one.name, one.queued, one.running, one.paused]),
    pools: (await get("pools")).pools.map((one) => [one.name, one.capacity, one.used]), workers: (await get("workers")).workers.map((one) => [one.name, one.running]).sort(),
    schedules: (await get("schedules?page_size=50")).schedules.map((one) => [one.task_uuid, one.name, one.next_fire, one.last_fire]), alerts: (await get("alerts")).alerts.filter((one) => one.path !== "filter").map((one) => [one.alert_id, one.count]),
  };
}

test("the frozen world of one seed is the same twice, another seed's is another, and it has what it promises", async () => {
  const one = await Demo.start("--seed", "7", "--frozen"), again = await Demo.start("--seed", "7", "--frozen"), other = await Demo.start("--seed", "8", "--frozen");
  try {
    const [first, second, third] = [await world(one), await world(again), await world(other)];
    assert.deepEqual(second, first);
    assert.notDeepEqual(third.jobs, first.jobs);
    assert.equal(first.jobs.length, 3000);
    assert.deepEqual([first.queues.length, first.pools.length, first.workers.length, first.schedules.length], [6, 4, 9, 12]);
    const of = (status) => first.counts.filter((group) => group.status === status).reduce((sum, group) => sum + group.n, 0);
    assert.deepEqual([of("pending_delete"), of("delete_failed")], [2, 1]);
    assert.ok(of("running") > 30 && of("queued") > 50 && of("failed") > 50 && of("scheduled") > 20, JSON.stringify(first.counts));
    assert.equal(first.alerts.length, 1);
    await new Promise((past) => setImmediate(past));
    assert.deepEqual((await world(one)).counts, first.counts, "nothing moves in it");
  } finally {
    await Promise.all([one, again, other].map((demo) => demo.stop()));
  }
});

test("in the world that runs, work goes on, and a job that runs is deleted within a second or two", async () => {
  const demo = await Demo.start();
  try {
    const page = await browser.login(await browser.person(), demo, "/jobs?status=running", demo.token), row = page.locator("tr[data-job]").first();
    await row.waitFor();
    const id = (await demo.call("GET", "/api/v1/jobs?status=running&queue=media&page_size=1&fields=job_id")).body.jobs[0].job_id;
    const began = (await demo.call("GET", "/api/v1/jobs/counts?group_by=status")).body.counts;
    await until(async () => (await demo.call("GET", "/api/v1/jobs/counts?group_by=status")).body.counts.succeeded > began.succeeded, "work that ends", 60);
    await page.goto(`${demo.url}/jobs/${id}`);
    await page.getByRole("button", { name: "Delete…" }).click();
    await page.locator("dialog .facts").waitFor();
    await page.getByRole("button", { name: "Delete job" }).click();
    await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
    await page.getByRole("button", { name: "Check it" }).click();
    await page.getByText("The signature holds.").waitFor();
    await page.context().close();
  } finally {
    await demo.stop();
  }
});

test("in all of this no page broke its policy, and none threw", () => {
  assert.deepEqual(browser.faults, []);
});
