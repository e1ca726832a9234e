"""A Celery app as a team has it: nothing in it knows of quell."""
import os
import time

from celery import Celery, chord
from celery.exceptions import Ignore, SoftTimeLimitExceeded

app = Celery("shop", broker=os.environ.get("SHOP_REDIS", "redis://localhost/0"),
             backend=os.environ.get("SHOP_REDIS", "redis://localhost/0"))
app.conf.update(task_track_started=False, result_expires=3600, worker_hijack_root_logger=False,
                broker_connection_retry_on_startup=True, result_backend_transport_options={})


def note(text):
    """A side effect that outlives the task, for tests that count them."""
    with open(os.environ["SHOP_NOTES"], "a") as notes:
        notes.write(text + "\n")


@app.task
def add(x, y):
    return x + y


@app.task
def xsum(numbers):
    return sum(numbers)


@app.task
def say(text):
    print("said:", text)
    return text


@app.task
def boom(text="boom"):
    raise ValueError(text)


@app.task(ignore_result=True)
def quiet(x):
    note(f"quiet {x}")
    return x


@app.task(bind=True, max_retries=3)
def third_time(self, key):
    note(f"third_time {key} {self.request.retries}")
    if self.request.retries < 2:
        raise self.retry(countdown=0.2)
    return self.request.retries


@app.task(autoretry_for=(ValueError,), retry_kwargs={"max_retries": 2, "countdown": 0.1})
def auto(key):
    note(f"auto {key}")
    raise ValueError("never")


@app.task(bind=True)
def slowly_retried(self):
    raise self.retry(countdown=3600, max_retries=None)


@app.task(bind=True)
def progress(self):
    self.update_state(state="PROGRESS", meta={"done": 50})
    time.sleep(1.5)
    return "all"


@app.task
def spin(key="spin"):
    note(f"spin {key} {os.getpid()}")
    while True:
        pass


@app.task(time_limit=1)
def too_long():
    while True:
        pass


@app.task(soft_time_limit=1)
def softly():
    try:
        while True:
            pass
    except SoftTimeLimitExceeded:
        return "softened"


@app.task
def wait_and_note(key, seconds=0):
    time.sleep(seconds)
    note(key)
    return key


@app.task
def on_error(request, exc, traceback):
    note(f"on_error {type(exc).__name__}")


@app.task(bind=True)
def replaced(self, x):
    raise self.replace(add.s(x, 100))


@app.task
def spawns(n):
    return [wait_and_note.delay(f"spawned {i}").id for i in range(n)]


@app.task
def spins_and_sends(key):
    """Sends without end: what of it arrives behind a delete?"""
    note(f"spin {key} {os.getpid()}")
    number = 0
    while True:
        number += 1
        quiet.delay(number)


@app.task(bind=True)
def ignored(self):
    raise Ignore()


@app.task
async def later(x):
    import asyncio
    await asyncio.sleep(0.01)
    return x + 1


@app.task(bind=True)
def who(self):
    return {"id": self.request.id, "root": self.request.root_id, "retries": self.request.retries,
            "route": self.request.delivery_info["routing_key"]}


def body_of(parts):
    return chord(parts)(xsum.s())
