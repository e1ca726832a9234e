"""What Celery's workers promise holds for quell as the worker: acks_late, lost processes, rates, logs, progress, events; and
what a team does with it: a new deploy, a beat, a task looked up by its own id."""
import datetime
import json
import os
import signal
import subprocess
import time
import unittest

import stage
import product
from product import until


class Worker(unittest.TestCase):
    def begin(self, *flags, **more):
        self.shop = stage.Shop()
        self.addCleanup(self.shop.close)
        self.server = stage.serve(self.shop, *flags, **more)
        self.addCleanup(self.server.stop)
        return self.server

    def noted(self, word, count):
        def there():
            notes = [note for note in self.shop.notes() if note.startswith(word + " ")]
            return notes if len(notes) >= count else None
        return until(there, 90, f"{count} notes of {word}")

    def job_of(self, task_id):
        return until(lambda: stage.jobs_of(self.server, tag="celery:" + task_id), 30, "the job")[0]

    def ended(self, task_id, status):
        return until(lambda: self.job_of(task_id)["status"] == status and self.job_of(task_id), 90, status)

    def quell(self, *words):
        done = subprocess.run([product.BINARY, *words], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                              env={**os.environ, "QUELL_URL": f"http://127.0.0.1:{self.server.port}",
                                   "QUELL_TOKEN": self.server.token, "SHOP_NOTES": self.shop.notes_file})
        return done.returncode, done.stdout, done.stderr

    def test_of_a_killed_node_what_has_acks_late_runs_again_and_the_rest_is_lost(self):
        server = self.begin(slots=2)
        late, early = (self.shop.run("send", server.url, name, '"k"', "30") for name in ("late", "early"))
        self.noted("late", 1), self.noted("early", 1)
        server.kill()
        server.start(environment={"SHOP_NOTES": self.shop.notes_file})
        self.assertEqual(self.ended(early, "failed")["error"]["code"], "celery-worker-lost")
        self.noted("late", 2)
        self.assertEqual(len(self.noted("early", 1)), 1)
        status, reply = server.delete_many([self.job_of(late)["job_id"]])
        self.assertEqual((status, reply["counts"]["killed"], reply["counts"]["unproven"]), (200, 1, 0))

    def test_a_process_that_dies_is_lost_with_acks_late_too_unless_the_task_rejects(self):
        server = self.begin()
        self.assertEqual(self.shop.run("lost_for_good", server.url), "WorkerLostError")
        self.assertEqual(self.shop.run("rejected", server.url), "lived")

    def test_a_rate_limit_spaces_a_tasks_starts_from_the_first_on(self):
        server = self.begin()
        self.assertEqual(self.shop.run("rated_five", server.url), [0, 1, 2, 3, 4])
        self.assertEqual(len(self.noted("rated", 5)), 5)
        # When the node began each, not when the machine got round to its process.
        times = sorted(datetime.datetime.fromisoformat(job["started_at"].replace("Z", "+00:00"))
                       for job in stage.jobs_of(server, tag="celery-task:shop.rated"))
        self.assertEqual(len(times), 5)
        for one, next_one in zip(times, times[1:]):
            self.assertGreaterEqual((next_one - one).total_seconds(), 0.4, times)

    def test_what_a_task_logs_and_prints_is_its_jobs_log_with_its_levels(self):
        server = self.begin()
        job = self.ended(self.shop.run("send", server.url, "logs"), "succeeded")
        status, log = server.call("GET", f"/api/v1/jobs/{job['job_id']}/logs")
        self.assertEqual(status, 200)
        text = json.dumps(log)
        for part in ("only 3 left", "warning", "an order", "printed"):
            self.assertIn(part, text)

    def test_a_tasks_own_state_is_the_progress_of_its_job(self):
        server = self.begin()
        task_id = self.shop.run("send", server.url, "halfway")
        job = until(lambda: (lambda one: one if one.get("progress") == 0.75 else None)(
            server.call("GET", f"/api/v1/jobs/{self.job_of(task_id)['job_id']}")[1]), 60, "progress")
        self.assertIn("PROGRESS", json.dumps(job))
        server.delete_many([job["job_id"]])

    def test_a_new_deploy_is_read_anew_without_a_loss_and_a_broken_one_is_not(self):
        server = self.begin(slots=4)
        module = os.path.join(self.shop.folder, "shop.py")
        text = open(module).read()
        self.assertEqual(self.shop.run("delay", server.url)[0], 5)
        running = self.shop.run("send", server.url, "early", '"goes on"', "8")
        self.noted("early", 1)

        def deploy(new):
            with open(module, "w") as file:
                file.write(new)
            server.process.send_signal(signal.SIGHUP)

        deploy(text.replace("return x + y", "return x + y + 1000"))
        until(lambda: self.shop.run("delay", server.url)[0] == 1005, 60, "the new code")
        deploy(text.replace("return x + y", "return (x"))
        until(lambda: "goes on as it was" in server.log_text(), 60, "the refusal")
        self.assertEqual(stage.jobs_of(server, status="failed"), [])
        with open(module, "w") as file:
            file.write(text)
        self.assertEqual(self.shop.run("delay", server.url)[0], 1005)
        self.ended(running, "succeeded")
        self.assertEqual(stage.jobs_of(server, status="failed"), [])

    def test_a_monitor_sees_a_task_come_begin_and_end(self):
        server = self.begin()
        self.assertEqual(self.shop.run("events", server.url), ["task-received", "task-started", "task-succeeded"])

    def test_a_beat_comes_over_once_and_what_it_fires_runs(self):
        server = self.begin()
        words = ("celery", "beat-import", "shop:app", "--dir", self.shop.folder)
        code, out, err = self.quell(*words, "--dry-run")
        self.assertIn("3 would be made, 0 there before, 1 not taken", out + err)
        code, out, err = self.quell(*words)
        self.assertEqual(code, 1, out + err)
        self.assertIn("3 made, 0 there before, 1 not taken", out)
        self.assertIn("no-counterpart: it names days", out)
        self.assertIn("0 made, 3 there before, 1 not taken", self.quell(*words)[1])
        status, page = server.call("GET", "/api/v1/schedules")
        made = {one["name"]: one for one in page["schedules"]}
        self.assertEqual((made["say-at-night"]["cron"], made["say-at-night"]["zone"]), ("30 2 * * mon-fri", "UTC"))
        status, fired = server.call("POST", f"/api/v1/schedules/{made['say-at-night']['task_uuid']}/run-now")
        self.assertEqual(status // 100, 2, fired)
        job = until(lambda: stage.jobs_of(server, tag="celery-task:shop.say", status="succeeded"), 60, "a fired task")[0]
        self.assertEqual(job["queue"], "nights")

    def test_a_job_is_found_by_the_id_that_celery_knows(self):
        server = self.begin()
        task_id = self.shop.run("send", server.url, "add", "1", "2")
        self.ended(task_id, "succeeded")
        code, out, err = self.quell("result", "celery:" + task_id)
        self.assertEqual((code, out.strip()), (0, "3"), err)
        code, out, err = self.quell("delete", "celery:" + task_id)
        self.assertEqual(code, 0, out + err)
        code, out, err = self.quell("get", "celery:" + task_id)
        self.assertEqual(code, 3)
        self.assertIn("no job has Celery's id", err)

    def test_no_process_is_forked_ahead_where_none_is_wanted(self):
        self.begin("--celery-forks-ahead", "0")
        self.assertEqual(self.shop.run("chorded", self.server.url), 90)
