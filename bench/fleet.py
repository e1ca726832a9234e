"""A fleet of real processes on one PostgreSQL of its own: deletes of runs on another node, one call at a time, with and
without NOTIFY; then how fast 1, 2 and 4 workers drain a queue of no-ops.   ./dev bench fleet [--quick]"""
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests/blackbox"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import figures  # noqa: E402
from fleet import Fleet, Postgres  # noqa: E402
from product import until  # noqa: E402

QUICK = "--quick" in sys.argv
DELETES = 10 if QUICK else 200
DRAIN = 1_000 if QUICK else 200_000


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def figure(name, value, unit, better, samples=1):
    figures.figure("fleet", "postgres", name, value, unit, better, QUICK, samples)


def say(what, values):
    for name, share in (("p50", .5), ("p99", .99), ("max", 1)):
        figure(f"{what}, {name}", percentile(values, share), "ms", "lower", len(values))


def deletes(parameters, what):
    slots = (DELETES + 1) // 2
    with Postgres() as postgres:
        url = postgres.url + (("&" if "?" in postgres.url else "?") + parameters if parameters else "")
        with Fleet(url, workers=2, slots=slots) as fleet:
            server = fleet.server
            jobs = []
            while len(jobs) < 3 * slots:
                jobs += server.submit_many([{"kind": "sleep", "args": {"seconds": 3600}}] * min(500, 3 * slots - len(jobs)))
            own = fleet.id_of(server)
            elsewhere = [job for job, node in fleet.all_run(jobs, 120).items() if node != own][:DELETES]
            took = []
            for job in elsewhere:
                began = time.monotonic()
                status, reply = server.call("DELETE", f"/api/v1/jobs/{job}?wait=20")
                took.append((time.monotonic() - began) * 1000)
                assert status == 200, reply
            say(what, took)


def drain(workers):
    with Postgres() as postgres:
        # The server takes part in no work: it is only asked.
        with Fleet(postgres.url, workers=workers, slots=1000, server_slots=0) as fleet:
            server = fleet.server
            server.call("POST", "/api/v1/queues/default/pause", {})
            time.sleep(2)
            for first in range(0, DRAIN, 10000):
                server.submit_many([{"kind": "noop", "args": {}}] * min(10000, DRAIN - first))
            began = time.monotonic()
            server.call("POST", "/api/v1/queues/default/resume", {})
            until(lambda: server.counts().get("succeeded", 0) >= DRAIN, 600, "the end of the drain")
            took = time.monotonic() - began
            figure(f"drain, workers {workers}", DRAIN / took, "jobs/s", "higher")


if __name__ == "__main__":
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or ["deletes", "drain"]
    if "deletes" in wanted:
        deletes("", "delete on another node, NOTIFY")
        deletes("notify=off", "delete on another node, polling")
    if "drain" in wanted:
        for count in (1, 2, 4):
            drain(count)
