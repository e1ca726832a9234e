"""Ordinary work for some minutes, everything at once and no faults: what was created, kept, deleted, corrupted, leaked.

  soak.py --steady [--minutes N] [--workers N] [--rate JOBS_A_SECOND] [--seed S]

Without workers: one node on the embedded store; with them a fleet on one PostgreSQL. At work are submits, deletes of running
and of finished jobs, deletes by filter, undo from the archive, schedules and the sentinel; `Load.each_minute` takes more (a backup)."""
import collections
import random
import subprocess
import time

import fleet
import leaks
import store_eyes
from checksums import Checksums, Receiver, called, kept
from clients import new_id, until_or_not
from product import until

FLAGS = ("--outbound-allow", "127.0.0.0/8", "--archive", "--sentinel-every-s", "10", "--spike-calls", "1000000",
         "--spike-jobs", "1000000", "--spike-share-percent", "100", "--sentinel-drop-percent", "0", "--sentinel-failed-percent", "0",
         "--clerk-queue", "100000")
SLOTS, KEPT_MOST, TURN = 40, 4_000, 0.1
SLOPE_MOST = 1.0  # MiB a minute, of a process, behind the warm-up


class Load:
    """One client that knows of every job what must have become of it."""

    def __init__(self, node, seed, rate, receiver):
        self.node, self.draw, self.rate, self.receiver = node, random.Random(seed), rate, receiver
        self.sums = Checksums()
        self.alive, self.gone = {}, set()  # id -> kind of job, in the order of birth; deleted for good
        self.endless, self.tasks = [], []
        self.counts = collections.Counter()
        self.each_minute = [self.renew_schedules]
        self.turns = 0

    def ask(self, method, path, body=None, expect=(200, 201, 202)):
        status, reply = self.node.call(method, "/api/v1" + path, body)
        if status not in expect:
            raise AssertionError((method, path, status, reply))
        return reply

    # ---- one turn ----
    def turn(self):
        self.turns += 1
        self.submit(max(1, round(self.rate * TURN)))
        if self.turns % 3 == 0:
            self.delete_running()
        if self.turns % 7 == 0:
            self.delete_finished()
        if self.turns % 50 == 0:
            self.delete_and_undo()
        if self.turns % 100 == 0:
            self.delete_by_filter()
        if len(self.alive) > KEPT_MOST:
            self.verify_and_drop(500)
        if self.turns % 600 == 1:
            for act in self.each_minute:
                act()

    def submit(self, n, **more):
        jobs = []
        for _ in range(n):
            text = f"{self.draw.getrandbits(64):x}" * self.draw.randint(1, 20)
            job = called(self.receiver.url, text) if self.draw.random() < 0.3 else kept(text)
            jobs.append({**job, "job_id": new_id(self.draw), **more})
        if not more and self.draw.random() < 0.5 and len(self.endless) < SLOTS // 2:
            jobs.append({"kind": "sleep", "args": {"seconds": 86_000}, "timeout_s": 86_400, "job_id": new_id(self.draw)})
        ids = self.ask("POST", "/jobs/bulk-submit", {"jobs": jobs})["job_ids"]
        for job_id, job in zip(ids, jobs):
            self.counts["created"] += 1
            if job["kind"] == "sleep":
                self.endless.append(job_id)
                continue
            self.sums.note(job_id, job)
            self.alive[job_id] = job["kind"]
        return ids

    def delete(self, ids):
        reply = self.ask("POST", "/jobs/bulk-delete", {"job_ids": ids, "wait": 30})
        counts = reply["counts"]
        if counts["deleted"] + counts["already_gone"] != len(ids) or counts["unproven"]:
            raise AssertionError(counts)
        for one in ids:
            self.is_gone(one)
        return reply["delete_id"]

    def is_gone(self, one):
        self.counts["deleted"] += 1
        self.alive.pop(one, None)
        self.gone.add(one)

    def delete_running(self):
        if self.endless:
            some, self.endless = self.endless[:2], self.endless[2:]
            self.delete(some)
            self.counts["deleted while endless"] += len(some)

    def some_alive(self, n):
        return self.draw.sample(list(self.alive), min(n, len(self.alive)))

    def delete_finished(self):
        if some := self.some_alive(3):
            self.delete(some)

    def delete_and_undo(self):
        """What comes back must be what it was, and is what it was from then on."""
        done = [one for one in self.some_alive(20) if self.node.job(one)[1]["status"] == "succeeded"]
        if not done:
            return
        kinds = {one: self.alive[one] for one in done}
        call = self.delete(done)
        reply = self.ask("POST", f"/deletions/{call}/undo", {})
        if reply["restored"] != len(done):
            raise AssertionError(reply)
        for one in done:
            self.gone.discard(one)
            self.alive[one] = kinds[one]
        self.counts["deleted"] -= len(done)
        self.counts["restored"] += len(done)

    def delete_by_filter(self):
        tag = f"t{self.turns}"
        ids = self.submit(30, tags=[tag])
        text = f"tag={tag}"
        seen = self.ask("POST", "/jobs/delete-preview", {"filter": text, "verb": "delete"})
        begun = self.ask("POST", "/jobs/delete-by-filter", {"filter": text, "confirm_token": seen["confirm_token"],
                                                           "expected_count": seen["total"], "reason": "soak"})
        until(lambda: self.ask("GET", f"/operations/{begun['operation_id']}")["state"] == "done", 120, "the end of an operation")
        self.counts["deleted by filter"] += len(ids)
        for one in ids:
            self.is_gone(one)

    def renew_schedules(self):
        self.drop_schedules()
        for every in ("1s", "2s"):
            made = self.ask("POST", "/schedules", {"name": f"soak {every}", "every": every, "job": {"kind": "noop", "args": {}}})
            self.tasks.append(made["task_uuid"])

    def drop_schedules(self):
        """With all that they fired: their jobs are nobody else's."""
        for task in self.tasks:
            self.counts["fires"] += self.fired(task)
            self.ask("DELETE", f"/schedules/{task}")
            until(lambda: self.node.call("GET", f"/api/v1/schedules/{task}")[0] == 404, 120, "the end of a schedule")
        self.tasks = []

    def fired(self, task):
        return self.ask("GET", f"/schedules/{task}").get("fired", 0)

    def verify_and_drop(self, n):
        some = list(self.alive)[:n]
        self.verify(some)
        self.delete(some)
        for one in some:
            self.sums.forget(one)

    # ---- the end ----
    def verify(self, ids):
        for one in ids:
            status, view = self.node.job(one)
            if status != 200:
                self.counts["lost"] += 1
                continue
            self.sums.check(one, view)

    def settle(self):
        self.drop_schedules()
        if self.endless:
            self.delete(self.endless)
            self.endless = []
        until_or_not(lambda: all(self.node.counts()[s] == 0 for s in ("queued", "running", "scheduled", "pending_delete")), 120)
        self.verify(list(self.alive))
        sample = self.draw.sample(sorted(self.gone), min(len(self.gone), 2_000))
        self.counts["back"] = sum(self.node.status_of(one) != "deleted" for one in sample)


