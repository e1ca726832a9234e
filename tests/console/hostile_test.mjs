// What others may have written is shown as text, wherever a page shows it; and what goes wrong in the middle of a flow.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, isLive, rowOf } from "./browser.mjs";
import { Product, until } from "./product.mjs";

let product, browser;
before(async () => { [product, browser] = await Promise.all([Product.start("--pool", "default=50", "--archive", "--spike-jobs", "2"), Browser.open()]); });
after(async () => { await browser?.close(); await product?.stop(); });

const open = async (path, more = {}, token = product.token) => await browser.login(await browser.person(more), product, path, token);
const payloads = [
  "<script>window.pwned=1</script>", "<img src=x onerror=window.pwned=1>", "\"><svg onload=window.pwned=1>", "'-window.pwned=1-'", "javascript:window.pwned=1", "{{constructor.constructor('window.pwned=1')()}}",
  "</title><script>window.pwned=1</script>", "<iframe srcdoc='<script>parent.pwned=1</script>'>", "<style>*{display:none}</style>", "<base href=//evil.example>", "<form action=//evil.example><button>", "<math><mtext></form><form><mglyph><style></math><img src onerror=window.pwned=1>",
  "\u202e\u2066right to left", "a\u0000b".replace("\u0000", "\u0001"), "😀".repeat(20), "&lt;b&gt;&amp;", "%3Cscript%3E", "\\u003cscript\\u003e", "x".repeat(900),
];
const safe = async (page, what) => {
  assert.equal(await page.evaluate(() => window.pwned), undefined, what);
  assert.equal(await page.locator("main script, main iframe, main base, main style, main form[action*=evil]").count(), 0, what);
};
const visit = async (page, path, ready) => { await page.goto(product.url + path); await page.locator(ready).first().waitFor(); };

test("each payload in each field of a job: args, tags, key, reason, the lists and the trace", async () => {
  const page = await open("/jobs", { choices: { columns: ["kind", "queue", "status", "tags", "note", "project"] } });
  const ids = [];
  for (const text of payloads) {
    const made = await product.call("POST", "/api/v1/jobs", { kind: "sleep", args: { seconds: 3600, [text]: [text, { text }] }, queue: "hostile", tags: [text.slice(0, 60)], unique_key: text.slice(0, 100), delay_s: 3600 });
    if (made.status === 201) { ids.push(made.body.job_id); continue; }
    const plain = await product.call("POST", "/api/v1/jobs", { kind: "sleep", args: { seconds: 3600, [text]: text }, queue: "hostile", delay_s: 3600 });
    assert.equal(plain.status, 201, `${text}: ${JSON.stringify(plain.body)}`);
    ids.push(plain.body.job_id);
  }
  await visit(page, "/jobs?q=queue:hostile", "tr[data-job]");
  await safe(page, "the list");
  for (const id of ids) for (const view of ["args", "json"]) {
    await visit(page, `/jobs/${id}?view=${view}`, "pre.code");
    await safe(page, `${id} ${view}`);
  }
  for (const [i, id] of ids.entries()) await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: [id], reason: payloads[i] });
  for (const id of ids.slice(0, 3)) { await visit(page, `/trace?id=${id}`, ".facts"); await safe(page, "trace"); await visit(page, `/archive/${id}`, "pre.code"); await safe(page, "a copy"); }
  for (const [path, ready] of [["/deletions", "main td"], ["/archive", "main td"], ["/audit", "main td"], ["/alerts", "main .card"], ["/", ".tiles"]]) { await visit(page, path, ready); await safe(page, path); }
  await page.context().close();
});

test("what a failed job and a program's output say is text", async () => {
  const page = await open("/jobs"), id = await product.submit({ kind: "http", args: { url: "http://127.0.0.1:1/<script>window.pwned=1</script>" }, queue: "said" });
  await until(async () => (await product.call("GET", `/api/v1/jobs/${id}`)).body.status === "failed", "a failed job");
  await visit(page, `/jobs/${id}`, ".alert.bad");
  await safe(page, "an error");
  await page.context().close();
});

