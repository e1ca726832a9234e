"""What a backup costs whoever works meanwhile, and how long making, checking and restoring take.

  PRODUCT_BINARY=build/o2/bin/quell TEMPORARY_POSTGRES=build/o2/bin/temporary_postgres \\
    PYTHONPATH=tests/blackbox python3 bench/backup.py --store sqlite --jobs 1000000 --rate 500

The store holds --jobs scheduled jobs and as many results as --finished says. --rate jobs a second are submitted all the time, from
another process; how long each waited for its start is read from the server's own histogram, before the backup and while it is
made, in turns, so that a machine that is slow for a while is slow for both. Then the file is checked, restored into a store of the other kind, and compared with
the file, and both stores are asked for orphans."""
import argparse
import json
import multiprocessing
import os
import re
import subprocess
import tempfile
import time

import product
import store_eyes


def bulk(server, jobs):
    for at in range(0, len(jobs), 10_000):
        server.submit_many(jobs[at:at + 10_000])


def load(port, token, rate, over):
    """A tenth of a second's jobs each tenth of a second, by the clock."""
    server = product.Server(data_dir="/nonexistent")
    server.port, server.token = port, token
    turn, due = 0, time.monotonic()
    while not over.is_set():
        server.submit_many([{"kind": "noop", "args": {"turn": turn}}] * (rate // 10))
        turn += 1
        due += 0.1
        time.sleep(max(0.0, due - time.monotonic()))


class Waits:
    """Of jobs started since it was made: how many, mean and percentiles of the wait, from the histogram."""

    def __init__(self, server):
        self.server, self.began = server, time.monotonic()
        self.first = self.read()

    def read(self):
        text = self.server.call("GET", "/metrics")[1]
        buckets = {}
        for bound, n in re.findall(r'^quell_job_wait_seconds_bucket\{[^}]*le="([^"]+)"[^}]*\} (\d+)', text, re.M):
            buckets[float(bound)] = buckets.get(float(bound), 0) + int(n)
        total = sum(float(n) for n in re.findall(r"^quell_job_wait_seconds_sum\S* (\S+)", text, re.M))
        count = sum(int(n) for n in re.findall(r"^quell_job_wait_seconds_count\S* (\d+)", text, re.M))
        return buckets, total, count

    def figures(self):
        buckets, total, count = self.read()
        n = count - self.first[2]
        took = time.monotonic() - self.began
        grown = sorted((bound, at - self.first[0].get(bound, 0)) for bound, at in buckets.items())

        def percentile(share):
            return next((bound for bound, at in grown if at >= share * n), float("inf"))

        return {"seconds": round(took, 1), "started": n, "per_second": round(n / took, 1),
                "mean_ms": round((total - self.first[1]) / max(n, 1) * 1e3, 2),
                "p50_below_ms": percentile(0.5) * 1e3, "p99_below_ms": percentile(0.99) * 1e3}


def timed(*command, **more):
    began = time.monotonic()
    run = subprocess.run(command, capture_output=True, text=True, **more)
    if run.returncode:
        raise SystemExit(f"{command}: {run.returncode}\n{run.stdout}{run.stderr}")
    return round(time.monotonic() - began, 1), json.loads(run.stdout or "null")


def merged(parts):
    """One row of several: sums, and means by weight."""
    n = sum(p["started"] for p in parts)
    return {"seconds": round(sum(p["seconds"] for p in parts), 1), "started": n,
            "per_second": round(n / sum(p["seconds"] for p in parts), 1),
            "mean_ms": round(sum(p["mean_ms"] * p["started"] for p in parts) / max(n, 1), 2),
            "p99_below_ms": max(p["p99_below_ms"] for p in parts)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--finished", type=int, default=0)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--quiet-s", type=float, default=20)
    parser.add_argument("--backups", type=int, default=2)
    asked = parser.parse_args()
    postgres = store_eyes.TemporaryPostgres("measured")
    with tempfile.TemporaryDirectory(prefix="quell-bench-backup-") as place:
        try:
            measure(asked, place, postgres)
        finally:
            postgres.stop()


def measure(asked, place, postgres):
    url = postgres.url if asked.store == "postgres" else None
    server = product.Server("--pool", "default=200", "--backup-dir", place, "--backup-every-s", "0", store=url)
    try:
        server.start()
        bulk(server, [{"kind": "noop", "args": {"n": n, "text": f"row {n} " * 4}, "delay_s": 86_400, "queue": "later"} for n in range(asked.jobs)])
        bulk(server, [{"kind": "noop", "args": {"n": n}} for n in range(asked.finished)])
        product.until(lambda: server.counts()["queued"] + server.counts()["running"] == 0, 3_600, "the first jobs")
        over = multiprocessing.Event()
        loader = multiprocessing.Process(target=load, args=(server.port, server.token, asked.rate, over))
        loader.start()
        time.sleep(5)
        quiet, during, took = [], [], []
        command = [product.BINARY, "backup", "create", "--url", f"http://127.0.0.1:{server.port}", "--token-file", server.data_dir + "/admin.token", "-o", "json"]
        for _ in range(asked.backups):
            waits = Waits(server)
            time.sleep(asked.quiet_s)
            quiet.append(waits.figures())
            waits = Waits(server)
            seconds, made = timed(*command)
            during.append(waits.figures())
            took.append(seconds)
        over.set()
        loader.join()
        path = os.path.join(place, made["name"])
        verify_s, _ = timed(product.BINARY, "backup", "verify", path, "-o", "json")
        target_dir = tempfile.mkdtemp(dir=place)
        target = f"sqlite:{target_dir}/quell.db" if asked.store == "postgres" else postgres.create("restored")
        restore_s, restored = timed(product.BINARY, "backup", "restore", path, "--store", target, "--data-dir", target_dir, "-o", "json")
        beside = f"sqlite:{target_dir}/drill.db" if asked.store == "postgres" else postgres.create("drilled")
        drill_s, drill = timed(product.BINARY, "backup", "drill", path, "--beside", beside, "-o", "json")
        calm, busy = merged(quiet), merged(during)
        print(json.dumps({
            "store": asked.store, "jobs": asked.jobs, "rate": asked.rate, "load_average": os.getloadavg(), "processors": os.cpu_count(),
            "quiet": calm, "during_backup": busy, "each": {"quiet": quiet, "during": during},
            "slower_percent": round((busy["mean_ms"] / max(calm["mean_ms"], 1e-9) - 1) * 100, 1),
            "started_fewer_percent": round((1 - busy["per_second"] / max(calm["per_second"], 1e-9)) * 100, 1),
            "create_s": took, "bytes": made["bytes"], "verify_s": verify_s, "restore_s": restore_s, "restored_jobs": restored["jobs"],
            "drill_s": drill_s, "differences": drill["differences"], "orphans": store_eyes.Eyes(target).orphans()}, indent=1))
    finally:
        server.remove()


if __name__ == "__main__":
    main()
