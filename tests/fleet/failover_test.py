"""A database with a standby that is lost, promoted, away or in the way: what was acknowledged stays, what is signed is true."""
import base64
import http.client
import json
import os
import signal
import subprocess
import threading
import time
import unittest

import cluster
import product
from pair import Pair
from product import until

ROUNDS = int(os.environ.get("FAILOVER_ROUNDS", "1"))  # more of everything, for whoever wants figures
QUICK = ["--lease-s", "10", "--self-stop-s", "4", "--beat-s", "1"]


def durability_of(reply):
    return json.loads(base64.b64decode(reply["receipt"]["payload"]))["durability"]


class Background:
    """A call that may hang, on a thread of its own."""

    def __init__(self, function):
        self.value, self.began, self.took = None, time.monotonic(), None
        self.thread = threading.Thread(target=self.run, args=(function,), daemon=True)
        self.thread.start()

    def run(self, function):
        try:
            self.value = function()
        except (OSError, http.client.HTTPException) as fault:
            self.value = (0, {"fault": str(fault)})
        self.took = time.monotonic() - self.began

    def result(self, seconds=60):
        self.thread.join(seconds)
        assert not self.thread.is_alive(), f"no answer in {seconds} s"
        return self.value


class WithPair(unittest.TestCase):
    def pair(self, *flags, **more):
        self.pg = Pair(**more)
        self.addCleanup(self.pg.stop)
        self.server = self.pg.server(*QUICK, *flags)
        self.addCleanup(self.server.remove)
        self.server.start()
        return self.pg, self.server

    def waiting_job(self):
        return self.server.submit("noop", {}, delay_s=3600)

    def delete(self, job, wait=5):
        return self.server.call("DELETE", f"/api/v1/jobs/{job}?wait={wait}")


