"""What takes its time: a worker that dies with a thousand runs, one that sleeps past its lease and wakes, and one that is cut
off and told to stop."""
import os
import random
import signal
import time
import unittest

from clients import Calls, new_id
from cluster import Cluster
from history import History
from product import until
from recorder import Recorder

DRAW = random.Random(os.environ.get("FLEET_SEED", "1"))


class Fleet(unittest.TestCase):
    def begin(self, **cluster):
        self.history = History()
        self.recorder = Recorder(self.history)
        self.addCleanup(self.recorder.stop)
        fleet = Cluster(self.history, **cluster)
        self.addCleanup(fleet.stop)
        fleet.start()
        self.calls = Calls(self.history, self.recorder, fleet.server.node)
        return fleet

    def submit(self, make, number):
        jobs = [new_id(DRAW) for _ in range(number)]
        self.assertTrue(self.calls.submit([make(job) for job in jobs], timeout=60))
        return jobs

    def started(self, job):
        return self.recorder.calls_of.get(job, 0)

    def fill_the_server(self, fleet):
        """Its one slot is taken, so that all else is the workers'."""
        filler, = self.submit(self.recorder.slow_call, 1)
        until(lambda: self.started(filler) == 1, 60, "the server's own slot to be taken")
        return filler


class Death(Fleet):
    def test_a_killed_worker_s_thousand_runs_run_elsewhere(self):
        fleet = self.begin(workers=2, slots=1000, slots_of={"server": 1}, later=("worker1", "worker2"))
        self.fill_the_server(fleet)
        dying, other = fleet.workers
        fleet.start_one(dying)
        jobs = self.submit(self.recorder.slow_call, 1000)
        until(lambda: all(self.started(job) == 1 for job in jobs), 180, "a thousand runs")
        fleet.start_one(other)
        dying.wanted = False  # it does not come back
        dying.kill()
        killed = time.monotonic()
        until(lambda: all(self.started(job) >= 2 for job in jobs), 120, "all to run elsewhere")
        print(f"1,000 runs of a killed worker ran elsewhere {time.monotonic() - killed:.1f} s later", flush=True)
        self.assertEqual({self.started(job) for job in jobs}, {2}, "a run was started twice over")


class Sleep(Fleet):
    """The worker is frozen in the middle of jobs that make one call after another: when it wakes, the answers of the last
    calls lie in its sockets, and every job wants to make its next call."""

    def test_a_worker_that_slept_past_its_lease_does_nothing_when_it_wakes(self):
        fleet = self.begin(workers=1, slots=60, slots_of={"server": 1}, later=("worker1",))
        self.fill_the_server(fleet)
        sleeper, = fleet.workers
        fleet.start_one(sleeper)
        jobs = self.submit(lambda job: self.recorder.steps(job, 100, 0.4), 40) + self.submit(self.recorder.slow_call, 20)
        until(lambda: all(self.started(job) >= 1 for job in jobs), 120, "all to run")
        until(lambda: all(self.started(job) >= 3 for job in jobs[:40]), 120, "all to be in the middle")
        sleeper.wanted = False  # whatever ends it, it is not started again: all that follows is the sleeper's own doing
        sleeper.freeze()
        slept = time.monotonic()
        until(lambda: not fleet.postgres.ask(f"SELECT 1 FROM live WHERE place = 2 AND job IN ({quoted(jobs)}) LIMIT 1"), 120,
              "the others to call it dead")
        print(f"its jobs were taken from the sleeper after {time.monotonic() - slept:.1f} s", flush=True)
        gone = self.calls.delete(jobs[::2], wait=20, timeout=60)
        self.assertEqual({one["outcome"] for one in gone.values()}, {"deleted"})
        while time.monotonic() - slept < 30:
            time.sleep(0.1)
        self.recorder.mark(0)
        woken = len(self.history.events)
        sleeper.wake()
        until(lambda: not sleeper.alive() or self.is_idle(sleeper, jobs), 60, "the sleeper to see what has become of it")
        time.sleep(5)
        self.recorder.mark(0)
        after = self.history.events[woken:]
        calls = [e for e in after if e["what"] in ("request", "bytes")]
        print(f"after waking: {len(calls)} calls or bytes, exit code {sleeper.node.process.poll()}", flush=True)
        self.assertEqual(calls, [])

    def is_idle(self, member, jobs):
        """It has closed all its connections."""
        self.recorder.mark(0)
        with self.recorder.lock:
            return not any(c.get("job") in jobs and c["closed"] is None for c in self.recorder.connections)


class Stop(Fleet):
    """A worker that is cut off and told to stop: its runs end at its lease, and then it waits for nothing that the store would
    have to say. Neither for the drain's hour, nor for the answers to steps that its runs were saving."""

    FLAGS = ["--lease-s", "4", "--self-stop-s", "2", "--beat-s", "1", "--stop-deadline-ms", "500", "--drain-timeout-s", "3600"]

    def test_a_worker_that_is_cut_off_stops_when_it_is_told_to(self):
        fleet = self.begin(workers=1, slots=20, slots_of={"server": 1}, later=("worker1",), flags=self.FLAGS)
        self.fill_the_server(fleet)
        worker, = fleet.workers
        fleet.start_one(worker)
        jobs = self.submit(lambda job: self.recorder.steps(job, 100, 0.2), 10) + self.submit(self.recorder.slow_call, 5)
        until(lambda: all(self.started(job) >= 1 for job in jobs), 120, "all to run")
        worker.wanted = False
        worker.link.do(up="drop", down="drop")
        worker.link.do(reset=True)
        worker.node.process.send_signal(signal.SIGTERM)
        until(lambda: not worker.alive(), 120, "the worker's end")
        log = worker.node.log_text()
        self.assertEqual(worker.node.process.returncode, 75, log[-1500:])  # what its runs were saving has no answer
        self.assertIn("a commit is left to the store", log)


def quoted(jobs):
    return ",".join(f"'{job}'" for job in jobs)


if __name__ == "__main__":
    unittest.main()
