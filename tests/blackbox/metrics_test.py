"""What a monitor sees at /metrics after real jobs: the words that alerts are written on."""
import contextlib
import re
import sqlite3
import unittest

import product
from product import until

STEPS = ("mark", "stop", "erase", "answer")


def scrape(quell):
    """name{labels} -> value; a family that is described twice, or not at all, is a fault."""
    status, _, text = quell.exchange("GET", "/metrics")
    assert status == 200, status
    types, values = {}, {}
    for line in text.decode().splitlines():
        if described := re.match(r"# TYPE (\S+) (\S+)", line):
            assert described[1] not in types, f"{described[1]} is described twice"
            types[described[1]] = described[2]
        elif not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            family = re.sub(r"\{.*", "", name)
            assert {family, re.sub("_(bucket|sum|count)$", "", family)} & types.keys(), f"{family} is not described"
            assert name not in values, f"{name} comes twice"
            values[name] = float(value)
    return values


class Metrics(unittest.TestCase):
    def test_waiting_and_running_times_are_told_by_queue(self):
        with product.Server("--pool", "default=1", "--queue", "default", "--queue", "side:default") as quell:
            quell.submit_many([{"kind": "noop", "args": {}}] * 3)
            until(lambda: quell.counts().get("succeeded") == 3)
            held = quell.submit("sleep", {"seconds": 600}, queue="side")
            until(lambda: quell.status_of(held) == "running")
            waiting = quell.submit("noop", {})
            seen = until(lambda: (v := scrape(quell))['quell_queue_oldest_age_seconds{queue="default"}'] > 0.05 and v)
            self.assertEqual(seen['quell_queue_oldest_age_seconds{queue="side"}'], 0, "it runs")
            self.assertEqual(seen['quell_job_wait_seconds_count{queue="default"}'], 3)
            self.assertEqual(seen['quell_job_wait_seconds_count{queue="side"}'], 1)
            self.assertEqual(seen['quell_job_run_seconds_count{queue="default"}'], 3)
            self.assertNotIn('quell_job_run_seconds_count{queue="side"}', seen)
            self.assertLess(seen['quell_job_run_seconds_sum{queue="default"}'], 600)
            self.assertEqual(seen['quell_job_run_seconds_bucket{queue="default",le="+Inf"}'], 3)
            self.assertEqual(quell.delete_many([held, waiting])[0], 200)
            after = scrape(quell)
            self.assertEqual(after['quell_queue_oldest_age_seconds{queue="default"}'], 0)
            self.assertEqual(after['quell_job_run_seconds_count{queue="side"}'], 1)

    def test_each_step_of_a_delete_is_timed_and_nothing_acts_behind_it(self):
        with product.Server() as quell:
            before = scrape(quell)
            self.assertEqual(before["quell_effects_after_delete_total"], 0)
            self.assertNotIn('quell_delete_step_seconds_count{step="mark"}', before)
            job = quell.submit("sleep", {"seconds": 600})
            until(lambda: quell.status_of(job) == "running")
            self.assertEqual(quell.delete_many([job])[0], 200)
            after = until(lambda: (v := scrape(quell)).get('quell_delete_step_seconds_count{step="answer"}') and v)
            for step in STEPS:
                self.assertEqual(after[f'quell_delete_step_seconds_count{{step="{step}"}}'], 1, step)
                self.assertGreaterEqual(after[f'quell_delete_step_seconds_sum{{step="{step}"}}'], 0, step)
            self.assertEqual(after["quell_effects_after_delete_total"], 0)

    def test_the_audit_chains_end_is_watched(self):
        with product.Server() as quell:
            quell.call("POST", "/api/v1/tokens", {"name": "t", "scopes": ["jobs:read"]})
            seen = until(lambda: (v := scrape(quell))["quell_audit_unsealed_entries"] == 0 and v["quell_audit_sealed_entries"] and v)
            self.assertEqual(seen["quell_audit_chain_ok"], 1)
            self.assertGreaterEqual(seen["quell_audit_last_sealed_age_seconds"], 0)
            with contextlib.closing(sqlite3.connect(f"{quell.data_dir}/quell.db", timeout=60)) as store:
                store.execute("UPDATE audit SET who = 'nobody' WHERE no = (SELECT max(no) FROM audit WHERE hash IS NOT NULL)")
                store.commit()
            self.assertEqual(scrape(quell)["quell_audit_chain_ok"], 0)


if __name__ == "__main__":
    unittest.main()
