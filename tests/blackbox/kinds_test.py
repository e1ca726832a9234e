"""The kinds that cost something, deleted or killed in the middle, with the real binary."""
import base64
import json
import os
import unittest
import uuid

import product
import provider
import store_eyes
from product import until

TREES = int(os.environ.get("KIND_TREES", "1000"))


class Kinds(unittest.TestCase):
    def setUp(self):
        self.provider = provider.Provider()
        self.addCleanup(self.provider.stop)

    def server(self, *flags, store=None):
        quell = product.Server("--outbound-allow", "127.0.0.0/8", *product.EXEC, *flags, store=store).start()
        self.addCleanup(quell.remove)
        return quell

    def test_a_bulk_delete_leaves_none_of_a_thousand_program_trees_and_no_zombie(self):
        marker = "quellmark" + uuid.uuid4().hex
        # How long three thousand processes take to die is the machine's affair, and no claim of this test.
        quell = self.server("--pool", f"default={TREES}", "--stop-deadline-ms", "20000", "--lease-s", "60")
        # A shell, its child, and a session of its own that outlives them: all carry the marker in their environment.
        args = {"argv": ["/bin/sh", "-c", "setsid sleep 999 & sleep 998; true"], "env": {"MARKER": marker}}
        ids = quell.submit_many([{"kind": "exec", "args": args}] * TREES)
        until(lambda: quell.pool()["used"] == TREES, 240, "a full pool")
        until(lambda: len(product.processes_with(marker)) == 3 * TREES, 240, "the trees")
        family = product.family_of(quell.process.pid)
        status, reply = quell.delete_many(ids, wait=30)
        left = product.processes_with(marker)
        zombies = product.zombies_of(family)
        self.assertEqual((status, reply["counts"]["killed"], reply["counts"]["slots_freed"]), (200, TREES, TREES), reply["counts"])
        self.assertEqual({o["verdict"] for o in reply["outcomes"]}, {"reaped"})
        self.assertEqual((left, zombies), ([], []))
        self.assertEqual(quell.pool()["free"], TREES)

    def check_streams(self, store):
        quell = self.server("--pool", "default=20", store=store)
        args = {"base_url": self.provider.url("/v1"), "model": "m", "messages": [{"role": "user", "content": "hello"}],
                "prices": {"input": 1_000_000, "output": 1_000_000}}
        ids = quell.submit_many([{"kind": "llm", "args": args}] * 20)
        until(lambda: self.provider.streaming == 20, 60, "20 streams")
        until(lambda: len(self.provider.sent) >= 200, 60, "words")
        status, reply = quell.delete_many(ids)
        with self.provider.lock:
            sent = len(self.provider.sent)
        until(lambda: self.provider.streaming == 0, 30, "the end of the streams")
        self.assertEqual(len(self.provider.sent), sent, "words were sent after the reply")
        self.assertEqual(self.provider.asked["/v1/chat/completions"], 20)
        self.assertEqual((status, reply["counts"]["killed"]), (200, 20), reply["counts"])
        outcomes = json.loads(base64.b64decode(reply["receipt"]["payload"]))["outcomes"]
        told = sum(outcome["run"]["output_tokens"] for outcome in outcomes)
        for outcome in outcomes:
            run = outcome["run"]
            self.assertEqual((outcome["verdict"], outcome["effects_aborted"], run["requests"]), ("stopped", 1, 1))
            self.assertEqual(run["streamed_bytes"], 4 * run["output_tokens"])
            self.assertEqual(run["cost"], run["input_tokens"] + run["output_tokens"])
        # What was on the wire or not read yet when the stream was cut is not in the receipt.
        self.assertGreater(told, 0)
        self.assertLessEqual(told, sent)
        self.provider.sent.clear()
        self.provider.asked.clear()

    def check_workflow(self, store):
        quell = self.server("--poll-ms", "50", store=store)
        steps = [{"name": name, "kind": "http", "args": {"url": self.provider.url(path)}}
                 for name, path in (("a", "/first"), ("b", "/second"), ("c", "/hold-third"), ("d", "/fourth"))]
        self.provider.held.clear()
        job = quell.submit("workflow", {"steps": steps})
        until(lambda: self.provider.asked["/hold-third"] == 1, 60, "the third step")
        quell.kill()
        self.provider.held.set()
        quell.start()
        until(lambda: quell.status_of(job) == "succeeded", 60, "the end of the workflow")
        self.assertEqual(dict(self.provider.asked), {"/first": 1, "/second": 1, "/hold-third": 2, "/fourth": 1})
        self.provider.asked.clear()

    def test_a_deleted_stream_sends_no_word_after_the_reply_and_its_cost_is_in_the_receipt_on_sqlite(self):
        self.check_streams(None)

    def test_a_workflow_of_a_killed_server_resumes_behind_its_last_finished_step_on_sqlite(self):
        self.check_workflow(None)

    def test_both_hold_on_postgresql(self):
        postgres = store_eyes.TemporaryPostgres()
        self.addCleanup(postgres.stop)
        self.check_streams(postgres.create("streams"))
        self.check_workflow(postgres.create("steps"))


if __name__ == "__main__":
    unittest.main()
