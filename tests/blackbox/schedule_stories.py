"""What the suites of schedules tell, whatever the store: `Calm` on one server for all of it, `Falls` on one for each test, because
it dies there."""
import json
import os
import subprocess
import time

import product
from product import until

PATH = "/api/v1/schedules"
# What runs at a stop is handed over at once: nobody here waits for a job of ten minutes.
FLAGS = ("--pool", "default=200", "--poll-ms", "50", "--delete-retry-s", "1", "--stop-deadline-ms", "500", "--drain-timeout-s", "0")
WRONG_CRONS = ["0 0 1--100000000 * *", "", "* * * *", "* * * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
               "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *", "1-2-3 * * * *", "a * * * *", "@never", "1,,2 * * * *",
               "*/ * * * *", "99999999999999999999 * * * *", "* * * jan-foo *", "1/ * * * *", "-1 * * * *", "* * * * mon#9"]


class Words:
    """A server, and what is said to it of schedules."""

    def schedule(self, **more):
        body = {"name": "test", "cron": "0 0 1 1 *", "job": {"kind": "noop"}, **more}
        if "every" in more or "at" in more:
            body.pop("cron")
        status, made = self.quell.call("POST", PATH, body)
        self.assertEqual(status, 201, made)
        return made["task_uuid"]

    def of(self, task, tail=""):
        return self.quell.call("GET", f"{PATH}/{task}{tail}")

    def post(self, task, tail, expect=200):
        status, reply = self.quell.call("POST", f"{PATH}/{task}/{tail}")
        self.assertEqual(status, expect, reply)
        return reply

    def runs(self, task):
        status, reply = self.of(task, "/runs?page_size=500")
        self.assertEqual(status, 200, reply)
        return reply["runs"]

    def delete(self, task, query="", expect=202):
        status, reply = self.quell.call("DELETE", f"{PATH}/{task}{query}")
        self.assertEqual(status, expect, reply)
        return reply

    def is_gone(self, task):
        return self.of(task)[0] == 404

    def busy_task(self, running, queued):
        """A task with jobs that run and jobs that wait, all its own: fired by hand."""
        task = self.schedule(job={"kind": "sleep", "args": {"seconds": 600}})
        for _ in range(running + queued):
            self.post(task, "run-now", 201)
        until(lambda: sum(one["status"] == "running" for one in self.runs(task)) >= running)
        return task


