"""The wire of Redis in a few lines, for tests that speak it as no library would."""
import socket


class Reply(Exception):
    pass


class Wire:
    def __init__(self, port, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    @staticmethod
    def packed(*words):
        out = b"*%d\r\n" % len(words)
        for word in words:
            word = word if isinstance(word, bytes) else str(word).encode()
            out += b"$%d\r\n%s\r\n" % (len(word), word)
        return out

    def send(self, *words):
        self.socket.sendall(self.packed(*words))

    def read(self):
        line = self.file.readline()
        if not line:
            raise EOFError("the door has closed")
        mark, rest = line[:1], line[1:].rstrip(b"\r\n")
        if mark == b"+":
            return rest.decode()
        if mark == b"-":
            return Reply(rest.decode())
        if mark == b":":
            return int(rest)
        if mark == b"_":
            return None
        if mark == b"$":
            if int(rest) < 0:
                return None
            return self.file.read(int(rest) + 2)[:-2].decode(errors="replace")
        if mark in (b"*", b">", b"~"):
            return None if int(rest) < 0 else [self.read() for _ in range(int(rest))]
        if mark == b"%":
            return {self.read(): self.read() for _ in range(int(rest))}
        raise ValueError(line)

    def call(self, *words):
        self.send(*words)
        return self.read()

    def has_ended(self):
        try:
            while self.file.read(65536):
                pass
            return True
        except (ConnectionResetError, BrokenPipeError):
            return True
        except (TimeoutError, socket.timeout):
            return False
