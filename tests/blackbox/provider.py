"""A provider as jobs meet it: streams words as an OpenAI-compatible server does, or answers steps of a workflow; writes down what
it was asked and what it sent when."""
import collections
import json
import select
import socket
import socketserver
import threading
import time


class Provider:
    def __init__(self, period=0.01):
        self.period = period
        self.lock = threading.Lock()
        self.asked = collections.Counter()  # path -> requests
        self.sent = []                      # the moment of each word that went out
        self.streaming = 0
        self.held = threading.Event()       # set: `/hold…` is answered at once
        provider = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                provider.serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads, allow_reuse_address, request_queue_size = True, True, 512

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self, sock):
        head = b""
        while b"\r\n\r\n" not in head:
            more = sock.recv(65536)
            if not more:
                return
            head += more
        path = head.split(b" ")[1].decode()
        with self.lock:
            self.asked[path] += 1
        if path.endswith("/chat/completions"):
            return self.stream(sock)
        if path.startswith("/hold"):
            while not self.held.is_set():
                if is_closed(sock, 0.02):
                    return
        body = json.dumps({"path": path}).encode()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                     % (len(body), body))

    def stream(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        event = b'data: {"choices":[{"delta":{"content":"tok "}}]}\n\n'
        chunk = b"%x\r\n%s\r\n" % (len(event), event)
        with self.lock:
            self.streaming += 1
        try:
            # What the other side has closed is known before a word is sent to it: then none is.
            while not is_closed(sock, self.period):
                sock.sendall(chunk)
                with self.lock:
                    self.sent.append(time.monotonic())
        except OSError:
            pass
        finally:
            with self.lock:
                self.streaming -= 1

    def stop(self):
        self.held.set()
        self.server.shutdown()
        self.server.server_close()


def is_closed(sock, within):
    readable, _, _ = select.select([sock], [], [], within)
    try:
        return bool(readable) and not sock.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
