// What the console decides without a browser: filters, times, events, selection, steps of a delete, receipts, links.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign, webcrypto } from "node:crypto";
import { test } from "node:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { consoleDir, rules } from "./rules.mjs";

const sources = () => ["pages", "parts", "rules", "state", "."].flatMap((dir) => readdirSync(join(consoleDir, "src", dir)).filter((name) => /\.tsx?$/.test(name) && name !== "api.ts").map((name) => readFileSync(join(consoleDir, "src", dir, name), "utf8"))).join("\n");

const times = await rules("times"), filter = await rules("filter"), events = await rules("events"), select = await rules("selection");
const receipt = await rules("receipt"), deletion = await rules("deletion"), links = await rules("links");
const cron = await rules("cron_words"), copies = await rules("copies");
const exact = await rules("exact_json"); const raw = await rules("raw_json"), tags = await rules("tags"); const kept = await rules("kept"); const clock = await rules("clock");
const now = Date.parse("2026-12-01T10:00:00Z");

// Each row is a case of its own, so that a fault names it.
function table(claim, rows, run) {
  for (const [given, wanted] of rows) test(`${claim}: ${JSON.stringify(given)}`, () => assert.deepEqual(run(given), wanted));
}

table("a span has two parts at most", [
  [0, "0 ms"], [1, "1 ms"], [999, "999 ms"], [1000, "1 s"], [1500, "1.5 s"], [9999, "10.0 s".replace(".0", "")], [10_000, "10 s"], [59_999, "59 s"], [60_000, "1 m 00 s"],
  [252_000, "4 m 12 s"], [3_599_000, "59 m 59 s"], [3_600_000, "1 h 00 m"], [86_399_000, "23 h 59 m"], [86_400_000, "1 d 0 h"], [187_200_000, "2 d 4 h"], [-5, "0 ms"], [Number.NaN, ""],
], times.span);
table("an age has one part", [
  [0, "now"], [999, "now"], [1000, "1 s ago"], [59_000, "59 s ago"], [60_000, "1 m ago"], [3_600_000, "1 h ago"], [86_400_000, "1 d ago"], [-5000, "in 5 s"], [-7_200_000, "in 2 h"],
], (ago) => times.relative(now - ago, now));
table("a figure has its thousands apart", [[0, "0"], [7, "7"], [999, "999"], [1000, "1,000"], [12408, "12,408"], [1234567, "1,234,567"], [12.9, "12"]], times.figure);
table("a count agrees with its noun", [[[1, "job"], "1 job"], [[0, "job"], "0 jobs"], [[2, "job"], "2 jobs"], [[1, "entry", "entries"], "1 entry"], [[1200, "entry", "entries"], "1,200 entries"]], (args) => times.counted(...args));
table("bytes are read in their unit", [[0, "0 B"], [1023, "1023 B"], [1024, "1.0 KiB"], [10240, "10 KiB"], [5 * 1024 ** 2, "5.0 MiB"], [3 * 1024 ** 3, "3.0 GiB"]], times.bytes);
table("a moment is a time or so long ago", [
  ["-2h", now - 7_200_000], ["-30m", now - 1_800_000], ["-7d", now - 604_800_000], ["-1w", now - 604_800_000], ["-45s", now - 45_000], ["2026-01-31", Date.parse("2026-01-31T00:00:00Z")],
  ["2026-01-31T08:00:00Z", Date.parse("2026-01-31T08:00:00Z")], ["yesterday", null], ["-2", null], ["2026-13-45", null], ["", null], ["-2y", null],
], (text) => times.moment(text, now));
table("the server's time by its answers: what is within their doubt is no difference", [
  [["Tue, 01 Dec 2026 10:00:00 GMT", now, now + 100, 0], 0], [["Tue, 01 Dec 2026 13:00:00 GMT", now, now + 100, 0], 10_800_450], [["Tue, 01 Dec 2026 13:00:01 GMT", now + 1200, now + 1300, 10_800_450], 10_800_450], [["Tue, 01 Dec 2026 07:00:00 GMT", now, now, 0], -10_799_500],
  [["Tue, 01 Dec 2026 10:00:20 GMT", now, now + 60_000, 0], 0], [["Tue, 01 Dec 2026 10:00:00 GMT", now, now, 10_800_450], 0], [[null, now, now, 7], 7], [["soon", now, now, 7], 7],
], (args) => clock.offsetFrom(...args));
table("an exact time in UTC", [["2026-12-01T10:00:05.123Z", "2026-12-01 10:00:05 UTC"], ["never", "never"]], (iso) => times.exact(iso, "utc"));
test("the time of day is the end of the exact time", () => assert.equal(times.clockTime("2026-12-01T10:00:05Z", "utc"), "10:00:05"));

