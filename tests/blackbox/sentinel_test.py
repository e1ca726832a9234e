"""The sentinel against the real product: an anomaly of each rule, planted; one alert each, and none while nothing is wrong."""
import datetime
import os
import re
import secrets
import subprocess
import unittest

import fleet
import kept
import product
from product import until

OFTEN = ("--sentinel-every-s", "1")


class Watched(kept.Story):
    def snapshots(self, quell=None):
        status, reply = (quell or self.quell).call("GET", "/api/v1/snapshots?limit=1000")
        self.assertEqual(status, 200, reply)
        return reply["snapshots"]

    def some_more(self, n=2):
        """Snapshots that began after this call."""
        seen = len(self.snapshots())
        until(lambda: len(self.snapshots()) >= seen + n + 1, 60, "snapshots")

    def alerts(self):
        return self.ask("GET", "/alerts")["alerts"]

    def one_alert(self, cause):
        until(self.alerts, 60, f"an alert of {cause}")
        self.some_more(3)  # it lasts, or is over: neither is a second crossing
        alerts = self.alerts()
        self.assertEqual([alert["cause"] for alert in alerts], [cause], alerts)
        self.assertEqual((alerts[0]["who"], alerts[0]["state"], alerts[0]["holds"]), ("sentinel", "raised", False))
        self.assertRegex(alerts[0]["sentence"], r"^.+\. .+\.$", "what it is, and what to do")
        raised = [row for row in self.audit() if row["what"] == "alert.raised"]
        self.assertEqual([row["ref"] for row in raised], [alerts[0]["alert_id"]])
        self.assertIn("anomaly: ", self.quell.log_text())
        self.assertIn("quell_anomaly_alerts_total 1\n", self.quell.call("GET", "/metrics")[1])
        self.cli("alerts", "ack", alerts[0]["alert_id"])
        return alerts[0]


