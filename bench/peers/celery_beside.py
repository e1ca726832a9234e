"""Celery's prefork and eventlet workers and quell, in one run, on the same unchanged tasks: how many a second at 2 and 20
slots, how much memory a slot takes, and what deleting 20 that spin and 80 behind them takes.
   celery_beside.py   (PEER_REDIS names the broker, PRODUCT_BINARY the quell)"""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import redis

HERE = pathlib.Path(__file__).parent
QUICK = os.environ.get("PEER_QUICK") == "1"
BINARY = os.environ.get("PRODUCT_BINARY", str(HERE.parents[1] / "build/release/bin/quell"))
CORES = os.cpu_count()
MACHINE = {"cores": CORES, "load": os.getloadavg()[0]}
TASKS = '''
import os, time
from celery import Celery
app = Celery("beside", broker=os.environ["BESIDE"], backend=os.environ["BESIDE"])
app.conf.update(worker_prefetch_multiplier=1, worker_hijack_root_logger=False, task_ignore_result=True)

@app.task
def work(seconds):
    time.sleep(seconds)

@app.task
def spin(path):
    with open(path, "a") as notes:
        notes.write(f"{os.getpid()}\\n")
    while True:
        pass

@app.task
def sign(path):
    with open(path, "a") as notes:
        notes.write(f"{time.monotonic()}\\n")
'''
folder = tempfile.mkdtemp(prefix="quell-beside-")


