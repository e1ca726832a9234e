"""Whoever asked to hear of a change hears of it, also when the server dies between making it and saying so, and as one
message: what was on its way when the server died comes again under the same `webhook-id`, which the receiver knows."""
import contextlib
import unittest

import product
from product import until
from webhook_test import Receiver


class Told(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.quell = product.Server("--outbound-allow", "127.0.0.0/8", "--max-lost", "1")

    def tearDown(self):
        self.quell.remove()
        self.receiver.stop()

    def start(self, faults="", events=("job.deleted",)):
        self.quell.start({"QUELL_FAILPOINTS": faults} if faults else None)
        status, made = self.quell.call("POST", "/api/v1/webhooks", {"url": self.receiver.url, "events": list(events)})
        self.assertEqual(status, 201, made)

    def is_told_as_one_message(self, job, event):
        until(lambda: self.receiver.events_of(job), what=f"{event} of {job}")
        # What would be told twice would be told by now: a later message of the same outbox has arrived behind it.
        last = self.quell.submit("noop", {})
        until(lambda: self.quell.status_of(last) == "succeeded")
        self.quell.delete_many([last])
        until(lambda: "job.deleted" in self.receiver.events_of(last), what="a later message")
        self.assertEqual(self.receiver.events_of(job), [event])

    def body_of(self, job):
        return next(b for b in self.receiver.bodies() if b["data"].get("job_id") == job)

    def dies_in_a_delete_of(self, job):
        # The receipt is kept behind the answer, which may come or not.
        with contextlib.suppress(OSError, ValueError, product.http.client.HTTPException):
            self.quell.delete_many([job], wait=5)
        self.quell.process.wait(60)
        self.quell.start()

    def test_a_deletion_is_told_when_the_server_dies_before_its_answer(self):
        for point in ("mark.after", "answer.before", "receipt.before"):
            with self.subTest(point):
                self.tearDown()
                self.setUp()
                self.start(f"{point}=crash")
                job = self.quell.submit("noop", {})
                until(lambda: self.quell.status_of(job) == "succeeded")
                self.dies_in_a_delete_of(job)
                self.is_told_as_one_message(job, "job.deleted")

    def test_a_deletion_that_the_next_start_finishes_is_told(self):
        for point in ("stop.before", "erase.before", "erase.after"):
            with self.subTest(point):
                self.tearDown()
                self.setUp()
                self.start(f"{point}=crash")
                job = self.quell.submit("sleep", {"seconds": 600})
                until(lambda: self.quell.status_of(job) == "running")
                self.dies_in_a_delete_of(job)
                self.is_told_as_one_message(job, "job.deleted")
                self.assertEqual(self.body_of(job)["data"]["was"], "running")

    def test_a_job_that_is_lost_too_often_is_told_as_failed_with_the_reason(self):
        self.start(events=("job.failed", "job.deleted"))
        job = self.quell.submit("sleep", {"seconds": 600})
        until(lambda: self.quell.status_of(job) == "running")
        self.quell.kill()
        self.quell.start()
        self.assertEqual(self.quell.status_of(job), "failed")
        self.is_told_as_one_message(job, "job.failed")
        self.assertEqual(self.body_of(job)["data"]["reason"], "lost_too_often")


if __name__ == "__main__":
    unittest.main()
