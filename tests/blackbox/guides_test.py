"""What we tell people to copy works: the client, the pages of commands, the alert rules."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest

from product import BINARY, EXEC, Server, until

DOCS = pathlib.Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS / "examples"))
from quell import Quell, QuellError  # noqa: E402


def shell_blocks(page):
    return re.findall(r"^```sh\n(.*?)^```$", (DOCS / page).read_text(), re.M | re.S)


class GuidesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--pool", "default=4", *EXEC).start()
        cls.url = f"http://127.0.0.1:{cls.server.port}"
        cls.quell = Quell(cls.url, cls.server.token)

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def test_runs_every_command_of_the_page_about_curl(self):
        blocks = shell_blocks("guides/curl.md")
        self.assertGreaterEqual(len(blocks), 9)
        script = "set -eu\n" + "".join(f"echo '--- block {n}'\n{block}" for n, block in enumerate(blocks))
        with tempfile.TemporaryDirectory() as place:
            run = subprocess.run(["bash", "-c", script], cwd=place, capture_output=True, text=True, timeout=120, env={
                "PATH": "/usr/local/bin:/usr/bin:/bin", "QUELL_URL": self.url,
                "QUELL_TOKEN_FILE": self.server.data_dir + "/admin.token"})
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        said = re.split(r"--- block \d+\n", run.stdout)[1:]
        self.assertEqual(said[1].strip(), "succeeded")
        self.assertEqual(said[2].strip(), "one job")
        self.assertIn("event: job.", said[3])
        self.assertRegex(said[4], r"^1 of 1 job deleted.*\nTrue\n$")
        self.assertIn("Signature Verified Successfully", said[5])
        self.assertIn("tried it out", said[6])
        self.assertNotIn("Signature Verified Successfully", said[7])
        self.assertEqual(said[8].strip(), "job-not-found")

    def test_runs_the_commands_of_the_page_about_backups(self):
        ask, by_hand, restore, export, drill = shell_blocks("guides/backup.md")
        settings = re.search(r"^```toml\n(.*?)^```$", (DOCS / "guides/backup.md").read_text(), re.M | re.S)[1]
        with tempfile.TemporaryDirectory() as place:
            passphrase = pathlib.Path(place, "passphrase")
            passphrase.write_text("a passphrase of the guide\n")
            passphrase.chmod(0o600)
            settings = settings.replace("/var/backups/quell", place + "/backups").replace("/etc/quell/backup.passphrase", str(passphrase))
            pathlib.Path(place, "quell.toml").write_text(settings)
            with Server("--config", place + "/quell.toml") as server:
                server.submit("noop", {})
                pathlib.Path(place, "quell").symlink_to(BINARY)
                run = subprocess.run(["bash", "-euxc", ask + by_hand + export + restore + drill], cwd=place, capture_output=True, text=True, timeout=120, env={
                    "PATH": f"{place}:/usr/local/bin:/usr/bin:/bin", "QUELL_URL": f"http://127.0.0.1:{server.port}",
                    "QUELL_TOKEN_FILE": server.data_dir + "/admin.token", "STORE": f"sqlite:{server.data_dir}/quell.db", "DATA_DIR": server.data_dir,
                    "PASSPHRASE": str(passphrase), "EMPTY_DIR": place + "/empty", "EMPTY_STORE": f"sqlite:{place}/empty/quell.db"})
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
                self.assertEqual(run.stderr.count("No difference"), 2, run.stderr)

    def test_runs_the_commands_of_the_page_about_failover(self):
        """Its configuration of Patroni is run by the lane `patroni`."""
        look, go_on = shell_blocks("guides/failover.md")
        with tempfile.TemporaryDirectory() as place:
            pathlib.Path(place, "quell").symlink_to(BINARY)
            self.quell.call("POST", "/api/v1/system/freeze", {"frozen": True, "reason": "test"})
            run = subprocess.run(["bash", "-euc", look + go_on], capture_output=True, text=True, timeout=120, env={
                "PATH": f"{place}:/usr/local/bin:/usr/bin:/bin", "QUELL_URL": self.url,
                "QUELL_TOKEN_FILE": self.server.data_dir + "/admin.token"})
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn('"history":"ok"', run.stdout)
        self.assertIn('{"frozen":false}', run.stdout)

    def test_runs_the_commands_of_the_page_about_where_it_went(self):
        with tempfile.TemporaryDirectory() as place:
            pathlib.Path(place, "quell").symlink_to(BINARY)
            script = "".join(f"echo '--- block {n}'\n{block}" for n, block in enumerate(shell_blocks("guides/where-did-it-go.md")))
            run = subprocess.run(["bash", "-euc", script], cwd=place, capture_output=True, text=True, timeout=120, env={
                "PATH": f"{place}:/usr/local/bin:/usr/bin:/bin", "QUELL_URL": self.url,
                "QUELL_TOKEN_FILE": self.server.data_dir + "/admin.token"})
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        _, _, traced, report, evidence = re.split(r"--- block \d+\n", run.stdout)
        self.assertIn('It was deleted in a list of ids by token:admin', traced)
        self.assertIn("thought it was the old one", traced)
        self.assertIn("receipt: valid", traced)
        self.assertIn("who,calls,deleted".replace("who", "path"), report)
        self.assertIn("Signature Verified Successfully", evidence)

    def test_runs_the_commands_of_the_page_about_the_sentinel(self):
        blocks = shell_blocks("guides/sentinel.md")
        server = Server("--sentinel-every-s", "1", "--sentinel-memory-mb", "1").start()
        try:
            until(lambda: len(server.call("GET", "/api/v1/snapshots")[1]["snapshots"]) >= 2, 60, "two snapshots")
            with tempfile.TemporaryDirectory() as place:
                pathlib.Path(place, "quell").symlink_to(BINARY)
                run = subprocess.run(["bash", "-euc", "".join(blocks)], capture_output=True, text=True, timeout=120, env={
                    "PATH": f"{place}:/usr/local/bin:/usr/bin:/bin", "QUELL_URL": f"http://127.0.0.1:{server.port}",
                    "QUELL_TOKEN_FILE": server.data_dir + "/admin.token"})
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            self.assertIn('"ranges"', run.stdout)
            alerts = server.call("GET", "/api/v1/alerts")[1]["alerts"]
            self.assertEqual([(alert["cause"], alert["state"]) for alert in alerts], [("memory", "acked")])
        finally:
            server.remove()

    def test_the_page_about_the_sentinel_has_every_rule_with_its_setting_and_default(self):
        page = (DOCS / "guides/sentinel.md").read_text()
        told = {rule: (setting, default) for rule, setting, default in
                re.findall(r"^\| `(\w+)` \| `(\w+)` \|.*\| (\d+)[^|]*\|$", page, re.M)}
        spec = DOCS.parent / "runtime/spec"
        rules = dict(re.findall(r"^ANOMALY_RULE\((\w+),\s*(\w+)", (spec / "anomaly_rules.def").read_text(), re.M))
        settings = {member: (name, fallback) for name, member, fallback in
                    re.findall(r"^SETTING\((\w+),\s*(\w+),\s*\w+,\s*([^,]+),", (spec / "settings.def").read_text(), re.M)}
        self.assertEqual(told, {rule: settings[member] for rule, member in rules.items()})

    def test_the_python_task_of_the_page_about_celery_runs_as_a_program(self):
        page = (DOCS / "guides/from-celery.md").read_text()
        task = re.search(r"^```python\n(.*?)^```$", page, re.M | re.S).group(1)
        command = re.search(r"submit exec --args '(.*?)' --wait", page).group(1)
        with tempfile.TemporaryDirectory() as place:
            os.chmod(place, 0o755)  # programs have a user of their own
            (pathlib.Path(place) / "resize.py").write_text(task)
            job = self.quell.submit("exec", {**json.loads(command), "cwd": place})
            ended = self.quell.wait(job["job_id"], 60)
        self.assertEqual(ended["status"], "succeeded", ended)
        self.assertEqual(ended["progress"], 1.0)
        self.assertIn('"resized": 1', json.dumps(ended["result"]))

    def test_the_python_client_submits_waits_deletes_and_verifies(self):
        quell = self.quell
        job = quell.submit("sleep", {"seconds": 0.05}, tags=["a"])
        self.assertEqual(quell.wait(job["job_id"], 60)["status"], "succeeded")
        quell.result(job["job_id"])
        many = quell.submit_many([{"kind": "sleep", "args": {"seconds": 600}}, {"kind": "noop", "delay_s": 1000}])
        with self.assertRaises(TimeoutError):
            quell.wait(many[1], 0)
        reply = quell.delete(many, reason="test")
        self.assertTrue(reply["success"], reply)
        said = quell.verify(reply["receipt"])
        self.assertEqual(said["reason"], "test")
        self.assertEqual({one["job_id"] for one in said["outcomes"]}, set(many))
        forged = dict(reply["receipt"], payload=reply["receipt"]["payload"][:-8] + "AAAAAAAA")
        with self.assertRaises(ValueError):
            quell.verify(forged)
        with self.assertRaises(QuellError) as refused:
            quell.get(many[0])
        self.assertEqual((refused.exception.status, refused.exception.code), (410, "job-deleted"))
        waits = quell.submit("noop", delay_s=1000)
        quell.cancel(waits["job_id"])
        self.assertEqual(quell.get(waits["job_id"])["status"], "cancelled")

    def test_the_python_client_hears_events(self):
        heard = self.quell.events("job.*")
        # The stream is open when the first event comes, so a job is submitted until one is heard.
        done = threading.Event()

        def submit():
            while not done.wait(0.05):
                self.quell.submit("noop")

        speaker = threading.Thread(target=submit)
        speaker.start()
        try:
            self.assertTrue(next(heard)["type"].startswith("job."))
        finally:
            done.set()
            speaker.join()
            heard.close()

    def test_the_python_client_needs_nothing_but_the_standard_library(self):
        text = (DOCS / "examples/quell.py").read_text()
        for name in re.findall(r"^(?:import|from) (\w+)", text, re.M):
            self.assertIn(name, sys.stdlib_module_names)

    def test_every_alert_names_a_metric_that_is_served(self):
        self.quell.wait(self.quell.submit("noop")["job_id"], 60)
        _, served = self.server.call("GET", "/metrics")
        names = set(re.findall(r"^(quell_\w+)[ {]", served, re.M))
        rules = (DOCS / "examples/alerts.yml").read_text()
        used = {name for line in re.findall(r"expr: (.*)", rules) for name in re.findall(r"\bquell_\w+", line)}
        self.assertGreater(len(used), 10)
        self.assertEqual(used - names, set())

    def test_every_metric_is_explained_and_typed(self):
        _, served = self.server.call("GET", "/metrics")
        helped, typed = (set(re.findall(rf"^# {word} (quell_\w+) ", served, re.M)) for word in ("HELP", "TYPE"))
        self.assertEqual(helped, typed)
        for name in set(re.findall(r"^(quell_\w+)[ {]", served, re.M)):
            self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name) if name not in typed else name, typed)


if __name__ == "__main__":
    unittest.main()
