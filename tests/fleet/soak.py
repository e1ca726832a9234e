"""Faults for some minutes, then peace, then the verdict.   soak.py [--minutes N] [--workers N] [--schedules N] [--seed S]
With --steady no faults, but what ordinary work leaves behind: see steady.py.

First anything may fail and nothing false may be said (safety); then all faults end and everything must come to its end
(liveness). A run prints its seed; the same seed draws the same faults and the same jobs, as far as processes allow."""
import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "blackbox")]

import checker
import final
import steady
from clients import Calls, Client, delete_rest, quiet, until_or_not
from cluster import Cluster
from events import EventWatch
from history import History
from nemesis import Nemesis
from pair import Pair
from recorder import Recorder
from tasks import QUEUE, Tasks
import tasks
from traces import Traces

PATIENCE = 240  # seconds that liveness may take on a machine with other work; not a pass mark of speed


class Soak:
    def __init__(self, seed, minutes, workers, clients=5, nemesis=Nemesis, schedules=0, **cluster):
        self.seed, self.seconds, self.nemesis = seed, minutes * 60, nemesis
        self.history = History()
        self.recorder = Recorder(self.history)
        self.cluster = Cluster(self.history, workers, **cluster)
        self.watch = EventWatch(self.history, self.cluster.server.node, "server")
        self.calls = Calls(self.history, self.recorder, self.cluster.server.node, [w.node for w in self.cluster.workers], self.watch)
        self.resting = threading.Event()
        self.clients = [Client(n, seed, self.calls, self.resting) for n in range(clients)]
        self.schedules = schedules
        if schedules:
            self.clients.append(Tasks(seed, self.calls, self.cluster, self.resting, schedules))

    def run(self):
        """(verdict, faults by name)"""
        try:
            with self.cluster:
                self.watch.start()
                if self.schedules:
                    status, reply = self.cluster.server.node.call("POST", f"/api/v1/queues/{QUEUE}/pause", {})
                    assert status == 200, reply
                nemesis = self.nemesis(self.cluster, self.seed, longest_freeze=min(30.0, self.seconds / 4))
                self.disturb(nemesis)
                self.settle()
                self.watch.stop()
                end = final.read(self.cluster)
                end["tickets"] += self.unaided
                verdict = checker.check(self.history.events, end)
                if self.schedules:
                    tasks.check(self.history.events, self.ended, end["births"], verdict)
                return verdict, nemesis.counts
        finally:
            self.recorder.stop()

    def disturb(self, nemesis):
        for thread in [*self.clients, nemesis]:
            thread.start()
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and not any(thread.fault for thread in self.clients) and not nemesis.fault:
            time.sleep(0.5)
        self.resting.set()
        nemesis.heal()
        for client in self.clients:
            client.join()
            if client.fault:
                raise client.fault

    def settle(self):
        node = self.cluster.server.node
        until_or_not(lambda: all(is_ready(member.node) for member in self.cluster.members), PATIENCE)
        # What was asked for must come to its end without being asked for again.
        until_or_not(lambda: not pending(node), PATIENCE)
        self.unaided = [("ticket, unaided", job) for job, in self.cluster.postgres.ask("SELECT job FROM ticket")]
        if self.schedules:
            self.ended = self.clients[-1].end(PATIENCE)
        delete_rest(self.calls, [job for client in self.clients for job in getattr(client, "endless", [])], PATIENCE)
        if self.schedules:  # `keep` and `cancel` leave what has ended; what waits in the paused queue goes with its task
            self.cluster.server.node.call("POST", f"/api/v1/queues/{QUEUE}/resume", {})
        until_or_not(lambda: quiet(node), PATIENCE)
        until_or_not(lambda: final.pools_are_whole(self.cluster), PATIENCE / 4)  # others' figures are as of their last beats


def is_ready(node):
    try:
        return node.ready()
    except (OSError, AssertionError):
        return False