test("schedules, endpoints, tokens, freezes and filters are text too", async () => {
  const page = await open("/");
  for (const text of payloads.slice(0, 12)) {
    const { body } = await product.call("POST", "/api/v1/schedules", { name: text, group: text.slice(0, 100), cron: "0 3 * * *", zone: "UTC", job: { kind: "noop", args: { text }, tags: [text.slice(0, 60)] } });
    if (body.task_uuid) { await visit(page, `/schedules/${body.task_uuid}`, "main .card"); await safe(page, `schedule ${text}`); }
    await product.call("POST", "/api/v1/webhooks", { url: "https://hook.example/?a=%3Cscript%3E", description: text, events: ["job.failed"] });
    await product.call("POST", "/api/v1/tokens", { name: text, role: "viewer" });
  }
  await product.call("POST", "/api/v1/system/freeze", { frozen: true, reason: payloads[1] });
  for (const [path, ready] of [["/schedules", "main .card"], ["/webhooks", "main .card"], ["/settings", "main .card"], ["/audit", "main .card"], [`/jobs?q=${encodeURIComponent(`tag:"${payloads[1]}"`)}`, "main .card"], [`/jobs?status=${encodeURIComponent(payloads[0])}`, "main"], [`/trace?id=${encodeURIComponent(payloads[0])}`, "main"], [`/${encodeURIComponent(payloads[0])}`, "main"]]) { await visit(page, path, ready); await safe(page, path); }
  await page.context().close();
});

test("a hostile name of whoever is asked stands in the alert and the dialog as text", async () => {
  await product.call("POST", "/api/v1/system/freeze", { frozen: false, reason: "on" });
  const name = "mallory_img", token = await product.makeToken("admin", name), ids = [];
  for (let i = 0; i < 3; i += 1) ids.push(await product.submit({ kind: "noop", queue: "alerted", delay_s: 3600 }));
  await product.call("POST", "/api/v1/jobs/bulk-delete", { job_ids: ids, reason: payloads[1] }, token);
  const page = await open("/alerts");
  await page.getByText(name).first().waitFor();
  await safe(page, "alerts");
  await page.context().close();
});

test("the stream is cut in the middle of a delete: the dialog goes on to its end", async () => {
  const id = await product.running({ queue: "cut" }), page = await open(`/jobs/${id}`);
  await isLive(page);
  await page.route("**/api/v1/events", (route) => route.abort());
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.locator("dialog .facts").waitFor();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The signature holds.").waitFor();
  await page.context().close();
});

test("the server is killed in the middle of a delete by filter: it goes on, and the totals are exact", async () => {
  const own = await Product.start("--pool", "default=10", "--archive");
  try {
    for (let i = 0; i < 3; i += 1) await own.call("POST", "/api/v1/jobs/bulk-submit", { jobs: Array.from({ length: 1000 }, () => ({ kind: "noop", queue: "killed", delay_s: 3600 })) });
    const page = await browser.login(await browser.person(), own, "/jobs?q=queue:killed");
    await page.locator("tr[data-job]").nth(49).waitFor();
    await page.getByLabel("Select this page").check();
    await page.getByRole("button", { name: "Select all that match" }).click();
    await page.getByLabel("type the number").fill("3000");
    await page.getByLabel("Reason").fill("killed in the middle");
    await page.getByRole("button", { name: "Delete 3,000 jobs" }).click();
    await page.locator(".job-head").waitFor();
    await own.halt();
    await own.run();
    await page.getByRole("heading", { name: "Your session is over" }).waitFor();
    await page.getByLabel("Token").fill(own.token);
    await page.getByRole("button", { name: "Log in and go on" }).click();
    await page.getByText("3,000 of 3,000").waitFor({ timeout: 60_000 });
    assert.equal((await own.call("GET", "/api/v1/jobs?queue=killed&page_size=10")).body.jobs.length, 0);
    await page.context().close();
  } finally {
    await own.stop();
  }
});

test("a direct link to what a token may not see says which scope is missing", async () => {
  const { token } = (await product.call("POST", "/api/v1/tokens", { name: "narrow", scopes: ["jobs:read"] })).body, page = await open("/settings", {}, token);
  for (const path of ["/audit", "/webhooks", "/queues"]) {
    await page.goto(product.url + path);
    await page.getByText("It needs the scope").waitFor();
  }
  await page.context().close();
});

test("rows of a hostile list can still be chosen and deleted", async () => {
  const id = await product.submit({ kind: "noop", queue: "chosen", tags: ["<b>x</b>"], delay_s: 3600 }), page = await open("/jobs?q=queue:chosen");
  await rowOf(page, id).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Delete 1…" }).click();
  await page.getByRole("button", { name: "Delete job" }).click();
  await page.getByRole("heading", { name: "1 job deleted" }).waitFor();
  await page.context().close();
});

test("in all of this no page broke its policy, and none threw", () => {
  assert.deepEqual(browser.faults, []);
});
