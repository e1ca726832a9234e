"""A quell with the shop's tasks in it, and the shop's producers beside it: Debian's Celery, unchanged."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "blackbox"))
import product  # noqa: E402

PYTHON = "/usr/bin/python3"
IS_ROOT = os.geteuid() == 0


class Shop:
    """The team's folder, where a task's process may write notes; and how a producer is run in it."""

    def __init__(self):
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
                "PYTHONDONTWRITEBYTECODE": "1"}

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

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def serve(shop, *flags, slots=20, store=None, data_dir=None, port=None):
    """A running server whose tasks are the shop's."""
    port = port or product.free_port()
    server = product.Server("--celery", "shop:app", "--celery-dir", shop.folder,
                            "--celery-listen", f"127.0.0.1:{port}", "--pool", f"default={slots}",
                            *(["--exec-user", "nobody"] if IS_ROOT else []), *flags, store=store, data_dir=data_dir)
    server.celery_port = port
    server.shop = shop
    server.start(environment={"SHOP_NOTES": shop.notes_file, "PYTHONDONTWRITEBYTECODE": "1"})
    server.url = f"redis://default:{server.token}@127.0.0.1:{port}/0"
    return server


def jobs_of(server, **query):
    """Every job of the kind, as the API lists them."""
    text = "&".join(f"{name}={value}" for name, value in query.items())
    status, page = server.call("GET", "/api/v1/jobs?kind=celery&page_size=200" + ("&" + text if text else ""))
    assert status == 200, page
    return page["jobs"]
