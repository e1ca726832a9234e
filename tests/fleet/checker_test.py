"""A checker that cannot fail proves nothing: for each kind of violation a hand-made history that has it and nothing else."""
import copy
import hashlib
import pathlib
import unittest

import checker

JOB, OTHER, CALL = "job-1", "job-2", "call-1"


def digest(*lines):
    return hashlib.sha256("".join(sorted(f"{line}\n" for line in lines)).encode()).hexdigest()


def counts(outcome="deleted", verdict="stopped"):
    named = dict.fromkeys(("requested", "distinct", "deleted", "dequeued", "killed", "finished_first", "at_rest", "unproven",
                           "slots_freed", "already_gone", "pending", "failed"), 0)
    named.update(requested=1, distinct=1)
    named[outcome] = 1
    if outcome == "deleted":
        named["unproven" if verdict in checker.UNPROVEN else "killed"] = 1
    return named


class Story:
    """A run in which nothing is wrong: one job is deleted while it streams, another ends by itself. Tests spoil it."""

    def __init__(self, verdict="stopped", outcome="deleted"):
        self.events = []
        self.note("submit", op=1, type="invoke", jobs=[JOB, OTHER])
        self.note("submit", op=1, type="ok", jobs=[JOB, OTHER])
        self.call(JOB)
        self.call(OTHER)
        self.note("closed", conn=self.last_call(OTHER))
        self.note("delete", op=2, type="invoke", jobs=[JOB])
        self.note("closed", conn=self.last_call(JOB))
        self.mark(2)
        self.reply(2, CALL, {"outcome": outcome, "verdict": verdict, "was": "running"})
        self.final = {
            "jobs": {OTHER: "succeeded"},
            "tombs": {JOB: {"delete_id": CALL, "verdict": verdict, "was": "running"}},
            "audit": {CALL: [{"jobs": 1, "digest": digest(f"{JOB} running {verdict}")}]},
            "witness": [("birth", JOB), ("birth", OTHER), ("claim", JOB), ("claim", OTHER), ("tomb", JOB)],
            "tickets": [], "leftovers": [], "crashes": [], "losses": [],
            "pools": [("server", {"name": "default", "capacity": 20, "used": 0, "free": 20, "expected": 20})],
        }

    def reply(self, op, call, one):
        self.note("delete", op=op, type="ok", status=202 if one["outcome"] == "pending" else 200, delete_id=call,
                  counts=counts(one["outcome"], one.get("verdict")), outcomes={JOB: one})

    def note(self, what, **facts):
        self.events.append({"seq": len(self.events), "what": what, **facts})
        return len(self.events) - 1

    def call(self, job, path="/slow/"):
        conn = self.note("accepted")
        self.note("request", conn=conn, job=job, path=path + job)
        return conn

    def before_the_delete(self, job, path="/slow/"):
        """A call that began and ended before the delete was asked for: its numbers are below all others."""
        first = self.events[0]["seq"] - 3
        self.events[:0] = [{"seq": first, "what": "accepted"},
                           {"seq": first + 1, "what": "request", "conn": first, "job": job, "path": path + job},
                           {"seq": first + 2, "what": "closed", "conn": first}]
        return first

    def reply_of(self, op):
        return next(e for e in self.events if e["what"] == "delete" and e["op"] == op and e["type"] == "ok")

    def last_call(self, job):
        return [e["conn"] for e in self.events if e["what"] == "request" and e["job"] == job][-1]

    def mark(self, op):
        self.note("mark", op=op, accepted=self.note("accepted"))

    def without(self, what, **facts):
        """The same numbers, one event fewer."""
        self.events = [e for e in self.events if not (e["what"] == what and all(e.get(k) == v for k, v in facts.items()))]

    def verdict(self):
        return checker.check(self.events, self.final)

    def kinds(self):
        return sorted({kind for kind, _, _ in self.verdict().violations})


