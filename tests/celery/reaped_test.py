"""Total delete of Celery's tasks: queued, due later, waiting for a retry, running, about to send."""
import json
import os
import threading
import time
import unittest

import stage
from product import until


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class TotalDelete(unittest.TestCase):
    def begin(self, **more):
        self.shop = stage.Shop()
        self.addCleanup(self.shop.close)
        self.server = stage.serve(self.shop, **more)
        self.addCleanup(self.server.stop)
        return self.server

    def wait_for(self, status, count):
        def there():
            jobs = stage.jobs_of(self.server, status=status)
            return jobs if len(jobs) >= count else None
        return until(there, 90, f"{count} {status} jobs")

    def pids(self, count, key="spin"):
        def there():
            notes = [note.split() for note in self.shop.notes() if note.startswith("spin ")]
            return [int(words[2]) for words in notes] if len(notes) >= count else None
        return until(there, 120, f"{count} spinning tasks")

    def test_twenty_spinning_tasks_are_reaped_before_the_reply_and_none_of_the_eighty_starts(self):
        server = self.begin(slots=20)
        self.shop.run("spin_many", server.url, "100")
        pids = self.pids(20)
        jobs = stage.jobs_of(server)
        self.assertEqual(len(jobs), 100)
        begun = time.monotonic()
        status, reply = server.delete_many([job["job_id"] for job in jobs])
        took = time.monotonic() - begun
        left = [pid for pid in pids if alive(pid)]
        self.assertEqual(status, 200, reply)
        self.assertEqual(left, [])
        self.assertEqual((reply["counts"]["deleted"], reply["counts"]["killed"], reply["counts"]["dequeued"],
                          reply["counts"]["unproven"]), (100, 20, 80, 0))
        verdicts = {item.get("verdict") for item in reply.get("items", reply.get("results", [])) if item.get("was") == "running"}
        self.assertLessEqual(verdicts, {"reaped", None})
        print(f"20 running and 80 queued deleted in {took * 1000:.0f} ms")
        time.sleep(1)
        self.assertEqual(len(self.pids(20)), 20)  # nothing has started since
        self.assertEqual(self.shop.run("delay", server.url), [5, "SUCCESS", True, True])  # the slots are free

    def test_what_a_deleted_task_would_have_sent_does_not_arrive(self):
        server = self.begin(slots=1)
        self.shop.run("send_without_end", server.url)
        self.pids(1)
        until(lambda: len(stage.jobs_of(server, tag="celery-task:shop.quiet")) > 3, 60, "tasks that it sent")
        job = stage.jobs_of(server, tag="celery-task:shop.spins_and_sends")[0]
        status, reply = server.delete_many([job["job_id"]])
        sent = {one["job_id"] for one in stage.jobs_of(server, tag="celery-task:shop.quiet")}
        self.assertEqual((status, reply["counts"]["deleted"], reply["counts"]["unproven"]), (200, 1, 0))
        time.sleep(1)
        self.assertEqual({one["job_id"] for one in stage.jobs_of(server, tag="celery-task:shop.quiet")}, sent)

    def sending(self, server):
        """A task that sends without end, and the job that it is."""
        self.shop.run("send_without_end", server.url)
        self.pids(1)
        until(lambda: len(stage.jobs_of(server, tag="celery-task:shop.quiet")) > 3, 60, "tasks that it sent")
        return stage.jobs_of(server, tag="celery-task:shop.spins_and_sends")[0]["job_id"]

    def sent(self, server):
        return {one["job_id"]: one["status"] for one in stage.jobs_of(server, tag="celery-task:shop.quiet")}

    def test_a_freeze_beside_a_senders_delete_leaves_nothing_of_what_it_was_sending(self):
        """What is refused was never there, so no guard of deletions can stand in its way."""
        server = self.begin(slots=1)
        job = self.sending(server)
        replies = []
        deletes = threading.Thread(target=lambda: replies.append(server.delete_many([job])))
        deletes.start()
        until(lambda: server.call("GET", f"/api/v1/jobs/{job}")[0] == 410 or replies, 30, "the mark")
        frozen, said = server.call("POST", "/api/v1/system/freeze", {"frozen": True, "reason": "an incident"})
        deletes.join()
        self.assertEqual(frozen // 100, 2, said)
        self.assertEqual((replies[0][0], replies[0][1]["counts"]["deleted"], replies[0][1]["counts"]["unproven"]), (200, 1, 0))
        before = self.sent(server)
        self.assertLessEqual(set(before.values()), {"queued", "running", "succeeded"})
        time.sleep(1)
        self.assertEqual(set(self.sent(server)), set(before))

    def test_a_server_that_is_killed_behind_the_delete_of_a_sender_brings_nothing_of_it_back(self):
        server = self.begin(slots=1)
        status, reply = server.delete_many([self.sending(server)])
        server.kill()
        self.assertEqual((status, reply["counts"]["deleted"], reply["counts"]["unproven"]), (200, 1, 0))
        server.start(environment={"SHOP_NOTES": self.shop.notes_file})
        before = self.sent(server)
        self.assertLessEqual(set(before.values()), {"queued", "running", "succeeded", "failed"})  # none sleeps; one may have run
        time.sleep(2)
        self.assertEqual(set(self.sent(server)), set(before))

    def test_a_task_that_waits_for_its_time_is_gone_with_its_id(self):
        server = self.begin()
        own = self.shop.run("for_later", server.url)
        job = self.wait_for("scheduled", 1)[0]
        self.assertEqual(server.delete_many([job["job_id"]])[1]["counts"]["deleted"], 1)
        told = self.shop.run("send_again", server.url, own)
        self.assertIn("was deleted", told)
        self.assertEqual(stage.jobs_of(server), [])

    def test_a_task_that_waits_for_its_retry_is_gone(self):
        server = self.begin()
        self.shop.run("retry_for_ever", server.url)
        job = self.wait_for("scheduled", 1)[0]
        self.assertEqual(server.delete_many([job["job_id"]])[1]["counts"]["deleted"], 1)
        self.assertEqual(stage.jobs_of(server), [])

    def test_the_rest_of_a_chain_is_never_born_when_its_head_is_deleted(self):
        server = self.begin()
        self.shop.run("chain_behind_spin", server.url)
        self.pids(1)
        job = stage.jobs_of(server, tag="celery-task:shop.spin")[0]
        self.assertEqual(server.delete_many([job["job_id"]])[1]["counts"]["killed"], 1)
        time.sleep(1)
        self.assertEqual(stage.jobs_of(server), [])

    def test_whoever_waits_for_a_deleted_task_is_told(self):
        server = self.begin()
        waits = self.shop.start("wait_for_spin", server.url)
        self.pids(1)
        job = stage.jobs_of(server)[0]
        server.delete_many([job["job_id"]])
        out, err = waits.communicate(timeout=60)
        self.assertEqual(json.loads(out.strip().splitlines()[-1]), "TaskRevokedError: deleted", err)

    def test_a_revoked_task_does_not_come_back_with_a_restart(self):
        server = self.begin()
        due = self.shop.run("revoke_for_later", server.url)
        self.wait_for("cancelled", 1)
        server.stop()
        server.start(environment={"SHOP_NOTES": self.shop.notes_file})
        time.sleep(max(0, due + 1 - time.time()))
        self.assertNotIn("came back", self.shop.notes())
        self.assertEqual([job["status"] for job in stage.jobs_of(server)], ["cancelled"])

    def test_a_killed_server_leaves_no_task_alive_and_runs_none_of_them_twice(self):
        server = self.begin(slots=3)
        self.shop.run("spin_many", server.url, "3")
        pids = self.pids(3)
        server.kill()
        until(lambda: not any(alive(pid) for pid in pids), 30, "the end of the tasks' processes")
        server.start(environment={"SHOP_NOTES": self.shop.notes_file})
        failed = self.wait_for("failed", 3)
        self.assertEqual({job["error"]["code"] for job in failed}, {"celery-worker-lost"})
        self.assertEqual(len(self.pids(3)), 3)

    def test_a_killed_fork_server_is_started_again_and_nothing_is_said_to_be_proven_that_is_not(self):
        server = self.begin(slots=2)
        self.shop.run("spin_many", server.url, "1")
        pid = self.pids(1)[0]
        for forker in fork_servers(server):
            os.kill(forker, 9)
        self.assertEqual(self.shop.run("delay", server.url), [5, "SUCCESS", True, True])
        self.assertTrue(alive(pid))  # it is the keeper's, not the fork server's
        job = stage.jobs_of(server, tag="celery-task:shop.spin")[0]
        status, reply = server.delete_many([job["job_id"]])
        self.assertFalse(alive(pid))
        self.assertEqual((reply["counts"]["killed"], reply["counts"]["unproven"]), (1, 0))

    def test_tasks_that_wait_as_fork_servers_die_are_forked_by_the_next_one(self):
        slots = 4
        server = self.begin(slots=slots)
        self.shop.run("burst", server.url, "120")
        kills = 0
        for _ in range(2):
            until(lambda: server.counts().get("succeeded", 0) >= 10 * (kills + 1), 60, "some that have run")
            for forker in fork_servers(server):
                kills += 1
                os.kill(forker, 9)
        until(lambda: server.counts().get("succeeded", 0) + server.counts().get("failed", 0) == 120, 90, "the end of all")
        lost = [job["error"]["code"] for job in stage.jobs_of(server, status="failed")]
        self.assertLessEqual(set(lost), {"celery-worker-lost"})
        self.assertLessEqual(len(lost), kills * slots)  # those whose process may have begun
        notes = [note for note in self.shop.notes() if note.startswith("burst ")]
        self.assertEqual(len(notes), len(set(notes)))
        until(lambda: server.pool()["used"] == 0, 30, "the slots")


def fork_servers(server):
    """Children of the keeper that are Python and older than every task's."""
    keeper = [pid for pid in children(server.process.pid)][0]
    pythons = [pid for pid in children(keeper) if b"python" in open(f"/proc/{pid}/cmdline", "rb").read()]
    return sorted(pythons)[:1]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as found:
        return [int(word) for word in found.read().split()]
