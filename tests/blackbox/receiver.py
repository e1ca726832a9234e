"""Servers that outlive what they are asked by: they write down who connected, what came, and when it ended."""
import json
import selectors
import socket
import threading
import time


class SlowServer:
    """Answers each request with a head at once and then one byte of body each `period`, for ever. Records, per connection,
    the request and the moment the other side closed; `sent_after` counts what arrived from a peer later than a mark."""

    def __init__(self, period=0.05):
        self.period = period
        self.lock = threading.Lock()
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.stopping = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def url(self, path="/slow"):
        return f"http://127.0.0.1:{self.port}{path}"

    def run(self):
        selector = selectors.DefaultSelector()
        self.listener.setblocking(False)
        selector.register(self.listener, selectors.EVENT_READ)
        next_drip = time.monotonic()
        while not self.stopping:
            for key, _ in selector.select(timeout=0.005):
                if key.fileobj is self.listener:
                    self.accept(selector)
                else:
                    self.receive(selector, key.data)
            self.after_pass(selector)
            if time.monotonic() >= next_drip:
                next_drip = time.monotonic() + self.period
                self.drip()

    def after_pass(self, selector):
        """For heirs: everything that was ready has been read."""

    def noted(self, what, connection):
        """For heirs: `accepted`, `bytes` or `closed` has just happened to the connection."""

    def accept(self, selector):
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        connection = {"sock": sock, "accepted": time.monotonic(), "request": b"", "headed": False, "closed": None,
                      "last_byte": None}
        with self.lock:
            self.connections.append(connection)
        self.noted("accepted", connection)
        selector.register(sock, selectors.EVENT_READ, connection)

    def receive(self, selector, connection):
        try:
            data = connection["sock"].recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        with self.lock:
            if data:
                connection["request"] += data
                connection["last_byte"] = time.monotonic()
            else:
                connection["closed"] = time.monotonic()
        self.noted("bytes" if data else "closed", connection)
        if not data:
            selector.unregister(connection["sock"])
            connection["sock"].close()
        elif not connection["headed"] and b"\r\n\r\n" in connection["request"]:
            connection["headed"] = True
            try:
                self.answer(connection)
            except OSError:
                pass  # it was reset meanwhile: the next read says so, and the others are still served

    def answer(self, connection):
        connection["sock"].send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000000\r\n\r\n")

    def drip(self):
        with self.lock:
            live = [c for c in self.connections if c["headed"] and c["closed"] is None]
        for connection in live:
            try:
                connection["sock"].send(b"x")
            except OSError:
                pass

    def open_count(self):
        with self.lock:
            return sum(1 for c in self.connections if c["headed"] and c["closed"] is None)

    def accepted_after(self, moment):
        with self.lock:
            return sum(1 for c in self.connections if c["accepted"] > moment)

    def bytes_after(self, moment):
        with self.lock:
            return sum(1 for c in self.connections if c["last_byte"] and c["last_byte"] > moment)

    def closed_times(self):
        with self.lock:
            return [c["closed"] for c in self.connections]

    def requests(self):
        with self.lock:
            return [c["request"] for c in self.connections]

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.listener.close()
        for connection in self.connections:
            connection["sock"].close()