class Calm(Words):
    def test_fires_on_time_and_each_time_once(self):
        task = self.schedule(every=1)
        runs = until(lambda: [one for one in self.runs(task) if one["status"] == "succeeded"][2:] and self.runs(task))
        dues = [one["created_at"] for one in runs]
        self.assertEqual(len(dues), len(set(dues)))
        self.assertTrue(all(one["schedule_id"] == task for one in runs))
        shown = self.of(task)[1]
        self.assertGreaterEqual(shown["fired"], 3)
        self.assertEqual(shown["missed"], 0)
        self.delete(task, "?wait=10", 200)

    def test_one_time_fires_once(self):
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1.5))
        task = self.schedule(at=at)
        until(lambda: self.runs(task))
        shown = self.of(task)[1]
        self.assertEqual((shown["next_fire"], shown["fired"], shown["last_fire"][:19]), (None, 1, at[:19]))
        self.delete(task)

    def test_a_moment_that_has_passed_is_refused_and_nothing_is_made(self):
        once = {"name": "late", "at": "2020-01-01T00:00:00Z", "job": {"kind": "noop"}}
        for more in ({}, {"misfire": "all"}, {"status": "DISABLED"}):
            status, reply = self.quell.call("POST", PATH, {**once, **more})
            self.assertEqual((status, reply["errors"][0]["pointer"]), (400, "/at"), reply)
            self.assertIn("has passed", reply["errors"][0]["detail"])
        self.assertEqual([one for one in self.quell.call("GET", PATH)[1]["schedules"] if one["name"] == "late"], [])
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        key = {"Idempotency-Key": "once"}
        status, first = self.quell.call("POST", PATH, {**once, "at": soon}, headers=key)
        self.assertEqual(status, 201, first)
        task = first["task_uuid"]
        until(lambda: self.runs(task))
        # A repeat is told what was made, and a change of something else asks nothing of its time.
        self.assertEqual(self.quell.call("POST", PATH, {**once, "at": soon}, headers=key)[1]["task_uuid"], task)
        self.assertEqual(self.quell.call("PATCH", f"{PATH}/{task}", {"name": "on time", "at": soon})[0], 200)
        self.assertEqual(self.quell.call("PATCH", f"{PATH}/{task}", {"at": once["at"]})[0], 400)
        self.delete(task)

    def test_a_delete_and_a_fire_by_hand_are_of_the_version_that_was_seen(self):
        task = self.schedule()
        self.assertEqual(self.quell.call("PATCH", f"{PATH}/{task}", {"name": "changed"})[0], 200)
        said = lambda method, tail, tag: self.quell.exchange(method, f"{PATH}/{task}{tail}", None, headers={"If-Match": tag})
        for method, tail in (("POST", "/run-now"), ("DELETE", ""), ("DELETE", "?validate_only=true"), ("DELETE", "?wait=5")):
            status, headers, body = said(method, tail, '"1"')
            self.assertEqual((status, headers["etag"], json.loads(body)["code"]), (412, '"2"', "etag-mismatch"), tail)
        status, reply = self.quell.call("DELETE", f"/api/v1/projects/default/tasks/{task}", headers={"If-Match": '"1"'})
        self.assertEqual((status, reply["code"]), (412, "etag-mismatch"))
        self.assertEqual((self.of(task)[1]["status"], self.runs(task)), ("ACTIVE", []))
        self.assertEqual(said("POST", "/run-now", '"2"')[0], 201)
        self.assertEqual(said("DELETE", "?wait=20", '"2"')[0], 200)
        self.assertEqual(said("DELETE", "", '"2"')[0], 202)  # it is gone already

    def test_a_fire_by_hand_names_the_job_that_has_its_unique_key(self):
        task = self.schedule(job={"kind": "sleep", "args": {"seconds": 600}, "unique_key": "of one"})
        job = self.post(task, "run-now", 201)["job_id"]
        reply = self.post(task, "run-now", 409)
        self.assertEqual((reply["code"], reply["existing_job_id"]), ("unique-conflict", job), reply)
        self.assertIn(reply["existing_status"], ("queued", "running"))
        self.delete(task, "?wait=20", 200)

    def test_says_what_comes_next_in_its_zone(self):
        task = self.schedule(cron="30 2 * * *", zone="Europe/Berlin")
        reply = self.of(task, "/next?count=3")[1]
        self.assertEqual((len(reply["next"]), reply["zone"]), (3, "Europe/Berlin"))
        self.assertTrue(all("T02:30:00+" in one["wall"] or "T03:00:00+02:00" in one["wall"] for one in reply["next"]))

    def test_wrong_schedules_are_refused_at_once(self):
        began = time.monotonic()
        for cron in WRONG_CRONS:
            status, reply = self.quell.call("POST", PATH, {"name": "x", "cron": cron, "job": {"kind": "noop"}})
            self.assertEqual(status, 400, (cron, reply))
        self.assertLess(time.monotonic() - began, 5)
        job = {"kind": "noop"}
        for wrong in ({"status": "PENDING_DELETE"}, {"status": "DELETE_FAILED"}, {"status": "gone"}, {"zone": "Mars/Base"},
                      {"every": 5}, {"overlap": "both"}, {"misfire": "never"}, {"jobs": job}, {"job": {"kind": "noop", "run_at": "x"}},
                      {"job": {"kind": "noop", "priority": 99}}, {"end_at": "2020-01-01T00:00:00Z", "start_at": "2021-01-01T00:00:00Z"}):
            status, reply = self.quell.call("POST", PATH, {"name": "x", "cron": "* * * * *", "job": job, **wrong})
            self.assertEqual(status, 400, (wrong, reply))
        self.assertEqual(self.quell.call("POST", PATH, {"name": "x", "every": "1h", "job": {"kind": "nonsense"}})[0], 422)
        task = self.schedule()
        for status in ("PENDING_DELETE", "DELETE_FAILED"):
            code, reply = self.quell.call("PATCH", f"{PATH}/{task}", {"status": status})
            self.assertEqual((code, self.of(task)[1]["status"]), (400, "ACTIVE"), reply)

    def test_only_active_ones_fire_and_a_resume_catches_nothing_up(self):
        task = self.schedule(every=1, status="DISABLED")
        active = self.schedule(every=1)
        self.post(active, "pause")
        fired = self.of(active)[1]["fired"]
        witness = self.schedule(every=1)
        until(lambda: len(self.runs(witness)) > 2)
        self.assertEqual((self.runs(task), self.of(active)[1]["fired"]), ([], fired))
        self.post(task, "run-now", 201)
        self.assertEqual(len(self.runs(task)), 1)
        self.post(active, "resume")
        until(lambda: self.of(active)[1]["fired"] > fired)
        self.assertEqual(self.of(active)[1]["missed"], 0)
        for one in (task, active, witness):
            self.delete(one)

    def test_an_edit_holds_for_the_version_that_was_read(self):
        task = self.schedule(group="g")
        tag = self.of(task)[1]["etag"]
        patch = lambda body, tag: self.quell.call("PATCH", f"{PATH}/{task}", body, headers={"If-Match": tag})
        self.assertEqual(patch({"name": "other"}, tag)[0], 200)
        self.assertEqual(patch({"name": "lost"}, tag)[0], 412)
        shown = self.quell.call("PATCH", f"{PATH}/{task}", {"every": "15m", "overlap": "skip"})[1]
        self.assertEqual((shown["name"], shown["cron"], shown["every"], shown["overlap"]), ("other", None, 900, "skip"))

    def test_an_edit_loses_no_fire_that_is_due(self):
        # It is due in a second, and waits for a part of a day that is surely more than this test's time.
        soon = int(time.time()) + 2
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon))
        made, sooner = (self.schedule(every=3600, start_at=start, jitter_s=86_400) for _ in range(2))
        due = self.of(made)[1]["next_fire"]
        self.assertEqual(due[:19], start[:19])
        until(lambda: time.time() > soon)
        edit = lambda **more: self.quell.call("PATCH", f"{PATH}/{made}", more)[1]
        for more in ({"misfire": "all"}, {"misfire_limit": 7}, {"jitter_s": 86_399}, {"name": "other"}):
            self.assertEqual((edit(**more)["next_fire"], self.of(made)[1]["missed"]), (due, 0), more)
        missed = edit(every=7200)
        self.assertEqual((missed["missed"], missed["fired"]), (1, 0))
        self.assertGreater(missed["next_fire"], due)
        self.quell.call("PATCH", f"{PATH}/{sooner}", {"jitter_s": 0})
        until(lambda: self.of(sooner)[1]["fired"] == 1)
        self.assertEqual(self.of(sooner)[1]["missed"], 0)

    def test_the_audit_says_nothing_of_what_was_refused(self):
        def rows(ref):
            rows, at = [], 0
            while True:
                page = self.quell.call("GET", f"/api/v1/audit?limit=500&after={at}")[1]["entries"]
                if not page:
                    return [one["what"] for one in rows if one["ref"] == ref]
                rows, at = rows + page, page[-1]["no"]
        task = self.schedule(job={"kind": "sleep", "args": {"seconds": 600}, "unique_key": f"one-{self.id()}"})
        self.assertEqual(self.quell.call("POST", PATH, {"name": "x", "every": 60, "task_uuid": task, "job": {"kind": "noop"}})[0], 409)
        self.assertEqual(rows(task), ["schedule.created"])
        self.post(task, "run-now", 201)
        self.post(task, "run-now", 409)
        self.assertEqual(rows(task), ["schedule.created", "schedule.run"])
        unknown = "0198c2c0-0000-7000-8000-000000000001"
        self.assertEqual(self.delete(unknown)["status"], "ALREADY_DELETED")
        self.assertEqual(rows(unknown), [])
        self.quell.call("POST", "/api/v1/schedule-groups/nobodys/pause")
        self.assertEqual(rows("nobodys"), [])

    def test_a_group_is_paused_and_deleted_at_once(self):
        tasks = [self.schedule(group="reports", name=f"r{n}") for n in range(5)]
        other = self.schedule(group="mail")
        status, reply = self.quell.call("POST", "/api/v1/schedule-groups/reports/pause")
        self.assertEqual((status, reply["changed"]), (200, 5))
        self.assertEqual({self.of(one)[1]["status"] for one in tasks}, {"DISABLED"})
        status, reply = self.quell.call("DELETE", "/api/v1/schedule-groups/reports?validate_only=true")
        self.assertEqual((status, reply), (200, {"scheduled": 0, "failed": 0, "would_delete": 5, "dry_run": True}))
        self.assertEqual({self.of(one)[1]["status"] for one in tasks}, {"DISABLED"})
        status, reply = self.quell.call("DELETE", "/api/v1/schedule-groups/reports")
        self.assertEqual((status, reply), (202, {"scheduled": 5, "failed": 0, "would_delete": 0, "dry_run": False}))
        until(lambda: all(self.is_gone(one) for one in tasks))
        self.assertEqual(self.of(other)[1]["status"], "ACTIVE")

    def test_a_group_resumes_only_what_its_caller_may_submit(self):
        program = {"kind": "workflow", "args": {"steps": [{"name": "a", "kind": "exec", "args": {"argv": ["true"]}}]}}
        self.quell.stop()
        self.quell.flags += [flag for flag in product.EXEC if flag not in self.quell.flags]
        self.quell.start()
        closed = self.schedule(group="mixed", status="DISABLED", job=program)
        token = self.quell.call("POST", "/api/v1/tokens", {"name": "n", "scopes": ["jobs:write", "schedules:read", "schedules:write"]})[1]["token"]
        resume = lambda: self.quell.call("POST", "/api/v1/schedule-groups/mixed/resume", token=token)
        self.assertEqual(resume()[1]["code"], "forbidden")
        open_one = self.schedule(group="mixed", status="DISABLED")
        self.assertEqual(resume()[1], {"changed": 1, "failed": 1})
        self.assertEqual((self.of(closed)[1]["status"], self.of(open_one)[1]["status"]), ("DISABLED", "ACTIVE"))

    def test_a_closed_queue_takes_no_job_of_a_schedule(self):
        task = self.schedule(every=1, overlap="queue_one", job={"kind": "sleep", "args": {"seconds": 600}, "queue": "shut"})
        until(lambda: self.of(task)[1]["waiting_fire"])
        self.quell.call("POST", "/api/v1/queues/shut/close")
        self.assertEqual(self.quell.call("POST", f"{PATH}/{task}/run-now")[1]["code"], "queue-closed")
        missed = self.of(task)[1]["missed"]
        self.quell.delete_many([one["job_id"] for one in self.runs(task)])
        until(lambda: self.of(task)[1]["missed"] > missed and not self.of(task)[1]["waiting_fire"])
        self.assertEqual(self.runs(task), [])

    def test_overlaps_are_skipped_or_queued_or_cancel_the_old(self):
        slow = {"kind": "sleep", "args": {"seconds": 600}}
        skip = self.schedule(every=1, overlap="skip", job=slow)
        one = self.schedule(every=1, overlap="queue_one", job=slow)
        fresh = self.schedule(every=1, overlap="cancel_old", job=slow)
        until(lambda: self.of(skip)[1]["overlaps"] > 1 and self.of(one)[1]["overlaps"] > 0)
        self.assertEqual((len(self.runs(skip)), len(self.runs(one))), (1, 1))
        self.assertIsNotNone(self.of(one)[1]["waiting_fire"])
        until(lambda: sum(run["status"] == "cancelled" for run in self.runs(fresh)) > 1)
        self.quell.call("POST", f"/api/v1/jobs/{self.runs(one)[0]['job_id']}/cancel")
        until(lambda: len(self.runs(one)) == 2)
        for task in (skip, one, fresh):
            self.assertEqual(self.delete(task, "?wait=20", 200)["status"], "DELETED")

    def test_a_delete_is_told_as_old_clients_know_it(self):
        task = self.schedule(every=1)
        reply = self.delete(task)
        self.assertEqual(reply, {"status": "PENDING_DELETE", "task_uuid": task, "message": "Task deletion has been scheduled"})
        until(lambda: self.is_gone(task))
        again = self.delete(task)
        self.assertEqual((again["status"], again["task_uuid"]), ("ALREADY_DELETED", task))
        other = self.schedule()
        old = f"/api/v1/projects/default/tasks/{other}"
        self.assertEqual(self.quell.call("DELETE", f"/api/v1/projects/another/tasks/{other}")[1]["status"], "ALREADY_DELETED")
        self.assertEqual(self.quell.call("DELETE", old)[1]["status"], "PENDING_DELETE")
        until(lambda: self.is_gone(other))
        self.assertEqual(self.quell.call("DELETE", old)[1]["status"], "ALREADY_DELETED")

    def test_nothing_fires_behind_the_reply(self):
        for _ in range(5):
            task = self.schedule(every=1)
            until(lambda: self.runs(task))
            self.delete(task)
            self.assertNotEqual(self.of(task)[1].get("status"), "ACTIVE")
            self.assertEqual(self.quell.call("POST", f"{PATH}/{task}/run-now")[0] in (404, 409), True)
            until(lambda: self.is_gone(task))
            listed = self.quell.call("GET", f"/api/v1/jobs?schedule_id={task}")[1]["jobs"]
            self.assertEqual(listed, [])

    def test_its_jobs_go_with_it_and_the_receipt_is_exact(self):
        task = self.busy_task(5, 0)
        jobs = [one["job_id"] for one in self.runs(task)]
        reply = self.delete(task, "?wait=20", 200)
        self.assertEqual((reply["status"], reply["counts"]["deleted"], reply["counts"]["killed"]), ("DELETED", len(jobs), len(jobs)))
        self.assertTrue(reply["receipt"]["payload"])
        self.assertEqual({self.quell.status_of(job) for job in jobs}, {"deleted"})
        rows = self.quell.call("GET", "/api/v1/audit?limit=500")[1]
        self.assertIn("task.deleted", json.dumps(rows))

    def test_jobs_may_be_kept_or_cancelled(self):
        for policy in ("keep", "cancel"):
            task = self.schedule(job={"kind": "noop"})
            done = self.post(task, "run-now", 201)["job_id"]
            until(lambda: self.quell.status_of(done) == "succeeded")
            self.quell.call("PATCH", f"{PATH}/{task}", {"job": {"kind": "sleep", "args": {"seconds": 600}}})
            held = self.post(task, "run-now", 201)["job_id"]
            until(lambda: self.quell.status_of(held) == "running")
            told = self.delete(task, f"?jobs={policy}&wait=20", 200)
            self.assertEqual(told["status"], "DELETED")
            self.assertIn({"keep": "the others stay", "cancel": "are cancelled, and all of them stay"}[policy], told["message"])
            self.assertEqual(self.quell.status_of(done), "succeeded")
            self.assertEqual(self.quell.status_of(held), "deleted" if policy == "keep" else "cancelled")

    def test_a_create_that_is_repeated_is_one_schedule(self):
        body, key = {"name": "once", "every": 3600, "job": {"kind": "noop"}}, {"Idempotency-Key": f"once-{self.id()}"}
        create = lambda body: self.quell.call("POST", PATH, body, headers=key)
        replies = [create(body) for _ in range(3)]
        self.assertEqual(([status for status, _ in replies], len({reply["task_uuid"] for _, reply in replies})), ([201] * 3, 1))
        self.assertEqual(create({**body, "every": 60})[0], 422)
        task = replies[0][1]["task_uuid"]
        self.delete(task, "?wait=20", 200)
        self.assertEqual(create(body)[0], 404)  # it was there, and is deleted: a repeat makes nothing
        self.assertTrue(self.is_gone(task))
        named = {**body, "task_uuid": self.schedule()}
        for _ in range(2):  # that one is another call's
            self.assertEqual(self.quell.call("POST", PATH, named, headers={"Idempotency-Key": f"named-{self.id()}"})[0], 409)

    def test_a_task_without_jobs_is_deleted_with_zeros(self):
        reply = self.delete(self.schedule(), "?wait=20", 200)
        self.assertEqual((set(reply["counts"].values()), reply["delete_id"], reply["receipt"]), ({0}, None, None))

    def test_a_node_says_of_itself_what_runs_now(self):
        self.busy_task(3, 0)
        worker = self.quell.call("GET", "/api/v1/workers")[1]["workers"][0]
        self.assertGreaterEqual(worker["running"], 3)
        self.assertGreaterEqual(worker["pools"][0]["used"], 3)

    def test_the_command_line_does_all_of_it(self):
        def quell(*words, expect=0):
            command = [product.BINARY, "schedule", *words, "--url", f"http://127.0.0.1:{self.quell.port}", "--token-file",
                       os.path.join(self.quell.data_dir, "admin.token"), "-o", "json", "-q"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, expect, done.stderr + done.stdout)
            return json.loads(done.stdout) if done.stdout else None
        task = quell("create", "nightly", "--cron", "@daily", "--zone", "Asia/Tokyo", "--kind", "noop", "--group", "g")["task_uuid"]
        self.assertIn(task, json.dumps(quell("list", "--group", "g")))
        self.assertEqual(quell("edit", task, "--cron", "0 3 * * *")["cron"], "0 3 * * *")
        self.assertEqual(quell("pause", task)["status"], "DISABLED")
        self.assertEqual(quell("resume", task)["status"], "ACTIVE")
        self.assertEqual(quell("show", task)["name"], "nightly")
        job = quell("run", task)["job_id"]
        self.assertIn(job, json.dumps(quell("runs", task)))
        self.assertEqual(len(quell("next", task, "--count", "4")), 4)
        self.assertEqual(quell("delete", task, "--wait", "20")["status"], "DELETED")
        self.assertEqual(quell("delete", task)["status"], "ALREADY_DELETED")
        self.assertEqual(quell("create", "x", "--cron", "* * *", "--kind", "noop", expect=2), None)

    def test_the_command_line_refuses_what_it_cannot_read(self):
        task = self.schedule(jitter_s=7, misfire_limit=3)
        def quell(*words):
            done = subprocess.run([product.BINARY, "schedule", *words, "--url", f"http://127.0.0.1:{self.quell.port}", "--token-file",
                                   os.path.join(self.quell.data_dir, "admin.token")], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 2, done.stderr + done.stdout)
            return done.stderr
        for word in ("nightly", task[:8], task[:-1], "all"):
            self.assertIn(word, quell("delete", word))
        for wrong in (("--jitter", "5m"), ("--jitter", "abc"), ("--jitter", "inf"), ("--misfire-limit", "5x"), ("--misfire-limit", "1.5")):
            self.assertIn(wrong[0], quell("edit", task, *wrong))
            self.assertIn(wrong[0], quell("create", "wrong", "--cron", "@daily", "--kind", "noop", *wrong))
        shown = self.of(task)[1]
        self.assertEqual((shown["status"], shown["jitter_s"], shown["misfire_limit"]), ("ACTIVE", 7, 3))


