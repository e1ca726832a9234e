"""The API server under hands that mean harm: ambiguous framing, endless and slow requests, readers that do not read, limits at
and one over, text that wants to be a line of the log."""
import contextlib
import http.server
import json
import socket
import threading
import unittest

from contract import Contract
from product import Server, until

HOST = "Host: localhost\r\n"


def post(fields, body=""):
    return f"POST /livez HTTP/1.1\r\n{HOST}{fields}\r\n{body}"


def get(fields="", line="GET /livez HTTP/1.1"):
    return f"{line}\r\n{HOST}{fields}\r\n"


# Each is followed by a whole request on the same connection. If any server in the row read it otherwise than another, that
# second request could be hidden in the first; so it must never be answered.
AMBIGUOUS = {
    "length, then encoding": post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    "encoding, then length": post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
    "gzip, then length": post("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"),
    "gzip alone": post("Transfer-Encoding: gzip\r\n"),
    "chunked, gzip": post("Transfer-Encoding: chunked, gzip\r\n"),
    "gzip, chunked": post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
    "chunked twice in a list": post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
    "chunked twice": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    "chunked and identity": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
    "identity": post("Transfer-Encoding: identity\r\n"),
    "xchunked": post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
    "chunked with a quote": post('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n"),
    "chunked with a parameter": post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n"),
    "chunked with a comma": post("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n"),
    "empty encoding": post("Transfer-Encoding:\r\n", "0\r\n\r\n"),
    "vertical tab before chunked": post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"),
    "blank before the colon": post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
    "tab before the colon": post("Content-Length\t: 0\r\n"),
    "folded encoding": post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"),
    "folded length": post("Content-Length: 0\r\n 5\r\n"),
    "folded first field": f"GET /livez HTTP/1.1\r\n X: y\r\n{HOST}\r\n",
    "encoding behind a bare newline": post("X: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    "encoding behind a bare return": post("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    "bare newlines only": "GET /livez HTTP/1.1\nHost: a\n\n\r\n\r\n",
    "chunked over HTTP/1.0": f"POST /livez HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths that differ": post("Content-Length: 0\r\nContent-Length: 5\r\n", "hello"),
    "two lengths alike": post("Content-Length: 0\r\nContent-Length: 0\r\n"),
    "a list of lengths": post("Content-Length: 0, 0\r\n"),
    "a list of lengths that differ": post("Content-Length: 0, 5\r\n"),
    "length with a plus": post("Content-Length: +0\r\n"),
    "length with a minus": post("Content-Length: -1\r\n"),
    "length in hex": post("Content-Length: 0x0\r\n"),
    "length with a point": post("Content-Length: 0.0\r\n"),
    "length with an exponent": post("Content-Length: 0e1\r\n"),
    "empty length": post("Content-Length:\r\n"),
    "length with words": post("Content-Length: 0 bytes\r\n"),
    "length beyond 64 bits": post("Content-Length: 18446744073709551616\r\n"),
    "length beyond all": post("Content-Length: " + "9" * 40 + "\r\n"),
    "length with a zero byte": post("Content-Length: 0\x00\r\n"),
    "length in other digits": post("Content-Length: ٠\r\n"),
    "no host": "GET /livez HTTP/1.1\r\n\r\n",
    "two hosts": get("Host: b\r\n"),
    "a field without a colon": get("nonsense\r\n"),
    "a field without a name": get(": x\r\n"),
    "a name with a blank": get("A B: x\r\n"),
    "a name with a zero byte": get("A\x00B: x\r\n"),
    "a name with a bracket": get("A(B): x\r\n"),
    "a value with a zero byte": get("A: x\x00y\r\n"),
    "a value with a return": get("A: x\ry\r\n"),
    "a value with an escape": get("A: \x1b[2J\r\n"),
    "HTTP/1.2": get(line="GET /livez HTTP/1.2"),
    "HTTP/2.0": get(line="GET /livez HTTP/2.0"),
    "HTTP/0.9": "GET /livez\r\n\r\n",
    "http in small letters": get(line="GET /livez http/1.1"),
    "a version with a blank": get(line="GET /livez HTTP/1.1 "),
    "two blanks": get(line="GET  /livez HTTP/1.1"),
    "a tab": get(line="GET\t/livez HTTP/1.1"),
    "a blank in the target": get(line="GET /liv ez HTTP/1.1"),
    "absolute form": get(line="GET http://a/livez HTTP/1.1"),
    "authority form": get(line="CONNECT a:80 HTTP/1.1"),
    "asterisk form": get(line="OPTIONS * HTTP/1.1"),
    "a fragment": get(line="GET /livez#x HTTP/1.1"),
    "a target in other letters": get(line="GET /lïvez HTTP/1.1"),
    "a method with a bracket": get(line="GE(T /livez HTTP/1.1"),
    "no method": get(line=" /livez HTTP/1.1"),
    "a blank line first, then a blank": " \r\n" + get(),
    "an expectation": get("Expect: nonsense\r\n"),
    "a TLS hello": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}
# A body that goes on behind its chunks, or lies about them.
BROKEN_CHUNKS = ["5\r\nhelloX\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "-1\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "5 \x00\r\nhello\r\n0\r\n\r\n",
                 "g\r\n\r\n", "10000000000000000\r\n", "\r\n0\r\n\r\n", "5;\nhello\r\n0\r\n\r\n" + "x" * 10]


def answers(said):
    return said.count(b"\r\nDate: ")


class Raw:
    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", port))

    def send(self, text):
        with contextlib.suppress(OSError):
            self.socket.sendall(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
        return self

    def rest(self):
        """All that comes until the peer closes."""
        said = b""
        with contextlib.suppress(ConnectionError):
            while piece := self.socket.recv(1 << 16):
                said += piece
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class LimitsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--pool", "default=4", "--request-timeout-s", "2", "--access-log", "--log-json").start()
        cls.server.contract = Contract(cls.server.call("GET", "/openapi.json")[1])
        cls.auth = f"Authorization: Bearer {cls.server.token}\r\n"

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def ask(self, method, path, body=None, **more):
        status, reply = self.server.call(method, path, body, **more)
        return status, reply.get("code", "") if isinstance(reply, dict) else ""

    # ---- where a request ends has one answer ----

    def test_answers_nothing_behind_an_ambiguous_request(self):
        self.assertGreaterEqual(len(AMBIGUOUS), 60)
        for name, text in AMBIGUOUS.items():
            with self.subTest(name), Raw(self.server.port) as raw:
                said = raw.send(text + get("X-Request-Id: smuggled\r\n", "GET /readyz HTTP/1.1")).rest()
                self.assertEqual(answers(said), 1, said)
                self.assertTrue(said.startswith(b"HTTP/1.1 400 "), said)
                self.assertIn(b"Connection: close", said)
                self.assertNotIn(b"smuggled", said)
                self.assertIn(b'"code":"invalid-request"', said)

    def test_answers_nothing_behind_broken_chunks(self):
        head = f"POST /api/v1/jobs HTTP/1.1\r\n{HOST}{self.auth}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body in BROKEN_CHUNKS:
            with self.subTest(body), Raw(self.server.port) as raw:
                said = raw.send(head + body + get("X-Request-Id: smuggled\r\n", "GET /readyz HTTP/1.1")).rest()
                self.assertEqual(answers(said), 1, said)
                self.assertRegex(said, rb"^HTTP/1.1 4(00|13) ")
                self.assertNotIn(b"smuggled", said)

    def test_reads_no_framing_in_trailers(self):
        last = get("Connection: close\r\n")
        with Raw(self.server.port) as raw:
            # Of somebody who may send a body: a stranger's is not read, and his connection closed.
            first = f"POST /api/v1/jobs HTTP/1.1\r\n{HOST}{self.auth}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            said = raw.send(first + "0\r\nX-Sum: 7\r\n\r\n" + last).rest()
        self.assertEqual(answers(said), 2, said)
        self.assertIn(b'"alive"', said)
        for trailer in ("Content-Length: 100", "Transfer-Encoding: gzip", "Transfer-Encoding: chunked"):
            with self.subTest(trailer), Raw(self.server.port) as raw:
                said = raw.send(first + f"0\r\n{trailer}\r\n\r\n" + last).rest()
                self.assertIn(answers(said), (1, 2), said)
                self.assertTrue(answers(said) == 2 or b'"code":"invalid-request"' in said, said)

    def test_a_body_that_nobody_wants_does_not_become_a_request(self):
        smuggled = get("X-Request-Id: smuggled\r\n", "GET /readyz HTTP/1.1")
        for line in ("GET /livez HTTP/1.1", "GET /nowhere HTTP/1.1", "DELETE /api/v1/jobs/x HTTP/1.1"):
            with self.subTest(line), Raw(self.server.port) as raw:
                said = raw.send(f"{line}\r\n{HOST}Content-Length: {len(smuggled)}\r\n\r\n{smuggled}{get('Connection: close' + chr(13) + chr(10))}").rest()
                self.assertNotIn(b"smuggled", said)
                self.assertEqual(answers(said), 2, said)

    # ---- slow ones ----

    def ends_slowly(self, text, drip, answer):
        with Raw(self.server.port) as raw:
            raw.send(text)
            done = threading.Event()

            def go_on():
                while not done.wait(0.2):
                    raw.send(drip)

            dripping = threading.Thread(target=go_on)
            dripping.start()
            try:
                said = raw.rest()
            finally:
                done.set()
                dripping.join()
            self.assertIn(answer, said)

    def test_ends_those_who_send_slowly(self):
        self.ends_slowly("GET /livez HTTP/1.1\r\nX: ", "x", b'"code":"request-timeout"')
        self.ends_slowly(f"POST /api/v1/jobs HTTP/1.1\r\n{HOST}{self.auth}Content-Length: 1000\r\n\r\n", "x", b'"code":"request-timeout"')
        self.ends_slowly(f"POST /api/v1/jobs HTTP/1.1\r\n{HOST}{self.auth}Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", b'"code":"request-timeout"')
        with Raw(self.server.port) as raw:
            self.assertEqual(raw.rest(), b"", "who says nothing is told nothing")

    def test_ends_those_who_do_not_take_their_answer(self):
        args = {"url": "http://127.0.0.1:9/", "body": "x" * 200_000}
        self.server.submit_many([{"kind": "http", "args": args, "delay_s": 1000, "queue": "big"} for _ in range(60)])
        with Raw(self.server.port, receive_buffer=4096) as raw:
            raw.send(f"GET /api/v1/jobs?queue=big&page_size=100 HTTP/1.1\r\n{HOST}{self.auth}Connection: close\r\n\r\n")
            # The answer is longer than all buffers on its way, so only the time can end it.
            until(lambda: self.open_connections() == 0, 60, "the end of a connection whose reader does not read")
            said = raw.rest()
            self.assertLess(len(said), 12_000_000)
        self.assertEqual(self.ask("GET", "/readyz")[0], 200)

    def open_connections(self):
        """Established ones at the server's side, but for those that wait to be closed."""
        port = f"{self.server.port:04X}"
        with open("/proc/net/tcp") as table:
            rows = [line.split() for line in table][1:]
        return sum(1 for row in rows if row[1].endswith(":" + port) and row[3] == "01")

    def test_others_are_served_beside_many_slow_ones(self):
        with contextlib.ExitStack() as open_ones:
            for _ in range(200):
                open_ones.enter_context(Raw(self.server.port)).send("GET /livez HTTP/1.1\r\nX: ")
            for _ in range(20):
                self.assertEqual(self.ask("GET", "/api/v1/jobs")[0], 200)

    def test_cuts_event_readers_that_do_not_read(self):
        with Raw(self.server.port, receive_buffer=1 << 16) as raw:
            raw.send(f"GET /api/v1/events HTTP/1.1\r\n{HOST}{self.auth}\r\n")
            until(lambda: self.metric("quell_event_streams") == 1)

            def more():
                self.server.submit_many([{"kind": "noop", "queue": "cut", "delay_s": 1000, "tags": ["x"]}] * 1000)
                return self.metric("quell_event_streams") == 0

            until(more, 120, "the end of a stream whose reader does not read")
            said = raw.rest()
        self.assertIn(b"event: reset", said[-300:])
        self.assertEqual(self.ask("GET", "/readyz")[0], 200)

    def metric(self, name):
        text = self.server.call("GET", "/metrics")[1]
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))

    # ---- limits: at, and one over ----

    def test_holds_each_limit_exactly(self):
        job = {"kind": "noop", "delay_s": 1000}
        limits = self.server.call("GET", "/api/v1/system")[1]["limits"]
        bulk = {"job_ids": ["0198c2c0-0000-7000-8000-000000000001"]}

        def submit(extra):
            return self.ask("POST", "/api/v1/jobs", {**job, **extra})

        fill = lambda size, target: "x" * (size - len(target))  # noqa: E731
        at = "/api/v1/jobs?tag="
        depth = limits["json_depth"]
        cases = {
            "body": lambda over: self.body_of("/api/v1/jobs", job, limits["body_bytes"] + over),
            "bulk body": lambda over: self.body_of("/api/v1/jobs/bulk-delete", bulk, limits["bulk_body_bytes"] + over),
            "uri": lambda over: self.ask("GET", at + fill(limits["uri_bytes"] + over, at)),
            "header": lambda over: self.header_of(limits["header_bytes"] + over),
            "depth": lambda over: submit({"args": nested(depth - 1 + over)}),
            "args": lambda over: submit({"args": {"a": "x" * (limits["args_bytes"] - len('{"a": ""}') + over)}}),
            "tags": lambda over: submit({"tags": ["t"] * (limits["tags"] + over)}),
            "tag": lambda over: submit({"tags": ["t" * (128 + over)]}),
            "queue": lambda over: submit({"queue": "q" * (128 + over)}),
            "unique key": lambda over: submit({"unique_key": "u" * (255 + over)}),
            "priority": lambda over: submit({"priority": 9 + over}),
            "attempts": lambda over: submit({"max_attempts": 1000 + over}),
            "webhook": lambda over: submit({"webhook": "http://a/" + "w" * (2048 - 9 + over)}),
            "ids": lambda over: self.ask("POST", "/api/v1/jobs/bulk-delete", {"job_ids": bulk["job_ids"] * (limits["delete_ids"] + over)}),
            "jobs": lambda over: self.ask("POST", "/api/v1/jobs/bulk-submit", {"jobs": [job] * (limits["submit_jobs"] + over)}),
            "reason": lambda over: self.ask("POST", "/api/v1/jobs/bulk-delete", {**bulk, "reason": "r" * (1024 + over)}),
            "wait": lambda over: self.ask("POST", "/api/v1/jobs/bulk-delete", {**bulk, "wait": 30 + over}),
            "grace": lambda over: self.ask("POST", "/api/v1/jobs/bulk-delete", {**bulk, "grace_ms": 60_000 + over}),
            "key": lambda over: self.ask("POST", "/api/v1/jobs", job, headers={"Idempotency-Key": "k" * (255 + over)}),
            "log page": lambda over: self.ask("GET", f"/api/v1/audit?limit={1000 + over}"),
            "capacity": lambda over: self.ask("PATCH", "/api/v1/pools/default", {"capacity": 1_000_000 + over}),
            "token name": lambda over: self.ask("POST", "/api/v1/tokens", {"name": "n" * (128 + over), "role": "viewer"}),
            "secret": lambda over: self.ask("PUT", "/api/v1/secrets/s", {"value": "v" * (65_536 + over), "hosts": ["a.example"]}),
            "hosts": lambda over: self.ask("PUT", "/api/v1/secrets/s", {"value": "v", "hosts": ["a.example"] * (100 + over)}),
        }
        want = {"body": "body-too-large", "bulk body": "body-too-large", "uri": "uri-too-long", "header": "headers-too-large",
                "depth": "invalid-json", "ids": "too-many-ids", "jobs": "body-too-large"}
        for name, case in cases.items():
            with self.subTest(name):
                status, code = case(0)
                self.assertIn(status, (200, 201), (name, code))
                status, code = case(1)
                self.assertEqual(code, want.get(name, "invalid-field"), name)
        self.ask("PATCH", "/api/v1/pools/default", {"capacity": 4})

    def body_of(self, path, body, size):
        """The server may answer, and close, before all of it is sent."""
        text = json.dumps(body)
        with Raw(self.server.port) as raw:
            raw.send(f"POST {path} HTTP/1.1\r\n{HOST}{self.auth}Content-Type: application/json\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n")
            said = raw.send(text + " " * (size - len(text))).rest()
        return int(said.split()[1]), json.loads(said.split(b"\r\n\r\n", 1)[1]).get("code", "")

    def header_of(self, size):
        head = f"GET /api/v1/pools HTTP/1.1\r\n{HOST}{self.auth}Connection: close\r\nX: "
        with Raw(self.server.port) as raw:
            said = raw.send(head + "x" * (size - len(head) - 4) + "\r\n\r\n").rest()
        return int(said.split()[1]), json.loads(said.split(b"\r\n\r\n", 1)[1]).get("code", "")

    def test_gives_at_most_a_page(self):
        self.server.submit_many([{"kind": "noop", "queue": "page", "delay_s": 1000}] * 501)
        for asked, given in ((1, 1), (500, 500), (501, 500), (1_000_000, 500), (0, 50)):
            reply = self.server.call("GET", f"/api/v1/jobs?queue=page&page_size={asked}&fields=job_id")[1]
            self.assertEqual(len(reply["jobs"]), given)

    # ---- the log and the trace ----

    def test_no_text_from_outside_begins_a_line_of_the_log(self):
        evil = "%22%7D%5Cn%7B%22level%22:%22error%22"
        for target in (f"/api/v1/jobs/{evil}", f"/{evil}", "/%0a%0dx", "/%1b[2J", "/a%00b", "/%E2%80%A8x"):
            self.server.exchange("GET", target, headers={"X-Request-Id": "a\x1bb", "User-Agent": "x\ty"})
        self.server.exchange("GET", "/marker-of-the-end")
        until(lambda: "marker-of-the-end" in self.server.log_text())
        lines = self.server.log_text().splitlines()
        self.assertGreater(len(lines), 6)
        for line in lines:
            said = json.loads(line)
            self.assertNotEqual(said["level"], "error", line)
            self.assertTrue(line.isprintable(), line)
        self.assertNotIn(self.server.token[24:], self.server.log_text())

    def test_a_trace_goes_with_the_job_to_whom_it_calls(self):
        heard = []

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                heard.append(self.headers.get("traceparent"))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        receiver = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        server = Server("--outbound-allow", "127.0.0.1/32").start()
        try:
            trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            args = {"url": f"http://127.0.0.1:{receiver.server_port}/"}
            for sent, passed in ((trace, trace), ("nonsense", None), ("00-" + "0" * 32 + trace[35:], None), (None, None)):
                job = server.call("POST", "/api/v1/jobs", {"kind": "http", "args": args}, headers={"traceparent": sent} if sent else {})[1]
                ended = server.call("GET", f"/api/v1/jobs/{job['job_id']}?wait_for=final&timeout=60")[1]
                self.assertEqual(ended["status"], "succeeded", ended)
                self.assertEqual(ended["trace_id"], trace[3:35] if passed else None)
                self.assertEqual(heard.pop(), passed)
        finally:
            server.remove()
            receiver.shutdown()
            receiver.server_close()


def nested(depth):
    value = 1
    for _ in range(depth):
        value = {"a": value}
    return value


if __name__ == "__main__":
    unittest.main()
