"""What stands between a wish and a delete: queues and tags that nobody deletes from, approvals that outlive who gave them, spikes
that are counted over a fleet, and mistakes that are refused with a sentence and change nothing."""
import collections
import http.client
import json
import random
import shutil
import signal
import subprocess
import time
import unittest
import uuid

import kept
import product
import store_eyes
from product import until

UNSEEN = "0198c2c0-0000-7000-8000-000000000001"
UNLIMITED = ["--spike-calls", "1000000", "--spike-jobs", "1000000000", "--spike-share-percent", "100"]
# An id of a real job, mistyped as people do it; {0} is the job's id.
TYPED_WRONG = ("", " ", "x", "0", "-1", "null", "undefined", "{0}0", "0{0}", "'{0}'", "{0},{0}", "{0};", "%20{0}", "{0}%00", "*", "%25",
               "job:{0}", "../{0}", "g{0}", "{0}\\")


class Guards(kept.Story):
    def preview(self, text, **more):
        return self.ask("POST", "/jobs/delete-preview", {"filter": text, **more})

    def by_filter(self, text, path="delete-by-filter", status=202, **more):
        seen = self.preview(text)
        return self.ask("POST", f"/jobs/{path}", {"filter": text, "confirm_token": seen["confirm_token"],
                                                  "expected_count": seen["total"], "reason": "test", **more}, status)

    def ended(self, id):
        return until(lambda: next((o for o in [self.ask("GET", f"/operations/{id}")] if o["state"] in ("done", "stopped")), None), 60)

    # ---- protected queues and tags ----
    def test_what_a_setting_protects_is_deleted_by_no_door(self):
        guard = ["--protected-queue", "money", "--protected-tag", "audit"]
        quell = self.serve(*UNLIMITED, "--retention-every-s", "1", "--retention-sweep", "--retention-result-days", "1")
        safe = self.finished(2, queue="money") + self.finished(2, tags=["x", "audit"])
        other = self.finished(3, tags=["x"])
        quell.stop()
        quell.flags += guard  # it holds for what was there before
        quell.start()
        for job, why in ((safe[0], "its queue 'money' is protected"), (safe[2], "its tag 'audit' is protected")):
            for path in (f"/jobs/{job}?confirm=true", f"/jobs/{job}?confirm=true&force=true"):
                status, reply = quell.call("DELETE", "/api/v1" + path)
                if status == 400:
                    continue  # there is no such word here
                self.assertEqual((status, reply["code"]), (409, "protected"), reply)
                self.assertIn(why, reply["detail"])
        dry = quell.delete_many(safe + other[:1], validate_only=True)[1]
        self.assertEqual((dry["counts"]["failed"], dry["dry_run"]), (4, True), dry)
        reply = quell.delete_many(safe + other[:1])[1]
        self.assertEqual((reply["counts"]["deleted"], reply["counts"]["failed"]), (1, 4), reply)
        self.assertEqual({o["problem"]["code"] for o in reply["outcomes"] if o["job_id"] in safe}, {"protected"})
        counts = self.ended(self.by_filter("status=succeeded")["operation_id"])["counts"]
        self.assertEqual((counts["deleted"], counts["failed"]), (2, 4), counts)
        self.cli("delete", safe[0], code=1)
        self.assertEqual(set(self.jobs()), set(safe))
        refusals = [row for row in self.audit() if row["what"] == "delete.refused"]
        self.assertTrue(refusals and all("protected" in json.dumps(row["detail"]) for row in refusals), refusals)
        # What is due goes past them, and does not stop at them.
        past = int(time.time() * 1000) - 1_000
        young = self.finished(5)
        for statement in (f"UPDATE job SET expires = {past}", f"UPDATE result SET until = {past}"):
            self.hand(statement)
        until(lambda: set(self.jobs()) == set(safe), 30, "the sweep")
        self.assertEqual({quell.status_of(job) for job in young}, {"deleted"})
        report = self.ask("GET", "/retention")
        self.assertEqual((sum(row["due"] for row in report["records"]), report["results"]["due"]), (0, 0), report)
        ran = self.ask("POST", "/retention/run", {"confirm": True, "confirm_count": 100})
        self.assertEqual((ran["deleted"], ran["due"], ran["results_due"]), (0, 0, 0), ran)
        # Whoever lifts it starts the server without.
        quell.stop()
        del quell.flags[-4:]
        quell.start()
        until(lambda: not self.jobs(), 30, "the sweep")

    # ---- approval ----
    def held(self, quell, ids):
        status, reply = quell.delete_many(ids)
        self.assertEqual((status, reply["code"]), (409, "deletion-hold"), reply)
        return reply["alert_id"]

    def test_what_was_approved_is_made_once_although_its_approver_died_before(self):
        for point in ("approved.after", "mark.before", "mark.within", "mark.after"):
            with self.subTest(point):
                quell = self.serve("--spike-jobs", "50", "--spike-hold", "--archive")
                self.ask("POST", "/queues/default/pause")
                ids = quell.submit_many([{"kind": "noop"}] * 120)
                alert = self.held(quell, ids[:60])
                quell.stop()
                quell.start({"QUELL_FAILPOINTS": f"{point}=crash"})
                with self.assertRaises((OSError, http.client.HTTPException)):
                    quell.call("POST", f"/api/v1/alerts/{alert}/approve")
                quell.process.wait(60)
                quell.start()
                until(lambda: quell.counts()["queued"] == 60, 60, "the approved delete")
                self.assertEqual(self.ask("GET", "/alerts")["alerts"][0]["state"], "approved")
                self.assertEqual(len(self.ask("GET", f"/deletions/{alert}")["outcomes"]), 60)
                # On a shared store another node may still be at a call that is all marked: its last word comes ten minutes later.
                if point != "mark.after" or not self.is_postgres:
                    counts = until(lambda: self.ask("GET", f"/deletions/{alert}")["counts"], 30, "the call's last word")
                    self.assertEqual(counts["deleted"], 60)
                made = lambda: [r for r in self.audit() if r["what"] == "delete" and r["ref"] == alert]
                until(lambda: sum(row["detail"]["jobs"] for row in made()) == 60)
                # And it is not made again: what comes back stays.
                self.assertEqual(self.ask("POST", f"/deletions/{alert}/undo", {})["restored"], 60)
                quell.kill()
                quell.start()
                until(lambda: not self.eyes.ask("SELECT id FROM doc WHERE kind = 'held_delete'"), 60, "its end")
                self.assertEqual(quell.counts()["queued"], 120)
                self.assertEqual(quell.call("POST", f"/api/v1/alerts/{alert}/approve")[0], 409)
                quell.remove()

    def test_an_approved_operation_is_born_with_its_approval_or_not_at_all(self):
        for point, is_approved in (("document.before", False), ("document.within", False), ("document.after", True)):
            with self.subTest(point):
                quell = self.serve("--spike-jobs", "50", "--spike-hold")
                self.ask("POST", "/queues/default/pause")
                quell.submit_many([{"kind": "noop"}] * 120)
                alert = self.by_filter("queue=default", status=409)["alert_id"]
                quell.stop()
                quell.start({"QUELL_FAILPOINTS": f"{point}=crash"})
                with self.assertRaises((OSError, http.client.HTTPException)):
                    quell.call("POST", f"/api/v1/alerts/{alert}/approve")
                quell.process.wait(60)
                quell.start()
                if not is_approved:
                    self.assertEqual(self.ask("GET", "/alerts")["alerts"][0]["state"], "raised")
                    self.assertEqual(quell.counts()["queued"], 120)
                    self.ask("POST", f"/alerts/{alert}/approve", status=202)
                self.assertEqual(self.ended(alert)["counts"]["deleted"], 120)
                self.assertEqual(len(self.ask("GET", "/operations")["operations"]), 1)
                self.assertEqual(quell.call("POST", f"/api/v1/alerts/{alert}/approve")[0], 409)
                quell.remove()

    # ---- schedules ----
    def schedule(self, jobs, **more):
        """One that waits for January, with so many jobs that wait too."""
        id = self.ask("POST", "/schedules", {"name": "x", "cron": "0 0 1 1 *", "job": {"kind": "noop"}, **more}, 201)["task_uuid"]
        for _ in range(jobs):
            self.ask("POST", f"/schedules/{id}/run-now", status=201)
        return id

    def alerts(self):
        return [(a["cause"], a["count"], a["holds"], a["state"]) for a in self.ask("GET", "/alerts")["alerts"]]

    def is_gone(self, *schedules):
        return all(self.quell.call("GET", f"/api/v1/schedules/{id}")[0] == 404 for id in schedules)

    def test_the_jobs_of_a_deleted_schedule_count_as_those_of_every_delete(self):
        self.serve("--spike-jobs", "10", "--spike-calls", "3", "--spike-share-percent", "100")
        self.ask("POST", "/queues/default/pause")
        many = self.schedule(12)
        self.assertEqual(self.ask("DELETE", f"/schedules/{many}?wait=20")["status"], "DELETED")
        until(lambda: self.alerts() == [("bulk", 12, False, "raised")], 30, "the alert of many jobs")
        self.ask("DELETE", f"/schedules/{self.schedule(0)}?wait=20")  # it takes no job, and is no call
        self.ask("DELETE", f"/schedules/{self.schedule(3)}?wait=20&jobs=cancel")
        group = [self.schedule(1, group="night") for _ in range(3)]
        self.assertEqual(self.ask("DELETE", "/schedule-groups/night", status=202)["scheduled"], 3)
        until(lambda: self.is_gone(*group), 30, "the end of the group")
        until(lambda: sorted(self.alerts()) == [("bulk", 12, False, "raised"), ("calls", 4, False, "raised")], 30, "the alert of calls")

    def test_the_delete_of_a_schedule_waits_for_an_approval_as_every_delete(self):
        self.serve("--spike-jobs", "10", "--spike-calls", "1000", "--spike-share-percent", "100", "--spike-hold")
        self.ask("POST", "/queues/default/pause")
        many, few = self.schedule(12), self.schedule(10)
        self.assertEqual(self.ask("DELETE", f"/schedules/{few}?wait=20")["status"], "DELETED")
        for path in (f"/schedules/{many}", f"/projects/default/tasks/{many}"):
            self.assertEqual(self.ask("DELETE", path + "?jobs=keep", status=409)["code"], "deletion-hold")
        held = self.ask("DELETE", f"/schedules/{many}?wait=5", status=409)
        self.assertEqual(self.ask("GET", f"/schedules/{many}")["status"], "ACTIVE")
        self.assertEqual(self.quell.counts()["queued"], 12)
        group = [self.schedule(6, group="night") for _ in range(2)]
        both = self.ask("DELETE", "/schedule-groups/night", status=409)
        self.assertIn("one delete of 12 jobs", both["detail"])
        self.ask("POST", f"/alerts/{both['alert_id']}/ack")
        self.assertEqual(len(self.jobs()), 24)
        both = self.ask("DELETE", "/schedule-groups/night", status=409)
        for alert, n in ((held, 1), (both, 2)):
            self.assertEqual(self.ask("POST", f"/alerts/{alert['alert_id']}/approve", status=202),
                             {"scheduled": n, "failed": 0, "would_delete": 0, "dry_run": False})
        until(lambda: self.is_gone(many, *group), 30, "what was approved")
        self.assertEqual(self.jobs(), {})
        # What was approved is no spike once more, and whatever is not asked to delete a job waits for nobody.
        self.assertEqual({holds for _, _, holds, state in self.alerts() if state == "approved"}, {False})
        self.assertEqual(collections.Counter(state for *_, state in self.alerts()), {"raised": 2, "acked": 1, "approved": 2})
        other = self.schedule(12)
        self.assertEqual(self.ask("DELETE", f"/schedules/{other}?wait=20&jobs=cancel")["status"], "DELETED")
        self.assertEqual(len(self.ask("GET", "/alerts")["alerts"]), 5)

    def test_the_approved_delete_of_a_schedule_is_made_although_its_approver_died_before(self):
        quell = self.serve("--spike-jobs", "10", "--spike-hold")
        self.ask("POST", "/queues/default/pause")
        many = self.schedule(12)
        alert = self.ask("DELETE", f"/schedules/{many}", status=409)["alert_id"]
        quell.stop()
        quell.start({"QUELL_FAILPOINTS": "approved.after=crash"})
        with self.assertRaises((OSError, http.client.HTTPException)):
            quell.call("POST", f"/api/v1/alerts/{alert}/approve")
        quell.process.wait(60)
        quell.start()
        until(lambda: self.is_gone(many), 60, "the approved delete")
        self.assertEqual(self.jobs(), {})
        until(lambda: not self.eyes.ask("SELECT id FROM doc WHERE kind IN ('held_delete', 'approved_task')"), 60, "its end")
        self.assertEqual(len(self.ask("GET", "/alerts")["alerts"]), 1)

    def test_a_held_call_that_is_sent_again_under_its_key_is_the_same_one(self):
        quell = self.serve("--spike-jobs", "10", "--spike-hold")
        self.ask("POST", "/queues/default/pause")
        many = self.schedule(12)
        ids = quell.submit_many([{"kind": "noop"}] * 12)
        seen = self.preview("queue=default")
        by_filter = {"filter": "queue=default", "confirm_token": seen["confirm_token"], "expected_count": seen["total"], "reason": "test"}
        calls = (("POST", "/jobs/bulk-delete", {"job_ids": ids}), ("POST", "/jobs/delete-by-filter", by_filter),
                 ("DELETE", f"/schedules/{many}?reason=test", None))
        alerts = []
        for method, path, body in calls:
            told = [quell.call(method, "/api/v1" + path, body, headers={"Idempotency-Key": "again"}) for _ in range(2)]
            self.assertEqual([(status, reply["code"]) for status, reply in told], [(409, "deletion-hold")] * 2, told)
            self.assertEqual(told[0][1]["alert_id"], told[1][1]["alert_id"])
            alerts.append(told[0][1]["alert_id"])
            other = quell.call(method, "/api/v1" + path, body, headers={"Idempotency-Key": "other"})[1]
            self.assertNotEqual(other["alert_id"], alerts[-1])
        self.assertEqual(len(set(alerts)), 3)
        held = lambda: sum(row["what"] == "delete.held" for row in self.audit())
        self.assertEqual((len(self.ask("GET", "/alerts")["alerts"]), held()), (6, 6))
        self.ask("POST", f"/alerts/{alerts[0]}/approve")
        status, reply = quell.call("POST", "/api/v1/jobs/bulk-delete", {"job_ids": ids}, headers={"Idempotency-Key": "again"})
        self.assertEqual((status, reply["alert_id"]), (409, alerts[0]))
        self.assertIn("was approved by", reply["detail"])

    # ---- restore by filter ----
    def test_copies_come_back_by_a_filter_when_their_number_is_confirmed(self):
        quell = self.serve("--archive", *UNLIMITED)
        mail, other = self.finished(700, queue="mail"), self.finished(5, queue="other")
        quell.delete_many(mail[:400])
        quell.delete_many(mail[400:] + other)
        self.assertEqual(self.jobs(), {})
        would = self.cli("archive", "restore", "--filter", "queue=mail", "--dry-run")
        self.assertEqual(would, {"would_restore": 700})
        for words in (["--filter", "queue=mail"], ["--filter", "queue=mail", "--confirm", "699"], ["--filter", "qeue=mail", "--yes"],
                      ["--filter", " ", "--yes"], [mail[0], "--filter", "queue=mail", "--confirm", "700"]):
            self.cli("archive", "restore", *words, code=2)
        self.ask("POST", "/archive/restore", {"filter": "queue=mail"}, 400)
        self.ask("POST", "/archive/restore", {"filter": "queue=mail", "expected_count": 700, "job_ids": mail[:1]}, 400)
        stale = self.ask("POST", "/archive/restore", {"filter": "queue=mail", "expected_count": 699}, 409)
        self.assertEqual(stale["code"], "preview-stale")
        self.assertEqual(self.jobs(), {})
        self.cli("archive", "restore", "--filter", "queue=mail", "--confirm", "700")
        self.assertEqual(set(self.jobs()), set(mail))
        self.assertEqual(len(self.cli("archive", "list", "--all")), 5)

    # ---- previews ----
    def test_a_preview_groups_by_host_and_model_and_says_what_was_used(self):
        quell = self.serve("--queue", "default", *UNLIMITED)
        self.ask("POST", "/queues/default/pause")
        get = lambda url: {"kind": "http", "args": {"method": "GET", "url": url}}
        chat = lambda model: {"kind": "llm", "args": {"base_url": "https://api.example/v1", "model": model,
                                                       "messages": [{"role": "user", "content": "hi"}]}}
        jobs = quell.submit_many([get("https://A.example/x"), get("https://user@a.example:443?y"), get("http://b.example"),
                                  chat("small"), chat("small"), chat("large"), {"kind": "noop"}])
        usage = json.dumps({"input_tokens": 10, "output_tokens": 5, "cost": 0.25})
        for job in jobs[3:5]:
            has = f"UPDATE live SET has = has | 128 WHERE job = {self.blob(job)}"
            self.hand(f"INSERT INTO progress (job, progress, phase, usage) VALUES ({self.blob(job)}, NULL, '', '{usage}')", has)
        groups = {(g["kind"], g["host"], g["model"]): (g["n"], g["input_tokens"], g["output_tokens"], g["cost"])
                  for g in self.preview("queue=default")["groups"]}
        self.assertEqual(groups, {("http", "a.example", None): (2, 0, 0, None), ("http", "b.example", None): (1, 0, 0, None),
                                  ("llm", None, "small"): (2, 20, 10, 0.5), ("llm", None, "large"): (1, 0, 0, None),
                                  ("noop", None, None): (1, 0, 0, None)})
        self.cli("delete", "--filter", "queue=default", "--dry-run")
        self.assertIn("2 of kind llm in queue default (0 running), small: 20 + 10 tokens so far, cost 0.5000", self.said)

    def test_a_preview_says_what_a_slow_look_at_each_job_finds(self):
        quell = self.serve("--queue", "default", "--queue", "mail", *UNLIMITED)
        dice = random.Random(15)
        some = lambda values: dice.choice(values)
        self.finished(60, tags=["old"])
        self.finished(40, queue="mail")
        for queue in ("default", "mail"):
            self.ask("POST", f"/queues/{queue}/pause")
        ids = quell.submit_many([{"kind": some(["noop", "sleep"]), "args": {"seconds": 600}, "queue": some(["default", "mail"]),
                                  "tags": dice.sample(["hot", "cold", "hot2"], dice.randrange(3)),
                                  **({"delay_s": 1000} if dice.random() < .3 else {})} for _ in range(300)])
        for job in dice.sample(ids, 60):
            self.ask("POST", f"/jobs/{job}/cancel")
        self.ask("PATCH", "/pools/default", {"capacity": 2})
        self.ask("POST", "/queues/mail/resume")
        until(lambda: quell.counts()["running"] == 2)
        self.ask("POST", "/queues/mail/pause")
        until(lambda: quell.counts()["running"] == 2)
        jobs = list(self.jobs().values())
        states = ("scheduled", "queued", "running", "succeeded", "failed", "cancelled")
        for _ in range(60):
            terms = {"status": dice.sample(states, dice.randrange(1, 4)) if dice.random() < .6 else None,
                     "queue": some(["default", "mail", "none"]) if dice.random() < .5 else None,
                     "kind": some(["noop", "sleep"]) if dice.random() < .4 else None,
                     "tags": some(["hot", "cold", "old", "ho"]) if dice.random() < .4 else None}
            text = " AND ".join(([f"status={','.join(terms['status'])}"] if terms["status"] else [])
                                + [f"{name}={terms[name]}" for name in ("queue", "kind") if terms[name]]
                                + ([f"tags:{terms['tags']}"] if terms["tags"] else []))
            if not text:
                continue
            fits = [j for j in jobs if (not terms["status"] or j["status"] in terms["status"])
                    and all(not terms[name] or j[name] == terms[name] for name in ("queue", "kind"))
                    and (not terms["tags"] or terms["tags"] in j["tags"])]
            seen = self.preview(text)
            self.assertEqual(seen["total"], len(fits), text)
            self.assertEqual({s: n for s, n in seen["counts"].items() if n}, dict(collections.Counter(j["status"] for j in fits)), text)
            self.assertEqual({(g["queue"], g["kind"]): (g["n"], g["running"]) for g in seen["groups"]},
                             {key: (len(of), sum(j["status"] == "running" for j in of)) for key in {(j["queue"], j["kind"]) for j in fits}
                              for of in [[j for j in fits if (j["queue"], j["kind"]) == key]]}, text)
            self.assertLessEqual({j["job_id"] for j in seen["sample"]}, {j["job_id"] for j in fits})

    # ---- mistakes ----
    def snapshot(self):
        jobs = {id: (job["status"], job["queue"]) for id, job in self.jobs().items()}
        acts = [row for row in self.audit() if row["what"] not in ("delete.refused", "token.created")]
        calls = lambda: self.ask("GET", "/deletions")["deletions"]
        until(lambda: all(call["counts"] for call in calls()), what="the last word of each call")
        # A call that found nothing of its project is noted too, with its zeros.
        made = {call["delete_id"]: call["counts"] for call in calls() if call["counts"]["deleted"]}
        return jobs, len(acts), self.ask("GET", "/operations")["operations"], made

    def refused(self, reply, what, *statuses):
        status, body = reply
        self.assertIn(status, statuses or range(400, 500), (what, body))
        said = [body.get("detail")] if isinstance(body, dict) else []
        said += [fault.get("detail") for fault in body.get("errors") or []] + [body.get("title")]
        self.assertTrue(any(isinstance(text, str) and len(text.split()) >= 3 for text in said), (what, body))

    def test_whatever_is_mistyped_forged_or_somebody_elses_is_refused_with_a_sentence_and_changes_nothing(self):
        quell = self.serve("--archive", *UNLIMITED)
        old = self.finished(3)
        self.ask("POST", "/queues/default/pause")
        deleted = quell.delete_many(old)[1]["delete_id"]
        ids = quell.submit_many([{"kind": "noop"}] * 5)
        tokens = {name: self.ask("POST", "/tokens", {"name": name, **rights}, 201)["token"] for name, rights in (
            ("other", {"role": "admin"}), ("reader", {"role": "viewer"}), ("operator", {"role": "operator"}),
            ("foreign", {"scopes": ["jobs:delete", "jobs:delete:filter", "jobs:write", "jobs:read", "archive:read"], "project": "red"}),
            ("short", {"role": "admin", "expires_s": 1}))}
        seen = self.preview("queue=default")
        before = self.snapshot()

        for typed in TYPED_WRONG:
            wrong = typed.format(ids[0])
            in_path = wrong.replace(" ", "%20").replace("\\", "%5C") or "%20"
            if "/" not in wrong:
                for method, path in (("DELETE", f"/jobs/{in_path}?confirm=true"), ("POST", f"/jobs/{in_path}/cancel"),
                                     ("POST", f"/archive/{in_path}/restore"), ("POST", f"/deletions/{in_path}/undo"),
                                     ("POST", f"/operations/{in_path}/stop"), ("POST", f"/alerts/{in_path}/approve")):
                    self.refused(quell.call(method, "/api/v1" + path, {} if method == "POST" else None), (method, path), 400, 404, 405)
            for path in ("/jobs/bulk-delete", "/jobs/bulk-cancel", "/archive/restore", "/verify"):
                self.refused(quell.call("POST", "/api/v1" + path, {"job_ids": [ids[0], wrong]}), (path, wrong), 400)
            self.refused(quell.call("POST", "/api/v1/verify", {"delete_id": wrong}), wrong, 400)
        for wrong in ("", " ", "*", "all", "1=1", "queue", "queue=", "=default", "queue==default", "qeue=default", "queue=default AND",
                      "queue=default OR status=queued", "NOT queue=default", "status=odd", "status=queued,odd", "created_at<yesterday",
                      "queue=default; DROP TABLE job", "queue=\"default", "project=red AND project=blue"):
            self.refused(quell.call("POST", "/api/v1/jobs/delete-preview", {"filter": wrong}), wrong, 400)
            self.refused(quell.call("POST", "/api/v1/archive/restore", {"filter": wrong, "expected_count": 3}), wrong, 400)
            if wrong.strip():
                said = subprocess.run([product.BINARY, "delete", "--filter", wrong, "--reason", "x", "--confirm", "5", "--url",
                                       f"http://127.0.0.1:{quell.port}", "--data-dir", quell.data_dir], capture_output=True,
                                      text=True, timeout=60, stdin=subprocess.DEVNULL)
                self.assertEqual(said.returncode, 2, (wrong, said))
                self.assertGreater(len(said.stderr.split()), 3, said)

        good = {"filter": "queue=default", "confirm_token": seen["confirm_token"], "expected_count": 5, "reason": "test"}
        token = seen["confirm_token"]
        what, mac = token.split(".", 1)
        forged = ["", "x", ".", token + "0", token[1:], token[:-1] + ("0" if token[-1] != "0" else "1"), "." + mac, what + ".",
                  str(int(what.split("-")[0]) - 3_600_000) + "-5." + mac, what.split("-")[0] + "-6." + mac]
        for one in forged:
            self.refused(quell.call("POST", "/api/v1/jobs/delete-by-filter", {**good, "confirm_token": one}), one, 400)
        for change in ({"expected_count": 4}, {"expected_count": 6}, {"expected_count": -1}, {"filter": "queue=default AND status=queued"},
                       {"reason": ""}, {"filtre": "x"}):
            self.refused(quell.call("POST", "/api/v1/jobs/delete-by-filter", {**good, **change}), change, 400)
        for verb in ("cancel", "retry"):
            self.refused(quell.call("POST", f"/api/v1/jobs/bulk-{verb}", good), verb, 400)  # the preview was of a delete
        # Somebody else's preview, another project's, and of who may not.
        for name, statuses in (("other", (400,)), ("foreign", (400, 403)), ("reader", (403,)), ("operator", (403,))):
            self.refused(quell.call("POST", "/api/v1/jobs/delete-by-filter", good, token=tokens[name]), name, *statuses)
        for method, path, body in (("DELETE", f"/jobs/{ids[0]}?confirm=true", None), ("POST", f"/jobs/{ids[0]}/cancel", {}),
                                   ("POST", f"/archive/{old[0]}/restore", {}), ("POST", f"/deletions/{deleted}/undo", {}),
                                   ("POST", "/jobs/delete-preview", {"filter": "project=default"}),
                                   ("POST", "/archive/restore", {"filter": "project=default", "expected_count": 3})):
            self.refused(quell.call(method, "/api/v1" + path, body, token=tokens["foreign"]), path, 403, 404)
        status, reply = quell.call("POST", "/api/v1/jobs/bulk-delete", {"job_ids": ids}, token=tokens["foreign"])
        self.assertEqual((status, reply["counts"]["deleted"], reply["counts"]["already_gone"]), (200, 0, 5), reply)
        status, reply = quell.call("POST", "/api/v1/archive/restore", {"job_ids": old}, token=tokens["foreign"])
        self.assertEqual((status, reply["restored"]), (200, 0), reply)
        until(lambda: quell.call("GET", "/api/v1/jobs", token=tokens["short"])[0] == 401, 30, "the token's end")
        for one in (tokens["short"], tokens["other"][:-1] + ("a" if tokens["other"][-1] != "a" else "b"), "x", "quell_" + "0" * 40):
            self.refused(quell.call("DELETE", f"/api/v1/jobs/{ids[0]}?confirm=true", token=one), "a forged token", 401)
            self.refused(quell.call("POST", "/api/v1/jobs/delete-by-filter", good, token=one), "a forged token", 401)
        for path in (f"/alerts/{UNSEEN}/approve", f"/operations/{UNSEEN}/stop", f"/deletions/{UNSEEN}/undo", f"/archive/{UNSEEN}/restore"):
            self.refused(quell.call("POST", "/api/v1" + path, {}), path, 404)

        self.assertEqual(self.snapshot(), before)
        self.assertEqual(self.ask("POST", "/jobs/delete-by-filter", good, 202)["total"], 5)  # and the real one still holds


