"""Delete, cancel and retry of all jobs of a filter, the freeze and the spike guard, seen from outside on both stores."""
import base64
import http.client
import json
import shutil
import subprocess
import unittest

import fleet
import product
import store_eyes
from product import until

UNLIMITED = ["--spike-calls", "1000000", "--spike-jobs", "1000000000", "--spike-share-percent", "100"]


def payload_of(receipt):
    return json.loads(base64.b64decode(receipt["payload"]))


class Stories:
    """One server a test; `store` is what differs."""

    def serve(self, *flags):
        quell = product.Server(*flags, *([] if "--spike-calls" in flags else UNLIMITED), store=self.new_store())
        quell.start()
        self.addCleanup(quell.remove)
        return quell

    def preview(self, quell, text, **more):
        status, reply = quell.call("POST", "/api/v1/jobs/delete-preview", {"filter": text, **more})
        self.assertEqual(status, 200, reply)
        return reply

    def begin(self, quell, text, path="delete-by-filter", verb="delete", **more):
        seen = self.preview(quell, text, verb=verb)
        body = {"filter": text, "confirm_token": seen["confirm_token"], "expected_count": seen["total"],
                "reason": "test", **more}
        status, reply = quell.call("POST", f"/api/v1/jobs/{path}", body)
        self.assertEqual(status, 202, reply)
        return reply["operation_id"]

    def operation(self, quell, id):
        return quell.call("GET", f"/api/v1/operations/{id}")[1]

    def in_state(self, quell, id, *states):
        return until(lambda: next((o for o in [self.operation(quell, id)] if o.get("state") in states), None), 120,
                     f"an operation that is {states}")

    def wish(self, quell, id, what, expect=202):
        status, reply = quell.call("POST", f"/api/v1/operations/{id}/{what}")
        self.assertEqual(status, expect, reply)
        return reply

    def outcomes(self, quell, id):
        found, token = [], ""
        while True:
            status, page = quell.call("GET", f"/api/v1/operations/{id}/outcomes?page_size=300&page_token={token}")
            self.assertEqual(status, 200, page)
            found += page["outcomes"]
            token = page["next_page_token"]
            if not token:
                return found

    def check_sums(self, counts):
        self.assertEqual(counts["distinct"], counts["deleted"] + counts["already_gone"] + counts["pending"] + counts["failed"])
        self.assertEqual(counts["deleted"], counts["killed"] + counts["dequeued"] + counts["finished_first"]
                         + counts["at_rest"] + counts["unproven"])

    def queued(self, quell, n, queue="default", **more):
        return [id for first in range(0, n, 5000)
                for id in quell.submit_many([{"kind": "sleep", "args": {"seconds": 600}, "queue": queue, **more}]
                                            * min(5000, n - first))]

    # ---- totals ----
    def test_a_preview_sees_all_that_was_submitted_before_it_and_nothing_behind_it(self):
        """Ids tell milliseconds, and a submit and the preview behind it are often of the same one."""
        quell = self.serve("--pool", "default=1")
        quell.call("POST", "/api/v1/queues/still/pause", {})
        for n in range(1, 101):
            quell.submit("noop", {}, queue="still")
            self.assertEqual(self.preview(quell, "queue=still")["total"], n)
        operation = self.begin(quell, "queue=still")
        newer = quell.submit("noop", {}, queue="still")
        self.assertEqual(self.in_state(quell, operation, "done")["counts"]["deleted"], 100)
        self.assertEqual(quell.status_of(newer), "queued")

    def test_exact_totals_with_running_jobs_among_them_and_nothing_newer(self):
        quell = self.serve("--pool", "default=20")
        ids = self.queued(quell, 1230)
        until(lambda: quell.pool()["used"] == 20)
        seen = self.preview(quell, "queue=default")
        self.assertEqual((seen["total"], list(seen["counts"])[0], seen["counts"]["running"]), (1230, "running", 20))
        self.assertEqual((len(seen["sample"]), seen["sample"][0]["status"]), (100, "running"))
        self.assertEqual(seen["groups"], [{"queue": "default", "kind": "sleep", "host": None, "model": None, "n": 1230, "running": 20,
                                           "input_tokens": 0, "output_tokens": 0, "cost": None}])
        newer = quell.submit("sleep", {"seconds": 600})
        body = {"filter": "queue=default", "confirm_token": seen["confirm_token"], "expected_count": 1230, "reason": "test"}
        status, begun = quell.call("POST", "/api/v1/jobs/delete-by-filter", body)
        self.assertEqual(status, 202, begun)
        ended = self.in_state(quell, begun["operation_id"], "done")
        counts = ended["counts"]
        self.check_sums(counts)
        self.assertEqual((counts["deleted"], counts["failed"], counts["pending"], counts["already_gone"]), (1230, 0, 0, 0))
        self.assertGreaterEqual(counts["killed"], 1)
        self.assertEqual(counts["killed"] + counts["dequeued"], 1230)
        self.assertIn(quell.status_of(newer), ("queued", "running"))
        self.assertEqual({o["job_id"] for o in self.outcomes(quell, begun["operation_id"])}, set(ids))
        signed = payload_of(ended["receipt"])
        self.assertEqual((signed["delete_id"], signed["counts"]), (begun["operation_id"], counts))
        status, call = quell.call("GET", f"/api/v1/deletions/{begun['operation_id']}")
        self.assertEqual((status, call["state"], call["counts"]["deleted"]), (200, "DELETED", 1230))
        self.assertEqual(sum(quell.counts().values()), 1)

    def test_two_operations_over_the_same_jobs_delete_each_once(self):
        quell = self.serve("--pool", "default=4")
        self.queued(quell, 3000)
        first, second = self.begin(quell, "queue=default"), self.begin(quell, "status=queued,running")
        ended = [self.in_state(quell, id, "done")["counts"] for id in (first, second)]
        for counts in ended:
            self.check_sums(counts)
        self.assertEqual(sum(counts["deleted"] for counts in ended), 3000)
        self.assertEqual(sum(quell.counts().values()), 0)

    def test_what_is_restored_and_deleted_again_meanwhile_stays_in_its_totals(self):
        quell = self.serve("--pool", "default=0", "--poll-ms", "50", "--archive")
        ids = self.queued(quell, 300)
        id = self.begin(quell, "queue=default", max_per_second=100)
        until(lambda: self.operation(quell, id)["done"] >= 100)
        gone = [job for job in ids if quell.status_of(job) == "deleted"][:20]
        self.assertEqual(quell.call("POST", "/api/v1/archive/restore", {"job_ids": gone})[1]["restored"], 20)
        self.assertEqual(quell.delete_many(gone[:15])[1]["counts"]["deleted"], 15)
        ended = self.in_state(quell, id, "done")
        self.check_sums(ended["counts"])
        self.assertEqual((ended["counts"]["deleted"], ended["counts"]["dequeued"], ended["counts"]["distinct"]), (300, 300, 300))
        self.assertEqual(payload_of(ended["receipt"])["counts"], ended["counts"])

    def test_what_is_protected_stays_and_is_told(self):
        quell = self.serve("--pool", "default=0")
        kept = self.queued(quell, 3, protected=True)
        self.queued(quell, 700)
        id = self.begin(quell, "queue=default")
        counts = self.in_state(quell, id, "done")["counts"]
        self.assertEqual((counts["deleted"], counts["failed"], counts["distinct"]), (700, 3, 703))
        failed = [o for o in self.outcomes(quell, id) if o["outcome"] == "failed"]
        self.assertEqual({o["job_id"] for o in failed}, set(kept))
        self.assertEqual({o["problem"]["code"] for o in failed}, {"protected"})

    # ---- kill, pause, resume, stop, freeze ----
    def test_killed_in_the_middle_it_goes_on_and_its_totals_are_exact(self):
        quell = self.serve("--pool", "default=3")
        self.queued(quell, 6000)
        until(lambda: quell.pool()["used"] == 3)
        id = self.begin(quell, "queue=default", max_per_second=4000)
        for done in (500, 2500):
            until(lambda: self.operation(quell, id)["done"] >= done, 60)
            quell.kill()
            quell.start()
        counts = self.in_state(quell, id, "done")["counts"]
        self.check_sums(counts)
        self.assertEqual((counts["distinct"], counts["deleted"]), (6000, 6000))
        self.assertEqual(len({o["job_id"] for o in self.outcomes(quell, id)}), 6000)
        self.assertEqual(sum(quell.counts().values()), 0)

    def test_killed_in_each_phase_it_goes_on_and_its_totals_are_exact(self):
        """Noted, marked, held back, counted and signed: at each moment of each, once early and once late."""
        for point in ("document.before", "document.within", "document.after@3", "document.after@5", "mark.before@2", "mark.within",
                      "mark.after@3", "erase.before", "erase.within", "erase.after", "receipt.before", "receipt.within",
                      "receipt.after"):
            with self.subTest(point):
                quell = self.serve("--pool", "default=3", "--poll-ms", "50", "--drain-timeout-s", "0")
                self.queued(quell, 4500)
                quell.stop()
                name, _, visit = point.partition("@")
                quell.start({"QUELL_FAILPOINTS": f"{name}=crash@{visit or 1}"})
                until(lambda: quell.pool()["used"] == 3)
                try:
                    self.begin(quell, "queue=default")
                except (OSError, http.client.HTTPException):
                    pass  # its birth is a document too
                quell.process.wait(60)
                quell.start()
                born = quell.call("GET", "/api/v1/operations")[1]["operations"]
                id = born[0]["operation_id"] if born else self.begin(quell, "queue=default")
                counts = self.in_state(quell, id, "done")["counts"]
                self.check_sums(counts)
                self.assertEqual((counts["distinct"], counts["deleted"], counts["failed"]), (4500, 4500, 0))
                self.assertEqual(len({o["job_id"] for o in self.outcomes(quell, id)}), 4500)
                self.assertEqual(sum(quell.counts().values()), 0)
                quell.remove()

    def test_pauses_goes_on_and_stops_where_it_is_told(self):
        quell = self.serve("--pool", "default=0")
        self.queued(quell, 3000)
        id = self.begin(quell, "queue=default", max_per_second=300)
        until(lambda: self.operation(quell, id)["done"] > 0)
        self.wish(quell, id, "pause")
        paused = self.in_state(quell, id, "paused")
        self.assertEqual(paused["paused_by"], "person")
        left = quell.counts()["queued"]
        quell.kill()
        quell.start()  # and it stays paused
        self.assertEqual(self.in_state(quell, id, "paused")["done"], paused["done"])
        self.assertEqual(quell.counts()["queued"], left)
        self.wish(quell, id, "resume")
        until(lambda: self.operation(quell, id)["done"] > paused["done"])
        self.wish(quell, id, "stop")
        ended = self.in_state(quell, id, "stopped")
        self.assertEqual(ended["counts"]["deleted"], 3000 - quell.counts()["queued"])
        self.assertLess(ended["counts"]["deleted"], 3000)
        self.assertEqual(payload_of(ended["receipt"])["counts"], ended["counts"])
        self.assertEqual(self.wish(quell, id, "resume", 409)["code"], "state-conflict")

    def test_a_freeze_in_the_middle_pauses_it_until_a_person_resumes(self):
        quell = self.serve("--pool", "default=0")
        self.queued(quell, 2000)
        id = self.begin(quell, "queue=default", max_per_second=200)
        until(lambda: self.operation(quell, id)["done"] > 0)
        self.assertEqual(quell.call("POST", "/api/v1/system/freeze", {"frozen": True, "reason": "look"})[0], 200)
        self.assertEqual(self.in_state(quell, id, "paused")["paused_by"], "freeze")
        deletions = quell.call("GET", "/api/v1/system")[1]["deletions"]
        self.assertEqual((deletions["frozen"], deletions["frozen_reason"]), (True, "look"))
        self.assertTrue(deletions["frozen_by"].startswith("token:"))
        self.assertIn("frozen", quell.call("GET", "/readyz")[1]["checks"]["deletions"])
        self.assertEqual(self.wish(quell, id, "resume", 423)["code"], "deletions-frozen")
        self.assertEqual(quell.call("POST", "/api/v1/system/freeze", {"frozen": False, "reason": "seen"})[0], 200)
        self.assertEqual(self.operation(quell, id)["state"], "paused")
        self.wish(quell, id, "resume")
        self.wish(quell, id, "stop")
        self.in_state(quell, id, "stopped", "done")

    # ---- refusals ----
    def test_wrong_tokens_filters_and_fields_are_refused_and_change_nothing(self):
        quell = self.serve("--pool", "default=0")
        self.queued(quell, 5)
        seen = self.preview(quell, "queue=default")
        token = seen["confirm_token"]
        good = {"filter": "queue=default", "confirm_token": token, "expected_count": 5, "reason": "test"}
        other = quell.call("POST", "/api/v1/tokens", {"name": "other", "role": "admin"})[1]["token"]
        ofproject = quell.call("POST", "/api/v1/tokens", {"name": "p", "scopes": ["jobs:delete:filter"], "project": "red"})[1]["token"]
        forged = token[:-1] + ("0" if token[-1] != "0" else "1")
        old = token.split(".")
        old = str(int(old[0].split("-")[0]) - 3_600_000) + "-5." + old[1]
        reader = quell.call("POST", "/api/v1/tokens", {"name": "r", "role": "operator"})[1]["token"]
        for change, who, status, code in (
                ({"confirm_token": forged}, None, 400, "invalid-field"), ({"confirm_token": old}, None, 400, "invalid-field"),
                ({"confirm_token": ""}, None, 400, "invalid-field"), ({"filter": "status=queued"}, None, 400, "invalid-field"),
                ({}, other, 400, "invalid-field"), ({}, ofproject, 400, "invalid-field"), ({}, reader, 403, "forbidden"),
                ({"expected_count": 4}, None, 400, "invalid-field"), ({"filter": ""}, None, 400, "invalid-filter"),
                ({"filter": "qeue=default"}, None, 400, "invalid-filter"), ({"filtre": "x"}, None, 400, "unknown-field"),
                ({"reason": ""}, None, 400, "invalid-field"), ({"max_per_second": 0}, None, 400, "invalid-field"),
                ({"filter": "queue=default AND project=blue"}, ofproject, 403, "forbidden")):
            reply = quell.call("POST", "/api/v1/jobs/delete-by-filter", {**good, **change}, token=who or "own")
            self.assertEqual((reply[0], reply[1]["code"]), (status, code), (change, reply))
            self.assertTrue(reply[1].get("detail") or reply[1].get("errors") or reply[1]["title"])
        for body in ({"filter": " "}, {"filter": "status=odd"}, {"filter": "queue=default", "verb": "burn"}, {"job_id": "x"}, {}):
            self.assertEqual(quell.call("POST", "/api/v1/jobs/delete-preview", body)[0], 400, body)
        self.assertEqual(quell.call("POST", "/api/v1/jobs/bulk-cancel", good)[0], 400)  # a preview of a delete
        self.assertEqual(quell.counts()["queued"], 5)
        self.assertEqual(quell.call("GET", "/api/v1/operations")[1]["operations"], [])
        self.assertEqual(quell.call("POST", "/api/v1/jobs/delete-by-filter", {**good, "validate_only": True})[1]["total"], 5)
        self.assertEqual(quell.counts()["queued"], 5)

    def test_more_matches_than_were_previewed_are_refused_and_fewer_are_not(self):
        quell = self.serve("--pool", "default=0")
        ids = self.queued(quell, 5)
        quell.call("POST", f"/api/v1/jobs/{ids[0]}/cancel")
        seen = self.preview(quell, "status=cancelled")
        quell.call("POST", f"/api/v1/jobs/{ids[1]}/cancel")  # older than the preview, and matches now
        body = {"filter": "status=cancelled", "confirm_token": seen["confirm_token"], "expected_count": 1, "reason": "test"}
        status, reply = quell.call("POST", "/api/v1/jobs/delete-by-filter", body)
        self.assertEqual((status, reply["code"]), (409, "preview-stale"))
        seen = self.preview(quell, "queue=default")
        quell.delete_many(ids[:2])
        body = {"filter": "queue=default", "confirm_token": seen["confirm_token"], "expected_count": 5, "reason": "test"}
        status, reply = quell.call("POST", "/api/v1/jobs/delete-by-filter", body)
        self.assertEqual(status, 202, reply)
        self.assertEqual(self.in_state(quell, reply["operation_id"], "done")["counts"]["deleted"], 3)

    def test_in_dry_run_mode_it_says_what_would_go(self):
        quell = self.serve("--pool", "default=0", "--dry-run")
        self.queued(quell, 5)
        seen = self.preview(quell, "queue=default")
        body = {"filter": "queue=default", "confirm_token": seen["confirm_token"], "expected_count": 5, "reason": "test"}
        status, reply = quell.call("POST", "/api/v1/jobs/delete-by-filter", body)
        self.assertEqual((status, reply["dry_run"], reply["total"]), (200, True, 5))
        self.assertEqual(quell.counts()["queued"], 5)

    # ---- cancel and retry ----
    def test_cancel_and_retry_by_ids_and_by_filter(self):
        quell = self.serve("--pool", "default=2")
        ids = self.queued(quell, 702)
        until(lambda: quell.pool()["used"] == 2)
        unseen = "0198c2c0-0000-7000-8000-000000000001"
        status, reply = quell.call("POST", "/api/v1/jobs/bulk-cancel", {"job_ids": [*ids[-2:], ids[-1], unseen]})
        self.assertEqual((status, reply["requested"], reply["counts"]["cancelled"], reply["counts"]["not_found"]), (200, 3, 2, 1), reply)
        id = self.begin(quell, "queue=default", "bulk-cancel", "cancel")
        counts = self.in_state(quell, id, "done")["counts"]
        self.assertEqual(counts.get("cancelled", 0) + counts.get("requested", 0), 700, counts)
        until(lambda: quell.counts()["cancelled"] == 702)
        self.assertEqual(len(self.outcomes(quell, id)), 700)
        status, reply = quell.call("POST", "/api/v1/jobs/bulk-retry", {"job_ids": ids[:3]})
        self.assertEqual((status, reply["counts"]["retried"]), (200, 3), reply)
        quell.call("POST", "/api/v1/queues/default/pause")
        id = self.begin(quell, "status=cancelled", "bulk-retry", "retry")
        self.assertEqual(self.in_state(quell, id, "done")["counts"], {"retried": 699})

    def test_a_retry_killed_at_a_commit_runs_each_job_once_more_and_says_only_what_is_known(self):
        """Before the commit that steers the slice, and behind it, before its outcomes are noted."""
        for visit, moved, refused in ((3, {"retried": 10}, {"refused": 5}), (4, {"unknown": 10}, {"unknown": 5})):
            with self.subTest(visit):
                quell = self.serve("--pool", "default=5", "--pool", "still=0", "--queue", "still:still", "--poll-ms", "50")
                ids = quell.submit_many([{"kind": "http", "args": {"url": "http://127.0.0.1:1/"}}] * 10)
                until(lambda: quell.counts()["failed"] == 10)
                self.queued(quell, 5, "still")
                for text, counts in (("status=failed", moved), ("status=queued", refused)):
                    quell.stop()
                    quell.start({"QUELL_FAILPOINTS": f"document.before=crash@{visit}"})
                    id = self.begin(quell, text, "bulk-retry", "retry")
                    quell.process.wait(30)
                    quell.start()
                    self.assertEqual(self.in_state(quell, id, "done")["counts"], counts)
                    outcomes = self.outcomes(quell, id)
                    self.assertEqual(({o["outcome"] for o in outcomes}, len(outcomes)), (set(counts), sum(counts.values())))
                    until(lambda: quell.counts()["failed"] == 10)
                    self.assertEqual([quell.job(job)[1]["attempt"] for job in ids], [2] * 10)
                quell.remove()

    # ---- the spike guard ----
    def test_one_alert_per_crossing_and_none_below(self):
        quell = self.serve("--pool", "default=0", "--spike-calls", "3", "--spike-jobs", "50", "--spike-share-percent", "100")
        ids = self.queued(quell, 300)
        alerts = lambda: quell.call("GET", "/api/v1/alerts")[1]["alerts"]
        for id in ids[:3]:
            quell.call("DELETE", f"/api/v1/jobs/{id}")
        self.assertEqual(alerts(), [])
        for id in ids[3:9]:
            quell.call("DELETE", f"/api/v1/jobs/{id}")
        until(lambda: len(alerts()) == 1, what="the alert")
        self.assertEqual((alerts()[0]["cause"], alerts()[0]["limit"], alerts()[0]["holds"]), ("calls", 3, False))
        quell.delete_many(ids[100:151])
        until(lambda: len(alerts()) == 2, what="the second alert")
        self.assertEqual({a["cause"] for a in alerts()}, {"calls", "bulk"})
        audit = quell.call("GET", "/api/v1/audit?limit=1000")[1]["entries"]
        until(lambda: sum(e["what"] == "alert.raised" for e in quell.call("GET", "/api/v1/audit?limit=1000")[1]["entries"]) == 2)
        self.assertIn("quell_deletion_alerts_total 2", quell.call("GET", "/metrics")[1])
        first = alerts()[0]["alert_id"]
        self.assertEqual(quell.call("POST", f"/api/v1/alerts/{first}/approve")[0], 409)
        self.assertEqual(quell.call("POST", f"/api/v1/alerts/{first}/ack")[0], 200)
        self.assertEqual(quell.call("POST", f"/api/v1/alerts/{first}/ack")[0], 409)

    def test_a_held_delete_is_made_when_another_person_approves_it(self):
        quell = self.serve("--pool", "default=0", "--spike-calls", "100", "--spike-jobs", "50", "--spike-share-percent", "100",
                           "--spike-hold", "--hold-two-persons")
        ids = self.queued(quell, 400)
        status, reply = quell.delete_many(ids[:60])
        self.assertEqual((status, reply["code"]), (409, "deletion-hold"), reply)
        self.assertEqual(quell.counts()["queued"], 400)
        path = f"/api/v1/alerts/{reply['alert_id']}"
        self.assertEqual(quell.call("POST", path + "/approve")[0], 403)
        other = quell.call("POST", "/api/v1/tokens", {"name": "other", "role": "admin"})[1]["token"]
        status, made = quell.call("POST", path + "/approve", token=other)
        self.assertEqual((status, made["counts"]["deleted"]), (200, 60), made)
        self.assertEqual(quell.call("POST", path + "/approve", token=other)[0], 409)
        self.assertEqual(quell.counts()["queued"], 340)
        seen = self.preview(quell, "queue=default")
        body = {"filter": "queue=default", "confirm_token": seen["confirm_token"], "expected_count": 340, "reason": "test"}
        status, reply = quell.call("POST", "/api/v1/jobs/delete-by-filter", body)
        self.assertEqual((status, reply["code"]), (409, "deletion-hold"), reply)
        status, made = quell.call("POST", f"/api/v1/alerts/{reply['alert_id']}/approve", token=other)
        self.assertEqual(status, 202, made)
        self.assertEqual(self.in_state(quell, made["operation_id"], "done")["counts"]["deleted"], 340)
        self.assertEqual(quell.delete_many([ids[0]])[0], 200)  # below every line

    # ---- command line ----
    def cli(self, quell, *words):
        return subprocess.run([product.BINARY, *words, "--url", f"http://127.0.0.1:{quell.port}", "--data-dir", quell.data_dir],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def test_the_command_line_previews_confirms_and_follows(self):
        quell = self.serve("--pool", "default=0")
        self.queued(quell, 150)
        for words in (["delete", "--filter", "queue=default"], ["delete", "--filter", "queue=default", "--reason", "x"],
                      ["delete", "--filter", "queue=default", "--reason", "x", "--yes"],
                      ["delete", "--filter", "queue=default", "--reason", "x", "--confirm", "149"],
                      ["delete", "--filter", "qeue=default", "--reason", "x", "--confirm", "150"]):
            self.assertEqual(self.cli(quell, *words).returncode, 2, words)
        dry = self.cli(quell, "delete", "--filter", "queue=default", "--dry-run")
        self.assertEqual(dry.returncode, 0, dry.stderr)
        self.assertIn("150 jobs: 150 queued", dry.stderr)
        self.assertEqual(quell.counts()["queued"], 150)
        stopped = self.cli(quell, "stop", "--queue", "default", "--delete", "--reason", "night", "--confirm", "150")
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        self.assertIn("deleted 150", stopped.stderr)
        queue = quell.call("GET", "/api/v1/queues/default")[1]
        self.assertEqual((queue["closed"], queue["paused"]), (True, True))
        shown = json.loads(self.cli(quell, "operations", "list", "-o", "json").stdout)
        self.assertEqual([(o["state"], o["total"]) for o in shown], [("done", 150)])
        outcomes = self.cli(quell, "operations", "outcomes", shown[0]["operation_id"], "-o", "id").stdout.split()
        self.assertEqual(len(outcomes), 150)
        self.assertEqual(self.cli(quell, "freeze", "--reason", "x").returncode, 0)
        self.assertEqual(self.cli(quell, "unfreeze", "--reason", "x").returncode, 0)
        self.assertEqual(self.cli(quell, "alerts", "list").returncode, 0)


class OnSqlite(Stories, unittest.TestCase):
    def new_store(self):
        return None


class OnPostgres(Stories, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = store_eyes.TemporaryPostgres()
        cls.addClassCleanup(cls.postgres.stop)
        cls.databases = 0

    def new_store(self):
        type(self).databases += 1
        return self.postgres.create(f"ops{self.databases}")

    def test_another_node_of_the_fleet_takes_it_up_when_its_own_has_died(self):
        store = self.new_store()
        left = lambda: int(subprocess.run(["psql", "-Atd", store, "-c", "SELECT count(*) FROM live"], check=True,
                                          capture_output=True, text=True).stdout)
        quell = product.Server("--pool", "default=0", *fleet.QUICK, *UNLIMITED, store=store)
        quell.start()
        self.addCleanup(quell.remove)
        worker = fleet.Worker("--pool", "default=0", *fleet.QUICK, *UNLIMITED, store=store)
        worker.start()
        self.addCleanup(worker.remove)
        self.queued(quell, 4000)
        id = self.begin(quell, "queue=default", max_per_second=200)
        until(lambda: self.operation(quell, id)["done"] >= 400)
        quell.kill()  # it was there first, so the duties are its own
        at_death = left()
        until(lambda: left() < at_death - 600, 60, "the other node's slices")
        quell.start()
        counts = self.in_state(quell, id, "done")["counts"]
        self.check_sums(counts)
        self.assertEqual((counts["distinct"], counts["deleted"]), (4000, 4000))

    def test_what_a_leader_that_slept_over_its_lease_still_sends_steers_nothing(self):
        """The node sleeps before the commit that steers the slice; another one does it meanwhile."""
        store = self.new_store()
        flags = ["--pool", "default=5", "--poll-ms", "50", *fleet.QUICK, *UNLIMITED]
        sleeper, other = (product.Server(*flags, store=store) for _ in range(2))
        for server in (sleeper, other):
            self.addCleanup(server.remove)
        sleeper.start()
        ids = sleeper.submit_many([{"kind": "http", "args": {"url": "http://127.0.0.1:1/"}}] * 10)
        until(lambda: sleeper.counts()["failed"] == 10)
        sleeper.stop()
        sleeper.start({"QUELL_FAILPOINTS": "document.before=delay:15000@3"})
        shutil.copy(f"{sleeper.data_dir}/admin.token", other.data_dir)
        other.start()
        id = self.begin(sleeper, "status=failed", "bulk-retry", "retry")
        self.assertEqual(self.in_state(other, id, "done")["counts"], {"retried": 10})
        until(lambda: other.counts()["failed"] == 10)
        # What is written behind it on the same node is answered when it has been sent.
        try:
            sleeper.call("POST", "/api/v1/tokens", {"name": "late", "role": "viewer"})
        except (OSError, http.client.HTTPException):
            sleeper.process.wait(30)
        until(lambda: other.counts()["failed"] == 10)
        self.assertEqual([other.job(job)[1]["attempt"] for job in ids], [2] * 10)
        self.assertEqual(self.operation(other, id)["counts"], {"retried": 10})


if __name__ == "__main__":
    unittest.main()
