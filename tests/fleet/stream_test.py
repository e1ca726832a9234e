"""One event stream tells what all nodes of the store do: in the order of each job's life, nothing behind its deletion, and with a
`reset` when something of it may not have been heard."""
import contextlib
import itertools
import json
import os
import queue
import shutil
import socket
import threading
import unittest

import product
import store_eyes
from product import until

FLAGS = ["--poll-ms", "200"]
LIFE = ["job.created", "job.started", "job.succeeded", "job.deleted"]


class Stream(threading.Thread):
    """What a node tells from when its answer's head has come."""

    def __init__(self, node, last=None):
        super().__init__(daemon=True)
        self.sock = socket.create_connection(("127.0.0.1", node.port), timeout=60)
        more = f"Last-Event-ID: {last}\r\n" if last else ""
        self.sock.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {node.token}\r\n{more}\r\n".encode())
        self.file = self.sock.makefile("rb")
        assert b" 200 " in self.file.readline()
        while self.file.readline().strip():
            pass
        self.told, self.ids = [], []  # (type, job)
        self.start()

    def run(self):
        name = None
        try:
            for line in self.file:
                line = line.decode().strip()
                if line.startswith("id:"):
                    self.ids.append(line[3:].strip())
                elif line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    self.told.append((name, json.loads(line[5:]).get("job_id")))
        except (OSError, ValueError):
            pass

    def of(self, job):
        return [name for name, one in list(self.told) if one == job]

    def has(self, name, job=None):
        return (name, job) in list(self.told)

    def close(self):
        with contextlib.suppress(OSError):  # it may have been cut off before
            self.sock.shutdown(socket.SHUT_RDWR)
        self.join()
        self.file.close()
        self.sock.close()


class OverTheFleet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = store_eyes.TemporaryPostgres()
        cls.addClassCleanup(cls.postgres.stop)
        cls.databases = itertools.count()

    def setUp(self):
        self.store = store = self.postgres.create(f"stream{next(self.databases)}")
        self.here = product.Server("--pool", "default=0", *FLAGS, store=store).start()
        self.addCleanup(self.here.remove)
        self.there = product.Server("--pool", "default=8", *FLAGS, store=store)
        shutil.copy(os.path.join(self.here.data_dir, "admin.token"), self.there.data_dir)
        self.there.start()
        self.addCleanup(self.there.remove)
        for node in (self.here, self.there):  # each has seen the other
            until(lambda: sum("beat_age_ms" in one for one in node.call("GET", "/api/v1/workers")[1]["workers"]) == 2)

    def follow(self, node, last=None):
        stream = Stream(node, last)
        self.addCleanup(stream.close)
        return stream

    def live(self, node, stream):
        """One job from its birth at one node to its deletion at the other."""
        job = node.submit("noop", {})
        until(lambda: "job.succeeded" in stream.of(job), what="its end")
        other = self.there if node is self.here else self.here
        self.assertEqual(other.call("DELETE", f"/api/v1/jobs/{job}?wait=10")[0], 200)
        until(lambda: "job.deleted" in stream.of(job), what="its deletion")
        return job

    def test_what_happens_on_one_node_is_told_by_the_other_in_its_order(self):
        streams = [self.follow(self.here), self.follow(self.there)]
        for node in (self.here, self.there):
            job = self.live(node, streams[0])
            for stream in streams:
                until(lambda: "job.deleted" in stream.of(job))
                self.assertEqual(stream.of(job), LIFE)

    def test_nothing_of_a_job_is_told_behind_its_deletion(self):
        streams = [self.follow(self.here), self.follow(self.there)]
        jobs = self.here.submit_many([{"kind": "sleep", "args": {"seconds": 600}}] * 6 + [{"kind": "noop"}] * 60)
        wrong = queue.Queue()

        def delete(node, mine):
            for job in mine:
                status, reply = node.call("DELETE", f"/api/v1/jobs/{job}?wait=20")
                if status != 200:
                    wrong.put(reply)
        threads = [threading.Thread(target=delete, args=(node, jobs[n::2])) for n, node in enumerate((self.here, self.there))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(wrong.empty(), list(wrong.queue))
        for stream in streams:
            until(lambda: all("job.deleted" in stream.of(job) for job in jobs))
            for job in jobs:
                self.assertEqual(stream.of(job)[-1], "job.deleted")
                self.assertEqual(stream.of(job).count("job.deleted"), 1)

    def test_what_was_missed_is_told_to_who_comes_back_and_reset_to_who_cannot_know(self):
        stream = self.follow(self.here)
        first = self.live(self.there, stream)
        seen = stream.ids[-1]
        other = self.follow(self.here)  # somebody stays, so that the row of events is unbroken
        stream.sock.shutdown(socket.SHUT_RDWR)
        second = self.live(self.there, other)
        again = self.follow(self.here, seen)
        until(lambda: "job.deleted" in again.of(second))
        self.assertEqual(again.of(first), [])
        elsewhere = self.follow(self.there, seen)
        until(lambda: elsewhere.has("reset"))

    def test_a_break_between_store_and_node_is_a_reset(self):
        stream = self.follow(self.here)
        self.live(self.there, stream)
        product.subprocess.run(["psql", "-qd", self.store, "-c", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                " WHERE pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"], check=True, stdout=product.subprocess.DEVNULL)
        until(lambda: stream.has("reset"), what="a reset")
        self.live(self.there, stream)

    def test_a_freeze_is_told_everywhere(self):
        stream = self.follow(self.here)
        for frozen in (True, False):
            status, reply = self.there.call("POST", "/api/v1/system/freeze", {"frozen": frozen, "reason": "a test"})
            self.assertEqual(status, 200, reply)
        until(lambda: stream.has("deletions.frozen") and stream.has("deletions.unfrozen"))


if __name__ == "__main__":
    unittest.main()