class InAFleet(unittest.TestCase):
    """Two nodes on one PostgreSQL."""

    @classmethod
    def setUpClass(cls):
        cls.postgres = store_eyes.TemporaryPostgres("guards")
        cls.addClassCleanup(cls.postgres.stop)

    def two(self, database, *flags):
        store = self.postgres.create(database)
        servers = [product.Server("--poll-ms", "50", *flags, store=store) for _ in range(2)]
        for server in servers:
            if server is servers[1]:  # the first start on a store makes the token that there is
                shutil.copy(f"{servers[0].data_dir}/admin.token", server.data_dir)
            server.start()
            self.addCleanup(server.remove)
        return store, servers

    def test_a_spike_that_only_both_nodes_together_make_is_one_alert(self):
        _, (one, two) = self.two("spike", "--pool", "default=0", "--spike-calls", "5", "--spike-jobs", "1000", "--spike-share-percent", "100")
        ids = one.submit_many([{"kind": "noop"}] * 40)
        alerts = lambda: one.call("GET", "/api/v1/alerts")[1]["alerts"]
        for n, server in enumerate((one, one, one, two, two)):
            self.assertEqual(server.call("DELETE", f"/api/v1/jobs/{ids[n]}")[0], 200)
        self.assertEqual(alerts(), [])  # five of five, and none of the two has made more than three
        self.assertEqual(two.call("DELETE", f"/api/v1/jobs/{ids[5]}")[0], 200)
        until(lambda: alerts(), what="the alert")
        for n, server in enumerate((one, two, one, two), 6):
            server.call("DELETE", f"/api/v1/jobs/{ids[n]}")
        raised = lambda: [e for e in one.call("GET", "/api/v1/audit?limit=1000")[1]["entries"] if e["what"] == "alert.raised"]
        until(raised, what="the audit row")
        self.assertEqual([(a["cause"], a["count"], a["limit"]) for a in alerts()], [("calls", 6, 5)])
        self.assertEqual(two.call("GET", "/api/v1/alerts")[1]["alerts"], alerts())
        told = sum(float(line.split()[1]) for server in (one, two) for line in server.call("GET", "/metrics")[1].splitlines()
                   if line.startswith("quell_deletion_alerts_total "))
        self.assertEqual((told, len(raised())), (1, 1))

    def test_schedules_that_are_deleted_on_one_node_and_jobs_on_another_are_one_spike(self):
        _, (one, two) = self.two("spiked", "--pool", "default=0", "--spike-calls", "5", "--spike-jobs", "1000", "--spike-share-percent", "100")
        schedules = []
        for n in range(3):
            schedules.append(one.call("POST", "/api/v1/schedules", {"name": "x", "cron": "0 0 1 1 *", "job": {"kind": "noop"}})[1]["task_uuid"])
            self.assertEqual(one.call("POST", f"/api/v1/schedules/{schedules[n]}/run-now")[0], 201)
        for job in one.submit_many([{"kind": "noop"}] * 3):
            self.assertEqual(two.call("DELETE", f"/api/v1/jobs/{job}")[0], 200)
        for schedule in schedules:
            self.assertEqual(one.call("DELETE", f"/api/v1/schedules/{schedule}?wait=20")[0], 200)
        alerts = lambda: [(a["cause"], a["count"]) for a in two.call("GET", "/api/v1/alerts")[1]["alerts"]]
        until(lambda: alerts() == [("calls", 6)], 30, "the alert")

    def verify(self, server, *words):
        return subprocess.run([product.BINARY, "verify", *words, "--url", f"http://127.0.0.1:{server.port}", "--data-dir",
                               self.token_dir, "-o", "json"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def test_verify_asks_each_node_what_it_runs_and_not_the_store_alone(self):
        # So long a beat that no census finds the run that the store has lost.
        slow = ["--lease-s", "600", "--self-stop-s", "400", "--beat-s", "150"]
        store, (one, two) = self.two("verify", "--pool", "default=1", *slow)
        self.token_dir = one.data_dir
        jobs = one.submit_many([{"kind": "sleep", "args": {"seconds": 600}}] * 2)
        runs = until(lambda: {j: v["worker_id"] for j in jobs for v in [one.job(j)[1]] if v.get("status") == "running"} if
                     all(one.status_of(j) == "running" for j in jobs) else None, 60, "both runs")
        self.assertEqual(len(set(runs.values())), 2)
        real = one.submit("noop", {}, delay_s=1000)
        one.call("DELETE", f"/api/v1/jobs/{real}")
        said = self.verify(one, real)
        self.assertEqual((said.returncode, json.loads(said.stdout)["workers_asked"]), (0, 2), said.stderr)
        for job, worker in runs.items():  # gone from every table, with a tombstone as it should be
            delete = str(uuid.uuid4())
            subprocess.run(["psql", "-qXd", store, "-v", "ON_ERROR_STOP=1", "-c", "SET session_replication_role = replica;"
                            f"DELETE FROM live WHERE job = '{job}'; DELETE FROM payload WHERE job = '{job}';"
                            f"INSERT INTO tomb VALUES ('{job}', '{delete}', 9, 1, 4000000000000, 2, 0)"], check=True)
            for server in (one, two):
                said = self.verify(server, job)
                found = json.loads(said.stdout)
                self.assertEqual((said.returncode, found["rows_left"], found["runs"]), (1, 0, [{"job_id": job, "worker_id": worker}]))
                self.assertIn(f"still runs: {job} on worker {worker}", said.stderr)
        two.process.send_signal(signal.SIGSTOP)
        said = self.verify(one, real)
        two.process.send_signal(signal.SIGCONT)
        found = json.loads(said.stdout)
        self.assertEqual((said.returncode, found["rows_left"], len(found["workers_silent"])), (1, 0, 1), said)
        self.assertIn("no word from worker", said.stderr)


kept.both(globals(), Guards)

if __name__ == "__main__":
    unittest.main()
