#!/usr/bin/env python3
"""Are the planted faults of the delete's core rejected, each by name?

    tests/mutants/run.py BUILD [NAME...]     BUILD was configured with -DQUELL_MUTANTS=ON

Each fault of actors/node/mutants.def is chosen in turn, and the tests of the actors that delete are run with it. Each test judges
its own trace. The list says who rejected each: the trace, a test, or an end that never came.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TESTS = "DeleteMatrix*:*DeleteMatrix*:NodeTest.*:CourierTest.*:RepeatedOrders*:SlowStore*:RandomHistories.*"
HISTORIES = "150"  # of the random ones: a fault that needs its moment has met it by the twentieth


def patience(without_a_fault):
    """Seconds after which tests have no end: many times what they take when nothing is wrong, on this machine as it is now."""
    return 30 + 4 * without_a_fault


def mutants():
    text = (SOURCE / "actors/node/mutants.def").read_text()
    return re.findall(r'^QUELL_MUTANT\((\w+), "([^"]+)"\)', text, re.M)


def has_faults(build):
    """A build without planted faults doesn't look at the name, and would let every mutant through as itself."""
    environment = {"PATH": "/usr/bin:/bin", "QUELL_MUTANT": "nobody"}
    command = [build / "bin/test_actors", "--gtest_filter=" + TESTS, "--gtest_fail_fast"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode != 0 and "no mutant is called nobody" in done.stderr


def try_one(build, mutant, seconds=600):
    """What the tests said (a failed one, a crash, no end) or "", and what the trace said."""
    environment = {"PATH": "/usr/bin:/bin", "QUELL_MUTANT": mutant, "TEST_HISTORIES": HISTORIES}
    command = [build / "bin/test_actors", "--gtest_filter=" + TESTS, "--gtest_fail_fast"]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as late:
        ran = re.findall(r"\[ RUN +\] (\S+)", (late.stdout or b"").decode())
        return "no end" + (" of " + ran[-1] if ran else ""), ""
    said = done.stdout + done.stderr
    traced = re.findall(r"^trace: (.*): \d+ \w+ \w+ [0-9a-f-]{36} ", said, re.M)
    failed = re.findall(r"\[  FAILED  \] (\w+\.\w+)", said) or [
        # An assertion of the product ended the test: it is that test which rejected the fault.
        f"{test} by {reason}"
        for test, reason in zip(re.findall(r"\[ RUN +\] (\S+)", said)[-1:], re.findall(r"assertion failed: [^\n]+", said))
    ]
    # A test that fails by its trace alone has said nothing else.
    spoken = [line for line in re.findall(r"Failure\n([^\n]*)", said) if not line.startswith(("Failed", "trace:"))]
    if traced and not spoken:
        failed = []
    elif not failed and done.returncode:
        failed = [f"exit {done.returncode}"]
    return failed[0] if failed else "", traced[0] if traced else ""


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    if not has_faults(build):
        print(f"{build} has no planted faults; configure it with -DQUELL_MUTANTS=ON")
        return 1
    began = time.monotonic()
    said, fault = try_one(build, "")
    took = time.monotonic() - began
    print(f"no fault planted: {said or 'tests pass'}, {fault or 'traces hold'}, {took:.0f} s", flush=True)
    if said or fault:
        return 1
    survived = []
    chosen = [one for one in mutants() if not sys.argv[2:] or one[0] in sys.argv[2:]]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as crew:
        tried = crew.map(lambda one: try_one(build, one[0], patience(took)), chosen)
        for (mutant, what), (said, fault) in zip(chosen, tried):
            by = ", ".join(filter(None, [fault and "trace: " + fault, said and "test: " + said]))
            print(f"{'rejected' if by else 'SURVIVED'}  {mutant:22} {what}  [{by}]", flush=True)
            if not by:
                survived.append(mutant)
    rejected = len(chosen) - len(survived)
    print(f"mutants: {rejected} of {len(chosen)} rejected" + "".join(" " + one for one in survived))
    print(f"{rejected} passed, {len(survived)} failed")
    return 1 if survived or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
