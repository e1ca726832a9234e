"""Several processes of the product on one PostgreSQL, as an operator runs them."""
import os
import pathlib
import signal
import subprocess
import tempfile

import product
from product import until

POSTGRES = os.environ.get("TEMPORARY_POSTGRES", str(pathlib.Path(product.BINARY).parent / "temporary_postgres"))

# A lease as short as the settings allow, so that a lost node is found while somebody watches.
QUICK = ["--lease-s", "4", "--self-stop-s", "2", "--beat-s", "1", "--stop-deadline-ms", "500"]


class Postgres:
    def __enter__(self):
        self.process = subprocess.Popen([POSTGRES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url, "no PostgreSQL came up"
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)


class Worker(product.Server):
    """`quell worker`: no API of its own; what it does is seen through the others'."""

    def start(self):
        self.starts += 1
        command = [product.BINARY, "worker", "--data-dir", self.data_dir, "--store", self.store, *self.flags]
        self.log = open(os.path.join(self.data_dir, "server.log"), "ab")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        until(self.works, 60, "a worker that works")
        return self

    def works(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the worker exited with {self.process.returncode}:\n{self.log_text()[-3000:]}")
        return " working" in self.log_text()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


class Fleet:
    """One `serve` and some workers; `serve` works too, in its own pool."""

    def __init__(self, store, workers=2, slots=2, flags=(), server_slots=None):
        pool = ["--pool", f"default={slots}", "--outbound-allow", "127.0.0.0/8"]
        own = ["--pool", f"default={slots if server_slots is None else server_slots}", *pool[2:]]
        self.server = product.Server(*own, *flags, store=store)
        self.workers = [Worker(*pool, *flags, store=store) for _ in range(workers)]

    def __enter__(self):
        try:
            self.server.start()
            for worker in self.workers:
                worker.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            if worker.process and worker.process.poll() is None:
                worker.go_on()
            worker.remove()
        self.server.remove()

    def nodes(self):
        return self.server.call("GET", "/api/v1/workers")[1]["workers"]

    def id_of(self, process):
        return next(n["worker_id"] for n in self.nodes() if n["pid"] == process.process.pid)

    def runners(self, jobs):
        """job -> the node that runs it, of those that run"""
        found = {}
        for job in jobs:
            code, view = self.server.job(job)
            if code == 200 and view["status"] == "running":
                found[job] = view["worker_id"]
        return found

    def all_run(self, jobs, seconds=60):
        return until(lambda: (lambda r: r if len(r) == len(jobs) else None)(self.runners(jobs)), seconds,
                     f"{len(jobs)} running jobs")
