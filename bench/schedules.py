"""Schedules at size, by the real server on both stores: what thousands cost when nothing is due, how soon as many jobs are there
when all are due in one second, and the delete of one task with jobs that run and jobs that wait.

    ./dev bench schedules [--quick] [-- --schedules 10000 --running 1000 --queued 10000 --idle-s 30 --store sqlite|postgres]
"""
import argparse
import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests/blackbox"))

import figures  # noqa: E402
import product  # noqa: E402
import store_eyes  # noqa: E402
from product import until  # noqa: E402

PATH = "/api/v1/schedules"
CALLERS = 8


class Callers:
    """Many calls, over connections that stay."""

    def __init__(self, server):
        self.server, self.own = server, threading.local()

    def call(self, method, path, body=None, expect=(200, 201, 202)):
        if not hasattr(self.own, "connection"):
            self.own.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        self.own.connection.request(method, path, None if body is None else json.dumps(body),
                                    {"Authorization": "Bearer " + self.server.token, "Content-Type": "application/json"})
        reply = self.own.connection.getresponse()
        text = reply.read()
        if reply.status not in expect:
            sys.exit(f"bench: {method} {path}: {reply.status} {text[:300]}")
        return reply.status, json.loads(text)

    def all(self, calls):
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            return [reply[1] for reply in pool.map(lambda one: self.call(*one), calls)]


def processor_seconds(server):
    spent = 0
    for pid in product.family_of(server.process.pid):
        with contextlib.suppress(OSError):
            words = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            spent += int(words[11]) + int(words[12])
    return spent / os.sysconf("SC_CLK_TCK")


def share_of_a_core(server, seconds):
    before, began = processor_seconds(server), time.monotonic()
    time.sleep(seconds)
    return (processor_seconds(server) - before) / (time.monotonic() - began) * 100


def metric(callers, name):
    connection = http.client.HTTPConnection("127.0.0.1", callers.server.port, timeout=60)
    connection.request("GET", "/metrics", headers={"Authorization": "Bearer " + callers.server.token})
    text = connection.getresponse().read().decode()
    connection.close()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))


class Bench:
    def __init__(self, wanted, store, url):
        self.wanted, self.store, self.url = wanted, store, url

    def say(self, name, value, unit, better="lower", samples=1):
        figures.figure("schedules", self.store, name, value, unit, better, self.wanted.quick, samples)

    @contextlib.contextmanager
    def server(self, *flags):
        database = self.url() if self.url else None
        server = product.Server("--log-level", "error", "--drain-timeout-s", "0", *flags, store=database).start()
        try:
            yield Callers(server)
        finally:
            server.remove()

    def idle(self):
        n = self.wanted.schedules
        with self.server() as callers:
            time.sleep(2)
            self.say("no schedule, processor", share_of_a_core(callers.server, self.wanted.idle_s), "% of a core")
            began = time.monotonic()
            callers.all([("POST", PATH, {"name": f"s{i}", "cron": f"{i % 60} {i % 24} 1 1 *", "job": {"kind": "noop"}}) for i in range(n)])
            self.say(f"create, by {CALLERS} callers", n / (time.monotonic() - began), "/s", "higher", n)
            time.sleep(2)
            self.say(f"{n} schedules idle, processor", share_of_a_core(callers.server, self.wanted.idle_s), "% of a core")

    def burst(self):
        n = self.wanted.schedules
        with self.server("--pool", "default=100") as callers:
            # So late that all are made by then; a slow machine takes longer to make them.
            began = time.monotonic()
            callers.all([("POST", PATH, {"name": "probe", "every": 86400, "job": {"kind": "noop"}}) for _ in range(200)])
            at = int(time.time() + (time.monotonic() - began) * n / 200 * 1.5 + 3)
            due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
            callers.all([("POST", PATH, {"name": f"s{i}", "at": due, "group": "burst", "job": {"kind": "noop"}}) for i in range(n)])
            if time.time() > at:
                sys.exit("bench: the schedules were not made before they were due")
            time.sleep(max(0, at - time.time()))
            until(lambda: metric(callers, "quell_schedule_fires_total") >= n, 120, "all fires")
            self.say(f"{n} due at once, all jobs stored", time.time() - at, "s")
            fired, token = [], ""
            while True:
                page = callers.call("GET", f"{PATH}?group=burst&page_size=500&page_token={token}")[1]
                fired += [one["fired"] for one in page["schedules"]]
                token = page["next_page_token"]
                if not token:
                    break
            jobs = sum(callers.call("GET", "/api/v1/jobs/counts?group_by=status")[1]["counts"].values())
            self.say(f"{n} due at once, not exactly once", sum(one != 1 for one in fired) + abs(n - len(fired)) + abs(n - jobs), "fires")

    def delete(self):
        running, queued = self.wanted.running, self.wanted.queued
        with self.server("--pool", f"default={running}", "--stop-deadline-ms", "2000") as callers:
            task = callers.call("POST", PATH, {"name": "busy", "cron": "0 0 1 1 *", "job": {"kind": "sleep", "args": {"seconds": 3600}}})[1]["task_uuid"]
            callers.all([("POST", f"{PATH}/{task}/run-now")] * (running + queued))
            until(lambda: metric(callers, "quell_runs") >= running, 120, "all runs")
            began = time.monotonic()
            _, reply = callers.call("DELETE", f"{PATH}/{task}")
            replied = time.monotonic()
            assert reply["status"] == "PENDING_DELETE", reply
            status, report = callers.call("DELETE", f"{PATH}/{task}?wait=30")
            gone = time.monotonic()
            assert (status, report["status"]) == (200, "DELETED"), report
            self.say(f"delete of {running} running and {queued} queued, reply", (replied - began) * 1000, "ms")
            self.say(f"delete of {running} running and {queued} queued, gone", gone - began, "s")
            counts = report["counts"]
            outcomes = json.loads(base64.b64decode(report["receipt"]["payload"]))["outcomes"]
            wrong = abs(counts["deleted"] - running - queued) + abs(counts["killed"] - running) + abs(counts["dequeued"] - queued)
            wrong += abs(len({one["job_id"] for one in outcomes if one["outcome"] == "deleted"}) - running - queued)
            self.say(f"delete of {running} running and {queued} queued, wrong in the receipt", wrong, "jobs")
            callers.call("GET", f"{PATH}/{task}", expect=(404,))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--schedules", type=int)
    parser.add_argument("--running", type=int)
    parser.add_argument("--queued", type=int)
    parser.add_argument("--idle-s", type=float)
    parser.add_argument("--store", choices=("sqlite", "postgres"))
    parser.add_argument("--only", choices=("idle", "burst", "delete"))
    wanted = parser.parse_args()
    for name, small, full in (("schedules", 200, 10_000), ("running", 20, 1_000), ("queued", 200, 10_000), ("idle_s", 1, 30)):
        if getattr(wanted, name) is None:
            setattr(wanted, name, small if wanted.quick else full)
    return wanted


def main():
    wanted = arguments()
    names = [wanted.only] if wanted.only else ["idle", "burst", "delete"]
    if wanted.store != "postgres":
        for name in names:
            getattr(Bench(wanted, "sqlite", None), name)()
    if wanted.store != "sqlite":
        postgres, made = store_eyes.TemporaryPostgres(), iter(range(100))
        try:
            for name in names:
                getattr(Bench(wanted, "postgres", lambda: postgres.create(f"bench{next(made)}")), name)()
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
