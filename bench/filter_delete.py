"""Delete by filter of a great many jobs: exact totals, also when the server is killed in the middle; what it takes of memory; and
its rate beside the plain SQL statements for the same rows in the same slices.
   bench/filter_delete.py [--store sqlite|postgres] [--finished 1000000] [--mixed 100000] [--running 1000] [--rounds 1] [--quick]"""
import argparse
import base64
import json
import os
import shutil
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import figures  # noqa: E402
import seeded  # noqa: E402
from seeded import product  # noqa: E402

UNLIMITED = ["--spike-calls", "1000000", "--spike-jobs", "1000000000", "--spike-share-percent", "100"]
SLICE = 2000  # as large as the server's own


def read_status(pid):
    with open(f"/proc/{pid}/status") as file:
        lines = dict(line.split(":", 1) for line in file if ":" in line)
    return {name: int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")}


class Watched:
    """The operation as it goes on, and what the process takes meanwhile."""

    def __init__(self, server, total):
        self.server, self.total = server, total
        self.peak = {"VmRSS": 0, "RssAnon": 0}
        self.operation = self.warm = None

    def begin(self, text):
        status, seen = self.server.call("POST", "/api/v1/jobs/delete-preview", {"filter": text}, timeout=600)
        assert (status, seen["total"]) == (200, self.total), (status, seen)
        self.before = read_status(self.server.process.pid)
        body = {"filter": text, "confirm_token": seen["confirm_token"], "expected_count": self.total, "reason": "bench"}
        self.began = time.monotonic()
        status, self.operation = self.server.call("POST", "/api/v1/jobs/delete-by-filter", body, timeout=600)
        assert status == 202, self.operation

    def look(self):
        self.operation = self.server.call("GET", f"/api/v1/operations/{self.operation['operation_id']}", timeout=600)[1]
        taken = read_status(self.server.process.pid)
        if self.warm is None and self.operation["done"] * 10 >= self.total:
            self.warm = taken
        self.peak = {name: max(mb, self.peak[name]) for name, mb in taken.items()}
        return self.operation

    def until(self, holds, seconds=3600):
        return product.until(lambda: time.sleep(.05) or holds(self.look()), seconds)

    def until_done(self):
        self.until(lambda one: one["state"] == "done")
        self.took = time.monotonic() - self.began

    def check(self, **expected):
        counts = self.operation["counts"]
        signed = json.loads(base64.b64decode(self.operation["receipt"]["payload"]))["counts"]
        assert signed == counts, (signed, counts)
        for name, n in {"distinct": self.total, "deleted": self.total, "failed": 0, "pending": 0, **expected}.items():
            assert counts[name] == n, (name, n, counts)


class Bench:
    def __init__(self, args):
        self.args = args
        self.folder = tempfile.mkdtemp(prefix="quell-bench-")
        os.chmod(self.folder, 0o755)
        self.postgres = seeded.PostgresServer(self.folder) if args.store == "postgres" else None

    def close(self):
        if self.postgres:
            self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def store(self):
        store = self.postgres.another() if self.postgres else seeded.Sqlite(self.folder)
        store.data_dir = tempfile.mkdtemp(dir=self.folder)  # of all its servers, with the one token
        with product.Server(*UNLIMITED, store=store.url, data_dir=store.data_dir) as server:  # makes the schema
            assert server.call("POST", "/api/v1/queues/default/pause")[0] == 200
        return store

    def server(self, store, slots):
        return product.Server("--pool", f"default={slots}", *UNLIMITED, *self.args.flags, store=store.url, data_dir=store.data_dir)

    def figure(self, name, value, unit, better):
        figures.figure("filter_delete", self.args.store, name, value, unit, better, self.args.quick)

    def raw(self, fill, jobs):
        store = self.store()
        fill(store)
        took = store.raw_erase(SLICE)
        assert store.left()[0] == 0 and store.left()[3] == jobs, store.left()
        return jobs / took

    def whole(self, fill, jobs, running=0):
        store = self.store()
        fill(store)
        with self.server(store, max(running, 1)) as server:
            self.run_some(server, running)
            watched = Watched(server, jobs)
            watched.begin("queue=default")
            watched.until_done()
            watched.check(killed=running)
            assert store.left() == (0, 0, 0, jobs), store.left()
            return watched

    def killed(self, fill, jobs, running=0):
        """kill -9 when about half is done; what is started again ends it."""
        store = self.store()
        fill(store)
        with self.server(store, max(running, 1)) as server:
            self.run_some(server, running)
            watched = Watched(server, jobs)
            watched.begin("queue=default")
            done = watched.until(lambda one: one["done"] * 2 >= jobs and one["done"])
            server.kill()
            server.start()
            watched.until_done()
            # What ran at the kill and was not marked comes back to its queue, which is paused.
            counts = watched.operation["counts"]
            watched.check()
            assert store.left() == (0, 0, 0, jobs), store.left()
            assert counts["killed"] + counts["dequeued"] + counts["at_rest"] + counts["unproven"] == jobs, counts
            return done

    def run_some(self, server, running):
        if running == 0:
            return
        assert server.call("POST", "/api/v1/queues/default/resume")[0] == 200
        product.until(lambda: server.pool()["used"] == running, 120)
        assert server.call("POST", "/api/v1/queues/default/pause")[0] == 200

    def scenario(self, name, fill, jobs, running=0):
        raw, rate = [], []
        for _ in range(self.args.rounds):
            raw.append(self.raw(fill, jobs))
            watched = self.whole(fill, jobs, running)
            rate.append(jobs / watched.took)
            grown = {one: mb - watched.before[one] for one, mb in watched.peak.items()}
            warm = watched.peak["VmRSS"] - (watched.warm or watched.before)["VmRSS"]
        self.figure(f"{name}: by filter", statistics.median(rate), "jobs/s", "higher")
        self.figure(f"{name}: raw SQL", statistics.median(raw), "jobs/s", "neither")
        self.figure(f"{name}: by filter / raw", statistics.median(rate) / statistics.median(raw), "ratio", "higher")
        self.figure(f"{name}: memory, growth", grown["VmRSS"], "MB", "lower")
        self.figure(f"{name}: memory of its own, growth", grown["RssAnon"], "MB", "lower")
        self.figure(f"{name}: memory, growth after a tenth", warm, "MB", "lower")
        self.figure(f"{name}: done when it was killed", self.killed(fill, jobs, running), "jobs", "neither")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--finished", type=int)
    parser.add_argument("--mixed", type=int)
    parser.add_argument("--running", type=int)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("flags", nargs="*", help="of the server, behind --")
    args = parser.parse_args()
    small = args.quick
    finished = args.finished if args.finished is not None else 20_000 if small else 1_000_000
    mixed = args.mixed if args.mixed is not None else 10_000 if small else 100_000
    running = args.running if args.running is not None else 100 if small else 1_000
    bench = Bench(args)
    try:
        if finished:
            bench.scenario(f"{finished} finished", lambda store: store.finished(finished), finished)
        if mixed:
            bench.scenario(f"{mixed}, {running} running", lambda store: store.queued(mixed), mixed, running)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
