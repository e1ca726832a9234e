"""Celery + Redis: drain, io, pick-up, enqueue, exhaust. One JSON line a figure, like our own programs.
   celery_run.py eventlet|prefork   (PEER_REDIS names the broker)"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import redis

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
POOL = sys.argv[1] if len(sys.argv) > 1 else "eventlet"
SLOTS = {"eventlet": 1000, "prefork": 2}[POOL]


def figure(name, value, unit):
    print(f"{'celery-' + POOL:<28} {name:<28} {value:14.3f} {unit}")
    print(json.dumps({"bench": "celery-" + POOL, "figure": name, "value": value, "unit": unit}), flush=True)


def worker(slots, prefetch=1):
    return subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-P", POOL, "-c", str(slots), "-l", "ERROR",
         "--without-gossip", "--without-mingle", "--without-heartbeat"],
        cwd=HERE, env={**os.environ, "PEER_PREFETCH": str(prefetch)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main():
    import celery_app as tasks

    broker = redis.Redis.from_url(os.environ["PEER_REDIS"])
    depth = lambda: broker.llen("celery")

    def fill(task, args, count):
        start = time.monotonic()
        with tasks.app.producer_pool.acquire(block=True) as producer:
            for _ in range(count):
                task.apply_async(args, producer=producer)
        return count / (time.monotonic() - start)

    broker.flushall()
    count = 5000
    figure("enqueue", fill(tasks.noop, (), count), "jobs/s")
    process = worker(SLOTS, 4)
    while depth() == count:
        time.sleep(0.005)
    start, first = time.monotonic(), depth()
    while depth() > 0:
        time.sleep(0.005)
    figure("noop drain", first / (time.monotonic() - start), "jobs/s")
    end(process)

    broker.flushall()
    jobs = 2000 if POOL == "eventlet" else 20
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "witness")
        fill(tasks.wait, (0.1,), jobs)
        process = worker(SLOTS)
        while depth() == jobs:
            time.sleep(0.002)
        start = time.monotonic()
        while depth() > 0:
            time.sleep(0.002)
        time.sleep(0.1)
        figure(f"io {jobs} x 100 ms", time.monotonic() - start, "s")
        end(process)
        exhaust(broker, tasks, fill, log)


def exhaust(broker, tasks, fill, log):
    """20 running, 80 queued behind a full pool; all 100 revoked with terminate, as an administrator would."""
    broker.flushall()
    ids = [tasks.witness.apply_async((log, 5)).id for _ in range(100)]
    process = worker(20 if POOL == "eventlet" else 2)
    while not os.path.exists(log) or open(log).read().count("start") < (20 if POOL == "eventlet" else 2):
        time.sleep(0.05)
    started = open(log).read().count("start")
    before = time.monotonic()
    tasks.app.control.revoke(ids, terminate=True)
    figure("revoke call", (time.monotonic() - before) * 1e3, "ms")
    time.sleep(1)
    alive_mark = open(log).read().count("alive")
    time.sleep(8)
    text = open(log).read()
    figure("beats of revoked running jobs after 1 s", text.count("alive") - alive_mark, "beats")
    figure("orphan starts after the revoke", text.count("start") - started, "jobs")
    end(process)


if __name__ == "__main__":
    main()