const terms = (text) => filter.parse(text, now).terms, faults = (text) => filter.parse(text, now).faults.length;
table("a filter is read into terms", [
  ["", []], ["queue:imports", [{ field: "queue", op: ":", value: "imports" }]], ["queue=imports", [{ field: "queue", op: ":", value: "imports" }]], ["type:llm", [{ field: "kind", op: ":", value: "llm" }]],
  ["tags:a tag:a", [{ field: "tag", op: ":", value: "a" }]], ["created>-2h created<-1h", [{ field: "created", op: ">", value: "-2h" }, { field: "created", op: "<", value: "-1h" }]], ['tag:"nightly run"', [{ field: "tag", op: ":", value: "nightly run" }]], ['tag:"say \\"hi\\""', [{ field: "tag", op: ":", value: 'say "hi"' }]],
  ["created>-2h", [{ field: "created", op: ">", value: "-2h" }]], ["created_at<=2026-01-31", [{ field: "created", op: "<", value: "2026-01-31" }]], ["status:running,queued", [{ field: "status", op: ":", value: "running,queued" }]],
  ["queue:a/b", [{ field: "queue", op: ":", value: "a/b" }]], ["queue:глагол", [{ field: "queue", op: ":", value: "глагол" }]], ["tag:a:b", [{ field: "tag", op: ":", value: "a:b" }]],
], terms);
table("what is no filter is said and not dropped", [
  ["hello", 1], ["colour:red", 1], ["queue:", 1], ["created:now", 1], ["created>soon", 1], ["queue>a", 1], ["status:gone", 1], ["status:running,gone", 1], ["a b c", 3], ["tags:a tag:b", 1], ["queue:x queue:x", 0], ["queue:x queue:y queue:z", 2], ["created>-2h created>-1h", 1], ["queue:x hello", 1], ["queue:x", 0],
], faults);
table("a filter reads back as it was written", [["queue:imports created>-2h"], ['tag:"nightly run"'], ['tag:"a\\\\b"'], ["status:running,queued kind:llm"], ["project:x schedule:y"]].map(([text]) => [text, text]), (text) => filter.text(terms(text)));
table("a filter in the words of the API", [
  ["queue:imports", 'queue="imports"'], ["tag:x kind:llm", 'tags="x" AND kind="llm"'], ["created>-2h", 'created_at>"2026-12-01T08:00:00.000Z"'], ['tag:"a \\"b\\""', 'tags="a \\"b\\""'], ["schedule:s", 'schedule_id="s"'], ["status:running,queued", 'status="running,queued"'],
], (text) => filter.forApi(terms(text), now));
table("a filter in words", [
  ["", "every job"], ["queue:a", "jobs of queue “a”"], ["kind:llm tag:x", "jobs of kind “llm”, with the tag “x”"], ["status:pending_delete", "jobs that are pending delete"], ["created>-2h", "jobs created after 2026-12-01 08:00:00 UTC"],
], (text) => filter.inWords(terms(text), (iso) => times.exact(iso, "utc"), now));
table("suggestions follow what was typed", [
  ["", 7], ["q", 1], ["s", 2], ["status:r", 1], ["status:", 8], ["queue:im", 1], ["queue:", 2], ["created>", 3], ["zzz", 0], ["tag:", 0],
], (word) => filter.suggestions(word, { queue: ["imports", "default"] }).length);
table("a term reads back whatever its value is", ['a"b', "a\\b", "x:y", "q,r", '"', " lead", "é😀", "a=b", "null", "a&b=c#d%41"].map((value) => [value, [{ field: "tag", op: ":", value }]]), (value) => terms(filter.termText({ field: "tag", op: ":", value })));
test("a suggested value with a blank is quoted", () => assert.equal(filter.suggestions("queue:", { queue: ["a b"] })[0].text, 'queue:"a b"'));

