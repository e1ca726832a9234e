"""The same producers against a real Redis with a real worker, and against quell: the same answers."""
import concurrent.futures
import unittest

import stage
from redis_server import Redis

# Without `broken_chord`: its get() raises the part's own error when that is known already, else the body's ChordError.
SAME = ["delay", "failure", "countdown", "due_by_eta", "expires", "options", "ignore_result", "forget", "compressed", "pickled",
        "by_topic", "children", "chained", "broken_chain", "grouped", "chorded", "chain_into_chord", "group_in_chain_in_group",
        "starmap", "retried", "auto_retried", "linked", "link_error", "replaced", "progress", "hard_limit", "soft_limit",
        "limit_of_the_call", "rated_five", "rejected", "lost_for_good", "revoke_waiting", "revoke_running", "ping",
        "inspect_active", "events", "status_command", "result_command", "beat"]


class SameAnswers(unittest.TestCase):
    def test_what_a_real_worker_answers_quell_answers(self):
        shops = [stage.Shop(), stage.Shop()]  # each side with notes of its own
        for shop in shops:
            self.addCleanup(shop.close)
        redis = Redis()
        self.addCleanup(redis.close)
        redis.work(shops[0])
        server = stage.serve(shops[1])
        self.addCleanup(server.stop)
        producers = [shop.producer(side.url) for shop, side in zip(shops, (redis, server))]
        for producer in producers:
            self.addCleanup(producer.close)
        with concurrent.futures.ThreadPoolExecutor(2) as both:
            for scenario in SAME:
                with self.subTest(scenario):
                    theirs, ours = both.map(lambda producer: producer.run(scenario), producers)
                    self.assertEqual(theirs, ours)