class Failover(WithPair):
    FAILOVERS = 6 * ROUNDS

    def load(self, stop, kept, deleted):
        """Submits two, deletes one; only what was acknowledged counts."""
        while not stop.is_set():
            try:
                jobs = [self.waiting_job(), self.waiting_job()]
                kept.append(jobs[0])
                status, reply = self.delete(jobs[1])
                if status == 200 and reply["counts"]["deleted"] == 1:
                    deleted.append(jobs[1])
            except (AssertionError, OSError, http.client.HTTPException):
                time.sleep(0.05)  # refused, or cut off: not acknowledged

    def test_1_keeps_what_it_acknowledged_through_six_failovers(self):
        pg, server = self.pair()
        stop, kept, deleted = threading.Event(), [], []
        callers = [threading.Thread(target=self.load, args=(stop, kept, deleted), daemon=True) for _ in range(4)]
        for caller in callers:
            caller.start()
        for _ in range(self.FAILOVERS):
            before = len(deleted)
            until(lambda: len(deleted) >= before + 10, what="deletes before the failover")
            pg.fail_over()
            until(lambda: len(deleted) >= before + 20, what="deletes after the failover")
            pg.follow()
        stop.set()
        for caller in callers:
            caller.join(60)
        print(f"{self.FAILOVERS} failovers: {len(kept)} jobs kept, {len(deleted)} deleted", flush=True)
        self.assertEqual([job for job in kept if server.status_of(job) != "scheduled"], [])
        self.assertEqual([job for job in deleted if server.status_of(job) != "deleted"], [])
        self.assertEqual(server.stop(), 0)

    def test_2_signs_replicated_only_of_what_the_standby_has(self):
        pg, server = self.pair()
        for _ in range(ROUNDS):
            status, reply = self.delete(self.waiting_job())
            self.assertEqual((status, durability_of(reply)), (200, "replicated"))
            jobs = [self.waiting_job() for _ in range(2)]
            pg.lose_standby()
            # The names are emptied: the server lets go who waits, without a word.
            call = Background(lambda: self.delete(jobs[0], wait=20))
            pg.one_waits()
            pg.wait_for_standby("")
            status, reply = call.result()
            self.assertEqual((status, durability_of(reply)), (200, "local"))
            status, reply = self.delete(jobs[1])
            self.assertEqual((status, durability_of(reply)), (200, "local"))
            pg.standby_back()
            pg.wait_for_standby(pg.standby)
            time.sleep(1.5)  # the node looks each second whether standbys are awaited

    def test_3_signs_nothing_of_a_cancelled_wait_or_from_a_read(self):
        pg, server = self.pair()
        jobs = [self.waiting_job() for _ in range(3 * ROUNDS)]
        name = pg.standby
        pg.lose_standby()
        for job, spoil in zip(jobs, ("cancel", "restart", "cancel") * ROUNDS):
            call = Background(lambda job=job: self.delete(job, wait=2))
            pid = pg.one_waits()
            if spoil == "cancel":
                pg.ask(f"SELECT pg_cancel_backend({pid})")
            else:
                pg.crash_primary()
                pg.start_primary()
            status, reply = call.result(20)
            self.assertNotEqual(status, 200, reply)
            self.assertLess(call.took, 2 + 2 + 1)
        pg.standby_back()
        until(lambda: pg.ask(f"SELECT 1 FROM pg_stat_replication WHERE application_name = '{name}' AND sync_state = 'sync'"))
        for job in jobs:
            until(lambda job=job: self.delete(job)[0] == 200, what="the delete, now that the standby is back")

    def test_4_answers_and_ends_while_the_standby_is_away(self):
        pg, server = self.pair("--drain-timeout-s", "10")
        jobs = [self.waiting_job() for _ in range(2)]
        pg.lose_standby()
        status, reply = self.delete(jobs[0], wait=1)
        self.assertEqual(status, 503, reply)
        self.assertIn("not known to be replicated", json.dumps(reply))
        waits = until(lambda: "waited for" in json.dumps(server.call("GET", "/readyz")[1]), what="the wait in readyz")
        self.assertTrue(waits)
        metrics = server.exchange("GET", "/metrics")[2].decode()
        age = next(float(line.split()[1]) for line in metrics.splitlines() if line.startswith("quell_store_commit_wait_milliseconds "))
        self.assertGreater(age, 1000)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(30), 75)
        self.assertLess(time.monotonic() - began, 20)
        # Nor is a start held that waits for its first commit.
        starting = pg.server(*QUICK)
        starting.data_dir, starting.own_dir = server.data_dir, False
        starting.spawn()
        self.addCleanup(starting.remove)
        pg.one_waits()
        time.sleep(0.5)
        starting.process.send_signal(signal.SIGTERM)
        self.assertEqual(starting.process.wait(10), 128 + signal.SIGTERM)
        pg.standby_back()

    def test_5_with_the_option_a_delete_is_done_when_a_standby_has_it(self):
        pg, server = self.pair("--require-replicated")
        status, reply = self.delete(self.waiting_job())
        self.assertEqual((status, reply["steps"]["replicate"]), (200, True), reply)
        job = self.waiting_job()
        pg.lose_standby()
        pg.wait_for_standby("")
        time.sleep(2)  # the node looks each second whether standbys are awaited
        status, reply = self.delete(job, wait=1)
        self.assertEqual((status, reply["steps"]["replicate"]), (202, False), reply)
        pg.standby_back()
        pg.wait_for_standby(pg.standby)
        until(lambda: self.server.call("GET", f"/api/v1/deletions/{reply['delete_id']}")[1]["receipt"], what="its receipt")
        view = self.server.call("GET", f"/api/v1/deletions/{reply['delete_id']}")[1]
        self.assertEqual(durability_of(view), "replicated")

    def test_6_tells_each_time_that_a_standby_had_not_all(self):
        """A sender that stands still, a promotion: what was acknowledged is gone, while the node lives and while it is down."""
        pg, server = self.pair(synchronous=False)
        for down in (False, True, False) * ROUNDS:
            back, kept = self.waiting_job(), self.waiting_job()
            pg.caught_up()
            pg.freeze_sender()
            self.assertEqual(self.delete(back)[0], 200)
            lost = self.waiting_job()
            if down:
                self.assertEqual(server.stop(), 0)
            pg.fail_over()
            began = time.monotonic()
            if not down:
                self.assertEqual(server.process.wait(20), 75)
                server.log.close()
                print(f"told and ended {time.monotonic() - began:.1f} s after the promotion", flush=True)
            pg.follow(synchronous=False)
            server.spawn()
            self.is_told(server)
            self.assertEqual([server.status_of(job) for job in (back, kept, lost)], ["scheduled", "scheduled", "not_found"])
            self.assertEqual(self.delete(back)[0], 423)
            self.assertEqual(server.call("POST", "/api/v1/system/freeze", {"frozen": False, "reason": "looked at"})[0], 200)
            until(server.answers, what="a node that is ready again")
            self.assertEqual([self.delete(job)[0] for job in (back, kept)], [200, 200])
        told = [row for row in server.call("GET", "/api/v1/audit?limit=1000")[1]["entries"] if row["what"] == "history.lost"]
        self.assertEqual(len(told), 3 * ROUNDS)
        self.assertEqual(server.stop(), 0)

    def is_told(self, server):
        def history():
            if server.has_ended():
                raise AssertionError(f"ended with {server.process.returncode}: {server.log_text()[-2000:]}")
            try:
                status, view = server.call("GET", "/readyz")
            except OSError:
                return None
            return status, view["checks"]["history"]
        status, why = until(history, what="an answer")
        self.assertEqual(status, 503, why)
        self.assertIn("has lost what it had acknowledged", why)
        self.assertIn("has lost what it had acknowledged", server.log_text())
        self.assertIn("quell_store_history_lost 1\n", server.exchange("GET", "/metrics")[2].decode())

    def test_7_a_promotion_that_lost_nothing_is_no_loss(self):
        """The primary had much that the standby never got, but nothing of that was acknowledged to us."""
        pg, server = self.pair()
        for number in range(2):
            jobs = [self.waiting_job() for _ in range(5)]
            pg.freeze_sender()
            pg.ask(f"SET synchronous_commit = local; CREATE TABLE others{number} AS SELECT generate_series(1, 9999) AS i")
            pg.fail_over()
            pg.follow()
            until(lambda: self.delete(jobs[0])[0] == 200, what="a delete on the new primary")
            self.assertEqual({server.status_of(job) for job in jobs[1:]}, {"scheduled"})
            self.assertTrue(server.ready())
        self.assertEqual(server.stop(), 0)

    def test_8_passes_by_a_standby_and_leaves_what_is_none_any_more(self):
        self.pg = pg = Pair()
        self.addCleanup(pg.stop)
        self.server = server = pg.server(*QUICK, store=pg.both())
        self.addCleanup(server.remove)
        server.start()
        job = self.waiting_job()
        pg.fail_over()
        until(lambda: self.delete(job)[0] == 200, what="a delete on the new primary")
        self.assertEqual(server.stop(), 0)


