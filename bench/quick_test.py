#!/usr/bin/env python3
"""Every program of bench/ still runs: in small, to its end, with figures that the report can read. Their values mean nothing here.
   quick_test.py FOLDER-OF-PROGRAMS [NAME...]"""
import concurrent.futures
import os
import pathlib
import sys
import time

import figures

WANTED = {"bench", "store", "figure", "unit", "better", "median", "min", "max", "n", "quick", "commit", "machine"}
# Those that run a whole node or server do it on both stores.
ON_BOTH = {"coldstart", "delete", "drain", "enqueue", "exhaust", "history", "io", "limited", "limits", "pickup", "recovery", "sleepers", "trace"}


def fault_of(folder, name, store):
    """What is wrong with one run, or nothing."""
    started = time.monotonic()
    arguments = ["--quick", *(["--store", store] if store else [])]
    code, lines = figures.run([str(folder / f"bench_{name}"), *arguments], show=False)
    what = f"{name} {store}".strip()
    print(f"{what:<24} {len(lines):>3} figures, {time.monotonic() - started:.1f} s", flush=True)
    if code:
        return f"{what} ended with {code}"
    if not lines:
        return f"{what} says no figure"
    for line in lines:
        if set(line) != WANTED or line["bench"] != name or not line["quick"] or not line["min"] <= line["median"] <= line["max"]:
            return f"{what} says what nobody can read: {line}"
    keys = [figures.key(line) for line in lines]
    if len(set(keys)) != len(keys):
        return f"{what} says a figure twice"
    return None


def main():
    folder = pathlib.Path(sys.argv[1])
    sources = sorted(path.stem for path in (figures.ROOT / "bench").glob("*.cpp"))
    runs = [(name, store) for name in sys.argv[2:] or sources
            for store in (("sqlite", "postgres") if name in ON_BOTH else ("",))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = list(pool.map(lambda run: fault_of(folder, *run), runs))
    found = [fault for fault in faults if fault]
    for fault in found:
        print(fault)
    print(f"{len(runs) - len(found)} passed, {len(found)} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
