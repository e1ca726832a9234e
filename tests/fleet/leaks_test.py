"""Who judges leaks must see one: a slope is what it is, and a descriptor that stays is told."""
import json
import os
import unittest

import leaks
from checksums import Checksums, called, digest, kept


class Leaks(unittest.TestCase):
    def test_a_slope_is_that_of_the_line_whatever_the_noise_around_it(self):
        self.assertEqual(leaks.slope([]), 0)
        self.assertEqual(leaks.slope([(1, 5)]), 0)
        self.assertAlmostEqual(leaks.slope([(x, 3 + 2 * x) for x in range(9)]), 2)
        self.assertAlmostEqual(leaks.slope([(x, 7 + (1 if x % 2 else -1)) for x in range(1001)]), 0, places=4)

    def test_what_stays_open_is_told_and_what_is_closed_is_not(self):
        before = leaks.look(os.getpid())
        pipes = os.pipe()
        self.assertEqual(leaks.more_than(before, leaks.look(os.getpid()))["descriptors"], 2)
        for one in pipes:
            os.close(one)
        self.assertEqual(leaks.more_than(before, leaks.look(os.getpid())), {})
        self.assertIsNone(leaks.look(2 ** 22 + 1))

    def test_memory_that_grows_by_the_minute_has_that_slope(self):
        watch = leaks.Watch({"one": 1})
        watch.seen["one"] = [(at, {"resident": (100 + at / 60) * leaks.MIB}) for at in range(0, 600, 5)]
        self.assertAlmostEqual(watch.memory_slope("one", 60, 600), 1)

    def test_a_changed_arg_or_result_is_corrupted(self):
        sums = Checksums()
        for name, job in (("a", kept("x")), ("b", called("http://r/", "y"))):
            sums.note(name, json.loads(json.dumps(job)))
        self.assertTrue(sums.check("a", {"args": {"text": "x"}, "status": "succeeded"}))
        good = {"args": called("http://r/", "y")["args"], "status": "succeeded", "result": {"body": digest("y")}}
        self.assertTrue(sums.check("b", good))
        self.assertFalse(sums.check("b", {**good, "result": {"body": digest("z")}}))
        self.assertFalse(sums.check("b", {**good, "result": None}))
        self.assertFalse(sums.check("a", {"args": {"text": "X"}, "status": "succeeded"}))
        self.assertEqual([wrong for _, wrong in sums.corrupted], [["result"], ["result"], ["args"]])
