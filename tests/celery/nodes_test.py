"""Two nodes on one PostgreSQL: results cross, a chord counts once, a delete reaches the other node's tasks."""
import os
import unittest

import stage
import fleet
from product import until


class TwoNodes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = stage.Shop()
        cls.addClassCleanup(cls.shop.close)
        cls.postgres = fleet.Postgres().__enter__()
        cls.addClassCleanup(cls.postgres.__exit__)
        cls.front = stage.serve(cls.shop, slots=1, store=cls.postgres.url)
        cls.addClassCleanup(cls.front.stop)
        os.environ["SHOP_NOTES"] = cls.shop.notes_file
        cls.back = fleet.Worker("--celery", "shop:app", "--celery-dir", cls.shop.folder, "--pool", "default=8",
                                *(["--exec-user", "nobody"] if stage.IS_ROOT else []), store=cls.postgres.url)
        cls.back.start()
        cls.addClassCleanup(cls.back.stop)

    def test_a_result_is_told_wherever_its_task_has_run(self):
        self.assertEqual(self.shop.run("many", self.front.url), sum(range(40)) + 40)

    def test_a_chord_over_both_nodes_counts_once(self):
        for _ in range(3):
            self.assertEqual(self.shop.run("chorded", self.front.url), 90)
        bodies = stage.jobs_of(self.front, tag="celery-task:shop.xsum")
        self.assertEqual(len(bodies), 3)

    def test_a_chain_crosses_nodes(self):
        self.assertEqual(self.shop.run("chained", self.front.url), [113, 13, 3])

    def test_a_delete_at_one_node_ends_the_tasks_of_the_other(self):
        self.shop.run("spin_many", self.front.url, "6")
        until(lambda: len(stage.jobs_of(self.front, status="running", tag="celery-task:shop.spin")) >= 5, 60, "spinning")
        jobs = stage.jobs_of(self.front, tag="celery-task:shop.spin")
        status, reply = self.front.delete_many([job["job_id"] for job in jobs])
        self.assertEqual((status, reply["counts"]["deleted"], reply["counts"]["unproven"]), (200, 6, 0), reply)
