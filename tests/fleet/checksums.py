"""What was put into a job and what came out of it, told by checksums: an answer to "corrupted?" over every job of a soak.

The receiver answers each call with the SHA-256 of what it was sent; so the result that belongs to a job is known from its args."""
import hashlib
import http.server
import json
import threading


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Receiver:
    """Says what it was sent, as a checksum."""

    def __init__(self):
        class Answer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                said = hashlib.sha256(body).hexdigest().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def called(url, text):
    """A job whose result is the checksum of its args."""
    return {"kind": "http", "args": {"method": "POST", "url": url, "body": text}}


def kept(text):
    """A job that only carries something."""
    return {"kind": "noop", "args": {"text": text}}


class Checksums:
    """Of every job that was acknowledged: what it must be."""

    def __init__(self):
        self.args, self.results = {}, {}
        self.checked, self.corrupted = 0, []

    def note(self, job_id, job):
        self.args[job_id] = digest(json.dumps(job["args"], sort_keys=True))
        if job["kind"] == "http":
            self.results[job_id] = digest(job["args"]["body"])

    def forget(self, job_id):
        self.args.pop(job_id, None)
        self.results.pop(job_id, None)

    def check(self, job_id, view):
        """False, and kept in `corrupted`, when a job is not what it was."""
        self.checked += 1
        wrong = []
        if digest(json.dumps(view["args"], sort_keys=True)) != self.args[job_id]:
            wrong.append("args")
        if view["status"] == "succeeded" and job_id in self.results:
            if (view.get("result") or {}).get("body") != self.results[job_id]:
                wrong.append("result")
        if wrong:
            self.corrupted.append((job_id, wrong))
        return not wrong
