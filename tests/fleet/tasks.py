"""Schedules under faults: many that fire every few seconds, and deletes of them at random; and what a history says of their fires.

The id of a fire's job is made from the schedule and the due time, so the database's own witness of births tells which due times
fired, also of what was deleted since."""
import calendar
import hashlib
import random
import threading
import time
import uuid

from clients import UNKNOWN, new_id, until_or_not

PATH = "/api/v1/schedules"
QUEUE = "ticks"  # paused: what is born there waits, and the slots are the other clients'
LATE_MS = 30_000  # so far behind its time may a schedule be when all is healed
ACTIVE, LEAVING = 0, (2, 3)


def fire_id(task, due):
    digest = bytearray(hashlib.sha256(f"fire\n{task}\n{due}".encode()).digest()[:16])
    digest[0:6] = due.to_bytes(6, "big")
    digest[6] = digest[6] & 0x0F | 0x70
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def ms_of(text):
    """2026-01-05T10:00:00.120Z"""
    whole, _, rest = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1000 + int((rest + "000")[:3])


class Tasks(threading.Thread):
    """Keeps so many schedules alive, and deletes one now and then; each is made anew in its place."""

    def __init__(self, seed, calls, cluster, stopping, count):
        super().__init__(daemon=True)
        self.draw = random.Random(f"{seed} tasks")
        self.calls, self.cluster, self.stopping, self.count = calls, cluster, stopping, count
        self.history, self.living, self.named = calls.history, [], []
        self.fault = None

    def call(self, method, path, body=None, headers=None):
        """(status, reply), or None when nothing is known."""
        try:
            status, reply = self.calls.door(self.draw).call(method, path, body, timeout=15, headers=headers)
        except UNKNOWN:
            return None
        return (status, reply) if status < 500 else None

    def run(self):
        try:
            while not self.stopping.is_set():
                if len(self.living) < self.count:
                    self.make()
                elif self.stopping.wait(self.draw.uniform(0.05, 0.5)):
                    break
                elif self.draw.random() < 0.7:
                    self.delete(self.draw.choice(self.living))
        except Exception as fault:  # told by whoever joins
            self.fault = fault

    def make(self):
        task, every = new_id(self.draw), self.draw.randint(2, 6)
        self.named.append(task)
        body = {"task_uuid": task, "name": "soak", "every": every, "misfire": "all", "misfire_limit": 1000,
                "job": {"kind": "noop", "queue": QUEUE}}
        for _ in range(3):
            known = self.call("POST", PATH, body, {"Idempotency-Key": task})
            if known and known[0] == 201:
                self.living.append(task)
                self.history.note("task_made", task=task, every=every * 1000, first=ms_of(known[1]["created_at"]) + every * 1000)
                return
            if self.stopping.wait(0.3):
                return

    def delete(self, task):
        self.history.note("task_deleting", task=task)
        known = self.call("DELETE", f"{PATH}/{task}?jobs={self.draw.choice(['delete', 'delete', 'keep', 'cancel'])}")
        if not known or known[0] not in (200, 202):
            return
        try:
            born = int(self.cluster.postgres.ask("SELECT coalesce(max(no), 0) FROM witness")[0][0])
        except (AssertionError, OSError):
            born = None  # not judged
        self.history.note("task_deleted", task=task, status=known[1]["status"], born=born)
        self.living.remove(task)

    def rows(self):
        ask = self.cluster.postgres.ask
        return {task: {"status": int(status), "fired": int(fired), "missed": int(missed), "next": int(due) if due else None}
                for task, status, fired, missed, due in ask("SELECT id, status, fired, missed, next FROM schedule")}

    def end(self, patience):
        """After healing: what is there, then the deletes that are asked for and not done, then all the rest is deleted."""
        def caught_up():
            now = time.time() * 1000
            return all(row["status"] != ACTIVE or row["next"] > now - 2_000 for row in self.rows().values())
        until_or_not(caught_up, patience)
        until_or_not(lambda: not any(row["status"] in LEAVING for row in self.rows().values()), patience)
        seen = {"tasks": self.rows(), "now": int(time.time() * 1000)}
        for task in seen["tasks"]:
            until_or_not(lambda: self.call("DELETE", f"{PATH}/{task}") is not None, patience)
        until_or_not(lambda: not self.rows(), patience)
        seen["left"] = self.rows()
        return seen


def check(events, seen, births, out):
    """`births`: job -> its number among all that the witness saw."""
    made, deleting, deleted = {}, set(), {}
    for event in events:
        if event["what"] == "task_made":
            made.setdefault(event["task"], event)
        elif event["what"] == "task_deleting":
            deleting.add(event["task"])
        elif event["what"] == "task_deleted":
            deleted.setdefault(event["task"], event)
    fires = 0
    for task, one in made.items():
        dues = range(one["first"], seen["now"] + 10 * one["every"], one["every"])
        born = [(due, births[job]) for due in dues if (job := fire_id(task, due)) in births]
        fires += len(born)
        row = seen["tasks"].get(task)
        until = row["next"] if row and row["next"] else (born[-1][0] if born else 0)
        fired = {due for due, _ in born}
        for due in dues:
            if due < until and due not in fired:
                out.add("fire_missed", task, f"(due {due}, of {one['every']} ms)")
        if row and row["status"] == ACTIVE and row["next"] < seen["now"] - LATE_MS:
            out.add("fire_missed", task, f"(it stands at {row['next']}, {seen['now'] - row['next']} ms late)")
        if row and row["missed"]:
            out.add("fire_missed", task, f"({row['missed']} by its own word)")
        # The row was read before the births were: what is due from its next time on was born since.
        by_then = sum(1 for due, _ in born if not row or row["next"] is None or due < row["next"])
        if row and row["fired"] != by_then:
            out.add("fire_doubled", task, f"(it says {row['fired']}, {by_then} of its jobs were born)")
        if not row and task not in deleting:
            out.add("vanished", task, "(a schedule)")
        if task in deleted and deleted[task]["born"] is not None:
            late = [due for due, no in born if no > deleted[task]["born"]]
            if late:
                out.add("fire_after", task, f"(due {late}, {deleted[task]['status']})")
    for task, row in {**seen["left"], **{t: r for t, r in seen["tasks"].items() if r["status"] in LEAVING}}.items():
        out.add("task_stuck", task, f"(status {row['status']})")
    out.figures.update(schedules=len(made), fires=fires, task_deletes=len(deleted))