class Sentinel(Watched):
    def test_a_quiet_time_with_work_and_deletes_raises_nothing(self):
        self.serve(*OFTEN)
        self.some_more(1)
        ids = self.finished(300)
        self.some_more()
        status, _ = self.quell.delete_many(ids[:40])
        self.assertEqual(status, 200)
        self.some_more(3)
        self.assertEqual(self.alerts(), [])
        seen = self.snapshots()
        self.assertEqual(seen[0]["jobs"], 260)
        self.assertEqual(sum(one["added"] for one in seen), 300)
        self.assertEqual(sum(one["removed"] for one in seen), 40)
        self.assertEqual(sum(one["lost"] for one in seen), 0)
        self.assertEqual(seen[0]["counts"], {"succeeded": 260})
        self.assertGreater(seen[0]["store_bytes"], 0)
        self.assertGreater(seen[0]["memory_bytes"], 1_000_000)

    def test_a_row_removed_by_foreign_sql_is_found_and_its_range_named(self):
        self.serve(*OFTEN)
        ids = sorted(self.finished(1_000))
        self.some_more()
        before = self.snapshots()[0]["snapshot"]
        self.hand(f"DELETE FROM job WHERE id = {self.blob(ids[437])}")
        alert = self.one_alert("vanished")
        self.assertEqual((alert["count"], alert["limit"]), (1, 1))
        first, last = re.search(r"range (\S+) to (\S+)\.", alert["sentence"]).groups()
        self.assertTrue(first <= ids[437] < last, alert)
        after = self.snapshots()[0]["snapshot"]
        diff = self.cli("snapshots", "diff", before, after)
        self.assertEqual(diff["lost"], 1)
        wrong = [one for one in diff["ranges"] if one["lost"]]
        self.assertEqual(len(wrong), 1, diff)
        self.assertTrue(wrong[0]["from_id"] <= ids[437] < wrong[0]["to_id"], wrong)
        self.assertEqual(wrong[0]["rows_before"] - wrong[0]["rows_after"], 1)
        self.assertLess(wrong[0]["rows_before"], 600, "a narrow one")
        self.assertEqual(self.cli("snapshots", "diff", after, after)["ranges"], [])
        self.assertEqual(self.cli("snapshots", "list", "--limit", "1")[0]["lost"], 0)

    def test_a_lost_open_row_is_found_as_well(self):
        self.serve(*OFTEN)
        self.ask("POST", "/queues/default/pause", {})
        ids = sorted(self.quell.submit_many([{"kind": "noop", "args": {}}] * 50))
        self.some_more()
        tables = ("live",) if self.is_postgres else ("live", "job")
        self.hand(*[f"DELETE FROM {t} WHERE {'job' if t == 'live' else 'id'} = {self.blob(ids[7])}" for t in tables])
        self.one_alert("vanished")

    def test_a_sudden_drop(self):
        self.serve(*OFTEN)
        ids = self.finished(300)
        self.some_more()
        self.quell.delete_many(ids[:150])
        self.assertEqual(self.one_alert("drop")["count"], 50)

    def test_unusual_moves(self):
        self.serve(*OFTEN)
        self.some_more(1)
        bad = [{"kind": "http", "args": {"method": "GET", "url": "http://127.0.0.1:1/"}}] * 30
        self.quell.submit_many(bad)  # refused: an address of its own
        self.one_alert("moves")

    def test_deletes_outside_working_hours(self):
        hour = (datetime.datetime.now(datetime.timezone.utc).hour + 12) % 23
        self.serve(*OFTEN, "--sentinel-hours", f"{hour:02}:00-{hour:02}:59")
        ids = self.finished(5)
        self.some_more(1)
        self.quell.delete_many(ids[:3])
        alert = self.one_alert("off_hours")
        self.assertEqual(alert["count"], 3)
        self.assertRegex(alert["sentence"], r"last by \S+")

    def test_growth(self):
        self.serve(*OFTEN, "--sentinel-growth-mb", "4")
        self.some_more(1)
        for _ in range(4):
            self.quell.submit_many([{"kind": "noop", "args": {"x": secrets.token_hex(100_000)}} for _ in range(20)])
        self.one_alert("growth")

    def test_memory(self):
        self.serve(*OFTEN, "--sentinel-memory-mb", "1")
        self.assertGreater(self.one_alert("memory")["count"], 1)

    def test_the_oldest_waiting_job(self):
        self.serve(*OFTEN, "--sentinel-waiting-s", "2")
        self.ask("POST", "/queues/default/pause", {})
        self.quell.submit("noop", {})
        self.assertIn("queue default", self.one_alert("waiting")["sentence"])

    def test_a_crash_while_one_is_written_leaves_a_whole_one_or_none(self):
        quell = self.serve(*OFTEN, "--sentinel-memory-mb", "1")
        self.one_alert("memory")
        for moment in ("before", "within", "after"):
            self.assertEqual(quell.stop(), 0)
            if quell.start({"QUELL_FAILPOINTS": f"snapshot.{moment}=crash@2"}, is_to_serve=False) is not False:
                until(quell.has_ended, 60, f"the crash {moment} the commit")
                quell.log.close()
            heads = {row[0] for row in self.eyes.ask("SELECT id FROM doc WHERE kind = 'snapshot'")}
            ranges = {row[0] for row in self.eyes.ask("SELECT id FROM doc WHERE kind = 'snapshot_ranges'")}
            self.assertEqual(heads, ranges)
            quell.start()
            self.some_more(1)
        self.assertEqual(len(self.alerts()), 1, "it was above its line all the time")

    def test_a_kill_between_crossing_and_snapshot_loses_no_alert_and_makes_no_second(self):
        quell = self.serve("--sentinel-every-s", "1", "--sentinel-memory-mb", "1")
        quell.stop()
        self.hand("DELETE FROM doc WHERE kind IN ('alert', 'snapshot', 'snapshot_ranges')")
        if quell.start({"QUELL_FAILPOINTS": "snapshot.within=crash@1"}, is_to_serve=False) is not False:
            until(quell.has_ended, 60, "the crash")
            quell.log.close()
        self.assertEqual(self.eyes.ask("SELECT id FROM doc WHERE kind = 'alert'"), [])
        quell.start()
        until(self.alerts, 60, "the alert")
        self.some_more(2)
        self.assertEqual([alert["cause"] for alert in self.alerts()], ["memory"])

    def test_zero_seconds_make_none(self):
        self.serve("--sentinel-every-s", "0")
        self.finished(3)
        self.assertEqual(self.snapshots(), [])
        self.assertEqual(self.quell.call("GET", "/api/v1/snapshots/diff")[0], 404)

    def test_whoever_has_no_right_to_the_audit_sees_none(self):
        quell = self.serve(*OFTEN)
        token = self.ask("POST", "/tokens", {"name": "n", "scopes": ["jobs:read"]}, 201)["token"]
        for path in ("/api/v1/snapshots", "/api/v1/snapshots/diff"):
            self.assertEqual(quell.call("GET", path, token=token)[0], 403)