def figure(system, name, samples, unit, better):
    values = sorted(samples if isinstance(samples, list) else [samples])
    middle = values[len(values) // 2]
    print(f"{'beside ' + system:<24} {name:<44} {middle:12.2f} {unit}  {values[0]:.2f}..{values[-1]:.2f} n {len(values)}")
    print(json.dumps({"bench": "beside", "store": system, "figure": name, "unit": unit, "better": better, "median": middle,
                      "min": values[0], "max": values[-1], "n": len(values), "quick": QUICK, "peer": system != "quell",
                      "commit": os.environ.get("BENCH_COMMIT", ""), "machine": MACHINE}), flush=True)


def until(holds, seconds=120):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("it did not come")
        time.sleep(0.002)


def lines(name):
    path = os.path.join(folder, name)
    return open(path).read().split() if os.path.exists(path) else []


def memory_of(pid):
    """What all processes of a tree have for themselves, in MB: shared pages are counted by their share."""
    total, left = 0, [pid]
    while left:
        one = left.pop()
        try:
            left += [int(word) for word in open(f"/proc/{one}/task/{one}/children").read().split()]
            total += next(int(line.split()[1]) for line in open(f"/proc/{one}/smaps_rollup") if line.startswith("Pss:"))
        except (OSError, StopIteration):
            pass
    return total / 1024


class Peer:
    def __init__(self, pool, slots):
        self.system, self.url, self.slots = "celery-" + pool, os.environ["PEER_REDIS"], slots
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "beside:app", "worker", "-P", pool, "-c", str(slots), "-l", "ERROR",
             "--without-gossip", "--without-mingle", "--without-heartbeat"], cwd=folder,
            env={**os.environ, "BESIDE": self.url, "C_FORCE_ROOT": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        redis.Redis.from_url(self.url).flushall()


class Quell:
    system = "quell"

    def __init__(self, slots):
        self.slots, self.data = slots, tempfile.mkdtemp(prefix="quell-beside-data-")
        ports = random.sample(range(10_000, 32_000), 2)
        user = ["--exec-user", "nobody"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data-dir", self.data, "--listen", f"127.0.0.1:{ports[0]}", "--celery", "beside:app",
             "--celery-dir", folder, "--celery-listen", f"127.0.0.1:{ports[1]}", "--pool", f"default={slots}", *user],
            env={**os.environ, "BESIDE": "redis://localhost:1/0"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: os.path.exists(self.data + "/admin.token"))
        self.token, self.api = open(self.data + "/admin.token").read().strip(), f"http://127.0.0.1:{ports[0]}"
        self.url = f"redis://default:{self.token}@127.0.0.1:{ports[1]}/0"
        until(lambda: self.answers(ports[1]))

    def answers(self, port):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return urllib.request.urlopen(self.api + "/readyz", timeout=5).status == 200
        except OSError:
            return False

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.api + path, json.dumps(body).encode() if body else None, method=method,
                                         headers={"Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        return json.loads(urllib.request.urlopen(request, timeout=120).read())

    def jobs(self):
        return [job["job_id"] for job in self.call("GET", "/api/v1/jobs?kind=celery&page_size=200")["jobs"]]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.data, ignore_errors=True)


PRODUCE = '''
import sys, beside
with beside.app.producer_pool.acquire(block=True) as producer:
    for word in sys.argv[1:]:
        name, count, argument = word.split("=", 2)
        for _ in range(int(count)):
            getattr(beside, name).apply_async((float(argument) if name == "work" else argument,), producer=producer)
'''


def send(url, *words):
    subprocess.run([sys.executable, "-c", PRODUCE, *words], cwd=folder, env={**os.environ, "BESIDE": url}, check=True)


def note(name):
    path = os.path.join(folder, name)
    open(path, "w").close()
    os.chmod(path, 0o666)
    return path


def throughput(peer, seconds, count):
    """From the first sign to the last, with all slots free in between; the queue is taken in its order."""
    signs = note(f"signs-{random.random()}")
    send(peer.url, f"sign=1={signs}")
    until(lambda: len(lines(os.path.basename(signs))) == 1)
    begun = time.monotonic()
    send(peer.url, f"work={count}={seconds}", f"sign=1={signs}")
    until(lambda: len(lines(os.path.basename(signs))) == 2, 600)
    return count / (time.monotonic() - begun)


def measure(make):
    for slots in (2, 20):
        peer = make(slots)
        try:
            throughput(peer, 0, 20)  # warm
            for seconds in (0, 0.05, 0.2):
                count = (40 if QUICK else 200) if seconds < 0.2 or slots > 2 else (20 if QUICK else 60)
                rates = [throughput(peer, seconds, count) for _ in range(1 if QUICK else 3)]
                figure(peer.system, f"tasks of {seconds * 1000:.0f} ms, {slots} slots", rates, "tasks/s", "higher")
            idle = memory_of(peer.process.pid)
            send(peer.url, f"work={slots}=8")
            time.sleep(4)
            busy = memory_of(peer.process.pid)
            figure(peer.system, f"memory at {slots} slots", busy, "MB", "lower")
            figure(peer.system, f"memory of a busy slot, of {slots}", (busy - (idle if peer.system == "quell" else 0)) / slots,
                   "MB", "lower")
        finally:
            peer.close()


def alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def deletes():
    """20 that spin and 80 behind them, one call; all are looked at when the reply is there."""
    peer, took, left, orphans = Quell(20), [], 0, 0
    try:
        for _ in range(3 if QUICK else 9):
            pids = note(f"pids-{random.random()}")
            name = os.path.basename(pids)
            send(peer.url, f"spin=100={pids}")
            until(lambda: len(lines(name)) >= 20 and len(peer.jobs()) == 100)
            ids = peer.jobs()
            begun = time.monotonic()
            reply = peer.call("POST", "/api/v1/jobs/bulk-delete", {"job_ids": ids})
            took.append((time.monotonic() - begun) * 1e3)
            left += sum(alive(int(pid)) for pid in lines(name))
            time.sleep(0.5)
            orphans += len(lines(name)) - 20
            assert reply["counts"]["deleted"] == 100 and reply["counts"]["unproven"] == 0, reply
        figure("quell", "20 spin, 80 wait: delete", took, "ms", "lower")
        figure("quell", "20 spin, 80 wait: alive at the reply", left, "processes", "lower")
        figure("quell", "20 spin, 80 wait: orphan starts", orphans, "jobs", "lower")
    finally:
        peer.close()


def revokes(pool):
    """The same with what Celery has: revoke(terminate=True) of each, and how long until no process of theirs lives."""
    peer = Peer(pool, 20)
    try:
        pids = note(f"pids-{random.random()}")
        name = os.path.basename(pids)
        send(peer.url, "sign=1=" + note("up"))
        until(lambda: lines("up"))
        script = ("import sys, beside; ids = [beside.spin.apply_async((sys.argv[1],)).id for _ in range(100)]; "
                  "sys.stdin.readline(); beside.app.control.revoke(ids, terminate=True, signal='SIGKILL')")
        producer = subprocess.Popen([sys.executable, "-c", script, pids], cwd=folder, env={**os.environ, "BESIDE": peer.url},
                                    stdin=subprocess.PIPE, text=True)
        running = 20 if pool == "prefork" else 1  # of green threads that never yield one runs
        until(lambda: len(lines(name)) >= running)
        time.sleep(1)
        first, begun = [int(pid) for pid in lines(name)], time.monotonic()
        producer.communicate("\n")
        while any(alive(pid) for pid in first) and time.monotonic() - begun < 20:
            time.sleep(0.002)
        figure(peer.system, "20 spin, 80 wait: until those that ran are dead", (time.monotonic() - begun) * 1e3, "ms", "lower")
        time.sleep(3)
        figure(peer.system, "20 spin, 80 wait: orphan starts", len(lines(name)) - len(first), "jobs", "lower")
    finally:
        if pool == "eventlet":
            peer.process.kill()
        peer.close()


def main():
    os.chmod(folder, 0o777)
    pathlib.Path(folder, "beside.py").write_text(TASKS)
    try:
        deletes()
        revokes("prefork")
        revokes("eventlet")
        measure(Quell)
        measure(lambda slots: Peer("prefork", slots))
        measure(lambda slots: Peer("eventlet", slots))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
