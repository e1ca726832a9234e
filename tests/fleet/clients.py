"""Clients that submit and delete under faults, and write down what they asked, what they were told, and what they never heard."""
import http.client
import random
import threading
import time

import product

UNKNOWN = (OSError, http.client.HTTPException, ValueError)


def new_id(draw):
    """A UUID of version 7, so that the job is known by name even when the reply to its submit is lost."""
    text = f"{int(time.time() * 1000):012x}7{draw.getrandbits(12):03x}{8 + draw.getrandbits(2):x}{draw.getrandbits(60):015x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Calls:
    """Submits and deletes, each with its line at the beginning and at the end. An answer that means nothing was done, or
    that never came, is `info`: it may or may not have happened."""

    KNOWN = 300  # jobs that may be submitted again

    def __init__(self, history, recorder, server, workers=(), watch=None):
        self.history, self.recorder, self.server, self.workers = history, recorder, server, list(workers)
        self.watch = watch  # of the server's events
        self.lock = threading.Lock()
        self.last_op = 0
        self.known = []

    def op(self):
        with self.lock:
            self.last_op += 1
            return self.last_op

    def door(self, draw):
        """Every node has a door and any may delete any job: half of the calls go to the server, half to a worker."""
        return draw.choice([self.server] * max(1, len(self.workers)) + self.workers) if draw else self.server

    def submit(self, jobs, timeout=15, draw=None):
        """True when the jobs are acknowledged. With a `draw` at any node, without at the server."""
        ids = [job["job_id"] for job in jobs]
        with self.lock:
            self.known = [*self.known, *jobs][-self.KNOWN:]
        op = self.op()
        self.history.note("submit", op=op, type="invoke", jobs=ids)
        try:
            status, reply = self.door(draw).call("POST", "/api/v1/jobs/bulk-submit", {"jobs": jobs}, timeout=timeout)
        except UNKNOWN as fault:
            self.history.note("submit", op=op, type="info", why=repr(fault))
            return False
        if status != 201:
            self.history.note("submit", op=op, type="info", why=f"{status} {str(reply)[:200]}")
            return False
        # An id that is taken is one of the call before, or used up: it is no job of this call.
        taken = {one["index"] for one in reply["conflicts"]}
        stored = [job for index, job in enumerate(reply["job_ids"]) if index not in taken]
        self.history.note("submit", op=op, type="ok", jobs=reply["job_ids"], stored=stored)
        return True

    def delete(self, ids, wait=3, timeout=20, alone=False, draw=None):
        """job -> outcome, None when nothing is known."""
        op = self.op()
        self.history.note("delete", op=op, type="invoke", jobs=ids)
        door = self.door(draw)
        try:
            if alone:
                status, reply = door.call("DELETE", f"/api/v1/jobs/{ids[0]}?wait={wait}", timeout=timeout)
            else:
                status, reply = door.call("POST", "/api/v1/jobs/bulk-delete", {"job_ids": ids, "wait": wait}, timeout=timeout)
            outcomes = {one["job_id"]: one for one in reply["outcomes"]} if status in (200, 202) else None
            if outcomes is not None:
                if self.watch and door is self.server:
                    self.watch.settle()
                self.recorder.mark(op, [job for job, one in outcomes.items() if one["outcome"] in ("deleted", "already_gone")])
        except UNKNOWN + (KeyError, TypeError) as fault:
            self.history.note("delete", op=op, type="info", why=repr(fault))
            return None
        if outcomes is None:
            self.history.note("delete", op=op, type="info", why=f"{status} {str(reply)[:200]}")
            return None
        kept = ("outcome", "verdict", "was", "joined", "delete_id")
        name = "server" if door is self.server else f"worker{self.workers.index(door) + 1}"
        self.history.note("delete", op=op, type="ok", node=name, status=status, delete_id=reply.get("delete_id"), counts=reply["counts"],
                          outcomes={job: {k: one[k] for k in kept if k in one} for job, one in outcomes.items()})
        return outcomes


