"""The receiver whose log the checker reads: the outside world that jobs call.

A client that has read a reply connects here at once and says `mark`. Connections wait for accept() in the order in which
they were made, so whatever is accepted after the mark's own connection was made after the reply; and before the mark is
written down everything that lay unread in a socket is read, so what comes later came later. No clock is compared."""
import http.client
import time
from urllib.parse import parse_qs, urlsplit

import receiver

WORD = b'data: {"choices":[{"delta":{"content":"word "}}]}\n\n'
DONE = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
WORD_EVERY = 0.5  # seconds


def head(kind, length=None):
    size = "" if length is None else f"Content-Length: {length}\r\n"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{size}Connection: close\r\n\r\n".encode()


class Recorder(receiver.SlowServer):
    """/slow/JOB never ends, /quick/JOB?s=X ends after X seconds, /llm/JOB streams for ever, /llm/quick/JOB a few words."""

    def __init__(self, history):
        self.history = history
        self.marks = []
        self.calls_of = {}  # job -> requests begun
        super().__init__(period=0.02)

    # ---- what is written down --------------------------------------------------------------------

    def noted(self, what, connection):
        if what == "accepted":
            connection["number"] = self.history.note("accepted")
        elif what == "closed":
            self.history.note("closed", conn=connection["number"])
        elif connection.get("job"):
            self.history.note("bytes", conn=connection["number"])

    def answer(self, connection):
        target = urlsplit(connection["request"].split(b" ", 2)[1].decode())
        parts = target.path.strip("/").split("/")
        if parts[0] == "mark":
            self.marks.append((parts[1], connection))
            return
        job = parts[2] if parts[1] == "quick" else parts[1]
        connection["job"] = job
        self.calls_of[job] = self.calls_of.get(job, 0) + 1
        self.history.note("request", conn=connection["number"], job=job, path=target.path)
        self.begin(connection, parts, float(parse_qs(target.query).get("s", ["0"])[0]))

    def after_pass(self, selector):
        while self.marks:
            marks, self.marks = self.marks, []
            self.read_all(selector)
            for name, connection in marks:
                self.history.note("mark", op=int(name), accepted=connection["number"])
                self.end(connection, head("text/plain", 0))

    def read_all(self, selector):
        while True:
            ready = [key for key, _ in selector.select(timeout=0) if key.fileobj is not self.listener]
            if not ready:
                return
            for key in ready:
                self.receive(selector, key.data)

    # ---- what is answered ------------------------------------------------------------------------

    def begin(self, connection, parts, seconds):
        now = time.monotonic()
        if parts[0] == "llm":
            connection["words"] = 3 if parts[1] == "quick" else None
            connection["next"] = now
            self.say(connection, head("text/event-stream"))
        elif parts[0] == "quick":
            connection["due"] = now + seconds
        else:
            connection["next"] = now
            self.say(connection, head("text/plain", 100_000_000))

    def drip(self):
        now = time.monotonic()
        for connection in [c for c in self.connections if c["closed"] is None]:
            if "due" in connection and now >= connection["due"]:
                del connection["due"]
                self.end(connection, head("text/plain", 2) + b"ok")
            elif "next" in connection and now >= connection["next"]:
                connection["next"] = now + WORD_EVERY
                self.go_on(connection)
        with self.lock:
            self.closed_too = getattr(self, "closed_too", 0) + sum(1 for c in self.connections if c["closed"] is not None)
            self.connections = [c for c in self.connections if c["closed"] is None]

    def go_on(self, connection):
        if "words" not in connection:
            return self.say(connection, b"x")
        if connection["words"] == 0:
            del connection["next"]
            return self.end(connection, DONE)
        if connection["words"] is not None:
            connection["words"] -= 1
        self.say(connection, WORD)

    def say(self, connection, data):
        try:
            connection["sock"].send(data)
        except OSError:
            pass  # the close is read soon

    def end(self, connection, data):
        self.say(connection, data)
        try:
            connection["sock"].shutdown(1)
        except OSError:
            pass

    # ---- for clients -----------------------------------------------------------------------------

    def mark(self, op):
        """Everything that job code did before this call is in the log before the mark."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", f"/mark/{op}")
            connection.getresponse().read()
        finally:
            connection.close()

    def slow_call(self, job):
        return {"kind": "http", "job_id": job, "args": {"method": "GET", "url": self.url(f"/slow/{job}"), "timeout_s": 3600}}

    def quick_call(self, job, seconds):
        return {"kind": "http", "job_id": job, "args": {"method": "GET", "url": self.url(f"/quick/{job}?s={seconds}")}}

    def stream(self, job, endless):
        words = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
        return {"kind": "llm", "job_id": job, "args": {"base_url": self.url(f"/llm/{job}" if endless else f"/llm/quick/{job}"), **words}}

    def program(self, job):
        """Calls again and again without asking the runtime: only the end of its processes silences it."""
        script = (f"while :; do exec 3<>/dev/tcp/127.0.0.1/{self.port}; printf 'GET /quick/{job}?s=0 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3; "
                  "cat <&3 >/dev/null; exec 3>&-; sleep 0.4; done")
        return {"kind": "exec", "job_id": job, "args": {"argv": ["/bin/bash", "-c", script]}}

    def steps(self, job, number, seconds):
        calls = [{"name": f"s{n}", "kind": "http", "args": {"method": "GET", "url": self.url(f"/quick/{job}?s={seconds}")}}
                 for n in range(number)]
        return {"kind": "workflow", "job_id": job, "args": {"steps": calls}}


