"""A fleet of real processes on one PostgreSQL of its own: deletes of runs on another node, one call at a time, with and
without NOTIFY.   ./dev bench fleet [--quick]"""
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests/blackbox"))

import figures  # noqa: E402
from fleet import Fleet, Postgres  # noqa: E402

QUICK = "--quick" in sys.argv
DELETES = 10 if QUICK else 200


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def figure(name, value, unit, better, samples=1):
    figures.figure("fleet", "postgres", name, value, unit, better, QUICK, samples)


def say(what, values):
    for name, share in (("p50", .5), ("p99", .99), ("max", 1)):
        figure(f"{what}, {name}", percentile(values, share), "ms", "lower", len(values))


def deletes(parameters, what, count):
    slots = (count + 1) // 2
    with Postgres() as postgres:
        url = postgres.url + (("&" if "?" in postgres.url else "?") + parameters if parameters else "")
        with Fleet(url, workers=2, slots=slots) as fleet:
            server = fleet.server
            jobs = []
            while len(jobs) < 3 * slots:
                jobs += server.submit_many([{"kind": "sleep", "args": {"seconds": 3600}}] * min(500, 3 * slots - len(jobs)))
            own = fleet.id_of(server)
            elsewhere = [job for job, node in fleet.all_run(jobs, 120).items() if node != own][:count]
            took = []
            for job in elsewhere:
                began = time.monotonic()
                status, reply = server.call("DELETE", f"/api/v1/jobs/{job}?wait=20")
                took.append((time.monotonic() - began) * 1000)
                assert status == 200, reply
            say(what, took)


if __name__ == "__main__":
    deletes("", "delete on another node, NOTIFY", DELETES)
    deletes("notify=off", "delete on another node, polling", DELETES // 4)
