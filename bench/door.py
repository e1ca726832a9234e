"""How fast the door is: wrk with 64 connections against the real server, SQLite with every commit on disk.

    ./dev bench door [--quick] [-- --seconds 10 --connections 64 --slow 500]
"""
import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import figures

BINARY = os.environ.get("PRODUCT_BINARY", str(pathlib.Path(__file__).parents[1] / "build/release/bin/quell"))
JOBS_A_CALL = 1000
quick = "--quick" in sys.argv


def figure(name, value, unit, better):
    figures.figure("door", "sqlite", name, value, unit, better, quick)


class Server:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="quell-bench-door-")
        self.process = subprocess.Popen([BINARY, "serve", "--data-dir", self.dir, "--listen", "127.0.0.1:0"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        url = os.path.join(self.dir, "server.url")
        while not os.path.exists(url):
            if self.process.poll() is not None:
                sys.exit(f"bench: the server exited with {self.process.returncode}")
            time.sleep(0.01)
        self.url = open(url).read().strip()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.token = open(os.path.join(self.dir, "admin.token")).read().strip()

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        reply = connection.getresponse()
        value = json.loads(reply.read())
        connection.close()
        if reply.status >= 300:
            sys.exit(f"bench: {method} {path}: {value}")
        return value

    def wrk(self, path, seconds, connections, body=None):
        """(requests a second, p99 in ms) of one run; ends the bench when anything was refused."""
        lines = [f'wrk.headers["Authorization"] = "Bearer {self.token}"']
        if body is not None:
            with open(os.path.join(self.dir, "body.json"), "w") as file:
                json.dump(body, file)
            lines += ['wrk.method = "POST"', 'wrk.headers["Content-Type"] = "application/json"',
                      f'wrk.body = io.open("{self.dir}/body.json"):read("*a")']
        script = os.path.join(self.dir, "wrk.lua")
        with open(script, "w") as file:
            file.write("\n".join(lines) + "\n")
        run = subprocess.run(["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", script, self.url + path],
                             capture_output=True, text=True)
        said = run.stdout
        if "Non-2xx" in said or run.returncode != 0:
            sys.exit("bench: wrk was refused\n" + said + run.stderr)
        amount, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
        return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)), float(amount) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

    def remove(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class SlowClients:
    """Connections that send a byte of a head now and then, and come again when they are cut off."""

    def __init__(self, port, count):
        self.port, self.done, self.open = port, threading.Event(), 0
        self.sockets = [self.connect() for _ in range(count)]
        self.thread = threading.Thread(target=self.drip)
        self.thread.start()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.sendall(b"GET /api/v1/jobs HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        return connection

    def drip(self):
        while not self.done.wait(1):
            for at, connection in enumerate(self.sockets):
                try:
                    connection.sendall(b"x")
                except OSError:
                    connection.close()
                    self.sockets[at] = self.connect()

    def end(self):
        self.done.set()
        self.thread.join()
        for connection in self.sockets:
            connection.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    options.add_argument("--seconds", type=int, default=1 if quick else 10)
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--slow", type=int, default=500)
    asked = options.parse_args()
    server = Server()
    try:
        server.call("POST", "/api/v1/queues/bench/pause", {})  # what is measured is the door, not the jobs
        job = {"kind": "noop", "queue": "bench"}
        one = server.call("POST", "/api/v1/jobs", job)["job_id"]
        path = f"/api/v1/jobs/{one}"
        rate, p99 = server.wrk(path, asked.seconds, asked.connections)
        figure("get_job", rate, "1/s", "higher")
        figure("get_job_p99", p99, "ms", "lower")
        slow = SlowClients(server.port, asked.slow)
        try:
            slow_rate, slow_p99 = server.wrk(path, asked.seconds, asked.connections)
        finally:
            slow.end()
        figure("get_job_beside_slow", slow_rate, "1/s", "higher")
        figure("get_job_beside_slow_p99", slow_p99, "ms", "lower")
        figure("slow_clients_p99_ratio", slow_p99 / p99, "x", "lower")
        rate, p99 = server.wrk("/api/v1/jobs", asked.seconds, asked.connections, job)
        figure("submit_job", rate, "1/s", "higher")
        figure("submit_job_p99", p99, "ms", "lower")
        rate, p99 = server.wrk("/api/v1/jobs/bulk-submit", asked.seconds, 4, {"jobs": [job] * JOBS_A_CALL})
        figure("bulk_submit_jobs", rate * JOBS_A_CALL, "1/s", "higher")
    finally:
        server.remove()


if __name__ == "__main__":
    main()
