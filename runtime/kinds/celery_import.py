"""Drains an old Redis once: every message that waits there becomes a job of quell.

A message is pushed through quell's door, which answers when it is committed, and is removed from the old Redis only
then. Its id is an alias of its job, so a second run neither doubles nor loses one: an import that was interrupted is
started again. Needs the redis package of the team's own environment, nothing else.
"""
import argparse
import json
import sys

import redis

SEPARATOR = b"\x06\x16"
STEPS = (b"", SEPARATOR + b"3", SEPARATOR + b"6", SEPARATOR + b"9")


def queues_of(old, named):
    """Those that are named; else all that an exchange is bound to, and Celery's own."""
    if named:
        return sorted(name.encode() for name in named)
    found = {b"celery"}
    for key in old.scan_iter(match=b"_kombu.binding.*", count=1000):
        if key.endswith(b".pidbox") or b"celeryev" in key:
            continue
        for member in old.smembers(key):
            queue = member.split(SEPARATOR)[-1]
            if queue and not queue.endswith(b".pidbox"):
                found.add(queue)
    return sorted(found)


def id_of(raw):
    try:
        return json.loads(raw)["headers"]["id"]
    except (ValueError, KeyError, TypeError):
        return None


class Import:
    def __init__(self, old, new, is_dry):
        self.old, self.new, self.is_dry = old, new, is_dry
        self.moved, self.failed = 0, []

    def push(self, queue, raw):
        """True: it is safe in quell, or would be."""
        if id_of(raw) is None:
            self.failed.append("a message without an id in the queue " + queue.decode(errors="replace"))
            return False
        if not self.is_dry:
            try:
                self.new.lpush(queue, raw)
            except redis.ResponseError as error:
                self.failed.append(f"{id_of(raw)}: {error}")
                return False
        self.moved += 1
        return True

    def drain(self, queue):
        for step in STEPS:
            key = queue + step
            if self.is_dry:
                for raw in self.old.lrange(key, 0, -1):
                    self.push(queue, raw)
                continue
            left = self.old.llen(key)  # what cannot be moved stays where it is
            stuck = 0
            while left > 0:
                raw = self.old.lindex(key, -1 - stuck)
                if raw is None:
                    break
                if self.push(queue, raw):
                    self.old.lrem(key, -1, raw)
                else:
                    stuck += 1
                left -= 1

    def drain_unacked(self):
        """What a worker had taken and did not finish: its ETA tasks, and those of a worker that was killed."""
        for tag, packed in list(self.old.hscan_iter("unacked", count=500)):
            message, _, routing_key = json.loads(packed)
            if self.push(routing_key.encode(), json.dumps(message).encode()) and not self.is_dry:
                self.old.hdel("unacked", tag)
                self.old.zrem("unacked_index", tag)


def main():
    parser = argparse.ArgumentParser(prog="quell celery import")
    parser.add_argument("source")
    parser.add_argument("to")
    parser.add_argument("--queue", action="append", default=[])
    parser.add_argument("--dry-run", action="store_true")
    asked = parser.parse_args()
    old, new = redis.Redis.from_url(asked.source), redis.Redis.from_url(asked.to)
    try:
        new.ping()
        run = Import(old, new, asked.dry_run)
        for queue in queues_of(old, asked.queue):
            before = run.moved
            run.drain(queue)
            if run.moved > before:
                print(f"{queue.decode()}: {run.moved - before}")
        run.drain_unacked()
    except redis.RedisError as error:
        print(f"quell: {error}; start the import again, it goes on where it was", file=sys.stderr)
        return 7
    for sentence in run.failed:
        print("not moved: " + sentence, file=sys.stderr)
    print(f"{run.moved} " + ("would move" if asked.dry_run else "moved") + f", {len(run.failed)} not")
    return 1 if run.failed else 0


sys.exit(main())
