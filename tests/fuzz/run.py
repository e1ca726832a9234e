#!/usr/bin/env python3
"""Runs fuzz targets, some at once, and says of each how many inputs it tried and what it found.

    tests/fuzz/run.py BUILD [--seconds N] [TARGET...]    each (or the named ones) for N seconds (60)
    tests/fuzz/run.py BUILD TARGET FILE                  one input: what a crash says to do

The seeds lie in tests/fuzz/corpus/TARGET; what libFuzzer learns from them stays in BUILD/corpus, what breaks a target in
BUILD/crashes.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TARGETS = sorted(one.stem for one in HERE.glob("*.cpp"))
ENVIRONMENT = {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1", "ASAN_OPTIONS": "detect_stack_use_after_return=1"}


def fuzz(build, target, seconds):
    """(the line that says how it went, whether it held)"""
    learnt, crashes = build / "corpus" / target, build / "crashes"
    learnt.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    command = [build / "bin" / f"fuzz_{target}", f"-max_total_time={seconds}", "-max_len=8192", "-timeout=20", "-rss_limit_mb=2000",
               "-print_final_stats=1", f"-artifact_prefix={crashes}/{target}-", learnt, HERE / "corpus" / target]
    done = subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          errors="replace", check=False)
    tried = re.search(r"stat::number_of_executed_units: (\d+)", done.stdout)
    covered = re.findall(r" cov: (\d+)", done.stdout)
    line = f"fuzz {target:16} {int(tried.group(1)) if tried else 0:>10} executions, {covered[-1] if covered else '0'} edges"
    if done.returncode == 0 and tried and int(tried.group(1)) > 0:
        return line, True
    crash = re.search(r"Test unit written to (\S+)", done.stdout)
    again = f"\n  again: ./dev fuzz {target} {os.path.relpath(crash.group(1))}" if crash else ""
    return f"{line}: BROKEN\n{done.stdout[-3000:]}{again}", False


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("build", type=pathlib.Path)
    asked.add_argument("words", nargs="*", metavar="TARGET")
    asked.add_argument("--seconds", type=int, default=60)
    asked = asked.parse_intermixed_args()
    words, build = asked.words, asked.build.resolve()
    if len(words) == 2 and words[1] not in TARGETS and os.path.exists(words[1]):
        return subprocess.run([build / "bin" / f"fuzz_{words[0]}", words[1]], env=ENVIRONMENT, check=False).returncode
    unknown = [word for word in words if word not in TARGETS]
    if unknown:
        print(f"no fuzz target is called {', '.join(unknown)}; there are: {' '.join(TARGETS)}", file=sys.stderr)
        return 2
    held = []
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as crew:
        for line, holds in crew.map(lambda target: fuzz(build, target, asked.seconds), words or TARGETS):
            print(line, flush=True)
            held.append(holds)
    print(f"{held.count(True)} passed, {held.count(False)} failed")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
