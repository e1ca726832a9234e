"""The product as a stranger meets it: the real binary, its own directory, real sockets."""
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BINARY = os.environ.get("PRODUCT_BINARY", str(pathlib.Path(__file__).parents[2] / "build/release/bin/quell"))


# Root runs no program as root; whoever else runs these tests runs them as himself.
EXEC = ["--exec-enabled", *(["--exec-user", "nobody"] if os.geteuid() == 0 else [])]


def free_port():
    """Below those that the system lends to connections: a server that is started again finds its port as it left it."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def until(holds, seconds=30.0, what="the awaited state"):
    """Looks again and again until it holds; the bound is for a hang, not a pass mark."""
    end = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.005)


class Server:
    verb = "serve"

    def __init__(self, *flags, data_dir=None, store=None):
        self.own_dir = data_dir is None
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="quell-blackbox-")
        self.flags = list(flags)
        self.store = store
        self.port = free_port()
        self.process = None
        self.starts = 0
        self.contract = None  # of tests/blackbox/contract.py: then every reply is held against it

    def start(self, environment=None, is_to_serve=True):
        """With `is_to_serve` false it may also end before it serves, and what comes back is whether it does serve."""
        self.spawn(environment)
        if is_to_serve:
            until(self.ready, 60, "a server that serves")
        else:
            until(lambda: self.has_ended() or self.answers(), 60, "a server that serves, or its end")
            if self.has_ended():
                self.log.close()
                return False
        self.read_token()
        return self

    def spawn(self, environment=None):
        self.starts += 1
        command = [BINARY, self.verb, "--data-dir", self.data_dir, "--listen", f"127.0.0.1:{self.port}", *self.flags]
        if self.store:
            command += ["--store", self.store]
        self.log = open(os.path.join(self.data_dir, "server.log"), "ab")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env={**os.environ, **(environment or {})})

    def read_token(self):
        with open(os.path.join(self.data_dir, "admin.token")) as token:
            self.token = token.read().strip()

    def has_ended(self):
        return self.process.poll() is not None

    def ready(self):
        if self.has_ended():
            raise AssertionError(f"the server exited with {self.process.returncode}:\n{self.log_text()[-3000:]}")
        return self.answers()

    def answers(self):
        try:
            return self.call("GET", "/readyz", token=None)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def log_text(self):
        with open(os.path.join(self.data_dir, "server.log"), errors="replace") as log:
            return log.read()

    def exchange(self, method, path, body=None, token="own", timeout=60, headers=None):
        """(status, headers by lower-case name, bytes) of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            send = dict(headers or {})
            if token:
                send["Authorization"] = "Bearer " + (self.token if token == "own" else token)
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
                send.setdefault("Content-Type", "application/json")
            connection.request(method, path, body=body, headers=send)
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def call(self, method, path, body=None, token="own", timeout=60, headers=None):
        """(status, decoded body); the reply is held against the API's description when there is one."""
        status, fields, text = self.exchange(method, path, body, token, timeout, headers)
        if self.contract:
            self.contract.check(method, path, status, fields, text)
        try:
            return status, json.loads(text) if text else None
        except ValueError:
            return status, text.decode(errors="replace")

    def submit(self, kind, args, **more):
        status, job = self.call("POST", "/api/v1/jobs", {"kind": kind, "args": args, **more})
        assert status == 201, (status, job)
        return job["job_id"]

    def deaf(self):
        """A job whose program ignores SIGTERM, and has said that it does: from then on its end takes a moment."""
        job = self.submit("exec", {"argv": ["sh", "-c", "trap '' TERM; echo '{\"phase\":\"deaf\"}'; while :; do sleep 1; done"]})
        until(lambda: self.job(job)[1].get("current_phase") == "deaf", what="a program that is deaf")
        return job

    def submit_many(self, jobs):
        status, reply = self.call("POST", "/api/v1/jobs/bulk-submit", {"jobs": jobs})
        assert status == 201, (status, reply)
        return reply["job_ids"]

    def delete_many(self, ids, **more):
        return self.call("POST", "/api/v1/jobs/bulk-delete", {"job_ids": ids, **more})

    def job(self, job_id):
        return self.call("GET", f"/api/v1/jobs/{job_id}")

    def status_of(self, job_id):
        code, job = self.job(job_id)
        return job["status"] if code == 200 else {404: "not_found", 410: "deleted"}[code]

    def pool(self, name="default"):
        _, reply = self.call("GET", "/api/v1/pools")
        return next(p for p in reply["pools"] if p["name"] == name)

    def counts(self):
        return self.call("GET", "/api/v1/jobs/counts?group_by=status")[1]["counts"]

    def kill(self):
        """kill -9, as a machine dies."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("SIGTERM did not end the server within 60 s")
        code = self.process.returncode
        if not self.log.closed:
            self.log.close()
        return code

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()
        if self.own_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()


def processes_with(marker):
    """Pids whose command line or environment carries the marker."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        for part in ("cmdline", "environ"):
            try:
                with open(f"/proc/{entry}/{part}", "rb") as text:
                    if marker.encode() in text.read():
                        with open(f"/proc/{entry}/stat") as stat:
                            if re.search(r"\) Z ", stat.read()):
                                continue
                        found.append(int(entry))
                        break
            except OSError:
                pass
    return found


def family_of(pid):
    """The process and its children: the server and its keeper."""
    children = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as text:
            children += [int(word) for word in text.read().split()]
    return [pid, *children]


def zombies_of(parents):
    """Ended processes that one of these has not reaped."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                state, parent = re.search(r"\) (\w) (\d+)", stat.read()).groups()
        except OSError:
            continue
        if state == "Z" and int(parent) in parents:
            found.append(int(entry))
    return found
