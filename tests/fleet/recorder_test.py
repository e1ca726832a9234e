"""From a real socket to the verdict: what the receiver writes down is enough to tell before from after."""
import select
import socket
import struct
import time
import unittest

import checker
from checker_test import CALL, JOB, OTHER, Story, counts
from history import History
from recorder import Recorder

REQUEST = f"GET /slow/{JOB} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


class FromTheSocketToTheVerdict(unittest.TestCase):
    def setUp(self):
        self.history = History()
        self.recorder = Recorder(self.history)
        self.history.note("submit", op=1, type="ok", jobs=[JOB])
        self.history.note("delete", op=2, type="invoke", jobs=[JOB])

    def tearDown(self):
        self.recorder.stop()

    def connect(self, request=REQUEST):
        sock = socket.create_connection(("127.0.0.1", self.recorder.port), timeout=30)
        if request:
            sock.sendall(request)
            if request == REQUEST:
                self.assertIn(b"200 OK", sock.recv(4096))
        return sock

    def call_at_the_wall(self):
        """A call of which a part lies in this socket's own kernel buffer: more than the other side takes."""
        sock = self.connect(request=b"")
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        left = f"POST /wall/{JOB} HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n".encode() + b"w" * 400_000
        deadline = time.monotonic() + 30
        while left and time.monotonic() < deadline:
            try:
                left = left[sock.send(left):]
            except BlockingIOError:
                select.select([], [sock], [], 0.1)
        self.assertEqual(left, b"", "the kernel did not take it all")
        return sock

    def reply(self):
        """As a client does: the reply has been read, then the mark is made, then the reply is written down."""
        self.recorder.mark(2, gone=[JOB])
        self.history.note("delete", op=2, type="ok", status=200, delete_id=CALL, counts=counts(),
                          outcomes={JOB: {"outcome": "deleted", "verdict": "stopped", "was": "running"}})

    def kinds(self):
        self.recorder.mark(99)  # all that was done is written down
        final = Story().final
        final["jobs"].pop(OTHER)
        return sorted({kind for kind, _, _ in checker.check(self.history.events, final).violations})

    def test_a_connection_closed_before_the_reply_is_silence(self):
        for _ in range(50):
            self.connect().close()
        self.reply()
        self.assertEqual(self.kinds(), [])

    def test_a_connection_that_nobody_had_time_to_accept_before_the_reply_is_silence_too(self):
        rest = [self.connect(request=b"") for _ in range(200)]
        for sock in rest:
            sock.sendall(REQUEST)
            sock.close()
        self.reply()
        self.assertEqual(self.kinds(), [])

    def test_a_connection_made_after_the_reply_is_an_effect(self):
        self.connect().close()
        self.reply()
        self.connect().close()
        self.assertEqual(self.kinds(), ["effect_after"])

    def test_a_connection_left_open_is_found(self):
        sock = self.connect()
        self.reply()
        self.assertEqual(self.kinds(), ["open_after"])
        sock.close()

    def test_an_orphaned_socket_that_brings_its_rest_after_the_reply_is_found(self):
        self.call_at_the_wall().close()  # the kernel goes on sending for whoever is gone
        self.reply()
        self.assertEqual(self.kinds(), ["bytes_after"])

    def test_a_call_at_the_wall_that_was_reset_before_the_reply_is_silence(self):
        sock = self.call_at_the_wall()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        self.reply()
        self.assertEqual(self.kinds(), [])

    def test_a_call_at_the_wall_that_is_held_is_still_open(self):
        sock = self.call_at_the_wall()
        self.reply()
        self.assertIn("bytes_after", self.kinds())
        sock.close()

    def test_a_webhook_of_before_is_silence_and_one_of_after_is_found(self):
        hook = f"POST /hook/{JOB}?s=0 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        sock = self.connect(request=hook)
        self.assertIn(b"200 OK", sock.recv(4096))
        sock.close()
        self.reply()
        self.assertEqual(self.kinds(), [])
        self.connect(request=hook).close()
        self.assertEqual(self.kinds(), ["webhook_after"])

    def test_bytes_after_the_reply_are_found(self):
        sock = self.connect()
        self.reply()
        sock.sendall(b"more")
        self.assertEqual(self.kinds(), ["bytes_after"])
        sock.close()

    def test_a_request_after_the_reply_on_a_connection_from_before_is_found(self):
        sock = self.connect(request=b"")
        self.reply()
        sock.sendall(REQUEST)
        self.assertIn(b"200 OK", sock.recv(4096))
        self.assertEqual(self.kinds(), ["bytes_after"])
        sock.close()


if __name__ == "__main__":
    unittest.main()