class TotalDelete(unittest.TestCase):
    def test_finds_nothing_where_nothing_is(self):
        for verdict in sorted(checker.PROVEN - checker.NEVER_RAN):
            self.assertEqual(Story(verdict).kinds(), [])
        figures = Story().verdict().figures
        self.assertEqual((figures["jobs"], figures["deletes_of_running"], figures["proven"], figures["unproven"]), (2, 1, 1, 0))

    def test_finds_a_connection_made_after_the_reply(self):
        story = Story()
        story.note("closed", conn=story.call(JOB))
        self.assertEqual(story.kinds(), ["effect_after"])

    def test_finds_a_connection_made_between_the_reply_and_the_writing_of_its_mark(self):
        story = Story()
        mark = next(e for e in story.events if e["what"] == "mark")
        late = story.call(JOB)
        story.note("closed", conn=late)
        mark["seq"] = len(story.events)  # written last, but its own connection was accepted before the late one
        self.assertEqual(story.kinds(), ["effect_after"])

    def test_does_not_blame_a_connection_made_before_the_mark_s(self):
        story = Story()
        for event in story.events:
            if event["what"] == "mark":
                event["accepted"], event["seq"] = 1000, 1001
        story.note("closed", conn=story.call(JOB))  # 12..14: accepted, asked and closed before 1000
        self.assertEqual(story.kinds(), [])

    def test_finds_bytes_after_the_reply_on_a_connection_from_before(self):
        story = Story()
        story.note("bytes", conn=story.last_call(JOB))
        self.assertEqual(story.kinds(), ["bytes_after"])

    def test_finds_a_request_that_comes_after_the_reply_on_a_connection_from_before(self):
        story = Story()
        request = next(e for e in story.events if e["what"] == "request" and e["job"] == JOB)
        story.events.remove(request)
        story.note("request", conn=request["conn"], job=JOB, path="/slow/late")
        self.assertEqual(story.kinds(), ["bytes_after"])

    def test_finds_a_connection_that_is_still_open_at_the_reply(self):
        story = Story()
        story.without("closed", conn=story.last_call(JOB))
        self.assertEqual(story.kinds(), ["open_after"])
        story.note("closed", conn=story.last_call(JOB))
        self.assertEqual(story.kinds(), ["open_after"])

    def test_finds_a_claim_after_the_recovery(self):
        story = Story()
        story.final["witness"].append(("claim", JOB))
        self.assertEqual(story.kinds(), ["claim_after"])

    def test_finds_a_job_that_came_back(self):
        for status in ("queued", "running", "succeeded", "pending_delete"):
            story = Story()
            story.final["jobs"][JOB] = status
            self.assertIn("false_delete", story.kinds())

    def test_finds_a_delete_without_a_tombstone(self):
        story = Story()
        del story.final["tombs"][JOB]
        story.final["audit"] = {}
        self.assertEqual(story.kinds(), ["lost", "no_tombstone"])

    def test_finds_a_missing_a_short_and_a_wrong_audit(self):
        rows = [[], [{"jobs": 0, "digest": ""}], [{"jobs": 2, "digest": ""}], [{"jobs": 1, "digest": digest(f"{OTHER} running stopped")}]]
        for audit in rows:
            story = Story()
            story.final["audit"] = {CALL: audit}
            self.assertEqual(story.kinds(), ["no_audit"], audit)
        story = Story()
        story.final["audit"]["call-9"] = [{"jobs": 1, "digest": ""}]
        self.assertEqual(story.kinds(), ["no_audit"])

    def test_finds_two_calls_that_both_deleted_unless_they_joined(self):
        story = Story()
        again = {"outcome": "deleted", "verdict": "stopped", "was": "running"}
        story.reply(3, "call-2", again)
        self.assertEqual(story.kinds(), ["two_deletes"])
        story.events[-1]["outcomes"][JOB] = again | {"joined": True, "delete_id": CALL}
        self.assertEqual(story.kinds(), [])

    def test_finds_a_reply_that_does_not_add_up(self):
        spoilt = [{"deleted": 2}, {"killed": 0}, {"pending": 1}, {"already_gone": 1}, {"unproven": 1, "killed": 0}, {"distinct": 2, "failed": 1}]
        for wrong in spoilt:
            story = Story()
            story.events[-1]["counts"].update(wrong)
            self.assertEqual(story.kinds(), ["sums"], wrong)
        story = Story()
        story.events[-1]["status"] = 202
        self.assertEqual(story.kinds(), ["sums"])

    def test_finds_a_call_of_a_run_that_is_told_as_none(self):
        for verdict in sorted(checker.NEVER_RAN):
            self.assertEqual(Story(verdict).kinds(), ["ran_after_all"])
            story = Story(verdict)  # claimed twice: the call is the run's before, which a lost node had
            story.final["witness"].insert(2, ("claim", JOB))
            self.assertEqual(story.kinds(), [])
            again = Story(verdict)  # two calls of one claim before: the second is the run's that is told as none
            again.final["witness"].insert(2, ("claim", JOB))
            again.before_the_delete(JOB)
            self.assertEqual(again.kinds(), ["ran_after_all"])
            queued = Story(verdict)  # it waits for its next attempt: the claim before it has called
            queued.reply_of(2)["outcomes"][JOB]["was"] = "queued"
            self.assertEqual(queued.kinds(), [])
            queued.final["witness"].remove(("claim", JOB))
            self.assertEqual(queued.kinds(), ["ran_after_all"])

    def test_finds_a_webhook_that_goes_out_or_on_after_the_reply(self):
        story = Story()
        story.note("closed", conn=story.call(JOB, "/hook/"))
        self.assertEqual(story.kinds(), ["webhook_after"])
        story = Story()
        conn = story.before_the_delete(JOB, "/hook/")
        self.assertEqual(story.kinds(), [])
        story.without("closed", conn=conn)
        self.assertEqual(story.kinds(), ["webhook_after"])

    def test_finds_an_event_that_the_node_that_answered_tells_later(self):
        story = Story()
        story.note("event", node="server", name="job.deleted", job=JOB)
        story.note("event", node="worker1", name="job.progress", job=JOB)  # it did not answer: it may not know yet
        story.note("event", node="server", name="job.progress", job=OTHER)
        self.assertEqual(story.kinds(), [])
        story.note("event", node="server", name="job.progress", job=JOB)
        self.assertEqual(story.kinds(), ["event_after"])

    def test_finds_bytes_that_an_orphaned_socket_still_brings(self):
        story = Story()
        conn = story.before_the_delete(JOB, "/wall/")
        self.assertEqual(story.kinds(), [])
        story.note("bytes", conn=conn)
        self.assertEqual(story.kinds(), ["bytes_after"])

    def test_finds_an_id_that_is_stored_again_after_its_delete(self):
        story = Story()
        story.final["witness"].append(("birth", JOB))
        self.assertEqual(story.kinds(), ["reborn"])
        story = Story()
        story.note("submit", op=7, type="invoke", jobs=[JOB])
        story.note("submit", op=7, type="info", why="409")
        self.assertEqual(story.kinds(), [])
        story.note("submit", op=7, type="ok", jobs=[JOB], stored=[])  # taken, and told so
        self.assertEqual(story.kinds(), [])
        story.note("submit", op=8, type="invoke", jobs=[JOB])
        story.note("submit", op=8, type="ok", jobs=[JOB])
        self.assertEqual(story.kinds(), ["reborn"])

    def test_lets_a_submit_that_was_asked_before_the_reply_be_answered_after_it(self):
        story = Story()
        story.events.insert(0, {"seq": -1, "what": "submit", "op": 9, "type": "invoke", "jobs": [JOB]})
        story.note("submit", op=9, type="ok", jobs=[JOB])
        self.assertEqual(story.kinds(), [])

    def test_finds_a_job_that_was_stored_twice(self):
        story = Story()
        story.final["witness"].insert(1, ("birth", OTHER))
        self.assertEqual(story.kinds(), ["born_twice"])

    def test_finds_a_lost_job(self):
        for status in (None, "queued", "running", "scheduled"):
            story = Story()
            del story.final["jobs"][OTHER]
            if status:
                story.final["jobs"][OTHER] = status
            self.assertEqual(story.kinds(), ["lost"], status)

    def test_lets_an_unacknowledged_job_be_stored_or_not(self):
        for status in (None, "succeeded"):
            story = Story()
            story.note("submit", op=4, type="invoke", jobs=["job-3"])
            story.note("submit", op=4, type="info", why="timed out")
            if status:
                story.final["jobs"]["job-3"] = status
                story.final["witness"].append(("birth", "job-3"))
            self.assertEqual(story.kinds(), [])

    def test_lets_an_unanswered_delete_have_happened_or_not(self):
        for happened in (True, False):
            story = Story()
            reply = next(e for e in story.events if e["what"] == "delete" and e["type"] == "ok")
            reply.update(type="info", why="timed out")
            if not happened:
                story.final.update(jobs={OTHER: "succeeded", JOB: "succeeded"}, tombs={}, audit={}, witness=story.final["witness"][:-1])
            story.note("closed", conn=story.call(JOB))  # nothing was promised
            self.assertEqual(story.kinds(), [])

    def test_finds_a_job_that_nobody_asked_to_delete(self):
        story = Story()
        del story.final["jobs"][OTHER]
        story.final["tombs"][OTHER] = {"delete_id": "call-3", "verdict": "not_running", "was": "succeeded"}
        story.final["audit"]["call-3"] = [{"jobs": 1, "digest": digest(f"{OTHER} succeeded not_running")}]
        self.assertEqual(story.kinds(), ["vanished"])

    def test_finds_a_delete_that_is_not_finished(self):
        for status in ("pending_delete", "delete_failed"):
            story = Story(outcome="pending")
            story.final.update(jobs={OTHER: "succeeded", JOB: status}, tombs={}, audit={}, tickets=[("ticket", JOB), ("holder", JOB)])
            self.assertEqual(story.kinds(), ["stuck"])

    def test_finds_a_pool_that_is_not_whole(self):
        for spoilt in ({"free": 19}, {"used": 1}, {"free": 21}, {"free": 0, "capacity": 0}):
            story = Story()
            story.final["pools"][0][1].update(spoilt)
            self.assertEqual(story.kinds(), ["slots"], spoilt)

    def test_finds_rows_left_behind(self):
        story = Story()
        story.final["leftovers"] = [("partial", JOB)]
        self.assertEqual(story.kinds(), ["leftover"])

    def test_finds_a_node_that_crashed_by_itself(self):
        story = Story()
        story.final["crashes"] = [("worker1", -6, "assertion failed")]
        self.assertEqual(story.kinds(), ["crash"])

    def test_finds_a_loss_that_was_none(self):
        story = Story()
        story.final["losses"] = ["the log ends before that"]
        self.assertEqual(story.kinds(), ["false_loss"])

    def test_holds_already_gone_to_the_promise_too(self):
        story = Story()
        story.note("delete", op=5, type="invoke", jobs=[JOB])
        story.mark(5)
        story.reply(5, "call-5", {"outcome": "already_gone"})
        self.assertEqual(story.kinds(), [])
        first = next(e for e in story.events if e["what"] == "delete" and e.get("op") == 2 and e["type"] == "ok")
        first["type"] = "info"  # the first reply was never read: the second promises alone
        story.note("closed", conn=story.call(JOB))
        self.assertEqual(story.kinds(), ["effect_after"])

    def test_tells_effects_of_unproven_deletes_apart(self):
        for verdict in sorted(checker.UNPROVEN):
            story = Story(verdict)
            quiet = copy.deepcopy(story).verdict()
            self.assertEqual((quiet.violations, quiet.unproven_effects, quiet.figures["unproven"]), ([], [], 1))
            story.call(JOB)
            loud = story.verdict()
            self.assertEqual((loud.violations, loud.unproven_effects), ([], [JOB]))

    def test_breaks_each_kind_at_least_once_above_or_in_that_of_the_schedules(self):
        here = pathlib.Path(__file__)
        text = here.read_text() + here.with_name("tasks_test.py").read_text()
        self.assertEqual([kind for kind in checker.KINDS if f'"{kind}"' not in text], [])


if __name__ == "__main__":
    unittest.main()
