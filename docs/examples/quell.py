"""A client of quell in one file, with nothing but Python's standard library: copy it into your project.

    from quell import Quell

    quell = Quell("http://127.0.0.1:8080", open("admin.token").read().strip())
    job = quell.submit("http", {"url": "https://example.org"})
    print(quell.wait(job["job_id"])["status"])
    print(quell.delete([job["job_id"]])["message"])

Or write the work itself: a function under @task is run by a server that was started with --python-tasks MODULE, in a
process of its own which a delete kills.

    from quell import Failed, progress, task

    @task
    def resize(files):
        for done, name in enumerate(files, 1):
            ...
            progress(done / len(files), name)
        return {"resized": len(files)}

    quell.submit(*resize.call(files=["a.png"]))
"""
import base64
import http.client
import json
import os
import random
import subprocess
import tempfile
import time
import urllib.parse
import uuid


class QuellError(Exception):
    """The server refused; act on `code`, show `str(error)` to people."""

    def __init__(self, status, problem):
        self.status = status
        self.code = problem.get("code", "")
        self.problem = problem
        super().__init__(f"{self.code}: {problem.get('detail') or problem.get('title', status)}")


class Quell:
    def __init__(self, url, token, timeout=60, tries=3):
        self.url = urllib.parse.urlsplit(url)
        self.token = token
        self.timeout = timeout
        self.tries = tries

    # ---- jobs ----

    def submit(self, kind, args=None, **options):
        """One job; `options` are queue, priority, tags, unique_key, run_at, delay_s, max_attempts, webhook, …"""
        return self.call("POST", "/api/v1/jobs", {"kind": kind, "args": args or {}, **options}, once=True)

    def submit_many(self, jobs):
        """Up to 10,000 jobs in one transaction; their ids, in order."""
        return self.call("POST", "/api/v1/jobs/bulk-submit", {"jobs": jobs}, once=True)["job_ids"]

    def get(self, job_id):
        return self.call("GET", f"/api/v1/jobs/{job_id}")

    def result(self, job_id):
        return self.call("GET", f"/api/v1/jobs/{job_id}/result")["result"]

    def wait(self, job_id, timeout=None):
        """The job when it has ended; TimeoutError when it has not by then."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = 30 if end is None else max(0, min(30, int(end - time.monotonic())))
            job = self.call("GET", f"/api/v1/jobs/{job_id}?wait_for=final&timeout={left}")
            if job["status"] in ("succeeded", "failed", "cancelled"):
                return job
            if end is not None and time.monotonic() >= end:
                raise TimeoutError(f"job {job_id} is {job['status']}")

    def cancel(self, job_id):
        return self.call("POST", f"/api/v1/jobs/{job_id}/cancel", {})

    def delete(self, job_ids, reason=None, wait=30):
        """Stops, frees and erases. The reply's `success` is true only when every job is proven gone."""
        body = {"job_ids": list(job_ids), "wait": min(wait, 30), "confirm": True}
        if reason:
            body["reason"] = reason
        return self.call("POST", "/api/v1/jobs/bulk-delete?proof=full", body)

    def events(self, types="job.*", after=""):
        """What happens, one dictionary an event, until the server ends the stream."""
        query = urllib.parse.urlencode({"types": types, **({"after": after} if after else {})})
        connection = self._connect()
        try:
            connection.request("GET", f"/api/v1/events?{query}", headers=self._headers())
            reply = connection.getresponse()
            if reply.status != 200:
                raise QuellError(reply.status, json.loads(reply.read()))
            for line in reply:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
        finally:
            connection.close()

    # ---- receipts ----

    def verify(self, receipt):
        """What a delete's receipt says, if its Ed25519 signature is the server's; ValueError if not. Needs openssl."""
        public_key = self.call("GET", "/api/v1/system")["public_key"]
        payload = base64.b64decode(receipt["payload"])
        with tempfile.TemporaryDirectory() as place:
            files = {"key": public_key.encode(), "payload": payload,
                     "signature": base64.b64decode(receipt["signatures"][0]["sig"])}
            for name, content in files.items():
                with open(os.path.join(place, name), "wb") as file:
                    file.write(content)
            check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "payload",
                     "-sigfile", "signature"]
            if subprocess.run(check, cwd=place, capture_output=True).returncode != 0:
                raise ValueError("the receipt was not signed by this server")
        return json.loads(payload)

    # ---- the wire ----

    def call(self, method, path, body=None, once=False):
        """One call; repeated where that is safe: what is submitted `once` carries a key that makes it so."""
        headers = self._headers()
        text = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            text = json.dumps(body)
        if once:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        for last in [False] * (self.tries - 1) + [True]:
            connection = self._connect()
            try:
                connection.request(method, path, text, headers)
                reply = connection.getresponse()
                status, content = reply.status, reply.read()
                if status not in (502, 503, 504) or last:
                    break
            except (ConnectionError, http.client.RemoteDisconnected):
                if last:
                    raise
            finally:
                connection.close()
            time.sleep(0.1 + random.random() * 0.4)
        value = json.loads(content) if content else None
        if status >= 400:
            raise QuellError(status, value or {})
        return value

    def _headers(self):
        return {"Authorization": "Bearer " + self.token}

    def _connect(self):
        kind = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
        return kind(self.url.hostname, self.url.port, timeout=self.timeout)


# ---- tasks ----

tasks = {}  # by name: what a server that imports the module can run


def task(function=None, *, name=None):
    """A function, plain or async, whose arguments and result are JSON. Its name is MODULE.FUNCTION unless one is given."""
    def add(one):
        one.task_name = name or f"{one.__module__}.{one.__qualname__}"
        one.call = lambda *args, **kwargs: ("python", {"task": one.task_name, "args": list(args) if args else kwargs})
        tasks[one.task_name] = one
        return one
    return add if function is None else add(function)


class Failed(Exception):
    """Ends the attempt with a code that callers can act on; with `retry` another one follows, `after` so many seconds."""

    def __init__(self, code, detail="", retry=False, after=None):
        super().__init__(detail)
        self.code, self.retry, self.after = code, retry, after


class Job:
    """Of the task that runs in this process."""
    id = attempt = None
    say = staticmethod(lambda **words: None)


def _begin(say, job_id, attempt):
    Job.say, Job.id, Job.attempt = staticmethod(say), job_id, attempt


def progress(fraction, phase=""):
    """How far it is, from 0 to 1, as the job's page shows it."""
    Job.say(progress=fraction, phase=phase)


def partial(value):
    """A piece of the result, before the end."""
    Job.say(partial=value)
