"""Plain functions under @quell.task: the same fork server as Celery's tasks, typed errors, and a delete that kills."""
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

import stage
import product
from product import until
from reaped_test import alive

EXAMPLES = pathlib.Path(__file__).parents[2] / "docs/examples"
sys.path.insert(0, str(EXAMPLES))
import resize_tasks  # noqa: E402
from quell import Quell  # noqa: E402


class PlainTasks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="quell-tasks-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        os.chmod(cls.folder, 0o755)
        for name in ("quell.py", "resize_tasks.py"):
            shutil.copy(EXAMPLES / name, cls.folder)
            os.chmod(os.path.join(cls.folder, name), 0o644)
        cls.server = product.Server("--python-tasks", "resize_tasks", "--celery-dir", cls.folder,
                                    *(["--exec-user", "nobody"] if stage.IS_ROOT else []))
        cls.server.start(environment={"PYTHONDONTWRITEBYTECODE": "1"})
        cls.addClassCleanup(cls.server.stop)
        cls.quell = Quell(f"http://127.0.0.1:{cls.server.port}", cls.server.token)

    def ended(self, kind, args, **more):
        return self.quell.wait(self.quell.submit(kind, args, **more)["job_id"], timeout=60)

    def test_a_function_runs_and_its_result_and_progress_are_the_jobs(self):
        job = self.ended(*resize_tasks.resize.call(files=["a.png", "b.png"], width=7))
        self.assertEqual((job["status"], job["progress"]), ("succeeded", 1.0), job)
        self.assertEqual(self.quell.result(job["job_id"]), {"resized": 2, "width": 7})

    def test_its_own_failure_is_typed(self):
        job = self.ended(*resize_tasks.resize.call(files=["a.txt"]))
        self.assertEqual((job["status"], job["error"]["code"]), ("failed", "not-an-image"))
        self.assertIn("a.txt is no picture", job["error"]["detail"])

    def test_any_other_exception_carries_its_traceback_and_what_was_printed_is_the_log(self):
        job = self.ended("python", {"task": "resize_tasks.broken"})
        self.assertEqual(job["error"]["code"], "python-error")
        self.assertIn("ZeroDivisionError", job["error"]["detail"])
        self.assertIn("resize_tasks.py", job["error"]["detail"])
        self.assertIn("about to break", str(self.server.call("GET", f"/api/v1/jobs/{job['job_id']}/logs")))

    def test_a_coroutine_is_a_task(self):
        job = self.ended("python", {"task": "fetch", "args": {"seconds": 0.01}})
        self.assertEqual(self.quell.result(job["job_id"]), {"attempt": 1})

    def test_a_failure_that_is_worth_it_is_tried_again_when_it_says(self):
        job = self.ended("python", {"task": "resize_tasks.third_time"}, max_attempts=3)
        self.assertEqual((job["status"], self.quell.result(job["job_id"])), ("succeeded", 3))

    def test_arguments_that_do_not_fit_and_tasks_that_are_not_there_are_told(self):
        job = self.ended("python", {"task": "resize_tasks.resize", "args": {"wrong": 1}})
        self.assertEqual(job["error"]["code"], "invalid-args")
        self.assertEqual(self.ended("python", {"task": "none"})["error"]["code"], "unknown-task")
        self.assertEqual(self.server.call("POST", "/api/v1/jobs", {"kind": "python", "args": {}})[0] // 100, 4)

    def test_large_arguments_come_whole(self):
        files = ["é" * 50 + ".png"] * 600  # as the client writes them more than a pipe holds, less than a job may have
        job = self.ended("python", {"task": "resize_tasks.resize", "args": {"files": files}})
        self.assertEqual(self.quell.result(job["job_id"])["resized"], 600)

    def test_one_that_never_ends_is_reaped_before_the_reply_to_its_delete(self):
        job = self.quell.submit("python", {"task": "resize_tasks.for_ever"})["job_id"]
        until(lambda: self.quell.get(job)["status"] == "running", 60, "a running task")
        reply = self.quell.delete([job])
        self.assertEqual((reply["counts"]["killed"], reply["counts"]["unproven"]), (1, 0))

    def test_other_kinds_need_nothing_of_it(self):
        self.assertEqual(self.ended("noop", {})["status"], "succeeded")
        self.assertTrue(alive(self.server.process.pid))
