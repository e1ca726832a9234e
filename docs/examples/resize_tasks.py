"""Tasks without Celery: functions that a server runs when it is started with `--python-tasks resize_tasks`."""
import asyncio

from quell import Failed, Job, partial, progress, task


@task
def resize(files, width=100):
    for done, name in enumerate(files, 1):
        if not name.endswith(".png"):
            raise Failed("not-an-image", f"{name} is no picture")
        partial({"resized": name})
        progress(done / len(files), name)
    return {"resized": len(files), "width": width}


@task(name="fetch")
async def fetch_slowly(seconds):
    await asyncio.sleep(seconds)
    return {"attempt": Job.attempt}


@task
def third_time():
    """The first two attempts fail in a way that is worth another."""
    if Job.attempt < 3:
        raise Failed("provider-busy", "try again", retry=True, after=0.1)
    return Job.attempt


@task
def broken():
    print("about to break")
    return 1 / 0


@task
def for_ever():
    while True:
        pass
