"""What a team's producers do, run by Debian's own Celery against whatever SHOP_REDIS names. Each prints one JSON value.
The same scenarios run against quell and against a real Redis with a real worker."""
import json
import os
import subprocess
import sys
import time
import uuid

import shop
from celery import chain, chord, group
from celery.exceptions import TaskRevokedError, TimeoutError as NotInTime
from celery.result import AsyncResult

WAIT = 60


def value_of(result, wait=WAIT):
    try:
        return result.get(timeout=wait)
    except NotInTime:
        return "not in time"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def delay():
    result = shop.add.delay(2, 3)
    return [value_of(result), result.state, result.ready(), result.successful()]


def failure():
    result = shop.boom.delay("broken")
    value = value_of(result)
    return [value, result.state, "ValueError" in (result.traceback or "")]


def countdown():
    begun = time.time()
    result = shop.add.apply_async((1, 2), countdown=1)
    return [value_of(result), time.time() - begun >= 1]


def expires():
    """Due after it has expired: never run."""
    result = shop.wait_and_note.apply_async(("expired",), countdown=1, expires=0.5)
    return [value_of(result), result.state]


def options():
    own = "own-id-" + uuid.uuid4().hex
    result = shop.who.apply_async(task_id=own, priority=9, queue="other")
    told = value_of(result)
    return [told["id"] == own, told["retries"], told["route"]]


def ignore_result():
    result = shop.quiet.delay(7)
    return [result.state, shop.quiet.ignore_result]


def forget():
    result = shop.add.delay(1, 1)
    first = value_of(result)
    result.forget()
    return [first, AsyncResult(result.id, app=shop.app).state]


def chained():
    result = chain(shop.add.s(1, 2), shop.add.s(10), shop.add.s(100))()
    return [value_of(result), result.parent.get(timeout=WAIT), result.parent.parent.get(timeout=WAIT)]


def broken_chain():
    result = chain(shop.boom.s("in the middle"), shop.add.s(1))()
    return value_of(result)


def grouped():
    result = group(shop.add.s(i, i) for i in range(10))()
    return [value_of(result), result.completed_count()]


def chorded():
    return value_of(chord([shop.add.s(i, i) for i in range(10)])(shop.xsum.s()))


def broken_chord():
    return value_of(chord([shop.add.s(1, 1), shop.boom.s("part")])(shop.xsum.s())).split(":")[0]


def chain_into_chord():
    return value_of(chain(shop.add.s(1, 1), group(shop.add.s(1), shop.add.s(2)), shop.xsum.s())())


def retried():
    key = uuid.uuid4().hex
    result = shop.third_time.delay(key)
    return [value_of(result), result.state]


def auto_retried():
    return value_of(shop.auto.delay(uuid.uuid4().hex))


def linked():
    result = shop.add.apply_async((1, 1), link=shop.add.s(10))
    value_of(result)
    return value_of(result.children[0])


def replaced():
    return value_of(shop.replaced.delay(5))


def progress():
    result = shop.progress.delay()
    for _ in range(600):
        if result.state == "PROGRESS":
            break
        time.sleep(0.05)
    return [result.state, result.info, value_of(result)]


def hard_limit():
    return value_of(shop.too_long.delay())


def soft_limit():
    return value_of(shop.softly.delay())


def limit_of_the_call():
    return value_of(shop.spin.apply_async(time_limit=1))


def revoke_waiting():
    result = shop.wait_and_note.apply_async(("revoked runs",), countdown=6)
    time.sleep(0.3)
    result.revoke()
    return [value_of(result), result.state]


def spinning():
    """A task that runs, and says so."""
    key = uuid.uuid4().hex
    result = shop.spin.delay(key)
    while f"spin {key} " not in open(os.environ["SHOP_NOTES"]).read():
        time.sleep(0.05)
    return result


def revoke_running():
    result = spinning()
    result.revoke(terminate=True)
    return [value_of(result), result.state]


def revoke_for_later():
    """Printed: when it would have run, for whoever starts the server again."""
    due = time.time() + 10
    shop.wait_and_note.apply_async(("came back",), countdown=10).revoke()
    return due


def ping():
    return [list(answer.values())[0] for answer in shop.app.control.ping(timeout=2)]


def inspect_active():
    result = spinning()
    names = [task["name"] for tasks in (shop.app.control.inspect(timeout=2).active() or {}).values() for task in tasks]
    result.revoke(terminate=True, signal="SIGKILL")
    return names


def due_by_eta():
    from datetime import datetime, timedelta, timezone
    begun = time.time()
    result = shop.add.apply_async((1, 2), eta=datetime.now(timezone.utc) + timedelta(seconds=1))
    return [value_of(result), time.time() - begun >= 0.9]


def link_error():
    def count():
        return open(os.environ["SHOP_NOTES"]).read().count("on_error ValueError")
    before = count()
    told = value_of(shop.boom.apply_async(("linked",), link_error=shop.on_error.s()))
    for _ in range(300):
        if count() > before:
            break
        time.sleep(0.05)
    return [told, count() - before]


