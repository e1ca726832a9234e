"""What producers do comes out as with a real Redis and a real worker: delay, results, chains, groups, chords, retries,
limits. The producers are Debian's Celery, unchanged; only the URL is ours."""
import unittest

import stage


class Producers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = stage.Shop()
        cls.server = stage.serve(cls.shop)
        cls.addClassCleanup(cls.shop.close)
        cls.addClassCleanup(cls.server.stop)
        cls.producer = cls.shop.producer(cls.server.url)
        cls.addClassCleanup(cls.producer.close)

    def told(self, scenario):
        return self.producer.run(scenario)

    def test_a_task_is_run_and_its_result_told(self):
        self.assertEqual(self.told("delay"), [5, "SUCCESS", True, True])

    def test_a_task_that_raises_fails_with_its_traceback(self):
        self.assertEqual(self.told("failure"), ["ValueError: broken", "FAILURE", True])
        job = stage.jobs_of(self.server, status="failed", tag="celery-task:shop.boom")[0]
        self.assertEqual(job["error"]["code"], "celery-failure")
        self.assertIn("ValueError: broken", job["error"]["detail"])

    def test_a_countdown_is_waited_for(self):
        self.assertEqual(self.told("countdown"), [3, True])

    def test_what_expires_before_it_is_due_is_never_run(self):
        self.assertEqual(self.told("expires"), ["TaskRevokedError: expired", "REVOKED"])
        self.assertNotIn("expired", self.shop.notes())

    def test_a_callers_own_id_queue_and_priority_are_kept(self):
        self.assertEqual(self.told("options"), [True, 0, "other"])

    def test_an_ignored_result_is_not_told(self):
        self.assertEqual(self.told("ignore_result"), ["PENDING", True])

    def test_a_forgotten_result_is_told_no_more(self):
        self.assertEqual(self.told("forget"), [2, "PENDING"])

    def test_a_chain_passes_its_results_on(self):
        self.assertEqual(self.told("chained"), [113, 13, 3])

    def test_a_broken_chain_tells_the_last_of_it(self):
        self.assertEqual(self.told("broken_chain"), "ValueError: in the middle")

    def test_a_group_comes_back_in_order(self):
        self.assertEqual(self.told("grouped"), [[2 * i for i in range(10)], 10])

    def test_a_chords_body_runs_once_all_parts_are_there(self):
        self.assertEqual(self.told("chorded"), 90)

    def test_a_chord_with_a_broken_part_raises_as_celery_does(self):
        # The part's own error if it is known when get() begins, else that of the body, which never runs.
        self.assertIn(self.told("broken_chord"), ("ChordError", "ValueError"))

    def test_a_chain_into_a_group_becomes_a_chord(self):
        self.assertEqual(self.told("chain_into_chord"), 7)

    def test_a_retry_is_the_same_job_again(self):
        self.assertEqual(self.told("retried"), [2, "SUCCESS"])
        self.assertEqual(len(stage.jobs_of(self.server, tag="celery-task:shop.third_time")), 1)

    def test_an_autoretry_ends_with_the_error_of_the_last(self):
        self.assertEqual(self.told("auto_retried"), "ValueError: never")
        self.assertEqual(len([note for note in self.shop.notes() if note.startswith("auto ")]), 3)

    def test_a_link_is_run_with_the_result(self):
        self.assertEqual(self.told("linked"), 12)

    def test_a_task_that_replaces_itself_is_still_the_same_id(self):
        self.assertEqual(self.told("replaced"), 105)

    def test_a_state_of_the_tasks_own_is_told_while_it_runs(self):
        self.assertEqual(self.told("progress"), ["PROGRESS", {"done": 50}, "all"])

    def test_a_hard_limit_kills_the_process(self):
        self.assertEqual(self.told("hard_limit"), "TimeLimitExceeded: TimeLimitExceeded(1,)")

    def test_a_limit_of_the_call_counts_as_well(self):
        self.assertEqual(self.told("limit_of_the_call"), "TimeLimitExceeded: TimeLimitExceeded(1,)")

    def test_a_soft_limit_is_an_exception_in_the_task(self):
        self.assertEqual(self.told("soft_limit"), "softened")

    def test_a_task_that_ignores_itself_tells_nothing(self):
        self.assertEqual(self.told("ignored"), "not in time")

    def test_a_coroutine_is_a_task(self):
        self.assertEqual(self.told("coroutine"), 2)

    def test_starmap_and_chunks(self):
        self.assertEqual(self.told("starmap"), [[3, 7], [[2, 4], [6]]])

    def test_workers_are_pinged(self):
        self.assertEqual(self.told("ping"), [{"ok": "pong"}])

    def test_what_a_task_prints_is_in_its_jobs_log(self):
        self.told("printed")
        job = stage.jobs_of(self.server, tag="celery-task:shop.say")[0]
        status, log = self.server.call("GET", f"/api/v1/jobs/{job['job_id']}/logs")
        self.assertEqual(status, 200)
        self.assertIn("said: hello", str(log))


class Unordered(unittest.TestCase):
    def test_a_chord_whose_parts_are_kept_in_no_order_counts_too(self):
        shop = stage.Shop(SHOP_UNORDERED="1")
        self.addCleanup(shop.close)
        server = stage.serve(shop)
        self.addCleanup(server.stop)
        self.assertEqual(shop.run("chorded", server.url), 90)
