"""The same producers against a real Redis with a real worker, and against quell: the same answers."""
import unittest

import stage
from redis_server import Redis

# Without `broken_chord`: its get() raises the part's own error when that is known already, else the body's ChordError.
SAME = ["delay", "failure", "countdown", "expires", "options", "ignore_result", "forget", "chained", "broken_chain",
        "grouped", "chorded", "chain_into_chord", "retried", "auto_retried", "linked", "replaced",
        "progress", "hard_limit", "soft_limit", "revoke_waiting", "ping", "starmap"]

class SameAnswers(unittest.TestCase):
    def test_what_a_real_worker_answers_quell_answers(self):
        shop = stage.Shop()
        self.addCleanup(shop.close)
        redis = Redis()
        self.addCleanup(redis.close)
        redis.work(shop)
        server = stage.serve(shop)
        self.addCleanup(server.stop)
        for scenario in SAME:
            with self.subTest(scenario):
                theirs, ours = shop.run(scenario, redis.url), shop.run(scenario, server.url)
                self.assertEqual(theirs, ours)
