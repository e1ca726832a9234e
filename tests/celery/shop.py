"""A Celery app as a team has it: nothing in it knows of quell."""
import os
import time

from celery import Celery, chord
from celery.exceptions import Ignore, SoftTimeLimitExceeded
from celery.schedules import crontab

app = Celery("shop", broker=os.environ.get("SHOP_REDIS", "redis://localhost/0"),
             backend=os.environ.get("SHOP_REDIS", "redis://localhost/0"))
app.conf.update(task_track_started=False, result_expires=3600, worker_hijack_root_logger=False,
                broker_connection_retry_on_startup=True, accept_content=["json", "pickle"],
                result_backend_transport_options={"result_chord_ordered": "SHOP_UNORDERED" not in os.environ})


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


@app.task(acks_late=True)
def late(key, seconds=0):
    """Counted when it begins: with acks_late a lost one begins again."""
    note(f"late {key} {os.getpid()}")
    time.sleep(seconds)
    return key


@app.task
def early(key, seconds=0):
    note(f"early {key} {os.getpid()}")
    time.sleep(seconds)
    return key


@app.task(acks_late=True, reject_on_worker_lost=True)
def dies_once(key):
    first = not any(line.startswith(f"dies {key}") for line in open(os.environ["SHOP_NOTES"]))
    note(f"dies {key} {os.getpid()}")
    if first:
        os.kill(os.getpid(), 9)
    return "lived"


@app.task(acks_late=True)
def dies():
    os.kill(os.getpid(), 9)


@app.task(rate_limit="2/s")
def rated(n):
    note(f"rated {n} {time.time()}")
    return n


@app.task
def logs():
    import logging
    logging.getLogger("shop.orders").warning("only %d left", 3)
    logging.getLogger("shop.orders").info("an order")
    print("printed")


@app.task(bind=True)
def halfway(self):
    self.update_state(state="PROGRESS", meta={"current": 3, "total": 4})
    time.sleep(30)


@app.task
def body_in_task():
    return add.delay(4, 4).id


@app.task
def size(things):
    return len(things)


app.conf.beat_schedule = {
    "tick": {"task": "shop.wait_and_note", "schedule": 1.0, "args": ("tick",)},
    "add-often": {"task": "shop.add", "schedule": 30.0, "args": (1, 2)},
    "say-at-night": {"task": "shop.say", "schedule": crontab(minute="30", hour="2", day_of_week="mon-fri"),
                     "kwargs": {"text": "night"}, "options": {"queue": "nights", "priority": 3}},
    "no-counterpart": {"task": "shop.say", "schedule": crontab(day_of_month="1", day_of_week="mon"), "args": ("x",)},
}


@app.task(bind=True)
def who(self):
    return {"id": self.request.id, "root": self.request.root_id, "retries": self.request.retries,
            "route": self.request.delivery_info["routing_key"]}


def body_of(parts):
    return chord(parts)(xsum.s())