class Forgotten(unittest.TestCase):
    """Begun first, looked at last: a session counts as forgotten after a minute."""

    @classmethod
    def begin(cls):
        cls.pg = cluster.Postgres()
        cls.server = product.Server("--log-level", "info", store=cls.pg.url)
        cls.server.start()
        cls.session = subprocess.Popen(["psql", "-XAtq", "-h", cls.pg.folder, "-U", "quell", "-d", "quell"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True, env={**os.environ, "PGAPPNAME": "somebody's prompt"})
        cls.session.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_backend_pid();\n")
        cls.session.stdin.flush()
        cls.pid = cls.session.stdout.readline().strip()

    @classmethod
    def end(cls):
        cls.session.kill()
        cls.session.communicate()
        cls.server.remove()
        cls.pg.stop()

    def figure(self):
        metrics = self.server.exchange("GET", "/metrics")[2].decode()
        return next(float(line.split()[1]) for line in metrics.splitlines() if line.startswith("quell_store_held_snapshot_seconds "))

    def test_a_held_snapshot_is_told_with_its_process_and_application(self):
        whose = f"process {self.pid}, somebody's prompt"
        until(lambda: whose in self.server.call("GET", "/readyz")[1]["checks"]["snapshot"], 90, "the session in readyz")
        self.assertEqual(self.server.call("GET", "/readyz")[0], 200)
        until(lambda: self.figure() >= 60, 60, "its age in the metrics")
        self.assertIn(whose, self.server.log_text())
        self.session.kill()
        until(lambda: self.server.call("GET", "/readyz")[1]["checks"]["snapshot"] == "ok", what="a snapshot that is let go")


def setUpModule():
    Forgotten.begin()
    unittest.addModuleCleanup(Forgotten.end)


if __name__ == "__main__":
    unittest.main()
