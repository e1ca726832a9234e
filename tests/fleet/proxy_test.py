"""The faults of the proxy are what they say: else a run under faults is a run without."""
import socket
import threading
import time
import unittest

from product import until
from proxy import Proxy


class Echo:
    """Sends back what it is sent, and keeps it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.heard = b""
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            while data := sock.recv(65536):
                self.heard += data
                sock.sendall(data)
        except OSError:
            pass
        sock.close()


class Faults(unittest.TestCase):
    def setUp(self):
        self.echo, self.proxy = Echo(), Proxy()
        self.link = self.proxy.link("one", self.echo.address)
        self.sock = self.connect()

    def tearDown(self):
        self.sock.close()
        self.proxy.stop()
        self.echo.listener.close()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.link.port), timeout=30)

    def says(self, data):
        self.sock.sendall(data)

    def hears(self, data):
        got = b""
        while len(got) < len(data):
            piece = self.sock.recv(len(data) - len(got))
            self.assertTrue(piece, "the connection ended")
            got += piece
        self.assertEqual(got, data)

    def silent(self):
        self.sock.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            self.sock.recv(1)
        self.sock.settimeout(30)

    def is_reset(self):
        with self.assertRaises(ConnectionResetError):
            while self.sock.recv(65536):
                pass
            raise AssertionError("it ended in order")

    def test_passes_what_it_is_given(self):
        self.says(b"hello")
        self.hears(b"hello")

    def test_holds_bytes_and_connects_until_it_heals(self):
        self.says(b"a")
        self.hears(b"a")
        self.link.do(up="hold", down="hold")
        self.says(b"b")
        late = self.connect()
        late.sendall(b"c")
        self.silent()
        self.assertEqual(self.echo.heard, b"a")
        self.link.heal()
        self.hears(b"b")
        self.assertEqual(late.recv(1), b"c")
        late.close()

    def test_holds_one_way_alone(self):
        self.says(b"a")
        self.hears(b"a")
        self.link.do(down="hold")
        self.says(b"b")
        until(lambda: self.echo.heard == b"ab")
        self.silent()
        self.link.heal()
        self.hears(b"b")

    def test_drops_bytes_and_then_the_connection(self):
        self.says(b"a")
        self.hears(b"a")
        self.link.do(up="drop", down="drop")
        self.says(b"b")
        self.silent()
        self.link.heal()
        self.is_reset()
        self.assertEqual(self.echo.heard, b"a")

    def test_cuts_after_so_many_bytes(self):
        self.link.do(cut=("up", 3))
        self.says(b"abcdef")
        until(lambda: self.echo.heard == b"abc")
        self.is_reset()

    def test_answers_a_commit_late(self):
        self.link.do(late=(0.2, 0.3))
        began = time.monotonic()
        self.says(b"other")
        self.hears(b"other")
        self.assertLess(time.monotonic() - began, 0.2)
        self.says(b"COMMIT\0")
        self.hears(b"COMMIT\0")
        self.assertGreater(time.monotonic() - began, 0.2)

    def test_swallows_the_reply_to_a_commit_that_has_arrived(self):
        self.link.do(commit=1)
        self.says(b"SELECT\0")
        self.hears(b"SELECT\0")
        self.says(b"COMMIT\0")
        until(lambda: self.echo.heard == b"SELECT\0COMMIT\0")
        self.is_reset()
        self.sock = self.connect()
        self.says(b"COMMIT\0")
        self.hears(b"COMMIT\0")

    def test_resets_what_is_open_and_takes_new_connections(self):
        self.says(b"a")
        self.hears(b"a")
        self.link.do(reset=True)
        self.is_reset()
        self.sock = self.connect()
        self.says(b"b")
        self.hears(b"b")


if __name__ == "__main__":
    unittest.main()
