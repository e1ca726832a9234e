"""Delete means deleted, seen from outside: receivers, /proc, pools, a probe job."""
import os
import time
import unittest
import uuid

import product
import receiver
from product import until


class DeleteOfLiveWork(unittest.TestCase):
    def test_closes_every_connection_and_reaps_every_process_before_the_reply(self):
        slow = receiver.SlowServer()
        marker = "quellmark" + uuid.uuid4().hex
        # Each program leaves its process group twice over: a shell that waits, and two sessions of its own.
        script = f"setsid sh -c 'sleep 999; : {marker}' & setsid setsid sh -c 'sleep 998; : {marker}' & wait; : {marker}"
        with product.Server("--pool", "default=60", "--outbound-allow", "127.0.0.0/8", *product.EXEC) as quell:
            http_ids = quell.submit_many([{"kind": "http", "args": {"method": "GET", "url": slow.url()}}] * 20)
            exec_ids = quell.submit_many([{"kind": "exec", "args": {"argv": ["/bin/sh", "-c", script]}}] * 20)
            until(lambda: slow.open_count() == 20, what="20 transfers")
            until(lambda: len(product.processes_with(marker)) >= 60, what="20 trees of 3 shells")
            status, reply = quell.delete_many(http_ids + exec_ids)
            replied = time.monotonic()
            alive = product.processes_with(marker)
            open_then = slow.open_count()
            self.assertEqual(status, 200, reply)
            self.assertEqual(reply["counts"]["killed"], 40, reply["counts"])
            self.assertEqual(reply["counts"]["slots_freed"], 40)
            self.assertEqual(alive, [])
            until(lambda: slow.open_count() == 0, 5)
            closed = slow.closed_times()
            self.assertEqual(len(closed), 20)
            # The receiver's thread may note a close a moment after it happened; open_then shows the moment of the reply.
            self.assertLessEqual(open_then, 0, "connections still open when the reply was read")
            self.assertLess(max(closed) - replied, 0.05)
            self.assertEqual(slow.bytes_after(replied), 0)
            self.assertEqual(slow.accepted_after(replied), 0)
            verdicts = {o["job_id"]: o.get("verdict") for o in reply["outcomes"]}
            self.assertEqual({verdicts[i] for i in http_ids}, {"stopped"})
            self.assertEqual({verdicts[i] for i in exec_ids}, {"reaped"})
            self.assertEqual(quell.pool()["free"], 60)
        slow.stop()

    def test_deletes_a_full_pool_and_its_queue_and_a_probe_runs_at_once(self):
        with product.Server("--pool", "default=20") as quell:
            ids = quell.submit_many([{"kind": "sleep", "args": {"seconds": 60}}] * 100)
            until(lambda: quell.pool()["used"] == 20)
            probe = quell.submit("noop", {})
            status, reply = quell.delete_many(ids)
            self.assertEqual(status, 200)
            counts = reply["counts"]
            self.assertEqual((counts["deleted"], counts["killed"], counts["dequeued"], counts["slots_freed"]), (100, 20, 80, 20))
            self.assertEqual((reply["success"], reply["deleted_count"], reply["tasks_revoked"], reply["redis_removed"]),
                             (True, 100, 20, 80))
            until(lambda: quell.status_of(probe) == "succeeded")
            self.assertEqual({quell.status_of(i) for i in ids}, {"deleted"})
            status, again = quell.delete_many(ids)
            self.assertEqual((status, again["counts"]["already_gone"], again["counts"]["deleted"]), (200, 100, 0))

    def test_kills_the_trees_when_the_server_is_killed_and_runs_them_again_after(self):
        marker = "quellmark" + uuid.uuid4().hex
        quell = product.Server("--pool", "default=4", *product.EXEC)
        with quell:
            quell.submit_many([{"kind": "exec", "args": {"argv": ["/bin/sh", "-c", f"setsid sleep 999 & sleep 999; : {marker}"]}}] * 4)
            until(lambda: len(product.processes_with(marker)) == 4)
            before = set(product.processes_with(marker))
            quell.kill()
            until(lambda: not before & set(product.processes_with(marker)), 10, "the keeper's end of all trees")
            quell.start()
            until(lambda: len(product.processes_with(marker)) == 4, what="the four runs again")
            ids = [j["job_id"] for j in quell.call("GET", "/api/v1/jobs")[1]["jobs"]]
            status, reply = quell.delete_many(ids)
            self.assertEqual((status, reply["counts"]["killed"]), (200, 4))
            self.assertEqual(product.processes_with(marker), [])


class ASecondCall(unittest.TestCase):
    def test_is_told_as_deleted_only_when_the_job_is_gone_also_after_a_kill(self):
        with product.Server("--pool", "default=2", "--poll-ms", "50", "--stop-deadline-ms", "100") as quell:
            quell.stop()
            quell.start({"QUELL_FAILPOINTS": "stop.before=error"})
            job, waiting = quell.submit("sleep", {"seconds": 600}), quell.submit("noop", {}, delay_s=5_000)
            until(lambda: quell.status_of(job) == "running")
            first = quell.call("DELETE", f"/api/v1/jobs/{job}?wait=0")[1]["delete_id"]
            joined = quell.call("DELETE", f"/api/v1/jobs/{job}?wait=0")[1]["delete_id"]
            both = quell.delete_many([job, waiting], wait=0)[1]["delete_id"]

            def told():
                one_by_one = {i: quell.call("GET", f"/api/v1/deletions/{i}")[1] for i in (first, joined, both)}
                for call in quell.call("GET", "/api/v1/deletions")[1]["deletions"]:
                    self.assertEqual(call["state"], one_by_one[call["delete_id"]]["state"])
                return one_by_one
            for call in told().values():
                self.assertEqual((call["state"], call["counts"], call["receipt"]), ("PENDING_DELETE", None, None))
                self.assertEqual([(one["job_id"], one["delete_id"]) for one in call["pending"]], [(job, first)])
                self.assertEqual(quell.call("GET", f"/api/v1/jobs/{call['delete_id']}/trace")[1]["waiting"], 1)
            self.assertEqual(quell.status_of(job), "pending_delete")
            quell.kill()
            quell.start()
            until(lambda: quell.status_of(job) == "deleted", what="its end")
            calls = told()
            self.assertEqual({call["state"] for call in calls.values()}, {"DELETED"})
            counts = {i: (call["counts"]["deleted"], call["counts"]["already_gone"]) for i, call in calls.items()}
            self.assertEqual(counts, {first: (1, 0), joined: (0, 1), both: (1, 1)})
            self.assertEqual([call["receipt"] is None for call in calls.values()], [False, True, False])


class Drain(unittest.TestCase):
    def test_hands_over_on_sigterm_without_counting_an_attempt(self):
        quell = product.Server("--pool", "default=2")
        with quell:
            job = quell.submit("sleep", {"seconds": 300})
            until(lambda: quell.status_of(job) == "running")
            self.assertEqual(quell.stop(), 0)
            quell.start()
            until(lambda: quell.status_of(job) == "running")
            self.assertEqual(quell.job(job)[1]["attempt"], 1)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    unittest.main()