class Falls(Words):
    def test_what_cannot_be_deleted_says_why_and_is_tried_again(self):
        task = self.schedule(job={"kind": "sleep", "args": {"seconds": 600}, "protected": True})
        self.post(task, "run-now", 201)
        self.quell.stop()
        self.quell.flags += ["--task-delete-tries", "2", "--task-reconcile-s", "1", "--task-reconcile-after-s", "1",
                             "--task-reconcile-jitter-s", "0"]
        self.quell.start()
        self.delete(task)
        failed = until(lambda: self.of(task)[1] if self.of(task)[1]["status"] == "DELETE_FAILED" else None)
        self.assertIn("protected", failed["error"])
        begun = time.monotonic()
        told = self.delete(task, "?wait=30")
        self.assertEqual((told["status"], told["task_uuid"]), ("DELETE_FAILED", task))
        self.assertIn("protected", told["message"])
        self.assertLess(time.monotonic() - begun, 25)
        until(lambda: "quell_task_reissued_total 0\n" not in self.quell.call("GET", "/metrics")[1])

    def test_a_kill_in_the_middle_of_a_delete_is_finished_by_the_next_life(self):
        for point in ("task_intent.after=crash@1", "task_word.after=crash@1", "mark.after=crash@1", "task_erase.before=crash@1",
                      "task_erase.within=crash@1", "task_erase.after=crash@1"):
            with self.subTest(point):
                task = self.busy_task(3, 0)
                jobs = [one["job_id"] for one in self.runs(task)]
                self.quell.stop()
                self.quell.start({"QUELL_FAILPOINTS": point})
                try:
                    self.delete(task)
                except (OSError, ValueError, product.http.client.HTTPException):
                    pass  # the answer was lost with the process
                until(self.quell.has_ended)
                self.quell.log.close()
                self.quell.start()
                status, seen = self.of(task)  # asked once: the next life may end the delete between two questions
                if status != 404:
                    self.assertEqual(seen["status"], "PENDING_DELETE")
                until(lambda: self.is_gone(task), 60)
                self.assertEqual({self.quell.status_of(job) for job in jobs}, {"deleted"})

    def test_an_intent_that_cannot_be_stored_is_an_error_and_changes_nothing(self):
        task = self.schedule()
        self.quell.stop()
        self.quell.start({"QUELL_FAILPOINTS": "task_intent.before=error@1"})
        status, _ = self.quell.call("DELETE", f"{PATH}/{task}")
        self.assertEqual((status, self.of(task)[1]["status"]), (503, "ACTIVE"))
        self.delete(task)
        until(lambda: self.is_gone(task))

    def test_a_consumer_that_stops_half_way_leaves_the_order(self):
        for point in ("task_taken.after=error@1", "task_jobs.after=error@1"):
            task = self.busy_task(2, 0)
            self.quell.stop()
            self.quell.start({"QUELL_FAILPOINTS": point})
            self.delete(task)
            self.assertEqual(self.of(task)[1]["status"], "PENDING_DELETE")
            self.quell.stop()
            self.quell.start()
            until(lambda: self.is_gone(task), 90)

    def test_a_kill_behind_a_fire_leaves_no_old_job_that_goes_on(self):
        """Two due times and no third, so that no later fire can do what this one has left."""
        self.quell.stop()
        self.quell.start({"QUELL_FAILPOINTS": "fire.after=crash@2"})
        at = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        task = self.schedule(every=2, start_at=at(2), end_at=at(5), overlap="cancel_old", job={"kind": "sleep", "args": {"seconds": 600}})
        until(self.quell.has_ended)
        self.quell.log.close()
        self.quell.start()
        states = lambda: [run["status"] for run in self.runs(task)]  # the newest first
        until(lambda: states() == ["running", "cancelled"], what="one job that runs and one that was cancelled")

    def test_a_kill_around_a_fire_neither_loses_nor_doubles_it(self):
        for point in ("fire.before", "fire.within", "fire.after"):
            task = self.schedule(every=1, misfire="all", misfire_limit=1000)
            self.quell.stop()
            self.quell.start({"QUELL_FAILPOINTS": f"{point}=crash@3"})
            until(self.quell.has_ended)
            self.quell.log.close()
            self.quell.start()
            until(lambda: len(self.runs(task)) > 4)
            self.post(task, "pause")
            dues = sorted(product.time.mktime(time.strptime(one["created_at"][:19], "%Y-%m-%dT%H:%M:%S")) for one in self.runs(task))
            self.assertEqual([b - a for a, b in zip(dues, dues[1:])], [1.0] * (len(dues) - 1), point)
            self.delete(task)