class Steady:
    def __init__(self, seed, minutes, workers, rate):
        self.seed, self.seconds, self.workers, self.rate = seed, minutes * 60, workers, rate
        self.postgres = fleet.Postgres().__enter__() if workers else None
        self.fleet = fleet.Fleet(self.postgres.url if workers else None, workers=workers, slots=SLOTS, flags=FLAGS)
        self.receiver = Receiver()

    def run(self):
        try:
            with self.fleet:
                return self.measure()
        finally:
            self.receiver.stop()
            if self.postgres:
                self.postgres.__exit__()

    def pids(self):
        return {"server": self.fleet.server.process.pid,
                **{f"worker {n + 1}": worker.process.pid for n, worker in enumerate(self.fleet.workers)}}

    def measure(self):
        load = Load(self.fleet.server, self.seed, self.rate, self.receiver)
        warm_up = min(60.0, self.seconds / 4)
        watch = leaks.Watch(self.pids())
        began = time.monotonic()
        # Each connection and thread that is made once is made by a first turn of everything; from there on none may stay.
        self.work(load, began + min(15.0, self.seconds / 4))
        before = {name: leaks.at_rest(pid, 20) for name, pid in self.pids().items()}
        watch.start()
        began = time.monotonic()
        self.work(load, began + self.seconds)
        watch.stop()
        load.settle()
        after = {name: leaks.at_rest(pid) for name, pid in self.pids().items()}
        return self.verdict(load, watch, warm_up, before, after)

    def work(self, load, end):
        next_turn = time.monotonic()
        while time.monotonic() < end:
            load.turn()
            next_turn = max(next_turn + TURN, time.monotonic() - 1)
            time.sleep(max(0.0, next_turn - time.monotonic()))

    def verdict(self, load, watch, warm_up, before, after):
        node, counts = self.fleet.server, load.counts
        url = self.postgres.url if self.postgres else f"sqlite:{node.data_dir}/quell.db"
        there = sum(node.counts().values())
        pools = node.call("GET", "/api/v1/pools")[1]["pools"]
        alerts = node.call("GET", "/api/v1/alerts")[1]["alerts"]
        shots = node.call("GET", "/api/v1/snapshots?limit=1000")[1]["snapshots"]
        slots = sum(pool["capacity"] - pool["free"] for pool in pools)
        slopes = {name: watch.memory_slope(name, warm_up, self.seconds) for name in self.pids()}
        held = {name: leaks.more_than(before[name], after[name], allowed=2) for name in self.pids()}
        rows = [
            ("created", counts["created"]), ("kept", len(load.alive)), ("kept, as the store counts", there),
            ("deleted", counts["deleted"]), ("of these while they ran on and on", counts["deleted while endless"]),
            ("of these by filter", counts["deleted by filter"]), ("brought back by undo", counts["restored"]),
            ("fired by schedules, and deleted with them", counts["fires"]),
            ("checked by checksum", load.sums.checked), ("snapshots of the sentinel", len(shots)),
            ("alerts", len(alerts)),
        ]
        faults = [
            ("lost", counts["lost"] + (0 if there == len(load.alive) else abs(there - len(load.alive)))),
            ("came back", counts["back"]), ("corrupted", len(load.sums.corrupted)),
            ("lost, as the sentinel says", sum(one["lost"] for one in shots)),
            ("leaked slots", slots),
            ("leaked rows without a job", len(self.orphans(url))),
            *[(f"leaked {kind}", sum(one.get(kind, 0) for one in held.values())) for kind in leaks.KINDS],
            ("processes whose memory grows", sum(value > SLOPE_MOST for value in slopes.values())),
            ("errors in logs", sum(self.errors(one) for one in (node, *self.fleet.workers))),
        ]
        for name, number in rows + faults:
            print(f"{name:42} {number:7}")
        for name, value in slopes.items():
            resident = watch.seen[name][-1][1]["resident"] / leaks.MIB
            print(f"memory of {name}: {value:+.3f} MiB a minute behind {warm_up:.0f} s, {resident:.1f} MiB at the end;"
                  f" at rest {before[name]['descriptors']} descriptors before, {after[name]['descriptors']} after")
        for alert in alerts:
            print("alert:", alert["cause"], alert["sentence"])
        for one in load.sums.corrupted[:10]:
            print("CORRUPTED", *one)
        print(f"seed {self.seed}", flush=True)
        return [name for name, number in faults if number]

    @staticmethod
    def orphans(url):
        return subprocess.run([store_eyes.PROGRAMS / "store_orphans", url], check=True, capture_output=True, text=True).stdout.splitlines()

    @staticmethod
    def errors(node):
        return sum(" error " in line or '"level":"error"' in line for line in node.log_text().splitlines())


def main(asked):
    print(f"seed {asked.seed}, {asked.minutes:g} minutes, {'one node' if not asked.workers else f'a server and {asked.workers} workers'}",
          flush=True)
    faults = Steady(asked.seed, asked.minutes, asked.workers, asked.rate).run()
    for one in faults:
        print("VIOLATION", one)
    print(f"{0 if faults else 1} passed, {1 if faults else 0} failed")
    return 1 if faults else 0