def pending(node):
    try:
        counts = node.counts()
        return counts.get("pending_delete", 0) + counts.get("delete_failed", 0)
    except (OSError, KeyError, TypeError, ValueError):
        return True


def say(verdict, faults, seed):
    figures, kinds = verdict.figures, [kind for kind, _, _ in verdict.violations]
    false_deletes = sum(kinds.count(k) for k in ("false_delete", "no_tombstone", "no_audit", "two_deletes", "claim_after", "open_after", "ran_after_all"))
    rows = [
        ("jobs", figures["jobs"]),
        ("deletes of running jobs", figures["deletes_of_running"]),
        ("proven deletes", figures["proven"]),
        ("false proven deletes", false_deletes),
        ("effects after a proven delete", kinds.count("effect_after") + kinds.count("bytes_after")),
        ("webhooks after a proven delete", kinds.count("webhook_after")),
        ("events after the reply to a delete", kinds.count("event_after")),
        ("deleted ids stored again", kinds.count("reborn")),
        ("replies that do not add up", kinds.count("sums")),
        ("jobs lost", kinds.count("lost") + kinds.count("vanished") + kinds.count("born_twice")),
        ("stuck after healing", kinds.count("stuck") + kinds.count("slots") + kinds.count("leftover")),
        ("nodes that crashed by themselves", kinds.count("crash")),
        ("losses told that were none", kinds.count("false_loss")),
        ("unproven deletes, apart", figures["unproven"]),
        ("effects after an unproven delete, apart", len(verdict.unproven_effects)),
        ("replies without a mark, not judged", figures["unmarked_replies"]),
        ("seen: webhooks", figures["webhooks"]),
        ("seen: events", figures["events"]),
        ("seen: calls at the wall", figures["walls"]),
        ("seen: ids submitted again", figures["again"]),
        ("seen: deletes told as never run", figures["never_ran"]),
    ]
    if "schedules" in figures:
        rows += [
            ("schedules", figures["schedules"]),
            ("fires", figures["fires"]),
            ("deletes of schedules", figures["task_deletes"]),
            ("fires missed", kinds.count("fire_missed")),
            ("fires doubled", kinds.count("fire_doubled")),
            ("fires after the reply to a delete", kinds.count("fire_after")),
            ("schedules stuck after healing", kinds.count("task_stuck")),
        ]
    for name, number in rows:
        print(f"{name:42} {number:6}")
    print("verdicts:", ", ".join(f"{name} {n}" for name, n in sorted(figures["verdicts"].items())))
    print("faults:", ", ".join(f"{name} {n}" for name, n in sorted(faults.items())))
    for _, _, sentence in verdict.violations[:20]:
        print("VIOLATION", sentence)
    print(f"seed {seed}", flush=True)


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--minutes", type=float, default=3)
    asked.add_argument("--workers", type=int)
    asked.add_argument("--schedules", type=int, default=50)
    asked.add_argument("--steady", action="store_true")
    asked.add_argument("--rate", type=float, default=50)
    asked.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    asked = asked.parse_args()
    asked.workers = asked.workers if asked.workers is not None else (0 if asked.steady else 4)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leaves nothing behind
    if asked.steady:
        return steady.main(asked)
    print(f"seed {asked.seed}, {asked.minutes:g} minutes, 1 server and {asked.workers} workers", flush=True)
    soak = Soak(asked.seed, asked.minutes, asked.workers, schedules=asked.schedules, postgres=Pair())
    bad = True
    try:
        with Traces() as traces:
            verdict, faults = soak.run()
            say(verdict, faults, asked.seed)
            bad = not traces.hold() or bool(verdict.violations)
    finally:
        if bad:
            handle, path = tempfile.mkstemp(prefix="quell-soak-", suffix=".jsonl")
            os.close(handle)
            soak.history.write(path)
            print(f"the history is in {path}", flush=True)
    print(f"{0 if bad else 1} passed, {1 if bad else 0} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