const row = (id, status, more = {}) => ({ job_id: id, status, ...more }), event = (type, id, more = {}) => ({ id: "", type, time: "2026-12-01T10:00:00Z", job_id: id, ...more });
table("an event changes its row in place", [
  [["queued", "job.started"], "running"], [["running", "job.succeeded"], "succeeded"], [["running", "job.failed"], "failed"], [["running", "job.cancelled"], "cancelled"], [["running", "job.retrying"], "scheduled"],
  [["running", "job.delete_requested"], "pending_delete"], [["pending_delete", "job.succeeded"], "pending_delete"], [["delete_failed", "job.started"], "delete_failed"], [["queued", "job.progress"], "queued"], [["running", "unheard.of"], "running"],
], ([status, type]) => events.apply([row("a", status)], [event(type, "a")])[0].status);
test("what was deleted and is created again is back, and has to be read", () => {
  const gone = [{ job_id: "a", status: "running", gone: true }, { job_id: "b", status: "queued" }], back = [{ id: "1", type: "job.created", time: "t", job_id: "a" }, { id: "2", type: "job.created", time: "t", job_id: "b" }];
  assert.deepEqual(events.apply(gone, back).map((row) => row.gone ?? false), [false, false]);
  assert.deepEqual(events.toRead(gone, back), ["a"]);
});
test("nothing changed is the same array", () => { const rows = [row("a", "running")]; assert.equal(events.apply(rows, [event("job.started", "b")]), rows); });
test("rows keep their order whatever comes", () => {
  const rows = ["a", "b", "c", "d"].map((id) => row(id, "running")), all = ["d", "b", "a"].flatMap((id) => [event("job.succeeded", id), event("job.deleted", id)]);
  assert.deepEqual(events.apply(rows, all).map((one) => one.job_id), ["a", "b", "c", "d"]);
});
test("a deleted row stays and is gone", () => assert.equal(events.apply([row("a", "running")], [event("job.deleted", "a")])[0].gone, true));
test("after its deletion nothing changes a row", () => assert.equal(events.apply([row("a", "running", { gone: true })], [event("job.succeeded", "a")])[0].status, "running"));
test("progress is taken", () => assert.equal(events.apply([row("a", "running", { progress: 0.1 })], [event("job.progress", "a", { data: { progress: 0.5 } })])[0].progress, 0.5));
test("progress that is no number is not", () => assert.equal(events.apply([row("a", "running", { progress: 0.1 })], [event("job.progress", "a", { data: { progress: "x" } })])[0].progress, 0.1));
test("an end sets when it ended", () => assert.equal(events.apply([row("a", "running")], [event("job.failed", "a")])[0].finished_at, "2026-12-01T10:00:00Z"));
test("a start clears an older end", () => assert.equal(events.apply([row("a", "queued", { finished_at: "x" })], [event("job.started", "a")])[0].finished_at, null));
test("new jobs are counted once, and not those shown", () => assert.equal(events.fresh([row("a", "queued")], [event("job.created", "a"), event("job.created", "b"), event("job.created", "b")], null), 1));
test("new jobs of another queue do not count", () => assert.equal(events.fresh([], [event("job.created", "a", { queue: "x" }), event("job.created", "b", { queue: "y" })], "x"), 1));
test("a new job that is deleted again does not count", () => assert.equal(events.fresh([], [event("job.created", "a"), event("job.deleted", "a")], null), 0));

const stream = 'retry: 2000\n\nid: l.1\nevent: job.created\ndata: {"time":"t","type":"job.created","job_id":"a"}\n\n: keep-alive\n\nid: l.2\nevent: reset\ndata: {}\n\n';
for (let cut = 1; cut < stream.length; cut += 7) test(`a stream cut at ${cut} is read whole`, () => {
  const reader = new events.EventReader(), found = [...reader.push(stream.slice(0, cut)), ...reader.push(stream.slice(cut))];
  assert.deepEqual(found.map((one) => [one.id, one.type, one.job_id]), [["l.1", "job.created", "a"], ["l.2", "reset", undefined]]);
});
test("an event that is no JSON is skipped", () => assert.deepEqual(new events.EventReader().push("event: x\ndata: {\n\n"), []));

