"""Any node takes any request, whichever node runs the job; and what a lost node held runs elsewhere."""
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import fleet
from fleet import Fleet, Postgres, QUICK, Worker
from product import until
from receiver import SlowServer

SLOTS = 2


class Routing(unittest.TestCase):
    """With hints, and without any: then a node hears of its orders when it looks."""

    parameters = ""

    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.postgres.__enter__()
        cls.addClassCleanup(cls.postgres.__exit__)
        url = cls.postgres.url
        if cls.parameters:
            url += ("&" if "?" in url else "?") + cls.parameters
        cls.fleet = Fleet(url, slots=SLOTS)
        cls.addClassCleanup(cls.fleet.__exit__)
        cls.fleet.__enter__()

    def fill(self):
        """A run in every slot; those that are not the server's own"""
        jobs = self.fleet.server.submit_many([{"kind": "sleep", "args": {"seconds": 600}}] * (3 * SLOTS))
        own = self.fleet.id_of(self.fleet.server)
        runners = self.fleet.all_run(jobs)
        return jobs, [job for job, node in runners.items() if node != own]

    def test_deletes_runs_of_other_nodes_with_proof(self):
        server = self.fleet.server
        jobs, elsewhere = self.fill()
        self.assertEqual(len(elsewhere), 2 * SLOTS)
        status, reply = server.delete_many(elsewhere, wait=20)
        self.assertEqual(status, 200, reply)
        self.assertEqual(reply["counts"]["deleted"], len(elsewhere), reply)
        self.assertEqual(reply["counts"]["killed"], len(elsewhere), reply)
        self.assertEqual(reply["counts"]["unproven"], 0, reply)
        for job in elsewhere:
            self.assertEqual(server.status_of(job), "deleted")
        probes = server.submit_many([{"kind": "noop", "args": {}}] * 4)
        until(lambda: all(server.status_of(p) == "succeeded" for p in probes), what="probes behind the freed slots")
        server.delete_many(jobs)

    def test_cancels_a_run_of_another_node(self):
        server = self.fleet.server
        jobs, elsewhere = self.fill()
        server.call("POST", f"/api/v1/jobs/{elsewhere[0]}/cancel", {})
        until(lambda: server.status_of(elsewhere[0]) == "cancelled", what="a cancelled run of another node")
        server.delete_many(jobs)

    def test_pauses_a_queue_everywhere(self):
        server = self.fleet.server
        server.call("POST", "/api/v1/queues/default/pause", {})
        try:
            time.sleep(2.5)  # two looks without a hint
            jobs = server.submit_many([{"kind": "noop", "args": {}}] * 10)
            time.sleep(2.5)  # nothing is awaited here: it must not happen
            self.assertEqual({server.status_of(job) for job in jobs}, {"queued"})
        finally:
            server.call("POST", "/api/v1/queues/default/resume", {})
        until(lambda: all(server.status_of(job) == "succeeded" for job in jobs), what="the end of the pause")

    def test_shows_every_node_and_sums_their_pools(self):
        nodes = until(lambda: (lambda n: n if len([x for x in n if x["pools"]]) == 3 else None)(self.fleet.nodes()))
        self.assertEqual({node["state"] for node in nodes}, {"up"})
        self.assertTrue(all(node["host"] and node["pid"] and node["version"] for node in nodes), nodes)
        pool = until(lambda: (lambda p: p if p["capacity"] == 3 * SLOTS else None)(self.fleet.server.pool()))
        self.assertEqual(len(pool["nodes"]), 3)


class RoutingWithoutHints(Routing):
    parameters = "notify=off"


