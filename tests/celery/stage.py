"""A quell with the shop's tasks in it, and the shop's producers beside it: Debian's Celery, unchanged."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import uuid

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "blackbox"))
import product  # noqa: E402

PYTHON = "/usr/bin/python3"
IS_ROOT = os.geteuid() == 0


class Shop:
    """The team's folder, where a task's process may write notes; and how a producer is run in it."""

    def __init__(self, **more):
        self.more = more
        self.folder = tempfile.mkdtemp(prefix="quell-shop-")
        os.chmod(self.folder, 0o777)
        for name in ("shop.py", "scenarios.py"):
            shutil.copy(HERE / name, self.folder)
            os.chmod(os.path.join(self.folder, name), 0o644)
        self.notes_file = os.path.join(self.folder, "notes")
        with open(self.notes_file, "w"):
            pass
        os.chmod(self.notes_file, 0o666)

    def environment(self, url):
        return {"SHOP_REDIS": url, "SHOP_NOTES": self.notes_file, "PATH": os.environ["PATH"],
                "PYTHONDONTWRITEBYTECODE": "1", **self.more}

    def notes(self):
        with open(self.notes_file) as notes:
            return notes.read().splitlines()

    def start(self, scenario, url, *words):
        return subprocess.Popen([PYTHON, "scenarios.py", scenario, *words], cwd=self.folder,
                                env=self.environment(url), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, scenario, url, *words, timeout=180):
        process = self.start(scenario, url, *words)
        out, err = process.communicate(timeout=timeout)
        if process.returncode != 0:
            raise AssertionError(f"{scenario} ended with {process.returncode}:\n{err[-3000:]}")
        return json.loads(out.strip().splitlines()[-1])

    def producer(self, url):
        return Producer(self, url)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Producer:
    """One process that produces scenario after scenario, as a web server does: to start Celery takes longer than most of them."""

    def __init__(self, shop, url):
        self.shop, self.url, self.process = shop, url, None
        self.errors = open(os.path.join(shop.folder, "errors-" + uuid.uuid4().hex), "w+")

    def begin(self):
        self.close_process()
        self.process = subprocess.Popen([PYTHON, "scenarios.py"], cwd=self.shop.folder, env=self.shop.environment(self.url),
                                        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)

    def run(self, scenario):
        if not self.process or self.process.poll() is not None:
            self.begin()
        self.process.stdin.write(scenario + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.strip():
                return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        raise AssertionError(f"{scenario} ended the producer:\n{self.errors.read()[-3000:]}")

    def close_process(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()

    def close(self):
        self.close_process()
        self.errors.close()


def serve(shop, *flags, slots=20, store=None, data_dir=None, port=None):
    """A running server whose tasks are the shop's."""
    port = port or product.free_port()
    server = product.Server("--celery", "shop:app", "--celery-dir", shop.folder,
                            "--celery-listen", f"127.0.0.1:{port}", "--pool", f"default={slots}",
                            *(["--exec-user", "nobody"] if IS_ROOT else []), *flags, store=store, data_dir=data_dir)
    server.celery_port = port
    server.shop = shop
    server.start(environment={"SHOP_NOTES": shop.notes_file, "PYTHONDONTWRITEBYTECODE": "1", **shop.more})
    server.url = f"redis://default:{server.token}@127.0.0.1:{port}/0"
    return server


def jobs_of(server, **query):
    """Every job of the kind, as the API lists them."""
    text = "&".join(f"{name}={value}" for name, value in query.items())
    status, page = server.call("GET", "/api/v1/jobs?kind=celery&page_size=200" + ("&" + text if text else ""))
    assert status == 200, page
    return page["jobs"]
