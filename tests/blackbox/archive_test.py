"""Undo: what a delete keeps a copy of comes back as it was, and nothing runs that nobody asked for."""
import hashlib
import json
import time

import kept
import product
from product import until

# Of a record that came back: what the restore itself changes.
CHANGED = ("epoch", "expires_at", "result_expires_at", "etag", "deletion")


def checksum(job):
    same = {name: value for name, value in job.items() if name not in CHANGED}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


class Archive(kept.Story):
    def test_an_undo_of_a_delete_of_a_thousand_brings_back_identical_records_and_runs_nothing(self):
        quell = self.serve("--archive")
        done = self.finished(600, tags=["a", "b"], priority=7)
        failed = quell.submit_many([{"kind": "http", "args": {"method": "GET", "url": "http://127.0.0.1:1/"}}] * 100)
        until(lambda: quell.counts()["failed"] == 100, 60, "the failures")
        later = quell.submit_many([{"kind": "noop", "delay_s": 5_000, "unique_key": f"k{i}"} for i in range(200)])
        running = quell.submit_many([{"kind": "sleep", "args": {"seconds": 600}}] * 50)
        until(lambda: quell.pool()["used"] == 50, 60, "the runs")
        quell.call("POST", "/api/v1/queues/default/pause", {})
        waiting = quell.submit_many([{"kind": "noop"}] * 50)
        before = self.jobs()
        everything = done + failed + later + running + waiting
        self.assertEqual(set(before), set(everything))
        attempts = self.ask("GET", f"/jobs/{failed[0]}/attempts")
        status, reply = quell.delete_many(everything, wait=30)
        self.assertEqual((status, reply["counts"]["deleted"]), (200, 1_000), reply["counts"])
        self.assertTrue(all(one["copy_kept_until"] for one in reply["outcomes"]))
        self.assertEqual(self.jobs(), {})
        self.assertEqual(len(self.cli("archive", "list", "--all", "--delete-id", reply["delete_id"])), 1_000)
        shown = self.cli("archive", "show", done[0])
        self.assertEqual(shown["job"]["args"], before[done[0]]["args"])

        outcomes = self.cli("undo", reply["delete_id"])
        self.assertIn("restored 1000 · failed 0", self.said)
        self.assertEqual({one["outcome"] for one in outcomes}, {"restored"})
        back = self.jobs()
        self.assertEqual(set(back), set(before))
        for job in set(everything) - set(running):
            self.assertEqual(checksum(back[job]), checksum(before[job]), (before[job], back[job]))
        self.assertTrue(all(back[job]["epoch"] > before[job]["epoch"] for job in everything))
        self.assertEqual({back[job]["status"] for job in running}, {"cancelled"})
        self.assertEqual(self.ask("GET", f"/jobs/{failed[0]}/attempts"), attempts)
        quell.call("POST", "/api/v1/queues/default/resume", {})
        until(lambda: quell.counts()["succeeded"] == 650, 60, "what waited ran, and nothing else")
        self.assertEqual(quell.pool()["used"], 0)
        self.assertEqual(self.cli("undo", reply["delete_id"], code=3), None)
        restores = [row for row in self.audit() if row["what"] == "restore"]
        self.assertEqual({row["ref"] for row in restores}, {reply["delete_id"]})
        self.assertEqual(sum(row["detail"]["jobs"] for row in restores), 1_000)
        self.assertEqual(self.eyes.orphans(), [])

    def test_what_ran_runs_again_only_when_it_is_asked_for(self):
        quell = self.serve("--archive")
        job = quell.submit("sleep", {"seconds": 600})
        until(lambda: quell.status_of(job) == "running")
        _, reply = quell.delete_many([job])
        self.ask("POST", f"/deletions/{reply['delete_id']}/undo", {"rerun": True})
        until(lambda: quell.status_of(job) == "running", what="the second run")
        self.assertEqual(quell.delete_many([job])[1]["counts"]["killed"], 1)

    def test_a_key_that_is_taken_a_second_delete_and_a_second_restore(self):
        quell = self.serve("--archive")
        first = quell.submit("noop", {}, delay_s=5_000, unique_key="k")
        _, gone = quell.delete_many([first])
        second = quell.submit("noop", {}, delay_s=5_000, unique_key="k")
        refused = self.ask("POST", f"/archive/{first}/restore", {}, 409)
        self.assertEqual(refused["existing_job_id"], second)
        many = self.ask("POST", "/archive/restore", {"job_ids": [first, second]})
        self.assertEqual([one["outcome"] for one in many["outcomes"]], ["unique_conflict", "no_copy"])
        self.ask("POST", f"/archive/{first}/restore", {"drop_key": True})
        self.assertIsNone(quell.job(first)[1]["unique_key"])
        again = quell.delete_many([first])[1]
        self.ask("POST", f"/deletions/{gone['delete_id']}/undo", {}, 404)
        self.assertEqual(self.ask("POST", f"/deletions/{again['delete_id']}/undo", {})["restored"], 1)
        told = self.ask("GET", f"/deletions/{again['delete_id']}")
        self.assertTrue(told["outcomes"][0]["restored"])

    def test_no_copy_is_kept_where_none_is_wanted(self):
        quell = self.serve("--archive", "--retention-queue", "secret:archive=0")
        kept_, plain, secret = (quell.submit("noop", {}, delay_s=5_000, queue=q) for q in ("default", "default", "secret"))
        quell.call("DELETE", f"/api/v1/jobs/{kept_}", {"archive_days": 3})
        quell.call("DELETE", f"/api/v1/jobs/{plain}", {"archive": False})
        quell.call("DELETE", f"/api/v1/jobs/{secret}")
        self.assertEqual([one["job_id"] for one in self.cli("archive", "list", "--all")], [kept_])
        for job in (plain, secret):
            self.ask("POST", f"/archive/{job}/restore", {}, 404)
            self.ask("GET", f"/archive/{job}", status=404)

    def test_a_freeze_refuses_no_restore(self):
        quell = self.serve("--archive")
        job = quell.submit("noop", {}, delay_s=5_000)
        quell.delete_many([job])
        self.ask("POST", "/system/freeze", {"frozen": True, "reason": "test"})
        self.ask("POST", f"/archive/{job}/restore", {})
        self.assertEqual(quell.status_of(job), "scheduled")

    def test_of_a_copy_nothing_is_left_behind_its_end(self):
        quell = self.serve("--archive", "--retention-every-s", "1")
        job = self.finished()[0]
        _, reply = quell.delete_many([job])
        self.assertEqual(self.ask("POST", "/verify", {"job_ids": [job]})["copies_kept"], 1)
        self.hand(f"UPDATE archive SET until = {int(time.time() * 1000)} WHERE id = {self.blob(job)}")
        self.ask("POST", f"/archive/{job}/restore", {}, 404)
        until(lambda: not self.eyes.ask("SELECT id FROM archive"), 30, "the end of the copy")
        found = self.ask("POST", "/verify", {"job_ids": [job]})
        self.assertTrue(found["holds"], found)
        self.assertEqual((found["copies_kept"], found["tombstones"]), (0, 1))
        ends = [row for row in self.audit() if row["what"] == "copy_end"]
        self.assertEqual([(row["ref"], row["who"], row["detail"]["jobs"]) for row in ends],
                         [(reply["delete_id"], "retention", 1)])

    def test_nobody_brings_back_a_program_that_he_may_not_run(self):
        quell = self.serve("--archive", *product.EXEC)
        program = {"steps": [{"name": "a", "kind": "exec", "args": {"argv": ["true"]}}]}
        job = quell.submit("workflow", program, delay_s=5_000)
        _, reply = quell.delete_many([job])
        token = self.ask("POST", "/tokens", {"name": "n", "scopes": ["jobs:read", "jobs:write"]}, 201)["token"]
        _, told = quell.call("POST", f"/api/v1/archive/{job}/restore", {"rerun": True}, token=token)
        self.assertEqual(told["code"], "forbidden", told)
        _, told = quell.call("POST", f"/api/v1/deletions/{reply['delete_id']}/undo", {}, token=token)
        self.assertEqual(quell.status_of(job), "deleted")
        self.ask("POST", f"/archive/{job}/restore", {})
        self.assertEqual(quell.status_of(job), "scheduled")

    def test_a_restore_that_is_cut_off_is_done_whole_or_not_at_all(self):
        for moment in ("before", "within", "after"):
            with self.subTest(moment):
                quell = self.serve("--archive")
                jobs = quell.submit_many([{"kind": "noop", "delay_s": 5_000}] * 20)
                _, reply = quell.delete_many(jobs)
                quell.kill()
                quell.start({"QUELL_FAILPOINTS": f"restore.{moment}=crash@1"})
                try:
                    quell.call("POST", f"/api/v1/deletions/{reply['delete_id']}/undo", {})
                except OSError:
                    pass
                quell.process.wait(60)
                quell.log.close()
                quell.start()
                there = len(self.jobs())
                self.assertEqual(there, 20 if moment == "after" else 0)
                if there == 0:
                    self.assertEqual(self.ask("POST", f"/deletions/{reply['delete_id']}/undo", {})["restored"], 20)
                self.assertEqual(self.eyes.orphans(), [])


kept.both(globals(), Archive)