const order = ["a", "b", "c", "d", "e"], ids = (selection) => [...selection.ids].sort().join("");
test("a row is chosen and let go", () => { const one = select.toggle(select.nothing, "b"); assert.equal(ids(one), "b"); assert.equal(ids(select.toggle(one, "b")), ""); });
test("a choice changes no older one", () => { const one = select.toggle(select.nothing, "b"); select.toggle(one, "c"); assert.equal(ids(one), "b"); });
table("a range goes from the anchor to the row", [[["b", "d"], "bcd"], [["d", "b"], "bcd"], [["c", "c"], "c"], [["a", "e"], "abcde"]], ([from, to]) => ids(select.extend(select.toggle(select.nothing, from), to, order)));
test("a range without an anchor is the row", () => assert.equal(ids(select.extend(select.nothing, "c", order)), "c"));
test("a range to a row that is not shown is nothing new", () => assert.equal(ids(select.extend(select.toggle(select.nothing, "a"), "z", order)), "a"));
test("the page is chosen, and let go when it was", () => { const page = select.page(select.nothing, order); assert.equal(ids(page), "abcde"); assert.equal(ids(select.page(page, order)), ""); });
test("the page adds to what is chosen", () => assert.equal(ids(select.page(select.toggle(select.nothing, "c"), order)), "abcde"));
table("the page's box says how much of it is chosen", [["", "none"], ["a", "some"], ["abcde", "all"], ["z", "none"]], (text) => select.pageState({ ids: new Set(text), anchor: null }, order));
test("what is gone is no longer chosen", () => assert.equal(ids(select.without(select.page(select.nothing, order), ["b", "c"])), "ade"));
test("nothing gone is the same choice", () => { const one = select.toggle(select.nothing, "a"); assert.equal(select.without(one, ["z"]), one); });

const begun = (...was) => deletion.begin(was.map((_, i) => `j${i}`), new Map(was.map((status, i) => [`j${i}`, status])));
const outcome = (id, more) => ({ job_id: id, ...more }), shape = (stages, hasReceipt = false) => deletion.steps(stages, hasReceipt).map((step) => `${step.state} ${step.done}/${step.of}`);
test("before anything is known the mark is under way", () => assert.deepEqual(shape(begun("running", "queued")), ["now 0/2", "ahead 0/1", "ahead 0/1", "ahead 0/2", "ahead 0/1"]));
test("what never ran has nothing to stop", () => assert.deepEqual(shape(deletion.afterReply(begun("queued"), { outcomes: [outcome("j0", { outcome: "deleted", was: "queued", verdict: "not_running" })] }), true), ["done 1/1", "none 0/0", "none 0/0", "done 1/1", "done 1/1"]));
test("a pending run is marked and not stopped", () => assert.deepEqual(shape(deletion.afterReply(begun("running"), { outcomes: [outcome("j0", { outcome: "pending", was: "running", steps: { mark: true, stop: false, release: false, erase: false, answer: false } })] })), ["done 1/1", "now 0/1", "ahead 0/1", "ahead 0/1", "ahead 0/1"]));
test("all five are done with the receipt", () => assert.deepEqual(shape(deletion.afterReply(begun("running"), { outcomes: [outcome("j0", { outcome: "deleted", was: "running", verdict: "stopped" })] }), true), ["done 1/1", "done 1/1", "done 1/1", "done 1/1", "done 1/1"]));
test("36 of 37 deleted is not over", () => { const stages = begun(...Array(37).fill("running")), after = deletion.afterReply(stages, { outcomes: [...stages.keys()].map((id, i) => outcome(id, i === 36 ? { outcome: "pending" } : { outcome: "deleted", was: "running" })) }); assert.equal(deletion.isOver(after), false); assert.equal(deletion.steps(after, false)[3].done, 36); });
table("a fate ends its job", [["deleted", true], ["already_gone", true], ["not_found", true], ["failed", true], ["would_delete", true], ["pending", false]], (fate) => deletion.isOver(deletion.afterReply(begun("queued"), { outcomes: [outcome("j0", { outcome: fate })] })));
test("what was gone before is no part of the steps", () => assert.equal(deletion.steps(deletion.afterReply(begun("queued"), { outcomes: [outcome("j0", { outcome: "already_gone" })] }), false)[0].of, 0));
test("events move the steps", () => { const one = deletion.afterEvents(begun("running"), [{ type: "job.delete_requested", job_id: "j0" }]); assert.deepEqual([one.get("j0").mark, one.get("j0").stop], [true, false]); assert.equal(deletion.isOver(deletion.afterEvents(one, [{ type: "job.deleted", job_id: "j0" }])), true); });
test("events of other jobs move nothing", () => { const stages = begun("running"); assert.equal(deletion.afterEvents(stages, [{ type: "job.deleted", job_id: "zz" }]), stages); });
test("a ticket without holders is stopped and not erased", () => { const stage = deletion.afterCall(begun("running"), { pending: [{ job_id: "j0", was: "running", open_holders: 0, last_error: "the store is full", next_try: "t" }] }).get("j0"); assert.deepEqual([stage.stop, stage.erase, stage.problem], [true, false, "the store is full"]); });
test("a tombstone ends its job with its proof", () => { const stage = deletion.afterCall(begun("running"), { outcomes: [{ job_id: "j0", was: "running", verdict: "stopped", deleted_at: "t", copy_kept_until: null }] }).get("j0"); assert.deepEqual([stage.fate, stage.verdict], ["deleted", "stopped"]); });
test("proofs are counted by what they say", () => assert.equal(deletion.proofText(deletion.afterReply(begun("running", "running", "queued"), { outcomes: [outcome("j0", { outcome: "deleted", verdict: "stopped" }), outcome("j1", { outcome: "deleted", verdict: "stopped" }), outcome("j2", { outcome: "deleted", verdict: "not_running" })] })), "2 × run stopped, 1 × was not running"));
table("a verdict is proven or not", [["stopped", true], ["reaped", true], ["not_running", true], ["not_started", true], ["finished_first", true], ["process_died", true], ["lease_expired", false], ["not_confirmed", false], ["stuck", false]], deletion.isProven);