def compressed():
    return value_of(shop.say.apply_async(("x" * 2000,), compression="gzip")) == "x" * 2000


def pickled():
    return value_of(shop.size.apply_async(({1, 2, 3},), serializer="pickle"))


def by_topic():
    from kombu import Exchange, Queue
    topics = Exchange("topics", type="topic")
    queue = Queue("topical", topics, routing_key="order.*")
    return value_of(shop.add.apply_async((2, 2), exchange=topics, routing_key="order.new", declare=[queue]), 20)


def children():
    result = shop.body_in_task.delay()
    value_of(result)
    return [value_of(child) for child in result.children]


def group_in_chain_in_group():
    return value_of(group(chain(shop.add.s(1, 1), group(shop.add.s(1), shop.add.s(2))), shop.add.s(5, 5))())


def command(*words):
    done = subprocess.run([sys.executable, "-m", "celery", "-A", "shop:app", *words], capture_output=True, text=True, timeout=60)
    return done.stdout


def status_command():
    return command("status").strip().splitlines()[-1]


def result_command():
    result = shop.add.delay(20, 22)
    value_of(result)
    return command("result", result.id).strip()


def beat():
    """Beat is a producer; what it sends is run."""
    process = subprocess.Popen([sys.executable, "-m", "celery", "-A", "shop:app", "beat", "-s", "/dev/null/none",
                                "--scheduler", "celery.beat:Scheduler"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if "tick" in open(os.environ["SHOP_NOTES"]).read().split():
                return "ticked"
            time.sleep(0.05)
        return "silent"
    finally:
        process.terminate()
        process.wait()


def purge():
    for _ in range(5):
        shop.add.apply_async((1, 1), queue="nobody-listens-" + "here")
    return True


def ignored():
    result = shop.ignored.delay()
    return value_of(result, 2)


def printed():
    return value_of(shop.say.delay("hello"))


def coroutine():
    return value_of(shop.later.delay(1))


def starmap():
    return [value_of(shop.add.starmap([(1, 2), (3, 4)]).delay()),
            value_of(shop.add.chunks([(1, 1), (2, 2), (3, 3)], 2).group()())]


def send(task, *args):
    """Printed: the id."""
    return getattr(shop, task).delay(*[json.loads(arg) for arg in args]).id


def rejected():
    return value_of(shop.dies_once.delay(uuid.uuid4().hex))


def lost_for_good():
    return value_of(shop.dies.delay()).split(":")[0]


def rated_five():
    return sorted(result.get(timeout=WAIT) for result in [shop.rated.delay(n) for n in range(5)])


def events():
    """What a monitor sees of one task."""
    import threading
    seen, there = [], threading.Event()

    def watch():
        with shop.app.connection() as connection:
            receiver = shop.app.events.Receiver(connection, handlers={"*": hear})
            there.set()
            receiver.capture(limit=None, timeout=30, wakeup=False)

    def hear(event):
        if event["type"].startswith("task-") and event["uuid"] == own:
            seen.append(event["type"])

    own = "watched-" + uuid.uuid4().hex
    shop.app.control.enable_events()
    threading.Thread(target=watch, daemon=True).start()
    there.wait(30)
    time.sleep(2)
    shop.add.apply_async((1, 1), task_id=own)
    for _ in range(300):
        if "task-succeeded" in seen:
            break
        time.sleep(0.1)
    return seen


def many():
    results = [shop.add.delay(i, 1) for i in range(40)]
    return sum(result.get(timeout=WAIT) for result in results)


def spin_many(count):
    for _ in range(int(count)):
        shop.spin.delay()
    return True


def burst(count):
    for number in range(int(count)):
        shop.wait_and_note.delay(f"burst {number}")
    return True


def send_without_end():
    return shop.spins_and_sends.delay("sends").id


def for_later():
    return shop.wait_and_note.apply_async(("later",), countdown=3600).id


def send_again(task_id):
    try:
        shop.wait_and_note.apply_async(("later",), task_id=task_id, retry=False)
    except Exception as error:
        return str(error)
    return "sent"


def retry_for_ever():
    return shop.slowly_retried.delay().id


def chain_behind_spin():
    return chain(shop.spin.s("head"), shop.quiet.s(), shop.add.s(1))().id


def chord_behind_spin():
    return chord([shop.spin.s("part"), shop.spin.s("other-part")])(shop.xsum.s()).id


def waiting():
    """For nobody yet: four, one of another priority, and one that is due tomorrow."""
    for number in range(4):
        shop.wait_and_note.delay(f"moved {number}")
    shop.wait_and_note.apply_async(("moved 9",), priority=9)
    shop.wait_and_note.apply_async(("moved late",), countdown=86400)
    return True


def wait_for_spin():
    return value_of(shop.spin.delay())


def run(scenario, *words):
    print("\n" + json.dumps(globals()[scenario](*words)), flush=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        run(*sys.argv[1:])
    for line in [] if sys.argv[1:] else sys.stdin:  # a producer that lives on, as a web server's does
        run(*line.split())
