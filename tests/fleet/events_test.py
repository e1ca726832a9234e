"""What a node said before its reply is written down before the mark, and what it says later behind it."""
import socket
import types
import unittest

from events import EventWatch
from history import History
from product import until

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


class Node:
    """Takes one listener after another."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))

    def accept(self, head=HEAD):
        sock, _ = self.listener.accept()
        sock.recv(4096)
        sock.sendall(head)
        return sock


def event(name, job):
    return f'id: 1.2\nevent: {name}\ndata: {{"type":"{name}","job_id":"{job}"}}\n\n'.encode()


class Watch(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.history = History()
        port = self.node.listener.getsockname()[1]
        self.watch = EventWatch(self.history, types.SimpleNamespace(port=port, token="t"), "server")

    def tearDown(self):
        self.node.listener.close()

    def told(self):
        return [(one["name"], one["job"]) for one in self.history.events]

    def test_writes_down_all_that_was_said_before_it_settles(self):
        self.assertTrue(self.watch.connect())
        sock = self.node.accept()
        for number in range(500):
            sock.sendall(event("job.progress", f"j{number}"))
        self.watch.settle()
        self.assertEqual(self.told(), [("job.progress", f"j{number}") for number in range(500)])
        sock.sendall(event("job.progress", "late"))
        self.watch.settle()
        self.assertEqual(self.told()[-1], ("job.progress", "late"))
        sock.close()

    def test_puts_an_event_together_that_comes_in_pieces_and_passes_over_what_names_no_job(self):
        self.assertTrue(self.watch.connect())
        sock = self.node.accept()
        text = b": keep-alive\n\nevent: pool.updated\ndata: {}\n\n" + event("job.started", "a")
        for at in range(len(text)):
            sock.sendall(text[at:at + 1])
            self.watch.settle()
        self.assertEqual(self.told(), [("job.started", "a")])
        sock.close()

    def test_comes_again_when_it_was_refused_or_cut(self):
        self.watch.start()
        self.node.accept(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        self.node.accept().close()
        sock = self.node.accept()
        sock.sendall(event("job.started", "b"))
        until(lambda: self.told() == [("job.started", "b")])
        self.watch.stop()
        sock.close()


if __name__ == "__main__":
    unittest.main()