class WhatOnlyPostgreSQLHas(Watched):
    is_postgres = True

    def test_dead_rows(self):
        self.serve(*OFTEN, "--sentinel-dead-rows", "2000")
        self.finished(500)
        self.some_more(1)
        self.hand(*["UPDATE job SET prio = prio"] * 6)
        self.assertIn("table job", self.one_alert("dead_rows")["sentence"])

    def test_a_held_snapshot_is_named_by_pid_and_application(self):
        self.serve(*OFTEN, "--sentinel-held-s", "2")
        self.some_more(1)
        forgotten = subprocess.Popen(["psql", "-qAtX", self.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                     env={**os.environ, "PGAPPNAME": "forgotten"})
        try:
            forgotten.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_backend_pid() FROM job LIMIT 1;"
                                  " SELECT pg_backend_pid();\n")
            forgotten.stdin.flush()
            pid = forgotten.stdout.readline().strip()
            self.assertIn(f"process {pid}, forgotten", self.one_alert("held")["sentence"])
            self.assertEqual(str(self.snapshots()[0]["held_pid"]), pid)
        finally:
            forgotten.stdin.close()
            forgotten.wait(30)
            forgotten.stdout.close()


class SentinelOfAFleet(unittest.TestCase):
    def test_two_nodes_make_one_snapshot_a_due_time_and_go_on_when_one_is_killed(self):
        with fleet.Postgres() as postgres:
            # The usual lease: on a busy machine both shall live till one is killed.
            nodes = [product.Server("--pool", "default=4", *OFTEN, store=postgres.url) for _ in range(2)]
            try:
                nodes[0].start()
                nodes[1].read_token = lambda: setattr(nodes[1], "token", nodes[0].token)  # the store has one administrator
                nodes[1].start()

                def seen(node):
                    return [one["snapshot"] for one in node.call("GET", "/api/v1/snapshots?limit=1000")[1]["snapshots"]]

                def made(node):
                    return int(re.search(r"^quell_store_snapshots_total (\d+)", node.call("GET", "/metrics")[1], re.M)[1])

                until(lambda: len(seen(nodes[0])) >= 6, 60, "snapshots")
                # Counted a moment after each other: read until nobody was between the two.
                until(lambda: sum(made(node) for node in nodes) == len(seen(nodes[0])), 30, "one a due time")
                self.assertEqual(len(set(seen(nodes[0]))), len(seen(nodes[0])))
                leader = max(nodes, key=made)
                other = next(node for node in nodes if node is not leader)
                self.assertEqual(made(other), 0, "one node keeps the watch")
                leader.kill()
                until(lambda: made(other) >= 2, 120, "the other's snapshots")
                self.assertEqual(other.call("GET", "/api/v1/alerts")[1]["alerts"], [])
            finally:
                for node in nodes:
                    node.remove()


kept.both(globals(), Sentinel)
