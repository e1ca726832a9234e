"""Whether what expires slows what runs: a queue of jobs is drained while the sweep takes what is due, and while nothing is due,
by turns on stores of the same size.
   bench/sweep.py [--store sqlite|postgres] [--due 100000] [--jobs 100000] [--rounds 3] [--quick]"""
import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import figures  # noqa: E402
import seeded  # noqa: E402
from seeded import product  # noqa: E402

SWEEP = ["--retention-sweep", "--retention-every-s", "1", "--retention-most", "100000000"]
FIRST_QUEUED = 50_000_000  # ids behind those of what has ended


def succeeded(server):
    for line in server.call("GET", "/metrics")[1].splitlines():
        if line.startswith("quell_jobs_succeeded_total "):
            return float(line.split()[1])
    return 0


def drain(store, args, is_due):
    """Seconds of the drain, and how many jobs the sweep took meanwhile."""
    data_dir = tempfile.mkdtemp(dir=args.folder)  # of both servers, with the one token
    with product.Server(store=store.url, data_dir=data_dir) as server:  # makes the schema
        assert server.call("POST", "/api/v1/queues/default/pause")[0] == 200
    store.finished(args.due, seeded.FIRST_MS if is_due else seeded.NEVER_MS)
    store.queued(args.jobs, "noop", FIRST_QUEUED)
    with product.Server("--pool", "default=1000", *SWEEP, store=store.url, data_dir=data_dir) as server:
        if is_due:
            product.until(lambda: store.left()[3] > 0, 60, "a sweep")
        else:
            time.sleep(1.5)  # as long as the other one waits
        before, began = store.left()[3], time.monotonic()
        assert server.call("POST", "/api/v1/queues/default/resume")[0] == 200
        product.until(lambda: time.sleep(.05) or succeeded(server) >= args.jobs, 3600)
        took, swept = time.monotonic() - began, store.left()[3] - before
        if is_due:
            product.until(lambda: time.sleep(.2) or store.left()[3] == args.due, 3600)
            print(f"  the sweep of {args.due} took {time.monotonic() - began:.1f} s from the drain's start on, {swept} of them"
                  f" beside the drain of {took:.1f} s", flush=True)
        return took, swept


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--due", type=int)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    args.due = args.due or (5_000 if args.quick else 100_000)
    args.jobs = args.jobs or (5_000 if args.quick else 100_000)
    rounds = args.rounds or (1 if args.quick else 3)
    folder = args.folder = tempfile.mkdtemp(prefix="quell-bench-")
    os.chmod(folder, 0o755)
    postgres = seeded.PostgresServer(folder) if args.store == "postgres" else None
    rates = {False: [], True: []}
    beside = []
    try:
        for _ in range(rounds):
            for is_due in (False, True):
                store = postgres.another() if postgres else seeded.Sqlite(folder)
                took, swept = drain(store, args, is_due)
                rates[is_due].append(args.jobs / took)
                if is_due:
                    beside.append(swept)
    finally:
        if postgres:
            postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    without, with_sweep = statistics.median(rates[False]), statistics.median(rates[True])
    for name, value, unit, better in (("drain, nothing due", without, "jobs/s", "higher"),
                                      ("drain beside the sweep", with_sweep, "jobs/s", "higher"),
                                      ("drain, with / without sweep", with_sweep / without, "ratio", "higher"),
                                      ("swept beside the drain", statistics.median(beside), "jobs", "higher")):
        figures.figure("sweep", args.store, name, value, unit, better, args.quick, rounds)


if __name__ == "__main__":
    main()
