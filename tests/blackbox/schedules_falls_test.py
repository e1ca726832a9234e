"""Schedules on PostgreSQL whose server dies: what it leaves half done, the next life finishes."""
import unittest

import product
import store_eyes
from schedule_stories import FLAGS, Falls


class ThroughItsDeath(Falls, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = store_eyes.TemporaryPostgres()
        cls.addClassCleanup(cls.postgres.stop)
        cls.databases = 0

    def setUp(self):
        type(self).databases += 1
        self.quell = product.Server(*FLAGS, store=self.postgres.create(f"schedules{self.databases}")).start()
        self.addCleanup(self.quell.remove)


if __name__ == "__main__":
    unittest.main()
