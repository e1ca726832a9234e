"""What the soak says of schedules can be bad: for each kind of violation a hand-made history that has it and nothing else."""
import unittest

import checker
import tasks
from tasks import fire_id

TASK, FIRST, EVERY = "0198c2c0-0000-7000-8000-000000000001", 1_800_000_000_000, 2_000


class Story:
    """One schedule that fired three times and waits for the fourth; and that is deleted, when a test says so."""

    def __init__(self):
        self.events = [{"seq": 0, "what": "task_made", "task": TASK, "every": EVERY, "first": FIRST}]
        self.births = {fire_id(TASK, FIRST + n * EVERY): n + 1 for n in range(3)}
        self.row = {"status": tasks.ACTIVE, "fired": 3, "missed": 0, "next": FIRST + 3 * EVERY}
        self.seen = {"tasks": {TASK: self.row}, "now": FIRST + 3 * EVERY - 1, "left": {}}

    def deleted(self, born):
        self.events += [{"what": "task_deleting", "task": TASK},
                        {"what": "task_deleted", "task": TASK, "status": "PENDING_DELETE", "born": born}]
        self.seen["tasks"] = {}
        return self

    def kinds(self):
        out = checker.Verdict()
        tasks.check(self.events, self.seen, self.births, out)
        return [kind for kind, _, _ in out.violations]


class TaskChecker(unittest.TestCase):
    def test_finds_nothing_where_nothing_is(self):
        self.assertEqual(Story().kinds(), [])
        self.assertEqual(Story().deleted(3).kinds(), [])

    def test_finds_a_due_time_that_did_not_fire(self):
        story = Story()
        del story.births[fire_id(TASK, FIRST + EVERY)]
        self.assertEqual(story.kinds(), ["fire_missed", "fire_doubled"])  # and then its own count is wrong as well
        gone = Story().deleted(3)
        del gone.births[fire_id(TASK, FIRST)]
        self.assertEqual(gone.kinds(), ["fire_missed"])

    def test_finds_one_that_stands_still_and_one_that_missed_by_its_own_word(self):
        story = Story()
        story.seen["now"] += tasks.LATE_MS + 1_000
        self.assertEqual(story.kinds(), ["fire_missed"])
        story = Story()
        story.row["missed"] = 1
        self.assertEqual(story.kinds(), ["fire_missed"])

    def test_finds_a_fire_too_many(self):
        story = Story()
        story.row["fired"] = 4
        self.assertEqual(story.kinds(), ["fire_doubled"])

    def test_does_not_count_a_fire_between_the_look_and_the_end(self):
        story = Story()
        story.births[fire_id(TASK, FIRST + 3 * EVERY)] = 4  # it was due when the look was over
        self.assertEqual(story.kinds(), [])

    def test_finds_a_fire_behind_the_reply_to_its_delete(self):
        self.assertEqual(Story().deleted(2).kinds(), ["fire_after"])
        self.assertEqual(Story().deleted(None).kinds(), [])

    def test_finds_a_delete_that_never_ends_and_a_schedule_that_nobody_deleted(self):
        story = Story()
        story.row["status"] = tasks.LEAVING[1]
        self.assertEqual(story.kinds(), ["task_stuck"])
        story = Story()
        story.seen["left"] = {TASK: story.row}
        self.assertEqual(story.kinds(), ["task_stuck"])
        story = Story()
        story.seen["tasks"] = {}
        self.assertEqual(story.kinds(), ["vanished"])


if __name__ == "__main__":
    unittest.main()
