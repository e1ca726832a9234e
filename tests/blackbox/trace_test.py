"""Where did it go? One answer for each way that an id can go, on both stores. Requirements C7, C8."""
import json
import os
import subprocess
import tempfile
import time
import uuid

import kept
import product
import receiver
from product import until

# What every answer says of a job, whatever became of it.
ALWAYS = ("id", "found_as", "fate", "sentence", "call", "receipt", "operation", "schedule", "schedule_is_gone", "life", "audit",
          "not_kept", "forgotten_until")
QUEUES = [word for name in ("default", "still", "filtered", "purged", "a", "b") for word in ("--queue", name)]
OF_A_JOB = ("status", "was", "project", "queue", "kind", "submitted_at", "attempt", "attempts", "effects", "deliveries", "deleted",
            "leaving", "restored", "copy_kept_until", "node")


def uuid7(at_ms):
    value = (at_ms << 80) | (7 << 76) | (2 << 62) | int.from_bytes(os.urandom(7), "big")
    return str(uuid.UUID(int=value))


class Trace(kept.Story):
    def trace(self, job, token="own"):
        status, traced = self.quell.call("GET", f"/api/v1/jobs/{job}/trace", token=token)
        self.assertEqual(status, 200, traced)
        for name in ALWAYS + (OF_A_JOB if traced["found_as"] == "job" else ()):
            self.assertIn(name, traced)
        return traced

    def submit(self, kind="noop", args=None, **more):
        return self.quell.submit(kind, {"n": 1} if args is None else args, **more)

    def waiting(self, **more):
        return self.submit(delay_s=5_000, **more)

    def running(self):
        job = self.submit("sleep", {"seconds": 600})
        until(lambda: self.quell.status_of(job) == "running", what="the run")
        return job

    def ended(self, kind="noop", args=None, status="succeeded", **more):
        job = self.submit(kind, args, **more)
        until(lambda: self.quell.status_of(job) == status, 60, status)
        return job

    def delete(self, job, **more):
        query = "".join(f"&{name}={value}" for name, value in more.items())
        return self.ask("DELETE", f"/jobs/{job}?reason=because{query}")

    def by_filter(self, text):
        preview = self.ask("POST", "/jobs/delete-preview", {"filter": text})
        body = {"filter": text, "confirm_token": preview["confirm_token"], "expected_count": preview["total"], "reason": "by filter"}
        operation = self.ask("POST", "/jobs/delete-by-filter", body, 202)["operation_id"]
        until(lambda: self.ask("GET", f"/operations/{operation}")["state"] == "done", 60, "its end")
        return operation

    # Each returns the id to ask for, and what must be in the answer.
    def ways(self):
        quell, nothing = self.quell, ["http", {"method": "GET", "url": "http://127.0.0.1:1/"}]
        slow = receiver.SlowServer()
        self.addCleanup(slow.stop)
        yield "scheduled", self.waiting(), {"fate": "alive", "status": "scheduled"}
        quell.call("POST", "/api/v1/queues/still/pause", {})
        yield "queued", self.submit(queue="still"), {"fate": "alive", "status": "queued"}
        yield "running", self.running(), {"fate": "alive", "status": "running", "has": ["node", "started_at"]}
        yield "succeeded", self.ended(), {"fate": "alive", "status": "succeeded", "has": ["node", "finished_at", "submitted_by"]}
        yield "failed", self.ended(*nothing, status="failed"), {
            "fate": "alive", "status": "failed", "attempts": 1, "effects": ["127.0.0.1:1"]}
        retrying = self.submit(*nothing, max_attempts=3, backoff_s=5_000)
        until(lambda: quell.job(retrying)[1]["attempt"] == 1 and quell.status_of(retrying) == "scheduled", what="the retry")
        yield "waits for its retry", retrying, {"fate": "alive", "status": "scheduled", "attempts": 1}
        cancelled = self.waiting()
        self.ask("POST", f"/jobs/{cancelled}/cancel", {})
        yield "cancelled before it ran", cancelled, {"fate": "alive", "status": "cancelled"}
        stopped = self.running()
        quell.call("POST", f"/api/v1/jobs/{stopped}/cancel", {})
        until(lambda: quell.status_of(stopped) == "cancelled", what="the cancel")
        yield "cancelled while it ran", stopped, {"fate": "alive", "status": "cancelled", "has": ["node"]}
        revived = self.ended(*nothing, status="failed")
        self.ask("POST", f"/jobs/{revived}/retry", {})
        until(lambda: quell.job(revived)[1]["attempt"] == 2 and quell.status_of(revived) == "failed", 60, "its second end")
        yield "failed, revived and failed again", revived, {"fate": "alive", "status": "failed", "attempts": 2}

        for name, job, was in (("scheduled", self.waiting(), "scheduled"), ("queued", self.submit(queue="still"), "queued"),
                               ("succeeded", self.ended(), "succeeded"), ("cancelled", cancelled, "cancelled")):
            self.delete(job)
            yield f"deleted when {name}", job, {"fate": "deleted", "was": was, "path": "api", "why": "because", "receipt": "valid"}
        run = self.running()
        self.delete(run)
        yield "deleted when running", run, {
            "fate": "deleted", "was": "running", "verdict": "stopped", "receipt": "valid", "has": ["node", "started_at"], "attempt": 1}
        failed = self.ended(*nothing, status="failed", max_attempts=2, backoff_s=0)
        self.delete(failed)
        yield "deleted when failed", failed, {
            "fate": "deleted", "was": "failed", "attempts": 2, "effects": ["127.0.0.1:1"], "has": ["submitted_by", "finished_at"]}
        calling = self.submit("http", {"url": slow.url("/a/secret?token=1")})
        until(lambda: slow.open_count() == 1, what="its call")
        self.delete(calling)
        yield "deleted in a call", calling, {"fate": "deleted", "effects": [f"127.0.0.1:{slow.port}"], "receipt": "valid"}
        bare = self.ask("POST", "/jobs", {"kind": "noop", "delay_s": 5_000}, 201)["job_id"]
        self.delete(bare)
        yield "deleted, of which nobody noted who it was", bare, {"fate": "deleted", "not_kept": "who submitted it"}
        several = [self.waiting() for _ in range(3)]
        _, bulk = quell.delete_many(several, reason="three")
        yield "deleted in bulk", several[1], {"fate": "deleted", "path": "bulk", "why": "three", "receipt": "valid"}
        filtered = self.waiting(queue="filtered")
        operation = self.by_filter("queue=filtered")
        yield "deleted by filter", filtered, {"fate": "deleted", "path": "filter", "operation": operation}
        purged = self.waiting(queue="purged")
        self.cli("purge", "queue=purged", "--confirm", "1")
        yield "purged by hand", purged, {"fate": "deleted", "why": "purge queue=purged"}
        notified = self.ended(webhook="http://127.0.0.1:1/")
        until(lambda: self.ask("GET", f"/jobs/{notified}/deliveries")["deliveries"], what="its delivery")
        delivery = self.ask("GET", f"/jobs/{notified}/deliveries")["deliveries"][0]["delivery_id"]
        yield "with a delivery", notified, {"fate": "alive", "life": "webhook"}
        yield "the delivery", delivery, {"found_as": "delivery", "fate": "alive"}
        archived = self.waiting()
        self.ask("DELETE", f"/jobs/{archived}", {"archive_days": 7})
        yield "archived", archived, {"fate": "archived", "has": ["copy_kept_until"], "life": "copy_ends"}
        ended_copy = self.waiting()
        self.ask("DELETE", f"/jobs/{ended_copy}", {"archive_days": 7})
        self.hand(f"UPDATE archive SET until = 1 WHERE id = {self.blob(ended_copy)}")
        self.ask("POST", "/retention/run", {"confirm": True})
        yield "its copy has ended", ended_copy, {"fate": "deleted", "life": "copy_end"}
        restored = self.waiting()
        self.ask("DELETE", f"/jobs/{restored}", {"archive_days": 7})
        self.ask("POST", f"/archive/{restored}/restore", {})
        yield "restored", restored, {"fate": "restored", "status": "scheduled", "life": "restore"}
        twice = self.waiting()
        self.ask("DELETE", f"/jobs/{twice}", {"archive_days": 7})
        self.ask("POST", f"/archive/{twice}/restore", {})
        self.delete(twice)
        yield "restored and deleted again", twice, {"fate": "deleted", "why": "because", "receipt": "valid"}
        expired = self.ended()
        self.hand(f"UPDATE job SET expires = 1 WHERE id = {self.blob(expired)}")
        self.assertEqual(self.cli("retention", "run")["deleted"], 1)
        yield "expired", expired, {"fate": "expired", "path": "retention", "receipt": "none", "has_who": "token:admin"}
        task = self.ask("POST", "/schedules", {"name": "hourly", "every": "1h", "job": {"kind": "noop", "args": {"n": 1}}}, 201)["task_uuid"]
        fired = self.ask("POST", f"/schedules/{task}/run-now", {}, 201)["job_id"]
        until(lambda: quell.status_of(fired) == "succeeded", what="the fired job's end")
        yield "fired", fired, {"fate": "alive", "schedule": "hourly", "life": "submitted"}
        yield "the schedule", task, {"found_as": "schedule", "fate": "alive", "life": "schedule.created"}
        self.assertIn(quell.call("DELETE", f"/api/v1/schedules/{task}?wait=20&reason=over")[0], (200, 202))
        until(lambda: quell.call("GET", f"/api/v1/schedules/{task}")[0] == 404, 60, "its end")
        yield "purged with its schedule", fired, {"fate": "purged", "path": "task", "why": "over", "is_gone": True, "life": "task.deleted"}
        yield "the schedule that is gone", task, {"found_as": "schedule", "fate": "deleted", "life": "task.deleted"}
        yield "the delete", bulk["delete_id"], {"found_as": "deletion", "fate": "deleted", "erased": 3, "receipt": "valid"}
        yield "the operation", operation, {"found_as": "deletion", "fate": "deleted", "erased": 1, "operation": operation}
        yield "never seen", uuid7(int(time.time() * 1000)), {"found_as": "nothing", "fate": "never_seen"}
        forgotten = self.waiting()
        self.delete(forgotten)
        self.hand(f"UPDATE tomb SET until = 1 WHERE id = {self.blob(forgotten)}")
        until(lambda: self.trace(forgotten)["found_as"] == "nothing", what="the forgetting")
        yield "forgotten", forgotten, {"found_as": "nothing", "fate": "older_than_kept", "has": ["forgotten_until"]}
        yield "never seen, younger than the forgotten", uuid7(int(time.time() * 1000) + 1_000), {"found_as": "nothing", "fate": "never_seen"}

    def holds(self, traced, want):
        deleted = traced.get("deleted") or {}
        words = [event["what"] for event in traced["life"]]
        for name, value in want.items():
            if name in ("fate", "status", "was", "found_as", "attempt", "erased"):
                self.assertEqual(traced[name], value, name)
            elif name in ("path", "why", "verdict"):
                self.assertEqual(deleted[name], value, name)
            elif name == "receipt":
                self.assertEqual(traced["receipt"]["state"], value)
            elif name == "has":
                for member in value:
                    self.assertIsNotNone(traced[member], member)
            elif name == "has_who":
                self.assertIn(value, deleted["who"])
            elif name == "attempts":
                self.assertEqual(len(traced["attempts"]), value)
            elif name == "effects":
                self.assertEqual([one["host"] for one in traced["effects"]], value)
            elif name == "life":
                self.assertIn(value, words)
            elif name == "operation":
                self.assertEqual(traced["operation"]["operation_id"], value)
            elif name == "schedule":
                self.assertEqual(traced["schedule"]["name"], value)
            elif name == "is_gone":
                self.assertTrue(traced["schedule_is_gone"])
            elif name == "not_kept":
                self.assertIn(value, " ".join(traced["not_kept"]))
            else:
                self.fail(name)
        self.assertTrue(traced["sentence"])
        if traced["found_as"] == "job":
            self.assertEqual(words.count("submitted"), 1)
            self.assertTrue(all(traced[name] for name in ("project", "queue", "kind", "submitted_at")), traced)
            if traced["status"] == "gone":
                self.assertIn("deleted", words)
                self.assertTrue(deleted["who"] and deleted["delete_id"] and deleted["verdict_sentence"], deleted)
                self.assertTrue(any(row["ref"] == deleted["delete_id"] for row in traced["audit"]), traced["audit"])
        times = [event["at"] for event in traced["life"]]
        self.assertEqual([at for at in times if at], sorted(at for at in times if at))
        self.assertNotIn("secret?token", json.dumps(traced.get("effects")) + json.dumps(traced["life"]))

    def test_each_way_that_an_id_can_go_has_its_answer(self):
        self.serve("--outbound-allow", "127.0.0.0/8", *QUEUES)
        seen = 0
        for name, job, want in self.ways():
            with self.subTest(name):
                if want.get("receipt") == "valid":  # it is kept behind the answer
                    until(lambda: self.trace(job)["receipt"]["state"] != "none", what="the receipt")
                self.holds(self.trace(job), want)
            seen += 1
        self.assertGreaterEqual(seen, 30)
        self.assertEqual(self.eyes.orphans(), [])

    def test_a_run_that_does_not_end_is_traced_before_and_after_it_is_forced(self):
        quell = self.serve("--stop-deadline-ms", "100")
        quell.stop()
        quell.start({"QUELL_FAILPOINTS": "stop.before=error@1"})
        job = self.running()
        self.assertEqual(quell.call("DELETE", f"/api/v1/jobs/{job}?wait=0&reason=stuck")[0], 202)
        leaving = self.trace(job)
        self.assertEqual((leaving["fate"], leaving["status"], leaving["leaving"]["why"]), ("leaving", "pending_delete", "stuck"))
        self.assertEqual(self.trace(leaving["leaving"]["delete_id"])["waiting"], 1)
        status, reply = quell.call("POST", f"/api/v1/deletions/{leaving['leaving']['delete_id']}/force", {"reason": "no patience"})
        self.assertIn(status, (200, 202), reply)
        until(lambda: self.trace(job)["fate"] == "deleted", what="its end by force")
        forced = self.trace(job)
        self.assertEqual((forced["fate"], forced["deleted"]["verdict"], forced["deleted"]["proven"]), ("deleted", "not_confirmed", False))
        self.assertIn("unproven", [event["what"] for event in forced["life"]])
        report = self.ask("GET", "/deletions/report")
        self.assertEqual([one["job_id"] for one in report["unproven_jobs"]], [job])
        self.assertEqual((report["total"]["unproven"], report["total"]["slots_known"]), (1, False))

    def test_another_projects_id_is_as_one_that_was_never_seen(self):
        self.serve()
        blue = self.ask("POST", "/tokens", {"name": "b", "role": "admin", "project": "blue"}, 201)["token"]
        red = self.ask("POST", "/tokens", {"name": "r", "role": "viewer", "project": "red"}, 201)["token"]
        alive, gone = (self.quell.call("POST", "/api/v1/jobs", {"kind": "noop", "delay_s": 5_000, "args": {"n": 1}}, token=blue)[1]["job_id"]
                       for _ in range(2))
        deleted = self.quell.call("DELETE", f"/api/v1/jobs/{gone}?reason=blue-reason", token=blue)[1]
        task = self.quell.call("POST", "/api/v1/schedules", {"name": "n", "every": "1h", "job": {"kind": "noop"}}, token=blue)[1]["task_uuid"]
        stranger = self.trace(uuid7(int(time.time() * 1000)), token=red)
        for one in (alive, gone, deleted["delete_id"], task):
            self.assertEqual({**self.trace(one, token=red), "id": ""}, {**stranger, "id": ""})
        mine = self.trace(gone, token=blue)
        self.assertEqual((mine["fate"], mine["deleted"]["why"], mine["audit"]), ("deleted", "blue-reason", []))
        self.assertEqual(self.trace(deleted["delete_id"], token=blue)["erased"], 1)
        self.assertEqual(self.trace(task, token=blue)["found_as"], "schedule")

    def test_the_command_line_tells_a_story_and_says_by_its_code_that_there_was_nothing(self):
        self.serve()
        job = self.waiting()
        self.delete(job)
        until(lambda: self.trace(job)["receipt"]["state"] == "valid", what="the receipt")
        said = subprocess.run([product.BINARY, "trace", job, "--url", f"http://127.0.0.1:{self.quell.port}", "--token-file",
                               os.path.join(self.quell.data_dir, "admin.token")], capture_output=True, text=True, timeout=60)
        self.assertEqual(said.returncode, 0, said.stderr)
        for word in (job, "deleted", "It was deleted by its id by token:admin", "submitted", "receipt: valid"):
            self.assertIn(word, said.stdout)
        self.assertEqual(self.cli("trace", job)["fate"], "deleted")
        self.assertEqual(self.cli("trace", job, "--json")["fate"], "deleted")
        self.assertEqual(self.cli("trace", uuid7(int(time.time() * 1000)), code=3)["fate"], "never_seen")
        self.cli("trace", "no-id", code=3)


