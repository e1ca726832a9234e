"""Nobody dies in silence: a throw planted in each part that keeps a node going (the rows QUELL_CONTROL of failpoints.def) ends the
program with exit code 70 and one log line that names the part, and the next start has lost nothing of what was acknowledged."""
import contextlib
import os
import pathlib
import re
import unittest

import fleet
import product
from product import until

SPEC = pathlib.Path(__file__).parents[2] / "runtime/spec/failpoints.def"
PLACES = re.findall(r"^QUELL_CONTROL\((\w+),", SPEC.read_text(), re.M)
# At which visit it throws: late enough that most parts have served somebody by then.
VISIT = {"clerk": 25, "foreman": 8, "deleter": 4, "janitor": 3, "operations": 3, "courier": 1, "sealer": 4, "sweeper": 1, "sentinel": 1,
         "registrar": 2, "timekeeper": 3, "task_eraser": 3, "backups": 3, "backup_thread": 2, "reader": 6, "timers": 15,
         "sockets": 2, "server": 30, "hints": 2, "write_worker": 2}
SHARED_STORE_ONLY = ("hints", "write_worker")
# No kind that the program brings does blocking work; FallOfAThread in tests/actors/node/fatal_test.cpp throws there.
ELSEWHERE = ("offload",)
# Each place costs a life and a start: the long lane plays all of them, the short one an actor, a thread and the loop.
SHORT = ("clerk", "deleter", "reader", "server", "hints")
PLAYED = PLACES if os.environ.get("FATAL_PLACES") == "all" else SHORT
LOST = (OSError, ValueError, AssertionError, product.http.client.HTTPException)


class Story:
    """What a client did with one server, and what it was told."""

    def __init__(self, store=None):
        self.quell = product.Server("--pool", "default=4", "--outbound-allow", "127.0.0.0/8", "--retention-every-s", "1",
                                    "--sentinel-every-s", "1", store=store)
        self.quell.flags += ["--backup-dir", self.quell.data_dir + "/backups", "--backup-every-s", "1"]
        self.stored, self.deleted, self.asked_to_go = set(), set(), set()

    def act(self):
        """A bit of everything, so that each part has something to do. What is not acknowledged does not count."""
        with contextlib.suppress(*LOST):
            many = self.quell.submit_many([{"kind": "noop", "args": {}}] * 100)
            self.stored.update(many)
            self.stored.add(self.quell.submit("http", {"method": "GET", "url": f"http://127.0.0.1:{self.quell.port}/readyz"}))
            held = self.quell.submit("sleep", {"seconds": 600})
            self.stored.add(held)
            self.quell.call("GET", "/api/v1/jobs?limit=5")
            doomed = [held, *many[:3]]
            self.asked_to_go.update(doomed)
            status, reply = self.quell.delete_many(doomed, wait=5)
            if status in (200, 202):
                self.deleted.update(one["job_id"] for one in reply["outcomes"] if one["outcome"] == "deleted")

    def falls(self, place):
        """Exit code and what was logged of a life in which `place` throws."""
        log_from = os.path.getsize(f"{self.quell.data_dir}/server.log")
        if self.quell.start({"QUELL_FAILPOINTS": f"control.{place}=throw@{VISIT[place]}"}, is_to_serve=False) is not False:
            until(lambda: self.act() or self.quell.has_ended(), 60, f"the end of a server whose {place} threw")
            self.quell.log.close()
        return self.quell.process.wait(60), self.quell.log_text()[log_from:]

    def lost(self):
        """A delete whose answer was lost may have been done or not: of those nothing is asked."""
        vanished = [job for job in self.stored - self.asked_to_go if self.quell.status_of(job) in ("not_found", "deleted")]
        return vanished + [job for job in self.deleted if self.quell.status_of(job) != "deleted"]


class NobodyDiesInSilence(unittest.TestCase):
    def plays(self, places, store=None):
        story = Story(store)
        self.addCleanup(story.quell.remove)
        story.quell.start()
        story.act()
        story.quell.stop()
        for place in places:
            with self.subTest(place):
                code, log = story.falls(place)
                self.assertEqual(code, 70, log[-2000:])
                said = [line for line in log.splitlines() if "has ended this node" in line]
                self.assertEqual(len(said), 1, log[-2000:])
                self.assertRegex(said[0], rf"has ended this node: {place}(, at [A-Z]\w+)?: failpoint control\.{place}")
                story.quell.start()
                self.assertEqual(story.lost(), [])
                story.act()
                self.assertEqual(story.quell.stop(), 0)
        self.assertGreater(len(story.stored), 100)
        self.assertGreater(len(story.deleted), 3)

    def test_each_part_of_a_node_alone_is_named_and_nothing_is_lost(self):
        self.plays([place for place in PLAYED if place not in SHARED_STORE_ONLY + ELSEWHERE])

    def test_so_is_each_part_that_only_a_shared_store_needs(self):
        with fleet.Postgres() as postgres:
            self.plays([place for place in SHARED_STORE_ONLY if place in PLAYED], postgres.url)

    def test_every_row_of_the_table_is_played_here_or_there(self):
        self.assertEqual(set(PLACES), set(VISIT) | set(ELSEWHERE))


if __name__ == "__main__":
    unittest.main()
