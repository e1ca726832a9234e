"""A real Redis, and a real worker of Debian's Celery on it."""
import os
import shutil
import subprocess
import tempfile

import stage
import product
from wire import Wire


class Redis:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="quell-redis-")
        self.port = product.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.worker = None
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--save", "", "--dir", self.folder],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        product.until(self.answers, 30, "a Redis that answers")

    def answers(self):
        try:
            with Wire(self.port) as wire:
                return wire.call("PING") == "PONG"
        except OSError:
            return False

    def call(self, *words):
        with Wire(self.port) as wire:
            return wire.call(*words)

    def work(self, shop):
        with open(os.path.join(self.folder, "worker.log"), "wb") as log:
            self.begin_worker(shop, log)
        product.until(lambda: shop.run("delay", self.url)[0] == 5, 180, "a worker that works")

    def begin_worker(self, shop, log):
        self.worker = subprocess.Popen([stage.PYTHON, "-m", "celery", "-A", "shop:app", "worker", "-c", "4", "-Q",
                                        "celery,other,topical", "--without-gossip", "--without-mingle"], cwd=shop.folder,
                                       env={**shop.environment(self.url), "C_FORCE_ROOT": "1"}, stdout=log, stderr=log)

    def close(self):
        for process in (self.worker, self.process):
            if process:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