class Report(kept.Story):
    def test_the_sums_of_the_report_are_those_of_the_receipts(self):
        quell = self.serve("--spike-jobs", "20", "--spike-share-percent", "100", *QUEUES)
        single, *rest = self.finished(5)
        queued = quell.submit_many([{"kind": "noop", "delay_s": 5_000, "queue": "a"}] * 30)
        running = quell.submit_many([{"kind": "sleep", "args": {"seconds": 600}, "queue": "b"}] * 5)
        until(lambda: quell.pool()["used"] == 5, what="the runs")
        other = self.ask("POST", "/tokens", {"name": "other", "role": "admin"}, 201)["token"]
        receipts = [quell.delete_many(queued[:25])[1], quell.delete_many(queued[25:] + running, wait=30)[1],
                    quell.call("POST", "/api/v1/jobs/bulk-delete", {"job_ids": rest}, token=other)[1],
                    self.ask("DELETE", f"/jobs/{single}")]
        sums = {name: sum(one["counts"][name] for one in receipts)
                for name in ("deleted", "dequeued", "killed", "at_rest", "finished_first", "unproven", "slots_freed", "pending")}
        sums["runs_stopped"] = sums.pop("killed")
        self.assertEqual(sums["deleted"], 40)
        until(lambda: self.ask("GET", "/alerts")["alerts"], what="the alert")
        for by in ("who", "path", "queue", "kind"):
            report = self.ask("GET", f"/deletions/report?by={by}")
            for name, n in sums.items():
                self.assertEqual(report["total"][name], n, (by, name))
                if name != "pending":
                    self.assertEqual(sum(line[name] for line in report["lines"]), n, (by, name))
            self.assertEqual(report["total"]["calls"], 4)
            self.assertTrue(report["spike"])
            rows = {row["no"]: row for row in self.audit()}
            behind = {rows[no]["ref"] for line in report["lines"] for no in line["audit"]}
            self.assertEqual(behind, {one["delete_id"] for one in receipts})
        lines = {line["key"]: line for line in self.ask("GET", "/deletions/report?by=queue")["lines"]}
        self.assertEqual((lines["a"]["deleted"], lines["b"]["runs_stopped"], lines["default"]["at_rest"]), (30, 5, 5))
        self.assertEqual([lines[name]["spike"] for name in ("a", "b", "default")], [True, False, False])
        who = {line["key"].split("#")[0]: line["deleted"] for line in self.ask("GET", "/deletions/report")["lines"]}
        self.assertEqual(who, {"token:admin": 36, "token:other": 4})
        self.assertEqual(self.cli("deletions", "report", "--since", "1h", "--by", "kind")["total"]["deleted"], 40)

    def test_a_job_that_two_calls_were_about_is_in_the_report_once(self):
        quell = self.serve("--stop-deadline-ms", "100", *QUEUES)
        quell.stop()
        quell.start({"QUELL_FAILPOINTS": "stop.before=error@1"})
        job, other = quell.submit("sleep", {"seconds": 600}), quell.submit("noop", {}, delay_s=5_000)
        until(lambda: quell.status_of(job) == "running", what="the run")
        first = quell.call("DELETE", f"/api/v1/jobs/{job}?wait=0")[1]["delete_id"]
        second = quell.delete_many([job, other], wait=0)[1]["delete_id"]
        self.assertEqual(quell.status_of(job), "pending_delete")
        self.assertIn(quell.call("POST", f"/api/v1/deletions/{first}/force", {"reason": "no patience"})[0], (200, 202))
        calls = [until(lambda i=i: (call := self.ask("GET", f"/deletions/{i}"))["receipt"] and call, what="the receipt")
                 for i in (first, second)]
        self.assertEqual([call["counts"]["deleted"] for call in calls], [1, 2])
        for by in ("who", "path", "queue", "kind"):
            report = self.ask("GET", f"/deletions/report?by={by}")
            total = report["total"]
            self.assertEqual((total["deleted"], total["unproven"], total["dequeued"], total["runs_stopped"]), (2, 1, 1, 0), by)
            self.assertEqual(sum(line["deleted"] for line in report["lines"]), 2, by)

    def test_what_expired_is_in_it_and_the_span_bounds_it(self):
        quell = self.serve()
        jobs = self.finished(3)
        self.hand("UPDATE job SET expires = 1")
        self.assertEqual(self.cli("retention", "run")["deleted"], 3)
        lines = self.ask("GET", "/deletions/report?by=path")["lines"]
        self.assertEqual([(line["key"], line["at_rest"], line["audit_rows"]) for line in lines], [("retention", 3, 1)])
        empty = self.ask("GET", "/deletions/report?until=2026-01-01T00:00:00Z&since=2025-01-01T00:00:00Z")
        self.assertEqual((empty["lines"], empty["total"]["deleted"], empty["spike"]), ([], 0, False))
        for wrong in ("by=nothing", "since=yesterday", "since=2026-01-01T00:00:00Z&until=2025-01-01T00:00:00Z", "color=red"):
            self.ask("GET", f"/deletions/report?{wrong}", status=400)
        self.assertEqual(len(jobs), 3)

    def test_a_table_program_reads_it(self):
        quell = self.serve()
        evil = self.ask("POST", "/tokens", {"name": "x", "role": "admin"}, 201)["token"]
        job = quell.submit("noop", {"n": 1}, queue="a", delay_s=5_000)
        quell.call("DELETE", f"/api/v1/jobs/{job}", token=evil)
        self.quell = quell
        said = subprocess.run([product.BINARY, "deletions", "report", "--csv", "--by", "queue", "--url", f"http://127.0.0.1:{quell.port}",
                               "--token-file", os.path.join(quell.data_dir, "admin.token")], capture_output=True, text=True, timeout=60)
        self.assertEqual(said.returncode, 0, said.stderr)
        head, line, total, _ = said.stdout.replace("\r\n", "\n").split("\n")
        self.assertEqual(head.split(",")[:3], ["queue", "calls", "deleted"])
        self.assertEqual((line.split(",")[:3], total.split(",")[:3]), (["a", "1", "1"], ["(all)", "1", "1"]))


kept.both(globals(), Trace)
kept.both(globals(), Report)