const { publicKey, privateKey } = generateKeyPairSync("ed25519"), pem = publicKey.export({ type: "spki", format: "pem" });
const signed = (text) => ({ payload: Buffer.from(text).toString("base64"), signatures: [{ keyid: "k", alg: "Ed25519", sig: sign(null, Buffer.from(text), privateKey).toString("base64") }] });
const subtle = webcrypto.subtle;
test("a receipt that the server signed holds", async () => assert.equal((await receipt.check(signed('{"a":1}'), pem, subtle)).kind, "holds"));
test("a byte that was changed breaks it", async () => assert.equal((await receipt.check({ ...signed('{"a":1}'), payload: Buffer.from('{"a":2}').toString("base64") }, pem, subtle)).kind, "broken"));
test("another server's key breaks it", async () => assert.equal((await receipt.check(signed("x"), generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }), subtle)).kind, "broken"));
test("without a signature it is broken", async () => assert.equal((await receipt.check({ payload: "", signatures: [] }, pem, subtle)).kind, "broken"));
test("a signature that is no base64 breaks it", async () => assert.equal((await receipt.check({ payload: "e30=", signatures: [{ keyid: "k", alg: "Ed25519", sig: "%%%" }] }, pem, subtle)).kind, "broken"));
test("without cryptography it says that it cannot", async () => assert.equal((await receipt.check(signed("x"), pem, undefined)).kind, "unable"));
test("a key that is none says that it cannot", async () => assert.equal((await receipt.check(signed("x"), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", subtle)).kind, "unable"));
test("what was signed can be read", () => assert.deepEqual(receipt.payloadOf(signed('{"a":"ä"}')), { a: "ä" }));
test("what is no JSON reads as nothing", () => assert.equal(receipt.payloadOf(signed("{")), null));

table("an address is a page", [
  [["/", ""], ["overview", null]], [["/jobs", ""], ["jobs", null]], [["/jobs/a%2Fb", ""], ["jobs", "a/b"]], [["/jobs/", ""], ["jobs", null]], [["/nowhere", ""], ["none", null]], [["/jobs/a/b", ""], ["none", "a"]], [["/backups", ""], ["backups", null]], [["/snapshots", "?from=a&to=b"], ["snapshots", null]], [["/jobs/%E0%A4%A", ""], ["none", null]],
  [["/quell/jobs", "/quell"], ["jobs", null]], [["/quell", "/quell"], ["overview", null]], [["/quell/", "/quell"], ["overview", null]],
], ([path, prefix]) => { const place = links.placeOf(path, "", prefix); return [place.page, place.id]; });
table("a number keeps its digits", [
  ["9007199254740991", 9007199254740991], ["9007199254740993", "9007199254740993"], ["-9223372036854775808", "-9223372036854775808"], ["0.15104166666666666", 0.15104166666666666],
  ["-1.2345678901234567890e-7", -1.2345678901234567890e-7], ["12345678901234567890.5", 12345678901234567890.5], ['"12345678901234567"', "12345678901234567"], ['"a \\" 12345678901234567"', 'a " 12345678901234567'],
], (text) => exact.exactJson(`{"n":[${text}]}`).n[0]);
table("a link keeps its state", [[["overview"], "/"], [["jobs"], "/jobs"], [["jobs", "a/b"], "/jobs/a%2Fb"], [["jobs", null, { q: "queue:a b", status: "" }], "/jobs?q=queue%3Aa+b"], [["trace", null, { id: "x" }], "/trace?id=x"]], (args) => links.linkTo(...args));
table("an id is known by its form", [["0198c2c0-0000-7000-8000-000000000001", true], [" 0198C2C0-0000-7000-8000-000000000001 ", true], ["0198c2c0", false], ["", false], ["queue:a", false]], links.isId);

table("a cron expression in words", [
  ["* * * * *", "every minute"], ["*/15 * * * *", "every 15 minutes"], ["0 * * * *", "every hour"], ["@hourly", "every hour"], ["5 * * * *", "every hour at 5 past"], ["0,30 * * * *", "every hour at 0 and 30 past"],
  ["0 */2 * * *", "every 2 hours"], ["30 2 * * *", "every day at 02:30"], ["@daily", "every day at 00:00"], ["0 9,17 * * *", "every day at 09:00 and 17:00"], ["30 2 * * mon-fri", "at 02:30 on Monday to Friday"], ["30 2 * * 1-5", "at 02:30 on Monday to Friday"],
  ["0 0 * * 0", "at 00:00 on Sunday"], ["0 0 * * 7", "at 00:00 on Sunday"], ["0 0 1 * *", "at 00:00 on the 1st"], ["0 6 1,15 * *", "at 06:00 on the 1st and 15th"], ["0 0 1 1 *", "at 00:00 on the 1st in January"], ["@yearly", "at 00:00 on the 1st in January"],
  ["*/10 9-17 * * 1-5", "every 10 minutes from 09:00 to 17:59 on Monday to Friday"], ["0 9-17 * * *", "every hour from 09:00 to 17:59"], ["0 12 13 * 5", "at 12:00 on the 13th and on every Friday"], ["*/5 * * * * *", "every 5 seconds"], ["* * * * * *", "every second"], ["0 30 2 * * *", "every day at 02:30"],
  ["0 0 L * *", ""], ["0 0 * * 5#2", ""], ["nonsense", ""], ["0 1--100000000 * * *", ""], ["", ""], ["1 2 3 4 5 6 7", ""],
], cron.cronWords);
table("a plan in words", [[{ cron: null, every: 900, at: null }, "every 15 m"], [{ cron: null, every: null, at: "T" }, "once, at <T>"], [{ cron: "@daily", every: null, at: null }, "every day at 00:00"]], (plan) => cron.planWords(plan, (iso) => `<${iso}>`));
table("an ordinal", [[1, "1st"], [2, "2nd"], [3, "3rd"], [4, "4th"], [11, "11th"], [12, "12th"], [13, "13th"], [21, "21st"], [22, "22nd"], [31, "31st"]], times.ordinal);
const keep = (archive_days) => ({ archive_days });
table("how long copies are kept: the shortest and the longest", [
  [[keep(7), {}, ["a"], false], [7, 7]], [[keep(0), {}, [], false], [0, 0]], [[keep(7), { a: keep(0) }, ["a"], false], [0, 0]], [[keep(7), { a: keep(30) }, ["a", "b"], false], [7, 30]], [[keep(7), { a: keep(0) }, ["b"], true], [0, 7]], [[keep(7), { a: keep(1) }, [], false], [1, 7]],
], (args) => copies.copyDays(...args));
table("a restore is told in a sentence", [[{ restored: 1, failed: 0 }, "1 job is back."], [{ restored: 3, failed: 0 }, "3 jobs are back."], [{ restored: 2, failed: 1 }, "2 jobs are back, 1 is not."], [{ restored: 0, failed: 1 }, "It did not come back."], [{ restored: 0, failed: 4 }, "None of 4 came back."], [{ restored: 12408, failed: 1200 }, "12,408 jobs are back, 1,200 are not."]], copies.restoredText);

test("links to a filter are made by the function that quotes its values", () => assert.deepEqual([...sources().matchAll(/q: `(queue|tag|kind|project|schedule):\$\{.*?`/g)].map((found) => found[0]), []));

const usual = { columns: ["kind"], pageSize: 50, live: true, views: [], language: "en" }, are = { columns: kept.listOf(kept.isText), pageSize: kept.oneOf(50, 100), live: kept.isFlag, views: kept.listOf(kept.withTexts("name", "search")), language: kept.oneOf("en", "de") };
table("of what a browser kept only what is what it should be is taken", [
  [null, usual], ["{", usual], ["[]", usual], ["5", usual], ['"x"', usual], ['{"columns":5}', usual], ['{"columns":null}', usual], ['{"columns":["a",1]}', usual], ['{"views":[null]}', usual], ['{"views":[{"name":5}]}', usual], ['{"pageSize":"x"}', usual], ['{"pageSize":0}', usual], ['{"language":"xx"}', usual], ['{"live":"no"}', usual],
  ['{"live":false,"pageSize":100,"columns":["a"],"other":1}', { ...usual, live: false, pageSize: 100, columns: ["a"] }], ['{"views":[{"name":"a","search":"?q=b"}]}', { ...usual, views: [{ name: "a", search: "?q=b" }] }],
], (text) => kept.membersOf(text, usual, are));
table("of what should be a list of texts only texts are taken", [[null, []], ["5", []], ["{}", []], ["{", []], ['"abc"', []], ['["a",5,null,"b"]', ["a", "b"]]], kept.textsOf);

const documents = [{}, [], { a: [] }, { a: { b: [1, "x, {}: \\\"]", null, true] }, c: {} }, "text", 5, [[[]]]];
table("JSON as text is laid out as a browser lays it out", documents.map((value) => [JSON.stringify(value), JSON.stringify(value, null, 2)]), raw.indented);
table("and back", documents.map((value) => [JSON.stringify(value, null, 2), JSON.stringify(value)]), raw.compact);
test("digits stay as they are", () => assert.equal(raw.indented('{"n":9007199254740993,"f":0.1234567890123456789,"e":1E400}'), '{\n  "n": 9007199254740993,\n  "f": 0.1234567890123456789,\n  "e": 1E400\n}'));
table("the text of a member", [["args", '{"n":18446744073709551615,"args":1}'], ["b", '"x"'], ["c", "[1,{}]"], ["n", null], ["é", "2"]], (name) => raw.memberText('{ "b": "x", "args": {"n": 18446744073709551615, "args": 1}, "c": [1, {}], "\\u00e9": 2 }', name));
test("an object with a member whose text stays", () => assert.equal(raw.withMember({ kind: "noop", queue: undefined, tags: ["a"] }, "args", '{ "n": 9007199254740993 }'), '{"kind":"noop","tags":["a"],"args":{"n":9007199254740993}}'));
table("tags in one field read back", [[["a", "b"], "a, b"], [["a,b", "plain"], '"a,b", plain'], [['say "hi"', "x"], '"say \\"hi\\"", x'], [[" lead"], '" lead"'], [["a\\b"], '"a\\\\b"'], [[], ""]], (list) => { assert.deepEqual(tags.tagsOf(tags.tagsText(list)), list); return tags.tagsText(list); });
table("tags as one types them", [["a,b", ["a", "b"]], [" a , ,b ", ["a", "b"]], ['a "b" c', ['a "b" c']], ['"open', ['"open']]], tags.tagsOf);

test("what a language says is said of texts that the console has, and nothing that a job says goes through a table", () => {
  const source = sources(), table = [...readFileSync(join(consoleDir, "src/words/de.ts"), "utf8").matchAll(/"((?:[^"\\]|\\.)*)": "/g)].map((found) => found[1]);
  assert.ok(table.length > 100);
  assert.deepEqual(table.filter((text) => !source.includes(`"${text}"`) && !source.includes(`${text}: "`)), [], "texts that no page has");
  assert.deepEqual([...source.matchAll(/\bt\((job|one|data|hook|worker|call|alert)\.(?!title)[a-z_]+\)/g)].map((found) => found[0]), []);
});
