"""What an app's beat_schedule says, one JSON object a line: a schedule of quell each, or why there is none.

Each carries the message that beat would send, made by the app's own Celery. It has no id: what a schedule fires is called
by its job's.
"""
import base64
import json
import os
import sys
from datetime import timedelta

NO_ID = "@job"


def field(schedule, name):
    return str(getattr(schedule, "_orig_" + name)).replace(" ", "")


def time_of(schedule, app):
    from celery.schedules import crontab
    from celery.schedules import schedule as interval

    if isinstance(schedule, crontab):
        days = field(schedule, "day_of_month"), field(schedule, "day_of_week")
        if "*" not in days:
            raise ValueError("it names days of the month and of the week; Celery wants both to fit, cron either")
        cron = " ".join([field(schedule, "minute"), field(schedule, "hour"), days[0], field(schedule, "month_of_year"), days[1]])
        zone = str(getattr(schedule, "tz", None) or app.timezone)
        return {"cron": cron, "zone": zone}
    if isinstance(schedule, interval):
        schedule = schedule.run_every
    if isinstance(schedule, timedelta):
        schedule = schedule.total_seconds()
    if not isinstance(schedule, (int, float)) or schedule < 1:
        raise ValueError(f"{type(schedule).__name__} has no counterpart: a cron expression or whole seconds are taken")
    return {"every": int(schedule)}


def message_of(app, entry):
    from kombu.serialization import dumps

    options = dict(entry.get("options") or {})
    task = app.tasks.get(entry["task"])
    message = app.amqp.as_task_v2(NO_ID, entry["task"], tuple(entry.get("args") or ()), dict(entry.get("kwargs") or {}),
                                  time_limit=options.get("time_limit"), soft_time_limit=options.get("soft_time_limit"))
    content_type, encoding, body = dumps(message.body, serializer=options.get("serializer") or app.conf.task_serializer)
    if isinstance(body, str):
        body = body.encode()
    headers = {**message.headers, "root_id": NO_ID, "origin": "quell"}
    queue = str(options.get("queue") or getattr(task, "queue", None) or app.conf.task_default_queue)
    envelope = {"body": base64.b64encode(body).decode(), "content-encoding": encoding, "content-type": content_type,
                "headers": headers,
                "properties": {"correlation_id": NO_ID, "reply_to": "", "delivery_mode": 2, "priority": 0,
                               "delivery_info": {"exchange": "", "routing_key": queue}, "body_encoding": "base64",
                               "delivery_tag": NO_ID}}
    return queue, int(options.get("priority") or 0), envelope


def schedule_of(app, name, entry):
    options = entry.get("options") or {}
    if options.get("expires"):
        raise ValueError("its option `expires` has no counterpart: give the schedule `misfire` skip instead")
    queue, priority, envelope = message_of(app, entry)
    return {**time_of(entry["schedule"], app),
            "job": {"kind": "celery", "queue": queue, "priority": 9 - priority, "max_attempts": 1000,
                    "timeout_s": 604800, "tags": ["celery-task:" + entry["task"]],
                    "args": {"task": entry["task"], "id": NO_ID, "message": envelope}}}


def main():
    sys.path.insert(0, os.getcwd())
    from celery.app.utils import find_app

    out = sys.stdout
    sys.stdout = sys.stderr  # what the app prints while it is imported is not ours
    app = find_app(sys.argv[1])
    app.loader.import_default_modules()
    app.finalize()
    for name, entry in sorted((app.conf.beat_schedule or {}).items()):
        try:
            said = {"name": name, **schedule_of(app, name, entry)}
        except Exception as error:
            said = {"name": name, "refused": str(error)}
        print(json.dumps(said), file=out)


main()