class Client(threading.Thread):
    """Submits what never ends and what ends soon; deletes what never ends, mostly while it runs, and now and then the rest."""

    OWN_ENDLESS = 12

    def __init__(self, number, seed, calls, stopping, pace=1.0):
        super().__init__(daemon=True)
        self.draw = random.Random(f"{seed} client {number}")
        self.calls, self.stopping, self.pace = calls, stopping, pace
        self.recorder, self.history = calls.recorder, calls.history
        self.endless, self.brief = [], []
        self.fault = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.turn()
                self.stopping.wait(self.draw.uniform(0.05, 0.35) * self.pace)
        except Exception as fault:  # told by whoever joins
            self.fault = fault

    def turn(self):
        draw = self.draw
        what = draw.random()
        if draw.random() < 0.1:
            self.submit_again()
        if what < 0.35 and len(self.endless) < self.OWN_ENDLESS:
            self.submit_endless()
        elif what < 0.6:
            self.submit_brief()
        elif what < 0.87:
            self.delete_endless()
        elif self.brief:
            self.delete([self.brief.pop(draw.randrange(len(self.brief))) for _ in range(min(3, len(self.brief)))])

    def submit(self, jobs):
        """An unknown submit is asked again once: the names are the same, so it can be stored only once."""
        stored = self.calls.submit(jobs, draw=self.draw)
        if not stored and not self.stopping.wait(self.draw.uniform(0.2, 1.0)):
            self.calls.submit(jobs, draw=self.draw)

    def with_webhook(self, job):
        """Some of the receivers take their time, so that a delete falls beside the message."""
        if self.draw.random() < 0.3:
            job["webhook"] = self.recorder.hook(job["job_id"], self.draw.choice([0, 0, 2]))

    def submit_again(self):
        """An id that somebody has used: it may wait, run, be on its way out or be gone. It is no second job in any case."""
        with self.calls.lock:
            again = self.draw.choice(self.calls.known) if self.calls.known else None
        if again:
            self.history.note("again", job=again["job_id"])
            self.calls.submit([again], draw=self.draw)

    def submit_endless(self):
        draw = self.draw
        ids = [new_id(draw) for _ in range(draw.randint(1, 5))]
        shapes = [self.recorder.slow_call, self.recorder.slow_call, self.recorder.program,
                  lambda i: self.recorder.stream(i, endless=True), lambda i: self.recorder.stream(i, endless=True),
                  self.recorder.walled_call]
        make = [draw.choice(shapes)(i) for i in ids]
        for job in make:
            job["timeout_s"] = 86_400
            job["max_attempts"] = 100  # a receiver's or worker's end is no end of the job
            job["backoff_s"] = 0.5
            self.with_webhook(job)
        self.endless += ids
        self.submit(make)

    def submit_brief(self):
        draw = self.draw
        ids = [new_id(draw) for _ in range(draw.randint(1, 8))]
        shapes = [lambda i: self.recorder.quick_call(i, round(draw.uniform(0, 1.5), 2)),
                  lambda i: self.recorder.stream(i, endless=False),
                  lambda i: self.recorder.steps(i, draw.randint(2, 6), round(draw.uniform(0, 0.3), 2)),
                  lambda i: {"kind": "noop", "job_id": i, "args": {}}]
        jobs = [draw.choice(shapes)(i) for i in ids]
        for job in jobs:
            job["max_attempts"] = 100
            job["backoff_s"] = 0.5
            self.with_webhook(job)
        self.brief = (self.brief + ids)[-40:]
        self.submit(jobs)

    def submit_beside(self, ids):
        """The same id once more while its delete is on its way, at whatever node."""
        with self.calls.lock:
            again = [job for job in self.calls.known if job["job_id"] in ids][:1]
        if not again:
            return None
        self.history.note("again", job=again[0]["job_id"])
        thread = threading.Thread(target=self.calls.submit, args=(again,), kwargs={"draw": random.Random(self.draw.random())})
        thread.start()
        return thread

    def delete_endless(self):
        if not self.endless:
            return
        draw = self.draw
        running = [i for i in self.endless if i in self.recorder.calls_of]
        pick = running if running and draw.random() < 0.85 else self.endless
        self.delete(draw.sample(pick, min(len(pick), draw.randint(1, 6))))

    def delete(self, ids):
        alone = len(ids) == 1 and self.draw.random() < 0.5
        beside = self.submit_beside(ids) if self.draw.random() < 0.25 else None
        outcomes = self.calls.delete(ids, alone=alone, draw=self.draw)
        if beside:
            beside.join()
        for job, one in (outcomes or {}).items():
            if one["outcome"] in ("deleted", "already_gone") and job in self.endless:
                self.endless.remove(job)


def until_or_not(holds, seconds, pause=0.1):
    """For what a checker judges later: says whether it came, and fails nothing."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def delete_rest(calls, jobs, seconds=180):
    """After healing: whatever would run for ever is deleted, again and again until each is known to be gone."""
    left = list(jobs)
    end = time.monotonic() + seconds
    while left and time.monotonic() < end:
        outcomes = calls.delete(left[:200], wait=10, timeout=40) or {}
        done = {job for job, one in outcomes.items() if one["outcome"] in ("deleted", "already_gone", "not_found")}
        if not done:
            time.sleep(0.5)
        left = [job for job in left if job not in done]
    return left


def quiet(node):
    """No job is on its way and no delete is pending."""
    try:
        counts = product.Server.counts(node)
    except UNKNOWN + (KeyError, TypeError):
        return False
    return not any(counts.get(s) for s in ("scheduled", "queued", "running", "pending_delete", "delete_failed"))
