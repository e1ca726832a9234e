"""What is left of a deleted job in the files of a SQLite server that nobody asks anything afterwards."""
import json
import os
import time
import unittest
import uuid

import product
from product import until

WITHIN = 1.0  # seconds from the reply


def files_with(place, marker):
    found = []
    for name in os.listdir(place):
        if not name.startswith("quell.db"):
            continue
        with open(os.path.join(place, name), "rb") as file:
            if marker.encode() in file.read():
                found.append(name)
    return found


class Disk(unittest.TestCase):
    def setUp(self):
        self.quell = product.Server("--pool", "default=4", "--outbound-allow", "127.0.0.0/8").start()
        self.addCleanup(self.quell.remove)
        self.marker = "quellmark" + uuid.uuid4().hex

    def gone_in_time(self, delete):
        """How many seconds after its reply nothing was left; the server is idle meanwhile."""
        self.assertNotEqual(files_with(self.quell.data_dir, self.marker), [], "there was something to delete")
        status, reply = delete()
        at = time.monotonic()
        self.assertEqual(status, 200, reply)
        self.assertNotIn(self.marker, json.dumps(reply))
        until(lambda: not files_with(self.quell.data_dir, self.marker), 30, "a disk without it")
        took = time.monotonic() - at
        self.assertLess(took, WITHIN)
        # Nor does it come back with what the server still writes.
        until(lambda: time.monotonic() > at + WITHIN, 30)
        self.assertEqual(files_with(self.quell.data_dir, self.marker), [])
        print(f"nothing was left {took * 1000:.0f} ms after the reply")

    def remove(self, job):
        return lambda: self.quell.call("DELETE", f"/api/v1/jobs/{job}?wait=10")

    def test_of_a_job_that_waited(self):
        job = self.quell.submit("sleep", {"seconds": 1, "note": self.marker}, delay_s=999, tags=[self.marker])
        self.gone_in_time(self.remove(job))

    def test_of_a_job_that_ran(self):
        job = self.quell.submit("sleep", {"seconds": 999, "note": self.marker})
        until(lambda: self.quell.status_of(job) == "running")
        self.gone_in_time(self.remove(job))

    def test_of_a_job_that_had_ended(self):
        job = self.quell.submit("noop", {"note": self.marker})
        until(lambda: self.quell.status_of(job) == "succeeded")
        self.gone_in_time(self.remove(job))

    def test_of_a_thousand_at_once(self):
        jobs = [{"kind": "noop", "args": {"note": self.marker + "x" * 2000}, "delay_s": 999}] * 1000
        ids = self.quell.submit_many(jobs)
        self.gone_in_time(lambda: self.quell.delete_many(ids))

    def test_while_somebody_reads(self):
        """A reader's snapshot keeps the log; the readers of the API are short, and one comes after the other."""
        job = self.quell.submit("noop", {"note": self.marker}, delay_s=999)
        self.quell.submit_many([{"kind": "noop", "args": {}, "delay_s": 999}] * 2000)
        list_all = lambda: self.quell.call("GET", "/api/v1/jobs?page_size=500")
        list_all()
        self.gone_in_time(lambda: (list_all(), self.remove(job)())[1])

    def test_a_copy_that_is_kept_is_named_with_its_end(self):
        self.quell.stop()
        self.quell.flags += ["--archive"]
        self.quell.start()
        job = self.quell.submit("noop", {"note": self.marker}, delay_s=999)
        status, reply = self.remove(job)()
        self.assertEqual(status, 200, reply)
        self.assertIn("copy_kept_until", json.dumps(reply))
        self.assertRegex(json.dumps(reply), r'"copy_kept_until": "20')


if __name__ == "__main__":
    unittest.main()
