"""A fleet behind pgbouncer in transaction mode, where no NOTIFY arrives: looking is the truth, hints are a courtesy."""
import os
import random
import statistics
import time
import unittest

from clients import Calls, new_id
from cluster import Cluster
from history import History
from product import until
from recorder import Recorder

JOBS = 60
# No node dies here, and one that a busy machine keeps from its beat shall not hand its runs over.
PATIENT = ["--lease-s", "300", "--self-stop-s", "200"]


class BehindAPooler(unittest.TestCase):
    def test_a_delete_reaches_another_node_at_its_next_look(self):
        draw = random.Random(os.environ.get("FLEET_SEED", "1"))
        history = History()
        recorder = Recorder(history)
        with Cluster(history, workers=2, slots=20, pooler=True, flags=PATIENT) as fleet:
            calls = Calls(history, recorder, fleet.server.node)
            jobs = [new_id(draw) for _ in range(JOBS)]
            self.assertTrue(calls.submit([recorder.slow_call(job) for job in jobs]))
            until(lambda: len(recorder.calls_of) == JOBS, 120, "all jobs to run, on three nodes")
            own = fleet.server.node.call("GET", "/api/v1/workers")[1]["workers"]
            here = next(node["worker_id"] for node in own if node["this"])
            elsewhere = [job for node, at in fleet.running_on().items() if node != here for job in sorted(at)]
            self.assertEqual(len(elsewhere), 40)
            took = []
            for job in elsewhere[:10]:
                began = time.monotonic()
                one = calls.delete([job], wait=20, timeout=60)[job]
                took.append(time.monotonic() - began)
                self.assertEqual((one["outcome"], one["verdict"]), ("deleted", "stopped"))
            print(f"delete on another node without NOTIFY: median {statistics.median(took):.3f} s, longest {max(took):.3f} s", flush=True)
            self.assertLess(statistics.median(took), 1.2, "a node looks each second")
            rest = calls.delete([job for job in jobs if job not in elsewhere[:10]], wait=20, timeout=60)
            self.assertEqual({one["verdict"] for one in rest.values()}, {"stopped"})
        recorder.stop()


if __name__ == "__main__":
    unittest.main()
