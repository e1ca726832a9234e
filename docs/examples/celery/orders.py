"""Eight tasks of a shop, as they were written for Celery with eventlet workers. Nothing here knows of quell."""
try:
    import eventlet

    eventlet.monkey_patch()
except ImportError:  # the workers of this machine use another pool
    eventlet = None

import os
import time

from celery import Celery, chord

app = Celery("orders", broker=os.environ.get("ORDERS_REDIS", "redis://localhost:6379/0"),
             backend=os.environ.get("ORDERS_REDIS", "redis://localhost:6379/0"))
app.conf.update(task_routes={"orders.invoice": {"queue": "papers"}}, result_expires=3600, task_track_started=True)


@app.task
def price(item, count):
    return {"anvil": 40, "rope": 5}[item] * count


@app.task
def total(prices):
    return sum(prices)


@app.task(bind=True, autoretry_for=(ConnectionError,), retry_kwargs={"max_retries": 3, "countdown": 0.2})
def charge(self, amount):
    """The bank does not answer the first time."""
    if self.request.retries == 0:
        raise ConnectionError("the bank is closed")
    return {"charged": amount, "tries": self.request.retries + 1}


@app.task
def invoice(amount, order):
    return f"invoice of {order}: {amount}"


@app.task(bind=True)
def pack(self, items):
    for done, item in enumerate(items, 1):
        self.update_state(state="PACKING", meta={"current": done, "total": len(items), "item": item})
        time.sleep(0.05)
    return len(items)


@app.task
def fetch_stock(shelves):
    """Many waits at once, in green threads where there are some."""
    if eventlet is None:
        return sorted(look(shelf) for shelf in shelves)
    pool = eventlet.GreenPool()
    return sorted(pool.imap(look, shelves))


def look(shelf):
    time.sleep(0.02)
    return f"{shelf}: 7"


@app.task
def remind(order):
    return f"reminded of {order}"


@app.task(bind=True)
def checkout(self, order, items):
    """Replaces itself by a chord: the prices of all items, then their total."""
    raise self.replace(chord([price.s(item, count) for item, count in items], total.s()))