class LostNodes(unittest.TestCase):
    def setUp(self):
        self.postgres = Postgres()
        self.postgres.__enter__()
        self.addCleanup(self.postgres.__exit__)

    def with_fleet(self, **more):
        running = Fleet(self.postgres.url, slots=SLOTS, flags=QUICK, **more)
        self.addCleanup(running.__exit__)
        return running.__enter__()

    def test_runs_the_jobs_of_a_killed_worker_elsewhere(self):
        running = self.with_fleet()
        server, worker = running.server, running.workers[0]
        jobs = server.submit_many([{"kind": "sleep", "args": {"seconds": 600}}] * (3 * SLOTS))
        lost_node = running.id_of(worker)
        lost = [job for job, node in running.all_run(jobs).items() if node == lost_node]
        self.assertEqual(len(lost), SLOTS)
        others = [job for job in jobs if job not in lost]
        worker.kill()
        server.delete_many(others, wait=20)  # room for what comes back
        until(lambda: [n for n in running.runners(lost).values() if n != lost_node][SLOTS - 1:],
              what="the lost jobs on another node")
        self.assertEqual({server.job(job)[1]["attempt"] for job in lost}, {1})
        self.assertEqual({node["state"] for node in running.nodes() if node["worker_id"] == lost_node}, {"gone"})

    def test_deletes_what_a_killed_worker_ran_and_calls_it_unproven(self):
        running = self.with_fleet()
        server, worker = running.server, running.workers[0]
        jobs = server.submit_many([{"kind": "sleep", "args": {"seconds": 600}}] * (3 * SLOTS))
        lost_node = running.id_of(worker)
        lost = [job for job, node in running.all_run(jobs).items() if node == lost_node]
        worker.kill()
        status, reply = server.delete_many(lost, wait=30)
        self.assertEqual(status, 200, reply)
        self.assertEqual(reply["counts"]["deleted"], SLOTS, reply)
        self.assertEqual(reply["counts"]["unproven"], SLOTS, reply)

    def test_a_copied_data_directory_proves_no_death(self):
        """The original lives: a copy is another node, and takes nothing before the lease is over."""
        running = self.with_fleet(workers=1)
        server, worker = running.server, running.workers[0]
        jobs = server.submit_many([{"kind": "sleep", "args": {"seconds": 600}}] * (2 * SLOTS))
        original = running.id_of(worker)
        held = [job for job, node in running.all_run(jobs).items() if node == original]
        copied = os.path.join(tempfile.mkdtemp(prefix="quell-copy-"), "data")
        subprocess.run(["cp", "-a", worker.data_dir, copied], check=True)
        self.addCleanup(shutil.rmtree, os.path.dirname(copied), ignore_errors=True)
        os.truncate(os.path.join(copied, "server.log"), 0)
        copy = Worker(*worker.flags, data_dir=copied, store=self.postgres.url).start()
        self.addCleanup(copy.remove)
        other = until(lambda: next((n["worker_id"] for n in running.nodes() if n["pid"] == copy.process.pid), None),
                      what="the copy among the nodes")
        self.assertNotEqual(other, original)
        self.assertIn("from another place", copy.log_text())
        time.sleep(6)  # a lease and more: nothing is awaited here, it must not happen
        self.assertEqual(set(running.runners(held).values()), {original})
        self.assertEqual({server.job(job)[1]["lost"] for job in held}, {0})
        self.assertIsNone(worker.process.poll())
        # Now it dies, and only its lease tells.
        worker.kill()
        status, reply = server.delete_many(held, wait=30)
        self.assertEqual((status, reply["counts"]["unproven"]), (200, SLOTS), reply)

    def test_a_worker_that_slept_past_its_lease_does_nothing_more(self):
        receiver = SlowServer()
        self.addCleanup(receiver.stop)
        running = self.with_fleet()
        server, worker = running.server, running.workers[0]
        # Each run sleeps, then calls: what wakes too late must not call any more.
        steps = [{"name": "nap", "kind": "sleep", "args": {"seconds": 6}},
                 {"name": "call", "kind": "http", "args": {"method": "GET", "url": receiver.url()}}]
        jobs = server.submit_many([{"kind": "workflow", "args": {"steps": steps}, "tags": ["late"]}] * (3 * SLOTS))
        lost_node = running.id_of(worker)
        lost = [job for job, node in running.all_run(jobs).items() if node == lost_node]
        self.assertEqual(len(lost), SLOTS)
        worker.pause()
        status, reply = server.delete_many(jobs, wait=30)
        self.assertEqual(status, 200, reply)
        self.assertEqual(reply["counts"]["deleted"], len(jobs), reply)
        self.assertEqual(reply["counts"]["unproven"], SLOTS, reply)
        replied = time.monotonic()
        time.sleep(3)  # the nap of the paused runs is over in the meantime
        worker.go_on()
        worker.process.wait(30)
        self.assertEqual(worker.process.returncode, 75, worker.log_text()[-2000:])
        self.assertEqual(receiver.accepted_after(replied), 0)
        worker.start()  # as a service manager does
        job = server.submit("noop", {})
        until(lambda: server.status_of(job) == "succeeded")

    def test_a_drained_worker_hands_over_and_a_stopped_one_ends(self):
        running = self.with_fleet()
        server = running.server
        first, second = running.workers
        drained = running.id_of(first)
        self.assertEqual(server.call("POST", f"/api/v1/workers/{drained}/drain", {})[0], 202)
        until(lambda: next(n for n in running.nodes() if n["worker_id"] == drained)["state"] == "drained",
              what="a drained worker")
        jobs = server.submit_many([{"kind": "sleep", "args": {"seconds": 600}}] * (3 * SLOTS))
        runners = until(lambda: (lambda r: r if len(r) == 2 * SLOTS else None)(running.runners(jobs)))
        self.assertNotIn(drained, runners.values())
        self.assertEqual(server.delete_many(jobs, wait=20)[0], 200)
        self.assertEqual(server.call("POST", f"/api/v1/workers/{running.id_of(second)}/stop", {})[0], 202)
        second.process.wait(60)
        self.assertEqual(second.process.returncode, 0, second.log_text()[-2000:])


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    unittest.main()
