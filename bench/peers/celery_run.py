"""Celery + Redis: drain, io, pick-up, enqueue, and what revoke does to a full pool. The lines are those of our own programs.
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
SYSTEM = "celery-" + POOL
CORES = os.cpu_count()
SLOTS = {"eventlet": 1000, "prefork": CORES}[POOL]
QUICK = os.environ.get("PEER_QUICK") == "1"
CPU = next((line.split(": ", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
MACHINE = {"cores": CORES, "cpu": CPU, "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**9}
tasks = broker = None


def figure(bench, name, samples, unit, better):
    values = sorted(samples if isinstance(samples, list) else [samples])
    middle = values[len(values) // 2]
    spread = f" {values[0]:.3f}..{values[-1]:.3f}, n {len(values)}" if len(values) > 1 else ""
    print(f"{bench + ' ' + SYSTEM:<28} {name:<44} {middle:13.3f} {unit}{spread}")
    print(json.dumps({"bench": bench, "store": SYSTEM, "figure": name, "unit": unit, "better": better, "median": middle,
                      "min": values[0], "max": values[-1], "n": len(values), "quick": QUICK, "peer": True,
                      "commit": os.environ.get("BENCH_COMMIT", ""), "machine": MACHINE}), flush=True)


def size(full, small):
    return small if QUICK else full


class Worker:
    """One worker process; what its documentation asks of it for throughput: no gossip, no mingle, no heartbeat."""

    def __init__(self, slots, prefetch):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-P", POOL, "-c", str(slots), "-l", "ERROR",
             "--without-gossip", "--without-mingle", "--without-heartbeat"],
            cwd=HERE, env={**os.environ, "PEER_PREFETCH": str(prefetch)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        broker.flushall()


def next_sign():
    got = broker.brpop("signs", timeout=120)
    if got is None:
        raise SystemExit("the worker gives no sign of life")
    return float(got[1])


def fill(task, args, count):
    with tasks.app.producer_pool.acquire(block=True) as producer:
        for _ in range(count):
            task.apply_async(args, producer=producer)


def enqueue():
    rates = []
    for _ in range(size(3, 1)):
        count, start = size(3000, 100), time.monotonic()
        fill(tasks.noop, (), count)
        rates.append(count / (time.monotonic() - start))
        broker.flushall()
    figure("enqueue", "one at a time", rates, "jobs/s", "higher")


def between_signs(task, args, count, prefetch):
    """Seconds from the first sign to the last: the queue is taken in its order, and starting Python is nobody's throughput."""
    fill(tasks.sign, (), 1)
    fill(task, args, count)
    fill(tasks.sign, (), 1)
    with Worker(SLOTS, prefetch):
        first = next_sign()
        return next_sign() - first


def drain():
    rates = []
    for _ in range(size(3, 1)):
        count = size(3000 if POOL == "eventlet" else 8000, 200)
        rates.append(count / between_signs(tasks.noop, (), count, 128 if POOL == "prefork" else 4))
    figure("drain", "noop drain", rates, "jobs/s", "higher")


def io():
    """All tasks have ended when the queue is empty and the last wait is over."""
    count, wait = (size(2000, 200), 0.1) if POOL == "eventlet" else (size(200, 20), 0.1)
    times = []
    for _ in range(size(3, 1)):
        times.append(between_signs(tasks.wait, (wait,), count, 1) + wait)
    figure("io", f"{count} x 100 ms", times, "s", "lower")


def pickup():
    waits = []
    with Worker(10 if POOL == "eventlet" else CORES, 1):
        fill(tasks.sign, (), 1)
        next_sign()
        for _ in range(size(200, 10)):
            start = time.monotonic()
            tasks.sign.apply_async(())
            waits.append((next_sign() - start) * 1e3)
            time.sleep(0.002)
    waits.sort()
    figure("pickup", "pick-up p50", waits[len(waits) // 2], "ms", "lower")
    figure("pickup", "pick-up p99", waits[int(0.99 * (len(waits) - 1))], "ms", "lower")


def exhaust():
    """A full pool and a queue behind it; all of it revoked with terminate, as an administrator would."""
    slots, waiting = (20, 80) if POOL == "eventlet" else (CORES, 20 - CORES)
    name, life = f"{slots}/{waiting}", 3
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "witness")
        seen = lambda word: open(path).read().count(word) if os.path.exists(path) else 0
        ids = [tasks.witness.apply_async((path, life)).id for _ in range(slots + waiting)]
        with Worker(slots, 1):
            while seen("start") < slots:
                time.sleep(0.02)
            started, before = seen("start"), time.monotonic()
            tasks.app.control.revoke(ids, terminate=True)
            figure("exhaust", f"{name} delete call", (time.monotonic() - before) * 1e3, "ms", "lower")
            time.sleep(0.3)
            mark = seen("alive")
            time.sleep(1)
            figure("exhaust", f"{name} running: alive afterwards", min(slots, round((seen("alive") - mark) / 9)), "jobs", "lower")
            time.sleep(size(2 * life, 2))
            figure("exhaust", f"{name} orphan starts", seen("start") - started, "jobs", "lower")


def main():
    global tasks, broker
    import celery_app
    tasks, broker = celery_app, redis.Redis.from_url(os.environ["PEER_REDIS"])
    broker.flushall()
    for work in (enqueue, drain, io, pickup, exhaust):
        work()


if __name__ == "__main__":
    main()
