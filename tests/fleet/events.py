"""Listens to the events of one node, and writes down what it is told of which job.

Whoever has read a reply of that node calls `settle` before making its mark: what the node said before the reply lies in the
socket by then, so that an event written down behind the mark was said after the reply."""
import json
import socket
import threading


class EventWatch(threading.Thread):
    def __init__(self, history, node, node_name):
        super().__init__(daemon=True)
        self.history, self.node, self.node_name = history, node, node_name
        self.lock = threading.Lock()
        self.sock, self.rest, self.headed = None, b"", False
        self.name = None  # of the event whose lines are coming
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            if self.sock is None and not self.connect():
                self.stopping.wait(0.3)
            elif not self.take():
                self.stopping.wait(0.02)

    def connect(self):
        try:
            sock = socket.create_connection(("127.0.0.1", self.node.port), timeout=2)
            sock.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.node.token}\r\n\r\n".encode())
            sock.setblocking(False)
        except OSError:
            return False
        with self.lock:
            self.sock, self.rest, self.headed, self.name = sock, b"", False, None
        return True

    def take(self):
        """Reads what is there; False when nothing was."""
        with self.lock:
            if self.sock is None:
                return False
            try:
                data = self.sock.recv(1 << 16)
            except BlockingIOError:
                return False
            except OSError:
                data = b""
            *lines, self.rest = (self.rest + data).split(b"\n")
            refused = lines and not self.headed and b" 200 " not in lines[0]
            self.headed = self.headed or bool(lines)
            if not data or refused:
                self.sock.close()
                self.sock = None
                return False
            for line in lines:
                if line.startswith(b"event:"):
                    self.name = line[6:].strip().decode()
                elif line.startswith(b"data:") and self.name:
                    self.told(self.name, line[5:])
        return True

    def told(self, name, data):
        try:
            job = json.loads(data).get("job_id")
        except (ValueError, AttributeError):
            return
        if job:
            self.history.note("event", node=self.node_name, name=name, job=job)

    def settle(self):
        while self.take():
            pass

    def stop(self):
        self.stopping.set()
        self.join()
