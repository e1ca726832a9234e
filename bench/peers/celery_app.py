"""The tasks that Celery runs for the comparison: nothing, a wait, a sign of life, and one that shows whether it was really stopped."""
import os
import time

import redis
from celery import Celery

app = Celery("peers", broker=os.environ["PEER_REDIS"])
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=int(os.environ.get("PEER_PREFETCH", "1")),
                task_acks_late=False, task_default_delivery_mode="transient", worker_disable_rate_limits=True,
                broker_pool_limit=64, worker_hijack_root_logger=False)
signs = redis.Redis.from_url(os.environ["PEER_REDIS"])


@app.task
def noop():
    pass


@app.task
def wait(seconds):
    time.sleep(seconds)


@app.task
def sign():
    """Tells the one who measures that it runs, and when."""
    signs.lpush("signs", repr(time.monotonic()))


@app.task
def witness(path, seconds):
    """Leaves a line at its start, and one for each tenth of a second that it lives."""
    with open(path, "a", buffering=1) as log:
        log.write("start\n")
        for _ in range(int(seconds * 10)):
            time.sleep(0.1)
            log.write("alive\n")
