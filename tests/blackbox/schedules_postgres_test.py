"""Schedules on PostgreSQL: the same stories as on SQLite, and two nodes that share one store. What dies there is told by
schedules_falls_test, a suite of its own that runs beside this one."""
import shutil
import time
import unittest

import fleet
import product
import store_eyes
from product import until
from schedule_stories import FLAGS, PATH, Calm


class OnOneServer(Calm, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        postgres = store_eyes.TemporaryPostgres()
        cls.addClassCleanup(postgres.stop)
        cls.quell = product.Server(*FLAGS, store=postgres.url).start()
        cls.addClassCleanup(cls.quell.remove)


class TwoNodes(unittest.TestCase):
    def test_each_due_time_fires_once_and_the_role_moves(self):
        with fleet.Postgres() as postgres:
            flags = ["--pool", "default=50", "--poll-ms", "100", *fleet.QUICK]
            first, second = (product.Server(*flags, store=postgres.url) for _ in range(2))
            try:
                first.start()
                body = {"every": 1, "misfire": "all", "misfire_limit": 1000, "job": {"kind": "noop"}}
                tasks = [first.call("POST", PATH, {"name": f"t{n}", **body})[1]["task_uuid"] for n in range(10)]
                shutil.copy(f"{first.data_dir}/admin.token", second.data_dir)  # one store, one administrator
                second.start()
                runs = lambda task: second.call("GET", f"{PATH}/{task}/runs?page_size=500")[1]["runs"]
                until(lambda: all(len(runs(task)) > 2 for task in tasks))
                first.kill()
                fired = {task: len(runs(task)) for task in tasks}
                until(lambda: all(len(runs(task)) > fired[task] + 5 for task in tasks), 60, "fires by the other node")
                for task in tasks:
                    second.call("POST", f"{PATH}/{task}/pause")
                    dues = sorted(one["created_at"] for one in runs(task))
                    seconds = [time.mktime(time.strptime(due[:19], "%Y-%m-%dT%H:%M:%S")) for due in dues]
                    self.assertEqual([b - a for a, b in zip(seconds, seconds[1:])], [1.0] * (len(dues) - 1))
                self.assertEqual(second.call("DELETE", f"{PATH}/{tasks[0]}?wait=20")[1]["status"], "DELETED")
            finally:
                first.remove()
                second.remove()


if __name__ == "__main__":
    unittest.main()
