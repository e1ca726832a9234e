"""Patroni loses its leader again and again, under load: what was acknowledged stays, what came late is refused."""
import os
import unittest

from nemesis import Nemesis
from patroni_cluster import Patroni
from soak import Soak, say

MINUTES = float(os.environ.get("PATRONI_MINUTES", "8"))
SEED = int(os.environ.get("FLEET_SEED", "1"))


class LeaderNemesis(Nemesis):
    """The nodes reach the database without links; what fails is the database, now and then a node."""

    def __init__(self, cluster, seed, **more):
        super().__init__(cluster, seed, period=(2.0, 6.0), **more)
        self.faults = [self.lose_leader, self.lose_leader, self.lose_leader, self.crash_leader, self.switch_over, self.kill]

    def on_the_leader(self, fault, act, seconds):
        patroni = self.cluster.postgres
        if "database" in self.busy or not patroni.is_complete():
            return
        leader = patroni.leader()
        self.tell(fault, leader.name)
        act(leader)
        self.for_a_while(seconds, lambda: leader.alive() or leader.start(), {"database"})

    def lose_leader(self):
        self.on_the_leader("leader lost", lambda leader: leader.lose(), self.draw.uniform(1, 25))

    def crash_leader(self):
        self.on_the_leader("leader's server killed", lambda leader: leader.crash(), 1.0)

    def switch_over(self):
        self.on_the_leader("switchover", lambda leader: self.cluster.postgres.switch_over(), 1.0)


class PatroniTest(unittest.TestCase):
    def test_loses_no_deletion_and_no_job_through_leader_kills(self):
        soak = Soak(SEED, MINUTES, workers=1, nemesis=LeaderNemesis, postgres=Patroni(), flags=["--require-replicated"])
        verdict, faults = soak.run()
        say(verdict, faults, SEED)
        self.assertEqual(verdict.violations, [])
        self.assertGreater(faults.get("leader lost", 0), 0)


if __name__ == "__main__":
    unittest.main()
