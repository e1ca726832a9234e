"""The receiver whose log the checker reads: the outside world that jobs call.

A client that has read a reply connects here at once and says `mark`. Connections wait for accept() in the order in which
they were made, so whatever is accepted after the mark's own connection was made after the reply; and before the mark is
written down everything that lay unread in a socket is read, so what comes later came later. No clock is compared.

A call at the wall is not read any further once its head is there: the rest of its body waits in the sender's kernel, which
may send it though the sender is dead. With the mark of its job's delete the wall falls: what lies on this side then came before,
what comes beyond that came after, and a sender that is still connected has not let go."""
import fcntl
import http.client
import socket
import struct
import termios
import time
from urllib.parse import parse_qs, urlsplit

import receiver

WORD = b'data: {"choices":[{"delta":{"content":"word "}}]}\n\n'
WALL_BODY = 240_000  # bytes; more than this side takes unread, less than args may have
ESTABLISHED = 1  # of TCP_INFO
DONE = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
WORD_EVERY = 0.5  # seconds


def head(kind, length=None):
    size = "" if length is None else f"Content-Length: {length}\r\n"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{size}Connection: close\r\n\r\n".encode()


class Recorder(receiver.SlowServer):
    """/slow/JOB never ends, /quick/JOB?s=X ends after X seconds, /llm/JOB streams for ever, /llm/quick/JOB a few words,
    /wall/JOB is not read, /hook/JOB takes a webhook and answers it late."""

    def __init__(self, history):
        self.history = history
        self.marks = []
        self.gone = {}      # op -> jobs that its reply calls gone
        self.calls_of = {}  # job -> requests begun
        super().__init__(period=0.02)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)

    # ---- what is written down --------------------------------------------------------------------

    def noted(self, what, connection):
        if what == "accepted":
            connection["number"] = self.history.note("accepted")
        elif what == "closed":
            if not connection.get("let_go"):
                self.history.note("closed", conn=connection["number"])
        elif connection.get("job") and not self.came_before(connection):
            self.history.note("bytes", conn=connection["number"])

    def came_before(self, connection):
        """Of a call whose wall has fallen: whether what was just read lay here when it fell."""
        if "before" not in connection:
            return False
        came, connection["read"] = len(connection["request"]) - connection["read"], len(connection["request"])
        connection["before"] -= came
        return connection["before"] >= 0

    def receive(self, selector, connection):
        super().receive(selector, connection)
        if connection.get("walled") and connection["closed"] is None:
            selector.unregister(connection["sock"])

    def let_walls_fall(self, selector, jobs):
        for connection in [c for c in self.connections if c.get("walled") and c["job"] in jobs]:
            sock = connection["sock"]
            connection.update(walled=False, read=len(connection["request"]))
            connection["before"], = struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, b"\0" * 4))
            if sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED:
                self.history.note("closed", conn=connection["number"])
                connection["let_go"] = True
            selector.register(sock, 1, connection)

    def answer(self, connection):
        target = urlsplit(connection["request"].split(b" ", 2)[1].decode())
        parts = target.path.strip("/").split("/")
        if parts[0] == "mark":
            self.marks.append((parts[1], connection))
            return
        job = parts[2] if parts[1] == "quick" else parts[1]
        connection["job"] = job
        if parts[0] != "hook":
            self.calls_of[job] = self.calls_of.get(job, 0) + 1
        self.history.note("request", conn=connection["number"], job=job, path=target.path)
        self.begin(connection, parts, float(parse_qs(target.query).get("s", ["0"])[0]))

    def after_pass(self, selector):
        while self.marks:
            marks, self.marks = self.marks, []
            self.read_all(selector)
            for name, connection in marks:
                self.let_walls_fall(selector, self.gone.pop(int(name), ()))
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
        elif parts[0] in ("quick", "hook"):
            connection["due"] = now + seconds
        elif parts[0] == "wall":
            connection["walled"] = True
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

    def mark(self, op, gone=()):
        """Everything that job code did before this call is in the log before the mark; `gone`: what the reply calls gone."""
        self.gone[op] = set(gone)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", f"/mark/{op}")
            connection.getresponse().read()
        finally:
            connection.close()

    def slow_call(self, job):
        return {"kind": "http", "job_id": job, "args": {"method": "GET", "url": self.url(f"/slow/{job}"), "timeout_s": 3600}}

    def walled_call(self, job):
        return {"kind": "http", "job_id": job,
                "args": {"method": "POST", "url": self.url(f"/wall/{job}"), "body": "w" * WALL_BODY, "timeout_s": 3600}}

    def hook(self, job, seconds):
        return self.url(f"/hook/{job}?s={seconds}")

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


